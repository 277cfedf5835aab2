"""The frozen values that travel between the rooms of the bridge; they hold data and derive, they do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bridge.errors import Reason

# ---------------------------------------------------------------------------------------------- closed sets


class MessageState(StrEnum):
    """Where a message stands on its road; `docs/architecture.md` holds the table of what may follow what."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


SETTLED = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
        MessageState.REFUSED,
        MessageState.CANCELLED,
    }
)


MAY_BECOME: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.HELD: frozenset(
        {MessageState.QUEUED, MessageState.CANCELLED, MessageState.EXPIRED, MessageState.REFUSED}
    ),
    # A receipt that names our reference proves that the phone has the text, whatever the submit answer said.
    MessageState.QUEUED: frozenset(
        {
            MessageState.SENDING,
            MessageState.CANCELLED,
            MessageState.EXPIRED,
            MessageState.REFUSED,
            MessageState.DELIVERED,
        }
    ),
    MessageState.SENDING: frozenset(
        {
            MessageState.SENT,
            MessageState.QUEUED,
            MessageState.FAILED,
            MessageState.UNKNOWN,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.EXPIRED,
        }
    ),
    MessageState.SENT: frozenset(
        {MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.FAILED}
    ),
    MessageState.UNKNOWN: frozenset(
        {
            MessageState.SENT,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.EXPIRED,
            MessageState.FAILED,
        }
    ),
    MessageState.UNDELIVERED: frozenset({MessageState.DELIVERED}),
    MessageState.EXPIRED: frozenset({MessageState.DELIVERED}),
    MessageState.DELIVERED: frozenset(),
    MessageState.FAILED: frozenset(),
    MessageState.REFUSED: frozenset(),
    MessageState.CANCELLED: frozenset(),
}
"""Which state yields to which better knowledge without a person's word; a person may also send `unknown` again."""


class OutcomeKind(StrEnum):
    """The closed answers of a gateway to one try; only throttled and unreachable may be tried again."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class Encoding(StrEnum):
    """The alphabet an SMS travels in (3GPP TS 23.038 section 4)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Notify(StrEnum):
    """The NOTIFY keywords of a recipient (RFC 3461 section 4.1)."""

    NEVER = "NEVER"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"


class Ret(StrEnum):
    """How much of the mail a report gives back (RFC 3461 section 4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


class Confirm(StrEnum):
    """Which outcomes a mailbox wants to hear of when the mail itself does not say."""

    NONE = "none"
    FAILURES = "failures"
    ALL = "all"


class MessageClass(StrEnum):
    """What a text is for; consent and quiet hours depend on it."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    CONVERSATIONAL = "conversational"


class UnicodePolicy(StrEnum):
    """What happens to characters outside the GSM 7-bit alphabet."""

    ALLOW = "allow"
    TRANSLITERATE = "transliterate"
    REFUSE = "refuse"


class Language(StrEnum):
    """The languages in which the bridge writes to people."""

    ENGLISH = "en"
    ITALIAN = "it"
    SPANISH = "es"
    DUTCH = "nl"


class Match(StrEnum):
    """How it was decided whose reply an inbound SMS is; the value of `X-SMS-Match`."""

    PROVIDER = "provider"
    NUMBER = "number"
    LATEST = "latest"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


class Door(StrEnum):
    """Through which door a mail came in."""

    SUBMISSION = "submission"
    NETWORK = "network"


# ------------------------------------------------------------------------------------------------ mailboxes


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A user of the bridge: login, rights, sender number, preferences and limits."""

    id: str
    organisation_id: str
    login: str
    """Login name and the mailbox's own mail address."""
    addresses: tuple[str, ...]
    """Addresses it may send from: `name@domain`, or `@domain` for all of a domain; lower case."""
    region: str
    """ISO 3166 country for numbers written without a country code."""
    countries: tuple[str, ...]
    """ISO 3166 countries it may text."""
    language: Language
    timezone: str
    """IANA name; times in mails and the day of the daily cap are counted in it."""
    sender: str
    """Sender number in E.164."""
    confirm: Confirm = Confirm.FAILURES
    unicode: UnicodePolicy = UnicodePolicy.ALLOW
    max_segments: int = 6
    daily_cap: int | None = None
    """Messages a day, or None for no cap."""
    paused: bool = False
    networks: tuple[str, ...] = ()
    """Networks (CIDR) whose machines send as this mailbox without login."""
    password_hash: str = ""
    """argon2 in PHC form, or empty when the mailbox cannot log in."""

    def may_send_from(self, address: str) -> bool:
        """Whether `address` is one of the mailbox's own; the comparison ignores case."""
        folded = address.lower()
        domain = "@" + folded.rpartition("@")[2]
        return folded == self.login.lower() or any(own in (folded, domain) for own in self.addresses)


