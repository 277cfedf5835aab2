"""The pool: which of several sender numbers a mailbox texts a phone from; called by the outbox in its transaction.

A phone's answer names the number it was sent to and nothing else. So each conversation of a mailbox that has several
numbers gets one that no other mailbox uses with that phone: the same again while it lasts, else the one that this phone
has not heard from for longest. Who holds a number keeps it until the window is over and another needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, tuple_, update

from bridge.store.conversations import texted_at
from bridge.store.keys import NumberKey
from bridge.store.tables import conversations
from bridge.store.turns import take_turns
from bridge.types import MessageState, NewMail, NewMessage

_NEVER = datetime.min.replace(tzinfo=UTC)
_MAY_ARRIVE = (
    MessageState.QUEUED,
    MessageState.SENDING,
    MessageState.SENT,
    MessageState.UNKNOWN,
    MessageState.DELIVERED,
)
"""States of a text that the phone has or may get, and answer from then on."""


@dataclass(frozen=True, slots=True)
class Use:
    """A conversation with a phone through one number."""

    mailbox_id: str
    sender: str
    written_at: datetime
    """When its mailbox last texted the phone, or is to text it; long ago when it never did."""
    alive_at: datetime
    """The last moment of the conversation, whoever wrote."""
    held_at: datetime | None
    """Since when the number has been this conversation's alone."""


@dataclass(frozen=True, slots=True)
class Given:
    """The number that a conversation gets."""

    sender: str
    held_at: datetime | None
    """Since when it has been this conversation's alone; None when none of the mailbox's numbers was free."""


def give(mailbox_id: str, senders: Sequence[str], uses: Iterable[Use], now: datetime, window: timedelta) -> Given:
    """Choose among a mailbox's numbers, knowing every conversation with the phone through any of them. Pure."""
    used = [use for use in uses if use.sender in senders]
    mine = {use.sender: use for use in used if use.mailbox_id == mailbox_id}
    others = [use for use in used if use.mailbox_id != mailbox_id]
    taken = {use.sender for use in others if now - use.alive_at <= window}
    free = [sender for sender in senders if sender not in taken]
    if not free:
        return Given(_best(senders, mine, used), None)
    sender = _best(free, mine, used)
    before = mine[sender].held_at if sender in mine else None
    undisturbed = before is not None and all(use.written_at < before for use in others if use.sender == sender)
    return Given(sender, before if undisturbed else now)


def _best(senders: Sequence[str], mine: dict[str, Use], used: Sequence[Use]) -> str:
    """The one the mailbox used last with this phone, or else the one that nobody has used with it for longest."""
    known = [mine[sender] for sender in senders if sender in mine]
    if known:
        return max(known, key=lambda use: use.alive_at).sender
    alive: dict[str, datetime] = {}
    for use in used:
        alive[use.sender] = max(use.alive_at, alive.get(use.sender, _NEVER))
    return min(senders, key=lambda sender: alive.get(sender, _NEVER))


def assign(
    connection: Connection, key: NumberKey, said: Sequence[tuple[NewMail, NewMessage]], window: timedelta
) -> list[NewMessage]:
    """The messages of these mails, in their order, each from the number that its conversation gets; what has no choice
    of numbers stays as it is. What others held until now is taken from them."""
    pooled = [(mail, message) for mail, message in said if message.pool]
    if not pooled:
        return [message for _, message in said]
    take_turns(connection, ["pool"])
    uses = _uses(connection, {key.hash(message.number) for _, message in pooled})
    assigned, freed = [], set()
    for mail, message in said:
        if not message.pool:
            assigned.append(message)
            continue
        phone = key.hash(message.number)
        known = uses.setdefault(phone, {})
        given = give(mail.mailbox.id, (message.sender, *message.pool), known.values(), mail.at, window)
        for place, use in known.items():
            if use.sender == given.sender and use.held_at and use.mailbox_id != mail.mailbox.id and given.held_at:
                known[place] = replace(use, held_at=None)
                freed.add((use.mailbox_id, phone, use.sender))
        place, leaves_at = (mail.mailbox.id, given.sender), max(mail.at, message.due_at)
        known[place] = Use(mail.mailbox.id, given.sender, leaves_at, leaves_at, given.held_at)
        assigned.append(replace(message, sender=given.sender, held_at=given.held_at))
    _take_back(connection, freed)
    return assigned


def _uses(connection: Connection, phones: set[str]) -> dict[str, dict[tuple[str, str], Use]]:
    """Every conversation with these phones, by phone, mailbox and number."""
    found: dict[str, dict[tuple[str, str], Use]] = {}
    ordered = sorted(phones)
    for start in range(0, len(ordered), 500):
        some = ordered[start : start + 500]
        texted = texted_at(connection, some, _MAY_ARRIVE)
        for row in connection.execute(select(conversations).where(conversations.c.number_hash.in_(some))):
            newest = texted.get((row.mailbox_id, row.number_hash, row.sender), _NEVER)
            written, heard = max(row.last_written_at or _NEVER, newest), row.last_heard_at or _NEVER
            use = Use(row.mailbox_id, row.sender, written, max(written, heard), row.held_at)
            found.setdefault(row.number_hash, {})[row.mailbox_id, row.sender] = use
    return found


def _take_back(connection: Connection, freed: set[tuple[str, str, str]]) -> None:
    if not freed:
        return
    place = tuple_(conversations.c.mailbox_id, conversations.c.number_hash, conversations.c.sender)
    connection.execute(update(conversations).where(place.in_(sorted(freed))).values(held_at=None))
