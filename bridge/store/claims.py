"""Claiming what is due and saying that it is on its way: the first half of the queue, below `queue`.

A claimed row is still `queued`, with a lease; it becomes `sending` in a commit of its own just before the first byte
leaves. Where a gateway has a rate, a message is claimed together with its slot (`paces`), and what has none is looked
past, so that a slow sender keeps nobody else waiting. Each function does a batch in the committer's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    insert,
    select,
    update,
)

from bridge import clock
from bridge.store import paces
from bridge.store.automatic import CONFIRMS_STOP
from bridge.store.due import UNDECIDED, carrier, first_tried_at, may_be_claimed
from bridge.store.tables import attempts, message_contents, messages, opt_outs
from bridge.types import Encoding, MessageClass, MessageState, OutboundSms, Priority, Rates, Shift


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish for work: at most `limit` messages that are due, leased to `owner` until `until`."""

    owner: str
    now: datetime
    until: datetime
    limit: int
    without: frozenset[str] = frozenset()
    """Gateways that are left alone: messages that no other may carry stay where they are."""
    full: frozenset[str] = frozenset()
    """Gateways that have enough in hand: what they would carry stays where it is, stand-ins or not."""
    rates: Mapping[str, Rates] = field(default_factory=dict)
    """Of the gateways that have one: their messages are claimed for a later moment too."""
    gone: frozenset[str] = frozenset()
    """Gateways that messages name and that are none any more."""

    @property
    def passed_by(self) -> frozenset[str]:
        """Who carries nothing now."""
        return self.without | self.gone


