"""Whose reply is an SMS: asked by intake for every message that a phone sends. Pure.

A reply belongs, first match wins, to the conversation whose text the provider says it answers (`provider`); to the one
mailbox that the number it was sent to belongs to, or to the conversation that the pool gave this number to alone
(`number`); to the one mailbox that has texted this phone through it and is in conversation with it (`latest`); among
several such to the one that wrote last, and the reader is told of the others (`ambiguous`); to the mailbox with whose
keyword it begins, or else the fallback mailbox (`none`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bridge.types import Match

NEVER = datetime.min.replace(tzinfo=UTC)
"""When a mailbox texted a phone last that it never texted."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mailbox with a conversation with the phone, through the number it now wrote to."""

    mailbox_id: str
    login: str
    conversation_id: str
    last_written_at: datetime
    """When the mailbox last texted the phone in this conversation; `NEVER` when only the phone ever wrote."""
    last_heard_at: datetime | None = None
    """When the phone last answered in it."""
    held_at: datetime | None = None
    """Since when the pool has given the number to this conversation alone; None when it did not."""

    @property
    def alive_at(self) -> datetime:
        """The last moment of the conversation, whoever wrote."""
        return max(self.last_written_at, self.last_heard_at or self.last_written_at)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the choice depends on."""

    owners: tuple[str, ...]
    """Ids of the mailboxes that text from the number the phone wrote to."""
    candidates: tuple[Candidate, ...]
    """Every conversation with this phone through this number, in any order, however old; and the linked one."""
    fallback: str | None
    """Id of the mailbox that gets what belongs to nobody; None without one."""
    now: datetime
    window: timedelta
    """How long after its last text a conversation still gets answers, where several mailboxes share the number."""
    keyword: str | None = None
    """Id of the mailbox that an SMS for nobody is for all the same, since it begins with a word of that mailbox's."""
    linked: str | None = None
    """Id of the conversation with the text that it answers, where the provider says so."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose reply it is."""

    mailbox_id: str | None
    """None when nobody wants it: no match, and no fallback mailbox."""
    conversation_id: str | None
    """The conversation it continues; None when it begins one or belongs to none."""
    match: Match
    candidates: tuple[Candidate, ...] = ()
    """Of an ambiguous match: the conversations of all mailboxes in question, the chosen one first."""


def choose(facts: Facts) -> Verdict:
    """The mailbox and the conversation that an SMS from a phone belongs to."""
    by_time = sorted(facts.candidates, key=lambda one: (one.last_written_at, one.login), reverse=True)
    linked = next((one for one in by_time if one.conversation_id == facts.linked), None)
    if linked is not None:
        return Verdict(linked.mailbox_id, linked.conversation_id, Match.PROVIDER)
    if len(facts.owners) == 1:
        # An answer after weeks still belongs into the owner's thread: nobody else could be meant.
        owner = facts.owners[0]
        return Verdict(owner, _conversation(by_time, owner), Match.NUMBER)
    holder = _holder(facts, by_time)
    if holder is not None:
        return Verdict(holder.mailbox_id, holder.conversation_id, Match.NUMBER)
    # Who only ever had words of the phone, as the fallback has, has asked nothing that this could answer.
    alive = tuple(one for one in by_time if one.last_written_at > NEVER and facts.now - one.alive_at <= facts.window)
    if not alive:
        wanted = facts.keyword or facts.fallback
        return Verdict(wanted, _conversation(by_time, wanted), Match.NONE)
    last = alive[0]
    if len(alive) == 1:
        return Verdict(last.mailbox_id, last.conversation_id, Match.LATEST)
    return Verdict(last.mailbox_id, last.conversation_id, Match.AMBIGUOUS, alive)


def _holder(facts: Facts, by_time: Iterable[Candidate]) -> Candidate | None:
    """The conversation that the number was given to, unless its mailbox lost the number or another wrote through it
    since: a mailbox without a pool always writes through its own."""
    holders = [one for one in by_time if one.held_at is not None]
    if len(holders) != 1 or holders[0].mailbox_id not in facts.owners:
        return None
    holder, others = holders[0], [one for one in facts.candidates if one is not holders[0]]
    return holder if all(one.last_written_at < (holder.held_at or one.last_written_at) for one in others) else None


def _conversation(by_time: Iterable[Candidate], mailbox_id: str | None) -> str | None:
    return next((one.conversation_id for one in by_time if one.mailbox_id == mailbox_id), None)
