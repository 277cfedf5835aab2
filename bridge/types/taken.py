"""A mail that is taken, with its phones: all that admission decided, on its way into the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.errors import Reason
from bridge.types.mail import Envelope, Notify, Recipient, Submission
from bridge.types.mailbox import Mailbox
from bridge.types.sms import Encoded, MessageClass


@dataclass(frozen=True, slots=True)
class Destination:
    """A recipient that may be texted."""

    recipient: Recipient
    number: str
    """E.164 with its plus."""
    region: str
    """ISO 3166 country of the number."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One phone of a mail that is taken; with a reason, one that is refused although the mail is taken."""

    recipient: Recipient
    number: str
    sender: str
    gateway: str
    message_class: MessageClass
    encoded: Encoded
    due_at: datetime
    expires_at: datetime | None
    report_on: frozenset[Notify]
    stand_ins: tuple[str, ...] = ()
    """Gateways that may carry it when `gateway` cannot be reached, in this order."""
    refused: Reason | None = None
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail that is to be taken, with everything admission decided about it."""

    mailbox: Mailbox
    envelope: Envelope
    submission: Submission
    report_to: str
    reply_to: str
    day: str
    """The day of the daily cap, in the mailbox's time zone: `2026-11-21`."""
    messages: tuple[NewMessage, ...]
    at: datetime