@dataclass(frozen=True, slots=True)
class Slot:
    """Who would carry a message, and when it may leave; where its gateway has a rate, that keeps this moment free."""

    gateway: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message that is ours to send until its lease ends."""

    sms: OutboundSms
    gateway: str
    attempts: int
    """Tries so far."""
    first_tried_at: datetime | None
    """When the present row of tries began; a person who has an unknown message sent again begins another."""
    opted_out_since: datetime | None
    """The phone asked this sender number for no more texts, after the message was taken."""
    undecided: bool
    """It asked in words of its own, and nobody has decided."""
    stand_ins: tuple[str, ...]
    """Gateways that take its place when it cannot be reached."""
    leased_until: datetime
    due_at: datetime
    """Since when it could leave; before the first try that is when it was taken, or the later time it asked for."""
    slot: Slot
    """When it leaves and through whom."""


@dataclass(frozen=True, slots=True)
class Start:
    """A claimed message is about to leave: bytes may be on their way from now on."""

    owner: str
    message_id: str
    gateway: str
    now: datetime
    until: datetime
    stand_ins: tuple[str, ...] | None = None
    """Set when another gateway carries it than the one it was claimed for: who stands in from now on."""


@dataclass(frozen=True, slots=True)
class Release:
    """A claimed message does not leave after all; it may be claimed again from `until` on."""

    owner: str
    message_id: str
    until: datetime


_ROUNDS = 10
"""How often a claim looks past senders whose slots it has given out; the next claim goes on from there."""

_OPTED_OUT = and_(
    opt_outs.c.organisation_id == messages.c.organisation_id,
    opt_outs.c.sender == messages.c.sender,
    opt_outs.c.number_hash == messages.c.number_hash,
    ~CONFIRMS_STOP,
)


def claim(connection: Connection, claims: Sequence[Claim]) -> list[list[Claimed]]:
    """Lease what is due; for each wish the messages that are now his: those of high priority, then the oldest."""
    return [_claim_one(connection, each) for each in claims]


def _claim_one(connection: Connection, claim: Claim) -> list[Claimed]:
    found = _with_slots(connection, claim) if claim.rates else _at_once(connection, claim)
    if not found:
        return []
    rows = connection.execute(_reading(), {"b_ids": list(found)})
    return [_claimed(row, found[row.id] or Slot(carrier(row, claim.passed_by), claim.now)) for row in rows]


def _at_once(connection: Connection, claim: Claim) -> dict[str, Slot | None]:
    """Lease what is due, where no gateway has a rate; one that asked for rest is left alone."""
    busy, senders_of = paces.read(connection, claim.rates, claim.now).busy(claim.now)
    found: dict[str, Slot | None] = {}
    for urgent in (True, False):
        if len(found) < claim.limit:
            leasing = _leasing(claim.without, claim.gone, busy | claim.full, tuple(senders_of), urgent=urgent)
            room = claim.limit - len(found)
            wish = _asked(claim, room, senders_of) | {"b_owner": claim.owner, "b_until": claim.until}
            found |= dict.fromkeys(connection.execute(leasing, wish).scalars())
    return found


def _with_slots(connection: Connection, claim: Claim) -> dict[str, Slot | None]:
    """Lease what is due and has a slot; each round looks past those for whom the rounds before it left none."""
    theirs = paces.reserve(connection, claim.rates)
    slots, until = paces.read(connection, claim.rates, claim.now), claim.now + paces.AHEAD
    found: dict[str, Slot | None] = {}
    urgent = True
    for _ in range(_ROUNDS):
        busy, senders_of = slots.busy(until)
        query = may_be_claimed(claim.without, claim.gone, busy | theirs | claim.full, tuple(senders_of), urgent=urgent)
        rows = connection.execute(query, _asked(claim, claim.limit - len(found), senders_of)).all()
        wishes = [_wish(row, claim) for row in rows]
        given = slots.give(wishes, until)
        if given:
            connection.execute(_LEASE, {"b_ids": list(given), "b_owner": claim.owner, "b_until": claim.until})
        found |= {
            each.message_id: Slot(each.gateway, given[each.message_id]) for each in wishes if each.message_id in given
        }
        if len(given) < len(wishes):
            continue
        if not urgent or len(found) == claim.limit:  # nothing more is due, or there is no room for more
            break
        urgent = False
    paces.write(connection, slots)
    return found


def _wish(row: Any, claim: Claim) -> paces.Wish:
    over = row.expires_at is not None and row.expires_at <= claim.now  # claimed to be settled, not to leave
    return paces.Wish(row.id, carrier(row, claim.passed_by), row.sender, 0 if over else row.segments)


def _asked(claim: Claim, room: int, senders_of: Mapping[str, list[str]]) -> dict[str, Any]:
    """What `may_be_claimed` asks for."""
    named = {f"b_senders_{place}": senders for place, senders in enumerate(senders_of.values())}
    return {"b_now": claim.now, "b_undecided": claim.now - UNDECIDED, "b_limit": room, **named}


_LEASE = (
    update(messages)
    .where(messages.c.id.in_(bindparam("b_ids", expanding=True)))
    .values(lease_owner=bindparam("b_owner"), lease_until=bindparam("b_until"), version=messages.c.version + 1)
)


@lru_cache(256)
def _leasing(
    without: frozenset[str], gone: frozenset[str], busy: frozenset[str], senders_of: tuple[str, ...], *, urgent: bool
) -> Update:
    """Leases what is due and gives its ids; built once, since building it takes longer than carrying it out."""
    # PostgreSQL may run a plain subquery more than once, and then lease more than the limit.
    due = may_be_claimed(without, gone, busy, senders_of, urgent=urgent).with_only_columns(messages.c.id).cte("due")
    return (
        update(messages)
        .where(messages.c.id.in_(select(due.c.id)))
        .values(lease_owner=bindparam("b_owner"), lease_until=bindparam("b_until"), version=messages.c.version + 1)
        .returning(messages.c.id)
    )


@cache
def _reading() -> Select[Any]:
    """Messages by their ids, with their words and what decides whether they may leave."""
    return (
        select(
            messages,
            message_contents.c.text,
            message_contents.c.lengths,
            opt_outs.c.since,
            opt_outs.c.wish,
            first_tried_at().label("first_tried_at"),
        )
        .join(message_contents, message_contents.c.message_id == messages.c.id)
        .outerjoin(opt_outs, _OPTED_OUT)
        .where(messages.c.id.in_(bindparam("b_ids", expanding=True)))
        .order_by(messages.c.priority, messages.c.due_at, messages.c.id)  # "high" sorts before "normal"
    )


def _claimed(row: Any, slot: Slot) -> Claimed:
    bounds = accumulate(row.lengths, initial=0)
    sms = OutboundSms(
        reference=row.id,
        number=row.number,
        sender=row.sender,
        text=row.text,
        encoding=Encoding(row.encoding),
        segments=tuple(row.text[start:end] for start, end in pairwise(bounds)),
        message_class=MessageClass(row.message_class),
        expires_at=row.expires_at,
        shift=Shift.parse(row.shift) if row.shift is not None else None,
        flash=row.flash,
        priority=Priority(row.priority),
    )
    return Claimed(
        sms=sms,
        gateway=row.gateway,
        attempts=row.attempts,
        first_tried_at=row.first_tried_at,
        opted_out_since=row.since,
        undecided=bool(row.wish),
        stand_ins=tuple(row.stand_ins.split(",")) if row.stand_ins else (),
        leased_until=row.lease_until,
        due_at=row.due_at,
        slot=slot,
    )


def release(connection: Connection, releases: Sequence[Release]) -> list[None]:
    """Put claimed messages back."""
    waiting = update(messages).where(
        messages.c.id == bindparam("b_id"),
        messages.c.lease_owner == bindparam("b_owner"),
        messages.c.state == MessageState.QUEUED,
    )
    rows = [{"b_id": each.message_id, "b_owner": each.owner, "b_until": each.until} for each in releases]
    connection.execute(waiting.values(lease_until=bindparam("b_until")), rows)
    return [None] * len(releases)


_GOING = (
    update(messages)
    .where(
        messages.c.id.in_(bindparam("b_ids", expanding=True)),
        messages.c.state == MessageState.QUEUED,
        messages.c.lease_owner == bindparam("b_owner"),
        messages.c.lease_until > bindparam("b_now"),
        ~exists().where(_OPTED_OUT),
    )
    .values(
        state=MessageState.SENDING,
        version=messages.c.version + 1,
        attempts=messages.c.attempts + 1,
        lease_until=bindparam("b_until"),
    )
    .returning(messages.c.id, messages.c.attempts)
)


def start(connection: Connection, starts: Sequence[Start]) -> list[int | None]:
    """Say that claimed messages are on their way; for each the number of its try, or None when it may not leave."""
    by_owner: dict[str, dict[str, Start]] = {}
    for start in starts:
        by_owner.setdefault(start.owner, {}).setdefault(start.message_id, start)  # who asks first is told yes
    numbers: dict[tuple[str, str], int] = {}
    for owner, leaving in by_owner.items():
        wish = {
            "b_ids": list(leaving),
            "b_owner": owner,
            "b_now": max(start.now for start in leaving.values()),
            "b_until": max(start.until for start in leaving.values()),
        }
        for row in connection.execute(_GOING, wish):
            numbers[owner, row.id] = row.attempts
    rerouted = [
        {"b_id": message_id, "b_gateway": start.gateway, "b_stand_ins": ",".join(start.stand_ins)}
        for owner, message_id in numbers
        if (start := by_owner[owner][message_id]).stand_ins is not None
    ]
    if rerouted:
        other_way = update(messages).where(messages.c.id == bindparam("b_id"))
        # At another provider the id of an earlier try means another message.
        other_way = other_way.values(
            gateway=bindparam("b_gateway"), stand_ins=bindparam("b_stand_ins"), provider_id=None
        )
        connection.execute(other_way, rerouted)
    rows = [
        {
            "id": clock.new_id(),
            "message_id": message_id,
            "segment_id": None,
            "number": number,
            "gateway": by_owner[owner][message_id].gateway,
            "started_at": by_owner[owner][message_id].now,
            "finished_at": None,
            "outcome": None,
            "diagnostic": "",
        }
        for (owner, message_id), number in numbers.items()
    ]
    if rows:
        connection.execute(insert(attempts), rows)
    # Whoever asks twice for the same message hears yes once.
    return [numbers.pop((start.owner, start.message_id), None) for start in starts]
