"""The mail that confirms what a mailbox decided about a phone, in the thread in which that asked for no more texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.notices import bounces, mime
from bridge.notices.address import called
from bridge.notices.letter import Heading, letter
from bridge.notices.wording import WORDINGS
from bridge.types import Mailbox, OutgoingMail, Ruling


@dataclass(frozen=True, slots=True)
class RulingNotice:
    """All that it says."""

    notice_id: str
    to: str
    mailbox: Mailbox
    ruling: Ruling
    """One that changed something."""
    created_at: datetime


def ruling(notice: RulingNotice, domain: str) -> OutgoingMail:
    """The mail; `domain` is that of the phones."""
    wording, ruling = WORDINGS[notice.mailbox.language], notice.ruling
    phone = called(ruling.number, ruling.contact)
    subject = mime.answer_subject(ruling.subject) or wording.say("subject.reply", number=called(ruling.number))
    heading = Heading(
        mail_id=notice.notice_id,
        name=wording.say("ruling.name"),
        to=notice.to,
        subject=subject,
        at=notice.created_at.astimezone(ZoneInfo(notice.mailbox.timezone)),
        domain=domain,
        answered=f"<{bounces.mail_id(ruling.inbound_id)}@{domain}>" if ruling.inbound_id else "",
        references=ruling.references,
    )
    return letter(heading, (wording.say(f"ruling.{ruling.outcome}", phone=phone),))