# ------------------------------------------------------------------------------------------------- mail in


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
class Envelope:
    """The SMTP envelope of one mail."""

    mail_from: str
    """The empty string is the null sender."""
    recipients: tuple[Recipient, ...]
    received_at: datetime
    ret: Ret | None = None
    envid: str | None = None
    """After xtext decoding, case kept (RFC 3461 section 4.4)."""
    door: Door = Door.SUBMISSION


@dataclass(frozen=True, slots=True)
class Destination:
    """A recipient that may be texted."""

    recipient: Recipient
    number: str
    """E.164 with its plus."""
    region: str
    """ISO 3166 country of the number."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of a mail that is not texted, and the rule that left it out."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Options:
    """What a sending program asked for with `X-SMS-…` headers; None where it said nothing."""

    sender: str | None = None
    message_class: MessageClass | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    confirm: Confirm | None = None
    max_segments: int | None = None
    unicode: UnicodePolicy | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One email as the parser read it: whom it is from, its thread, and the words to text."""

    message_id: str
    """The Message-ID with its angle brackets; empty when the mail had none."""
    fingerprint: str
    """What makes a resubmission the same mail: the Message-ID, or a hash of the whole mail without one."""
    header_from: str
    """The address of the first From; empty when there is none."""
    subject: str
    references: tuple[str, ...]
    """The thread the mail answers: References, else In-Reply-To; oldest first."""
    text: str
    cuts: tuple[Cut, ...]
    warnings: tuple[str, ...]
    options: Options
    headers: bytes
    """The mail's header block as received, for reports that give it back."""
    wants_receipt: bool = False
    """The mail client asked for a delivery receipt in its own way (`Return-Receipt-To`)."""


# ----------------------------------------------------------------------------------------------------- SMS


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as it travels: alphabet, size, and the pieces that go on the air."""

    text: str
    """The text after transliteration: exactly what the phone shows."""
    encoding: Encoding
    units: int
    """Septets (escapes counted double) or UTF-16 code units, without headers."""
    segments: tuple[str, ...]
    """The text of each segment; joined they are `text`."""
    units_left: int
    """Units still free in the last segment."""


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


@dataclass(frozen=True, slots=True)
class OutboundSms:
    """One message handed to a gateway. The reference is ours and the same at every try."""

    reference: str
    number: str
    sender: str
    text: str
    encoding: Encoding
    segments: tuple[str, ...]
    message_class: MessageClass = MessageClass.TRANSACTIONAL
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try to hand over a message came to."""

    kind: OutcomeKind
    provider_id: str | None = None
    """Exactly as the provider gave it."""
    reason: Reason | None = None
    diagnostic: str = ""
    """The provider's own words or code, without numbers and texts; goes into Diagnostic-Code."""
    retry_after: float | None = None
    """Seconds the provider asks us to wait."""
    segment_ids: tuple[str | None, ...] = ()
    """The provider's id of every segment of a long message, where each has its own; None: not known."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery receipt as a gateway heard it, in the bridge's own words."""

    gateway: str
    provider_id: str | None
    reference: str | None
    """Our own reference, where the provider gives it back."""
    state: MessageState
    event_id: str
    """What makes a repeated receipt the same one."""
    reason: Reason | None = None
    diagnostic: str = ""
    occurred_at: datetime | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An SMS from a phone as a gateway heard it."""

    gateway: str
    event_id: str
    """What makes a redelivered SMS the same one; a patient's second "SI" has another."""
    number: str
    """The phone, in E.164."""
    to: str
    """Our number it wrote to, in E.164."""
    text: str
    received_at: datetime
    raw: str = ""


