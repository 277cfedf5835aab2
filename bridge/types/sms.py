"""An SMS on its way to a phone: as it travels, as a gateway gets it, and what a try came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.errors import Reason
from bridge.types.addressee import Priority
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


class National(StrEnum):
    """A language that has tables of its own beside the GSM 7-bit alphabet (3GPP TS 23.038 annex A)."""

    TURKISH = "turkish"
    SPANISH = "spanish"
    """It has a single shift table only."""
    PORTUGUESE = "portuguese"
    BENGALI = "bengali"
    GUJARATI = "gujarati"
    HINDI = "hindi"
    KANNADA = "kannada"
    MALAYALAM = "malayalam"
    ORIYA = "oriya"
    PUNJABI = "punjabi"
    TAMIL = "tamil"
    TELUGU = "telugu"
    URDU = "urdu"


@dataclass(frozen=True, slots=True)
class Shift:
    """The national tables that a GSM 7-bit text is written with; every segment names them in its header.

    As text, which `str` gives and `parse` takes: `turkish:single`, `turkish:locking`, `turkish:single+locking`.
    """

    language: National
    single: bool
    """Its table stands behind the escape, in place of the extension table."""
    locking: bool
    """Its table stands in place of the default alphabet."""

    def __post_init__(self) -> None:
        """Raises ValueError for no table, and for one that there is not."""
        if not (self.single or self.locking) or (self.locking and self.language is National.SPANISH):
            raise ValueError("there is no such national table")

    def __str__(self) -> str:
        tables = [name for name in ("single", "locking") if getattr(self, name)]
        return f"{self.language.value}:{'+'.join(tables)}"

    @classmethod
    def parse(cls, text: str) -> Shift:
        """What `str` gave. Raises ValueError for anything else."""
        language, _, tables = text.partition(":")
        shift = cls(National(language), "single" in tables, "locking" in tables)
        if str(shift) != text:
            raise ValueError("this is no text form of national tables")
        return shift


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
    shift: Shift | None = None
    """The national tables it is written with; None for the default alphabet and for UCS-2."""
    wide_reference: bool = False
    """Its segments, where there are several, leave room for a 16-bit reference."""


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
    shift: Shift | None = None
    """The national tables that `segments` were cut for; only for gateways whose traits say that they carry them."""
    flash: bool = False
    """Shown at once and not kept by the phone (3GPP TS 23.038 section 4, class 0)."""
    priority: Priority = Priority.NORMAL


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
