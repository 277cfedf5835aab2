"""A mail that is taken, with its phones: all that admission decided, on its way into the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.errors import Reason
from bridge.types.addressee import NO_WISHES, Dialled, Priority, Wishes
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
    wishes: Wishes = NO_WISHES
    """What the address asks for."""
    contact: str = ""
    """What the mailbox calls the phone; empty when it did not say."""
    password: str | None = field(default=None, repr=False)
    """What the address shows as a password, in the form of another service."""
    mode: str | None = field(default=None, repr=False)
    """What the address says about the reading of the mail, in that form; it may hold a password."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A phone that may not be texted, beside others that may: a member of a group, or a number in the mail."""

    recipient: Recipient
    number: str
    """E.164, or empty where there is no such number."""
    reason: Reason
    sentence: str
    """What its sender would have been told over SMTP."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """A fixed address: whom it means stands in the mail."""

    recipient: Recipient
    wishes: Wishes = NO_WISHES
    mode: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tried:
    """`preview@…`: the mail is answered with what it would send."""

    recipient: Recipient
    dialled: Dialled | None
    """The number in the address, if there is one."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """`…+allow@…` or `…+block@…`: the mail decides whether the phone is texted again, and texts nobody."""

    recipient: Recipient
    number: str
    """E.164."""
    allows: bool


Phone = Destination | Unreached
Target = Phone | Deferred | Tried | Ruled
"""What a RCPT that was taken stands for."""


def ruled_of(targets: Sequence[Target]) -> Ruled | None:
    """The decision that a mail for these is, if it is one; it has no other recipient."""
    return targets[0] if targets and isinstance(targets[0], Ruled) else None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One phone of a mail that is taken; with a reason, one that is refused although the mail is taken."""

    recipient: Recipient
    number: str
    """E.164; empty for one that is refused because there is no such number."""
    sender: str
    gateway: str
    message_class: MessageClass
    encoded: Encoded
    due_at: datetime
    expires_at: datetime | None
    report_on: frozenset[Notify]
    stand_ins: tuple[str, ...] = ()
    """Gateways that may carry it when `gateway` cannot be reached, in this order."""
    priority: Priority = Priority.NORMAL
    flash: bool = False
    reference: str | None = None
    """The sender's own, for this phone alone."""
    contact: str = ""
    """What the mailbox calls the phone."""
    pool: tuple[str, ...] = ()
    """Further numbers of the mailbox that it may come from, by the same way; the store chooses."""
    held_at: datetime | None = None
    """Since when `sender` has been this conversation's alone, where the store chose it."""
    refused: Reason | None = None
    sentence: str = ""
    """For one that is refused: what its sender would be told over SMTP; it is not kept."""


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
    signature: str = ""
    """What ends the text and may be the mailbox's signature; empty when nothing is like one."""
