"""What is the same in all mails that the bridge writes in its own name: their header, and those that are one text.

They come from `postmaster@` with a null sender, and say that a machine wrote them, so that none answers (RFC 3834).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr
from zoneinfo import ZoneInfo

from bridge.notices import mime
from bridge.types import OutgoingMail, PreviewNotice, Report, TurnedAway


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Of one such mail."""

    mail_id: str
    """The local part of its Message-ID, the same for every try to send the same mail."""
    name: str
    """Shown as its author."""
    to: str
    subject: str
    at: datetime
    """In the zone in which its Date is written."""
    domain: str
    """That of the phones, and of the bridge's own addresses."""
    answered: str = ""
    """Message-ID of the mail that it answers, or empty."""
    references: Sequence[str] = ()
    automatic: str = "auto-replied"
    """The keyword of Auto-Submitted (RFC 3834 section 5)."""

    def fields(self) -> bytes:
        """The header, but for what describes the body."""
        return b"".join(
            (
                mime.machine_field("From", formataddr((self.name, f"postmaster@{self.domain}"))),
                mime.address_field("To", self.to),
                mime.text_field("Subject", self.subject),
                mime.machine_field("Date", format_datetime(self.at)),
                mime.machine_field("Message-ID", f"<{self.mail_id}@{self.domain}>"),
                mime.thread_fields(self.answered, self.references),
                mime.machine_field("Auto-Submitted", self.automatic),
                mime.machine_field("X-Auto-Response-Suppress", "All"),
            )
        )


def answering(notice: PreviewNotice | Report | TurnedAway, domain: str, *, name: str, subject: str) -> Heading:
    """The heading of what is written in answer to a mail, in its thread; it has a `subject` of its own only where that
    mail has none."""
    return Heading(
        mail_id=notice.notice_id,
        name=name,
        to=notice.to,
        subject=mime.answer_subject(notice.subject) or subject,
        at=notice.created_at.astimezone(ZoneInfo(notice.mailbox.timezone)),
        domain=domain,
        answered=notice.message_id,
        references=notice.references,
    )


def letter(heading: Heading, paragraphs: Iterable[str]) -> OutgoingMail:
    """A mail that is one text."""
    raw = heading.fields() + b"MIME-Version: 1.0\r\n" + mime.text_part("\n\n".join(paragraphs))
    return OutgoingMail(id=heading.mail_id, envelope_from="", envelope_to=heading.to, raw=raw)
