"""The mail that stands in a mailbox's folder for a text that was sent: a record, filed and never mailed to anybody.

It answers the mail that the text was, so that mail programs show question, text and answer as one conversation.
"""

from __future__ import annotations

from email.utils import format_datetime
from zoneinfo import ZoneInfo

from bridge.notices import mime
from bridge.notices.address import phone_field
from bridge.notices.wording import WORDINGS
from bridge.sms.numbers import international
from bridge.types import Mailbox, SentText


def copy_id(message_id: str, domain: str) -> str:
    """The Message-ID of the mail of one text."""
    return f"<sent.{message_id}@{domain}>"


def filed_copy(sent: SentText, mailbox: Mailbox, domain: str) -> bytes:
    """The mail of a text that left, from the mailbox to the phone; `domain` is the one that phone addresses are in."""
    number = mime.one_line(international(sent.number))
    subject = mime.one_line(sent.subject) or WORDINGS[mailbox.language].say("subject.sent", number=number)
    fields = [
        mime.machine_field("From", mailbox.login),
        phone_field("To", sent.number, domain, sent.contact),
        mime.text_field("Subject", subject),
        mime.machine_field("Date", format_datetime(sent.sent_at.astimezone(ZoneInfo(mailbox.timezone)))),
        mime.machine_field("Message-ID", copy_id(sent.message_id, domain)),
        mime.thread_fields(sent.in_reply_to, sent.references),
        mime.machine_field("X-Auto-Response-Suppress", "All"),
        mime.machine_field("X-SMS-Message-Id", sent.message_id),
        mime.machine_field("X-SMS-Number", sent.number),
        mime.machine_field("X-SMS-Status", sent.state),
        mime.machine_field("X-SMS-Segments", str(sent.segments)),
    ]
    if sent.reference:
        fields.append(mime.text_field("X-SMS-Reference", sent.reference))
    return b"".join((*fields, b"MIME-Version: 1.0\r\n", mime.text_part(sent.text)))
