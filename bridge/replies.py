"""Whose reply is an SMS: asked by intake for every message that a phone sends. Pure.

A reply belongs, first match wins, to the mailbox that alone owns the number the phone wrote to (`number`); to the one
mailbox that wrote to this phone through it lately (`latest`); among several such to the one that wrote last, and the
reader is told of the others (`ambiguous`); to the fallback mailbox (`none`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.types import Match


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mailbox that has written to the phone through the number it now wrote to."""

    mailbox_id: str
    login: str
    conversation_id: str
    last_written_at: datetime
    """When the mailbox last texted the phone in this conversation."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the choice depends on."""

    owners: tuple[str, ...]
    """Ids of the mailboxes whose sender number the phone wrote to."""
    candidates: tuple[Candidate, ...]
    """Every conversation with this phone through this number, in any order, however old."""
    fallback: str | None
    """Id of the mailbox that gets what belongs to nobody; None without one."""
    now: datetime
    window: timedelta
    """How long after a message its reply is still taken for one, where several mailboxes share the number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose reply it is."""

    mailbox_id: str | None
    """None when nobody wants it: no match, and no fallback mailbox."""
    conversation_id: str | None
    """The conversation it continues; None when it begins one or belongs to none."""
    match: Match
    candidates: tuple[str, ...] = ()
    """Of an ambiguous match: the logins of all mailboxes in question, the chosen one first."""


def choose(facts: Facts) -> Verdict:
    """The mailbox and the conversation that an SMS from a phone belongs to."""
    by_time = sorted(facts.candidates, key=lambda one: (one.last_written_at, one.login), reverse=True)
    if len(facts.owners) == 1:
        # An answer after weeks still belongs into the owner's thread: nobody else could be meant.
        owner = facts.owners[0]
        return Verdict(owner, _conversation(by_time, owner), Match.NUMBER)
    recent = [one for one in by_time if facts.now - one.last_written_at <= facts.window]
    logins = tuple(dict.fromkeys(one.login for one in recent))
    if not recent:
        return Verdict(facts.fallback, _conversation(by_time, facts.fallback), Match.NONE)
    last = recent[0]
    if len(logins) == 1:
        return Verdict(last.mailbox_id, last.conversation_id, Match.LATEST)
    return Verdict(last.mailbox_id, last.conversation_id, Match.AMBIGUOUS, logins)


def _conversation(by_time: Iterable[Candidate], mailbox_id: str | None) -> str | None:
    return next((one.conversation_id for one in by_time if one.mailbox_id == mailbox_id), None)
