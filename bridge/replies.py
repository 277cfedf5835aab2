"""Whose reply is an SMS, and is it a command: asked by intake for every message that a phone sends. Pure.

A reply belongs, first match wins, to the mailbox that alone owns the number the phone wrote to (`number`); to the one
mailbox that wrote to this phone through it lately (`latest`); among several such to the one that wrote last, and the
reader is told of the others (`ambiguous`); to the fallback mailbox (`none`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.types import Language, Match


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


class Command(StrEnum):
    """What a phone can order, whoever texted it."""

    STOP = "stop"
    """No more texts from this number."""
    START = "start"
    """Lift the block again."""


_EVERYWHERE: dict[str, Command] = {
    "stop": Command.STOP,
    "stopall": Command.STOP,
    "stop all": Command.STOP,
    "unsubscribe": Command.STOP,
    "start": Command.START,
    "unstop": Command.START,
}
"""Words that phones are taught all over the world and that answer no question in any of our languages."""

_BY_LANGUAGE: dict[Language, dict[str, Command]] = {
    # 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel and unsubscribe: each of them is a revocation
    # by itself. END and CANCEL count in English alone. CANCEL may mean an appointment: the sender is blocked as that
    # rule asks, and intake passes the message on like any other, so a person sees both. YES is no START: it confirms.
    Language.ENGLISH: {
        "quit": Command.STOP,
        "end": Command.STOP,
        "revoke": Command.STOP,
        "opt out": Command.STOP,
        "optout": Command.STOP,
        "cancel": Command.STOP,
    },
    # BASTA is left out: "una pastiglia? basta" is an answer ("that will do"). SI confirms appointments.
    Language.ITALIAN: {
        "cancella": Command.STOP,
        "cancellami": Command.STOP,
        "disiscrivimi": Command.STOP,
        "inizia": Command.START,
    },
    # BAJA and ALTA are the established pair, although both can mean "low" and "high" in answer to a question; as with
    # CANCEL the message still reaches a person. BASTA, FIN and SI are ordinary answers and are left out.
    Language.SPANISH: {
        "baja": Command.STOP,
        "alto": Command.STOP,
        "parar": Command.STOP,
        "cancelar suscripcion": Command.STOP,
        "alta": Command.START,
    },
    # EINDE and KLAAR are ordinary answers and are left out.
    Language.DUTCH: {
        "afmelden": Command.STOP,
        "uitschrijven": Command.STOP,
        "aanmelden": Command.START,
    },
}


def command(text: str, languages: Collection[Language]) -> Command | None:
    """The command that a phone's message is, or None for an ordinary message.

    Only the whole message counts, whatever its case, accents, punctuation, emoji and spaces, and even if it says the
    word several times: a sentence that contains STOP is for a person to read. A word other than STOP and START
    counts only in `languages`, since it may be an ordinary answer in another.
    """
    words = _folded(text)
    if len(set(words)) == 1:
        words = words[:1]
    phrase = " ".join(words)
    if phrase in _EVERYWHERE:
        return _EVERYWHERE[phrase]
    return next(
        (
            _BY_LANGUAGE[language][phrase]
            for language in Language
            if language in languages and phrase in _BY_LANGUAGE[language]
        ),
        None,
    )


def _folded(text: str) -> list[str]:
    """The words of `text` in lower case, without accents and without anything that is neither letter nor digit."""
    bare = (char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))
    return "".join(char if char.isalnum() else " " for char in bare).split()
