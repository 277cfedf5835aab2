"""Mails to the operator: something is wrong, and later: it is over. Also the sentences for `/readyz` and the log."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from bridge.conditions import Condition, Facts, Kind
from bridge.notices.letter import Heading, letter
from bridge.notices.wording import WORDINGS
from bridge.types import Language, OutgoingMail

_MEGABYTE = 1_000_000


def _read() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("bridge").joinpath("templates", "operator.toml").read_text(encoding="utf-8"))


_WORDS = _read()


def sentence(condition: Condition, facts: Facts) -> str:
    """What is wrong, for those who ask the bridge how it is."""
    return _say(condition, "what", facts)


def begins(condition: Condition, facts: Facts, began: datetime, *, to: str, domain: str, hostname: str) -> OutgoingMail:
    """The mail that says that a condition holds; `domain` is that of the phones, `hostname` the bridge's own."""
    lines = [
        sentence(condition, facts),
        _WORDS["since"].format(when=_moment(began), hostname=hostname),
        _say(condition, "do", facts),
        _waiting(facts),
        _WORDS["next"],
    ]
    subject = _WORDS["begins"].format(title=_say(condition, "title", facts))
    return _mail(_id(condition, began, "begins"), "", to, subject, lines, facts.at, domain)


def ends(condition: Condition, facts: Facts, began: datetime, *, to: str, domain: str, hostname: str) -> OutgoingMail:
    """The mail that says that it is over, in the thread of the first."""
    lines = [
        _say(condition, "over", facts),
        _WORDS["until"].format(began=_moment(began), ended=_moment(facts.at), hostname=hostname),
        _waiting(facts),
    ]
    subject = _WORDS["ends"].format(title=_say(condition, "title", facts))
    answered = f"<{_id(condition, began, 'begins')}@{domain}>"
    return _mail(_id(condition, began, "ends"), answered, to, subject, lines, facts.at, domain)


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """A mail with a phone's answer that did not arrive."""

    mail_id: str
    mailbox: str
    """Login of the mailbox it was for."""
    address: str
    codes: str
    """What the mail server said: `5.1.1`, `550`, `550 5.1.1`; empty when it said nothing of the kind."""
    at: datetime
    sent_to: str = ""
    """The fallback mailbox that gets it instead; empty when none does."""
    second: bool = False
    """It was the one for the fallback mailbox."""


def undelivered(lost: LostAnswer, *, to: str, domain: str, hostname: str) -> OutgoingMail:
    """The mail that says that an answer did not arrive, and what was done; it holds neither number nor words of it."""
    words = _WORDS["bounce"]
    then = "forwarded" if lost.sent_to else "ended" if lost.second else "kept"
    lines = [
        words["what"].format(address=lost.address, mailbox=lost.mailbox, reason=_reason(lost.codes)),
        words["when"].format(when=_moment(lost.at), hostname=hostname, mail=lost.mail_id),
        words[then].format(fallback=lost.sent_to),
        words["do"].format(address=lost.address),
    ]
    subject = _WORDS["begins"].format(title=words["title"])
    return _mail(f"alert.{lost.mail_id}", "", to, subject, lines, lost.at, domain)


def _reason(codes: str) -> str:
    """The mail server's status code in words (RFC 3463 section 3), by its subject or by subject and detail."""
    words = _WORDS["bounce"]
    _, _, detail = codes.rpartition(" ")[2].partition(".")
    why = words["why"].get(detail) or words["why"].get(detail.partition(".")[0])
    said: str = words["known" if why else "coded" if codes else "unexplained"].format(why=why, codes=codes)
    return said


def _say(condition: Condition, what: str, facts: Facts) -> str:
    unfiled = facts.filings.get(condition.part) if condition.kind is Kind.FILING else None
    since = unfiled.since if unfiled is not None else facts.waiting_since
    said: str = _WORDS[condition.kind][what]
    return said.format(
        part=condition.part,
        free=facts.disk_free // _MEGABYTE,
        oldest=_moment(since) if since is not None else "-",
        count=unfiled.count if unfiled is not None else 0,
        left=facts.balances.get(condition.part, "not known yet"),
        why=facts.consents.get(condition.part) or "nobody has tried again since the restart",
    )


def _waiting(facts: Facts) -> str:
    filings = sum(each.count for each in facts.filings.values())
    said: str = _WORDS["waiting"].format(messages=facts.waiting, mails=facts.mails, filings=filings)
    return said


def _moment(when: datetime) -> str:
    local = when.astimezone(UTC)
    month = WORDINGS[Language.ENGLISH].months[local.month - 1]
    said: str = _WORDS["moment"].format(day=local.day, month=month, year=local.year, time=f"{local:%H:%M}")
    return said


def _id(condition: Condition, began: datetime, what: str) -> str:
    """The same for every try to send the same mail."""
    spoken = f"{condition.kind} {condition.part} {began.isoformat()}"
    return f"alert.{hashlib.sha256(spoken.encode()).hexdigest()[:24]}.{what}"


def _mail(
    mail_id: str, answered: str, to: str, subject: str, lines: list[str], at: datetime, domain: str
) -> OutgoingMail:
    heading = Heading(
        mail_id=mail_id,
        name="SMS bridge",
        to=to,
        subject=subject,
        at=at,
        domain=domain,
        answered=answered,
        automatic="auto-generated",
    )
    return letter(heading, lines)
