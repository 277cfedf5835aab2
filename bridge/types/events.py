"""What gateways hear from their providers: receipts, SMS from phones, and the callbacks that bring them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.errors import Reason
from bridge.types.media import NOTHING_ENCLOSED, Enclosed
from bridge.types.money import Money
from bridge.types.states import MessageState


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
    price: Money | None = None
    """What the whole message costs, where the provider says so here."""


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
    answers: str = ""
    """Id of the text it answers, the provider's or our own reference, where the provider links them."""
    media: tuple[str, ...] = field(default=(), repr=False)
    """Addresses at the provider of files that came with it (MMS), as long as they are not fetched."""
    enclosed: Enclosed = NOTHING_ENCLOSED
    """What came of fetching them."""


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


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A callback of a provider, as the web room hands it to the gateway it is for."""

    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header names in lower case."""
    body: bytes = b""
    target: str = ""
    """Path and query exactly as they were requested (RFC 9112 section 3.2); signatures cover them."""
