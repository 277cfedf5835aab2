"""An SMS on its way to a phone: as it travels, as a gateway gets it, and what a try came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.errors import Reason
from bridge.types.money import Money


class MessageClass(StrEnum):
    """What a text is for; consent and quiet hours depend on it."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    CONVERSATIONAL = "conversational"


class Encoding(StrEnum):
    """The alphabet an SMS travels in (3GPP TS 23.038 section 4)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


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


class OutcomeKind(StrEnum):
    """The closed answers of a gateway to one try; only throttled and unreachable may be tried again."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


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
    price: Money | None = None
    """What the whole message costs, where the provider says so at once."""
