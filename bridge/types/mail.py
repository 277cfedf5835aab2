"""A mail that comes in: its envelope, and what the parser read in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from bridge.types.addressee import NO_WISHES, Priority, Wishes
from bridge.types.asked import Asked
from bridge.types.habits import CutRule
from bridge.types.mailbox import Confirm, UnicodePolicy
from bridge.types.sms import MessageClass
from bridge.types.watched import Place


class Notify(StrEnum):
    """What a sender wants to hear of a recipient: the NOTIFY keywords (RFC 3461 section 4.1), and one thing more."""

    NEVER = "NEVER"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"
    RELAYED = "RELAYED"
    """No keyword of NOTIFY: that the text was handed over, which `T` behind BY asks for (RFC 2852 section 4.1.4)."""


class Ret(StrEnum):
    """How much of the mail a report gives back (RFC 3461 section 4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


class Door(StrEnum):
    """Through which door a mail came in."""

    SUBMISSION = "submission"
    NETWORK = "network"
    MAILBOX = "mailbox"
    """A watched IMAP mailbox."""
    MX = "mx"
    """The open Internet: a mail server that found this one in DNS."""
    BRIDGE = "bridge"
    """None: the bridge itself wrote it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO, as it was received."""

    address: str
    """The path without angle brackets, case kept."""
    notify: frozenset[Notify] | None = None
    """None when the client gave no NOTIFY."""
    orcpt: str | None = None
    """Original recipient, `type;address`, after xtext decoding (RFC 3461 section 4.2)."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of a mail that is not texted, and the rule that left it out."""

    rule: CutRule
    text: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a calendar invitation says, where a mail has no other words."""

    title: str
    """Empty when it has none."""
    place: str
    start: datetime | date
    """A moment with its zone; without one, the time of day wherever it is read; or a whole day."""
    end: datetime | date | None
    """Of the same kind as `start`, and after it: the last one of several whole days. None when there is none."""
    cancelled: bool
    repeats: bool
    """There are more events like it, of which this is the first."""


@dataclass(frozen=True, slots=True)
class Options(Asked):
    """What a sending program asked for in the envelope, with headers or in the form of another service; None where it
    said nothing."""

    sender: str | None = None
    message_class: MessageClass | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    confirm: Confirm | None = None
    max_segments: int | None = None
    unicode: UnicodePolicy | None = None
    reference: str | None = None
    priority: Priority | None = None
    deliver_by: datetime | None = None
    """The moment that BY names (RFC 2852), whatever is to happen then."""
    late_at: datetime | None = None
    """The same, where its sender wants to hear then that the text has not arrived yet (by-mode N)."""
    trace: bool = False
    """Its sender wants to hear that the text was handed over (by-trace T)."""
    release: str | None = None
    """How long it was asked to be held, in the words in which reports repeat it: `for;3600` (RFC 4865)."""


NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SMTP envelope of one mail, without its recipients: whom they mean are its targets."""

    mail_from: str
    """The empty string is the null sender."""
    received_at: datetime
    ret: Ret | None = None
    envid: str | None = None
    """After xtext decoding, case kept (RFC 3461 section 4.4)."""
    door: Door = Door.SUBMISSION
    options: Options = NO_OPTIONS
    """What it asks for in the standard way (RFC 4865, RFC 2852, RFC 6710), which goes before what the mail says."""
    place: Place | None = None
    """Where it stands, if it came through a watched mailbox."""
    author: str = ""
    """The address of From, where the door has made sure of it."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One email as the parser read it: whom it is from, its thread, and the words to text."""

    message_id: str
    """The Message-ID with its angle brackets; empty when the mail had none."""
    fingerprint: str
    """What makes a resubmission the same mail: the Message-ID and the words as they were written, before anything was
    cut or spelt otherwise, however many blanks are between them; without a Message-ID the whole mail."""
    header_from: str
    """The address of the first From; empty when there is none."""
    subject: str
    references: tuple[str, ...]
    """The thread the mail answers: References, else In-Reply-To; oldest first."""
    text: str
    """Empty when the mail is an `invitation` and has no other words."""
    cuts: tuple[Cut, ...]
    warnings: tuple[str, ...]
    options: Options
    headers: bytes
    """The mail's header block as received, for reports that give it back."""
    wants_receipt: bool = False
    """The mail client asked for a delivery receipt in its own way (`Return-Receipt-To`)."""
    numbers: tuple[str, ...] = ()
    """Telephone numbers that the mail names for a fixed address, as written."""
    wishes: Wishes = NO_WISHES
    """What it asks for all its phones, in the form of another service."""
    passwords: tuple[str, ...] = field(default=(), repr=False)
    """What it shows as passwords, in that form; they stand nowhere else in this value."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names of the header's recipients, by address in lower case."""
    invitation: Invitation | None = None
    """What is texted where the mail has no words of its own: worded for the mailbox, which the parser does not know."""
