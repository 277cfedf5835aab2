"""The way back: what the mails to a mailbox say, and such a mail when it is composed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.errors import Reason
from bridge.types.mail import Ret
from bridge.types.mailbox import Mailbox
from bridge.types.media import NOTHING_ENCLOSED, Enclosed
from bridge.types.states import MessageState


class Hindrance(StrEnum):
    """Why a phone does not have a text yet."""

    TURN = "turn"
    """It was not tried yet: much waits before it, or its gateway is left alone for now."""
    AWAY = "away"
    """No gateway could be reached."""
    BUSY = "busy"
    """The gateway takes nothing more at the moment."""
    PHONE = "phone"
    """The network has it and waits for the phone."""
    UNDECIDED = "undecided"
    """The phone asked for no more texts in words of its own, and nobody has decided."""
    PAUSED = "paused"
    """Its mailbox is paused."""


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
    remote: str = ""
    """Where the bridge itself decided: the gateway that had answered its last try (RFC 3464 section 2.3.5)."""
    tried_at: datetime | None = None
    """The last try: the network's, if its receipt says when that was, or else the bridge's."""
    settled_at: datetime | None = None
    detail: str = ""
    """For a refusal: the sentence the sender would have seen over SMTP."""
    reference: str | None = None
    """The sender's own reference for this phone alone, where its address had one."""
    contact: str = ""
    """What the mailbox calls the phone."""
    hindrance: Hindrance | None = None
    """Why it has not arrived yet; for a text that is late."""
    tried_until: datetime | None = None
    """When it will be given up, if it has not arrived; for one that is late, where that is known."""


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
    """The sender's own `X-SMS-Reference`, for the whole mail."""
    received_at: datetime
    created_at: datetime
    lines: tuple[ReportLine, ...]
    deliver_by: datetime | None = None
    """The moment that BY of MAIL named (RFC 2852)."""
    release: str | None = None
    """How long the mail was asked to be held: `for;` and seconds, or `until;` and the moment (RFC 4865)."""


class Match(StrEnum):
    """How it was decided whose reply an inbound SMS is; the value of `X-SMS-Match`."""

    PROVIDER = "provider"
    NUMBER = "number"
    LATEST = "latest"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


class Intent(StrEnum):
    """What a phone's answer wants of an appointment; the value of `X-SMS-Intent`. It is shown, never acted on."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    MOVE = "move"


class Objection(StrEnum):
    """What follows when a phone asks for no more texts in words of its own."""

    YOURS = "yours"
    """Texts to it rest until whoever reads this decides."""
    THEIRS = "theirs"
    """The same, until another mailbox decides."""
    BLOCKED = "blocked"
    """Nothing: it was blocked before."""


@dataclass(frozen=True, slots=True)
class EarlierText:
    """A text of the conversation that a phone's answer continues."""

    text: str
    at: datetime
    """When it left, or was received."""
    from_phone: bool
    """The phone wrote it; else the mailbox did."""


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
    """Logins of the mailboxes that an ambiguous match is between."""
    for_all: bool = False
    """All of them get it; else it goes to the first alone."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    subject: str = ""
    """Subject of the thread it continues; empty when it continues none."""
    stopped: bool = False
    """The phone asked for no more texts and is now blocked."""
    resumed: bool = False
    """The phone lifted its block."""
    answered: str = ""
    """What the bridge texted the phone in answer, by itself."""
    keyword: str = ""
    """It came to this mailbox since it begins with this word of the mailbox's."""
    tag: str = ""
    """What such a word gives it as a tag; the value of `X-SMS-Tag`."""
    withheld: int = 0
    """It would have answered and did not, since the phone got so many such texts within 24 hours; said once."""
    objection: Objection | None = None
    """It asks for no more texts in words of its own, and this follows from it."""
    intent: Intent | None = None
    """What it wants of an appointment, if that is clear."""
    mailed: tuple[str, ...] = ()
    """Addresses that it was mailed to, since the phone named them in it."""
    not_mailed: tuple[str, ...] = ()
    """Addresses that it named and that the operator does not let phones mail."""
    mailed_enough: int = 0
    """It named addresses and was not mailed, since this phone's SMS became so many mails within 24 hours."""
    enclosed: Enclosed = NOTHING_ENCLOSED
    """What came with it beside its words (MMS)."""
    meant_for: str = ""
    """The address that it could not be delivered to; set when this mail goes to the fallback mailbox in its place."""
    contact: str = ""
    """What the mailbox calls the phone."""
    earlier: tuple[EarlierText, ...] = ()
    """The last texts of this conversation before it, the newest first."""
    through: str = ""
    """Address of the watched mailbox that an answer to this mail goes to; empty: to the phone's own address."""


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
    """The sender's own reference: of the phone's address, or else `X-SMS-Reference`."""
    contact: str = ""
    """What the mailbox calls the phone."""


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A composed mail on its way to a mailbox."""

    id: str
    envelope_from: str
    """Empty for the null sender (RFC 3464 section 2)."""
    envelope_to: str
    raw: bytes
    attempts: int = 0
