"""What a gateway is tested with: a table for each kind, in `tests/gateways/kinds`, that the conformance suite plays."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from bridge.errors import Reason
from bridge.gateways.base import Handed, Recalled
from bridge.gateways.connection import Connection
from bridge.types import Encoding, MessageClass, MessageState, Money, OutboundSms, Outcome, OutcomeKind
from tests.gateways import kinds
from tests.gateways.provider import Play

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
"""When everything happens."""

REFERENCE = "01k8zq4xw5v6t7r8s9p0n1m2k3"
NUMBER = "+393331234567"
SENDER = "+390200000001"
TOKEN = "unguessable0unguessable0unguessa"
PUBLIC_URL = "https://bridge.example.test"

PLAIN = OutboundSms(
    REFERENCE, NUMBER, SENDER, "A domani alle 9, perché sì.", Encoding.GSM7, ("A domani alle 9, perché sì.",)
)
UNICODE = replace(PLAIN, text="Приём 10:00 ☎", encoding=Encoding.UCS2, segments=("Приём 10:00 ☎",))
LONG = replace(PLAIN, text="a" * 200, segments=("a" * 153, "a" * 47))
EXPIRING = replace(PLAIN, expires_at=NOW + timedelta(hours=2))
"""Of no use two hours from now."""
FLASH = replace(PLAIN, flash=True)
"""To be shown at once and not kept."""
PROMOTION = replace(PLAIN, message_class=MessageClass.PROMOTIONAL)
HANDED = Handed(REFERENCE, ("a/b 1",), NUMBER, SENDER)
"""One that the provider has, under an id that a careless address would not survive."""

PICTURE = Play(200, headers={"Content-Type": "image/jpeg"}, octets=b"\xff\xd8\xff\xe0 a picture")
LAYOUT = Play(200, "<smil><body/></smil>", {"Content-Type": "application/smil"})

REJECTED, THROTTLED, UNKNOWN = OutcomeKind.REJECTED, OutcomeKind.THROTTLED, OutcomeKind.UNKNOWN


@dataclass(frozen=True, slots=True)
class Request:
    """A request that a gateway must make, exactly. `body` is the form's fields, or the JSON value."""

    method: str
    target: str
    """Path and query, below the address of the provider."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that must be there, names in lower case; others may be too."""
    body: Any = None


@dataclass(frozen=True, slots=True)
class Order:
    """An SMS, and the request it becomes."""

    name: str
    sms: OutboundSms
    request: Request


@dataclass(frozen=True, slots=True)
class Says:
    """An answer of the provider, and what it means."""

    name: str
    play: Play
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Call:
    """A callback of the provider: what it requests of us. `target` is what follows `/hooks/NAME`."""

    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt that must come of a callback."""

    provider_id: str | None
    state: MessageState
    reason: Reason | None = None
    reference: str | None = None
    occurred_at: datetime | None = None
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """An inbound SMS that must come of a callback."""

    number: str
    to: str
    text: str
    received_at: datetime = NOW
    answers: str = ""
    """The text of ours that it answers, where the provider says so and is believed."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback, and what comes of it: events, or nothing at all."""

    name: str
    call: Call
    events: tuple[Told | Heard, ...]
    says: str | None = None
    """The body of our answer, where the provider cares."""


@dataclass(frozen=True, slots=True)
class Mms:
    """A callback that names files of a phone, and what must be asked for them: the provider says `plays`."""

    name: str
    call: Callable[[str], Call]
    """With the address of the provider."""
    asked: tuple[str, ...]
    """The paths, in their order."""
    login: Mapping[str, str]
    plays: tuple[Play, ...]
    text: str
    files: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Forged:
    """A callback that must not be believed or not be understood, and our HTTP status."""

    name: str
    call: Call
    status: int = 403


@dataclass(frozen=True, slots=True)
class Takes:
    """What the provider answers to each request that takes `HANDED` back, and what that means."""

    name: str
    plays: tuple[Play, ...]
    kind: Recalled


@dataclass(frozen=True, slots=True)
class Left:
    """What the provider says of the account, and what is left on it."""

    name: str
    body: str
    money: Money | None


@dataclass(frozen=True, slots=True)
class Kind:
    """All that is known of one provider."""

    connection: Connection
    """Its settings; `url` is filled in with the scripted provider's."""
    orders: Sequence[Order]
    answers: Sequence[Says]
    callbacks: Sequence[Callback] = ()
    forged: Sequence[Forged] = ()
    mms: Sequence[Mms] = ()
    question: Request | None = None
    """What `bridge check` asks."""
    path: str = ""
    """What the operator's url has after the host."""
    recall: Sequence[Request] = ()
    """The requests that take `HANDED` back."""
    recalls: Sequence[Takes] = ()
    statement: Request | None = None
    """What asks for the balance."""
    balances: Sequence[Left] = ()
    left: Callable[[str], str] | None = None
    """The body that says that so much is left; the amount is written in it as JSON."""
    priced: Callable[[str], Play] | None = None
    """An answer that takes a text at this price; the amount is JSON."""
    priced_call: Callable[[Any], Call] | None = None
    """A receipt that names this price, whatever it is."""
    linked: Callable[[Any], Call] | None = None
    """An answer of a phone that names this text of ours, whatever it is."""
    believing: Mapping[str, str] = field(default_factory=dict)
    """The options with which what it names is believed; empty: it always is."""


def connection(**given: Any) -> Connection:
    """The settings of the gateway `main`, as a test wants them."""
    return Connection(name="main", url="", public_url=PUBLIC_URL, hook_token=TOKEN, now=lambda: NOW, **given)


def accepted(provider_id: str, price: Money | None = None) -> Outcome:
    return Outcome(OutcomeKind.ACCEPTED, provider_id=provider_id, price=price)


def money(amount: str, unit: str = "") -> Money:
    return Money(Decimal(amount), unit)


def outcome(kind: OutcomeKind, reason: Reason | None = None, *, retry_after: float | None = None) -> Outcome:
    """An outcome without its diagnostic, which the suite does not compare."""
    return Outcome(kind, reason=reason, retry_after=retry_after)


def form(target: str, headers: Mapping[str, str] | None = None, **fields: str) -> Call:
    """A callback that is a form; a trailing underscore in a name is left out (`from_`)."""
    named = {name.removesuffix("_"): value for name, value in fields.items()}
    content = {"content-type": "application/x-www-form-urlencoded"}
    return Call(target, {**content, **(headers or {})}, urlencode(named).encode())


def as_json(target: str, value: object, headers: Mapping[str, str] | None = None) -> Call:
    """A callback that is JSON."""
    return Call(target, {"content-type": "application/json", **(headers or {})}, json.dumps(value).encode())


def query(target: str, **fields: str) -> Call:
    """A callback that is a GET with everything in its query."""
    named = {name.removesuffix("_"): value for name, value in fields.items()}
    return Call(f"{target}?{urlencode(named)}", method="GET")


def all_kinds() -> dict[str, Kind]:
    """The table of every kind that has one, by its name in the settings."""
    found = {}
    for module in pkgutil.iter_modules(kinds.__path__):
        imported = importlib.import_module(f"{kinds.__name__}.{module.name}")
        found[imported.NAME] = imported.KIND
    return found
