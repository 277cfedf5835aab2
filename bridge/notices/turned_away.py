"""The mail that says that a mail in a watched mailbox was not texted, and why; to its author, or to that mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from bridge.errors import Reason
from bridge.notices import mime
from bridge.notices.letter import Heading, letter
from bridge.notices.wording import WORDINGS, Wording
from bridge.types import Mailbox, OutgoingMail


class Turned(StrEnum):
    """Who is told, and of what."""

    REFUSED = "refused"
    """A mailbox: its mail cannot be texted."""
    STRANGER = "stranger"
    """An author who is known and is no mailbox."""
    UNVERIFIED = "unverified"
    """The watched mailbox: nobody knows who wrote."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """All that it says."""

    notice_id: str
    to: str
    mailbox: Mailbox
    """In whose language it is written."""
    turned: Turned
    reason: Reason
    reply: str
    """What the author would have been told over SMTP."""
    sentence: str
    """The same without its codes, in all its characters."""
    watched: str
    """The address of the watched mailbox."""
    author: str
    """What the mail says; empty when it does not say it in one way."""
    message_id: str
    """Of the mail, or empty."""
    references: tuple[str, ...]
    subject: str
    created_at: datetime


def turned_away(notice: TurnedAway, domain: str) -> OutgoingMail:
    """The mail; `domain` is that of the phones."""
    wording = WORDINGS[notice.mailbox.language]
    heading = Heading(
        mail_id=notice.notice_id,
        name=wording.say("turned_away.name"),
        to=notice.to,
        subject=mime.answer_subject(notice.subject) or wording.say("subject.turned_away"),
        at=notice.created_at.astimezone(ZoneInfo(notice.mailbox.timezone)),
        domain=domain,
        answered=notice.message_id,
        references=notice.references,
    )
    return letter(heading, _paragraphs(notice, wording))


def _paragraphs(notice: TurnedAway, wording: Wording) -> Iterator[str]:
    yield wording.say(f"turned_away.{notice.turned}", watched=mime.one_line(notice.watched), author=_author(notice))
    if notice.turned is Turned.REFUSED:
        yield f"{wording.say(f'reason.{notice.reason}.why')} {wording.say(f'reason.{notice.reason}.do')}"
    code, enhanced, _ = notice.reply.split(" ", 2)
    yield "\n".join((wording.say("turned_away.answer"), f"  {code} {enhanced} {mime.one_line(notice.sentence)}"))


def _author(notice: TurnedAway) -> str:
    return mime.one_line(notice.author) or "?"