@dataclass(frozen=True, slots=True)
class InboundPart:
    """One segment of a longer SMS from a phone, of which the others come by themselves."""

    gateway: str
    event_id: str
    """That of the whole SMS, when this is the segment that makes it whole."""
    number: str
    """The phone, in E.164."""
    to: str
    """Our number it wrote to, in E.164."""
    text: str
    """Its words; the first or last character may be half a surrogate pair."""
    received_at: datetime
    reference: int
    """What the segments of one SMS have in common (3GPP TS 23.040 section 9.2.3.24.1)."""
    total: int
    ordinal: int
    """1 for the first."""
    raw: str = ""


GatewayEvent = Receipt | InboundSms | InboundPart


# --------------------------------------------------------------------------------------------- the way back


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One recipient of one mail in a delivery report."""

    message_id: str
    address: str
    """The RCPT address exactly as received."""
    orcpt: str | None
    number: str
    """E.164, or empty when the address held no number."""
    state: MessageState
    reason: Reason | None
    diagnostic: str
    segments: int
    text: str
    """What was texted, or would have been."""
    gateway: str = ""
    """Name of the gateway whose receipt this is; empty when the bridge itself decided (RFC 3464 section 2.2.3)."""
    settled_at: datetime | None = None
    detail: str = ""
    """For a refusal: the sentence the sender would have seen over SMTP."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that one delivery report says; `notices.report` makes the mail of it."""

    notice_id: str
    """Our own id: the local part of the report's Message-ID, and the same however often it is made."""
    to: str
    mailbox: Mailbox
    message_id: str
    """Message-ID of the mail it answers, or empty."""
    references: tuple[str, ...]
    subject: str
    envid: str | None
    ret: Ret | None
    headers: bytes
    reference: str | None
    """The sender's own `X-SMS-Reference`."""
    received_at: datetime
    created_at: datetime
    lines: tuple[ReportLine, ...]


@dataclass(frozen=True, slots=True)
class ReplyNotice:
    """All that the mail with a phone's answer says; `notices.reply` makes the mail of it."""

    notice_id: str
    to: str
    mailbox: Mailbox
    number: str
    """The phone that wrote, E.164."""
    sender: str
    """Our number it wrote to, E.164."""
    text: str
    received_at: datetime
    created_at: datetime
    match: Match
    candidates: tuple[str, ...] = ()
    """Logins of the mailboxes among which an ambiguous match chose."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    subject: str = ""
    """Subject of the thread it continues; empty when it continues none."""
    stopped: bool = False
    """The phone asked for no more texts and is now blocked."""
    resumed: bool = False
    """The phone lifted its block."""
    meant_for: str = ""
    """The address that it could not be delivered to; set when this mail goes to the fallback mailbox in its place."""


class FiledKind(StrEnum):
    """What a mailbox may have filed in its IMAP folders."""

    SENT = "sent"
    """Every text that left for a phone."""
    REPLIES = "replies"
    """Every answer of a phone."""
    FAILURES = "failures"
    """Every report that a text did not arrive, or that nobody knows."""


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that left for a phone; `notices.filed_copy` makes the mail of it that is filed."""

    message_id: str
    """Our own id of the message."""
    number: str
    """E.164."""
    sender: str
    text: str
    segments: int
    state: MessageState
    sent_at: datetime
    subject: str
    in_reply_to: str
    """Message-ID of the mail it was, or empty."""
    references: tuple[str, ...]
    reference: str | None
    """The sender's own `X-SMS-Reference`."""


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A composed mail on its way to a mailbox."""

    id: str
    envelope_from: str
    """Empty for the null sender (RFC 3464 section 2)."""
    envelope_to: str
    raw: bytes
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A callback of a provider, as the web room hands it to the gateway it is for."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header names in lower case."""
    body: bytes = b""
    target: str = ""
    """Path and query exactly as they were requested (RFC 9112 section 3.2); signatures cover them."""
