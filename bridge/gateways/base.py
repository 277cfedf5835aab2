"""The contract between the dispatcher and every SMS provider.

A gateway hands one message over and says in the closed words of `Outcome` what came of it. It never touches
the store and never decides about retries. What it hears (receipts, inbound SMS) it turns into `GatewayEvent`
values; the web room passes them on.

The line between *unreachable* and *unknown* is the promise that nobody is texted twice: an attempt is
unreachable only when the request provably never left (refused connection, DNS, TLS handshake). Once a byte of
it may have been read, silence means unknown.
"""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.sms import header
from bridge.sms.encoding import encode
from bridge.types import (
    NO_LIMIT,
    GatewayEvent,
    HttpRequest,
    InboundSms,
    Money,
    National,
    OutboundSms,
    Outcome,
    OutcomeKind,
    Rates,
    Receipt,
)


class Evidence(StrEnum):
    """How sure the facts are that a gateway is built on."""

    DOCUMENTED = "documented"
    """By the provider's own pages or code."""
    SECOND_HAND = "second-hand"
    """By code or pages of others."""
    UNVERIFIED = "unverified"
    """Partly inferred: what is not sure can be set by the operator."""


class SenderKind(StrEnum):
    """What a phone can be shown as the sender of an SMS."""

    NUMBER = "number"
    """A telephone number, which can be answered."""
    SHORT_CODE = "short code"
    NAME = "name"
    """Letters, at most eleven (3GPP TS 23.040 section 9.1.2.5); it cannot be answered."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a gateway can do, for the stations that need to know and for the table in docs/gateways.md."""

    receipts: bool
    """Delivery receipts come back."""
    inbound: bool
    """Phones can answer."""
    mms: bool = False
    """Pictures and other files that phones send are fetched from it."""
    links: bool = False
    """It can say which of our texts a phone answers, where it is set up so."""
    answers_orders: bool = False
    """Its provider itself texts an answer to STOP, START and HELP, unless it is told not to."""
    lookup: bool = False
    """What became of a message can be asked by our own reference."""
    cancel: bool = False
    """A text that it has taken, and that has not left for its phone yet, can be taken back."""
    balance: bool = False
    """What is left on the account can be asked."""
    price: bool = False
    """It says what a text costs, in its answer or in a receipt."""
    rates: Rates = NO_LIMIT
    """What its provider documents as every account's limit; an operator may say otherwise."""
    own_segments: bool = False
    """We cut long texts ourselves; else the provider does."""
    shifts: frozenset[National] = frozenset()
    """Languages whose shift tables it carries, in a header of ours, as far as the operator permits them; only where we
    cut texts ourselves."""
    wide_reference: bool = False
    """Its long texts must be cut for headers with a 16-bit reference."""
    flash: bool = False
    """It can have a text shown at once and not kept by the phone."""
    senders: frozenset[SenderKind] = frozenset(SenderKind)
    evidence: Evidence = Evidence.DOCUMENTED


@dataclass(frozen=True, slots=True)
class Said:
    """What a callback is answered with when it has been kept."""

    body: str = '{"status":"kept"}'
    content_type: str = "application/json"


SILENT = Said("", "text/plain")
"""For providers that would text the body of the answer to the phone."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A callback address that the provider calls; declared as data, mounted by the web room.

    `read` proves where the request comes from and turns it into events. It raises `HookRefused` when the proof
    fails or the request makes no sense.
    """

    name: str
    """Part of the path: `/hooks/{gateway}/{name}`."""
    read: Callable[[HttpRequest], Sequence[GatewayEvent]]
    token: str = ""
    """A last part of the path that nobody can guess, where the provider signs nothing; empty where it does."""
    says: Said = Said()

    def path(self, gateway: str) -> str:
        """Where the provider calls it."""
        return "/".join(part for part in ("/hooks", gateway, self.name, self.token) if part)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message whose outcome is unknown, as far as a provider must know it to look it up."""

    reference: str
    """Our own."""
    provider_id: str | None
    number: str
    """The phone, E.164."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A message that a provider has, as far as it must know it to take it back."""

    reference: str
    """Our own."""
    provider_ids: tuple[str, ...]
    """As the provider gave them: one, or one for each segment; empty when they are not all known."""
    number: str
    """The phone, E.164."""
    sender: str


class Recalled(StrEnum):
    """What a provider says when it is asked to take a text back."""

    CANCELLED = "cancelled"
    """The text will not leave."""
    ASKED = "asked"
    """It will try; a receipt tells what came of it."""
    REFUSED = "refused"
    """The text has left, or cannot be taken back."""
    UNKNOWN = "unknown"
    """Nothing that makes sense, or nothing at all."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What came of the request to take a text back."""

    kind: Recalled
    diagnostic: str = ""
    """The provider's own words or code, without numbers and texts."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look at a provider brought."""

    events: Sequence[Receipt | InboundSms]
    cursor: str
    """Where the next look begins; kept with the events, in one transaction."""
    more: bool = False
    """There is more to fetch at once."""


@dataclass(frozen=True, slots=True)
class Poll:
    """A place where the provider is asked for news again and again, since it does not call."""

    name: str
    every: float
    """Seconds between two looks."""
    read: Callable[[str], Awaitable[Polled]]
    """Asks from a cursor on; empty at the very first time. Raises httpx.HTTPError or `PollRefused`."""


class PollRefused(Exception):
    """The provider did not answer a poll as it should; the sentence is for the operator's log."""


class HookRefused(Exception):
    """A callback that is not believed or not understood; `status` is the HTTP answer (400 or 403)."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


Hear = Callable[[Sequence[GatewayEvent]], Awaitable[None]]
"""Keeps events for good: when it returns they are committed, when it raises they are not."""


class Gateway(abc.ABC):
    """A connection to an SMS provider."""

    name: str
    """The operator's name for it, as in `[gateways.NAME]`."""
    traits: Traits

    def fitted(self, sms: OutboundSms) -> OutboundSms | None:
        """`sms` as this gateway may send it: what was cut for national tables that it does not carry, or may not send
        any more, is cut anew for the alphabets that every phone knows. The words stay; it may take more SMS.

        None where those would be more than a header can number.
        """
        if sms.shift is None or sms.shift.language in self.traits.shifts:
            return sms
        anew = encode(sms.text, wide_reference=self.traits.wide_reference)
        if len(anew.segments) > header.MOST_SEGMENTS:
            return None
        return replace(sms, text=anew.text, encoding=anew.encoding, segments=anew.segments, shift=None)

    @abc.abstractmethod
    async def submit(self, sms: OutboundSms) -> Outcome:
        """Hand one message over, once; it is as `fitted` gave it. Never raises for what the network or the provider
        does."""

    @abc.abstractmethod
    async def probe(self) -> str:
        """Ask the provider whether it would take messages: empty when it would, else a sentence that says why not."""

    def hooks(self) -> Sequence[Hook]:
        """The callbacks this gateway listens to."""
        return ()

    def polls(self) -> Sequence[Poll]:
        """Where this gateway asks for news."""
        return ()

    async def whole(self, sms: InboundSms) -> InboundSms:
        """`sms`, which names files that came with it, with what was fetched of them; only where `traits.mms` says so.

        Never raises for what the network or the provider does, and takes a few seconds at the most: the provider waits.
        """
        return sms

    async def listen(self, hear: Hear) -> None:
        """Hold the connection on which the provider speaks by itself, until `close`; only where there is one.

        What is heard is confirmed to the provider when `hear` has returned. Never raises for what the network or the
        provider does.
        """

    async def lookup(self, message: Doubt) -> Outcome:
        """What became of a message whose outcome is unknown; only where `traits.lookup` says so.

        *Accepted* (with its provider id): the provider has it. *Rejected*: it was refused, or provably never came in.
        *Unknown*: it cannot say, now or ever. Never raises for what the network or the provider does.
        """
        return Outcome(OutcomeKind.UNKNOWN)

    async def cancel(self, message: Handed) -> Recall:
        """Ask the provider to take a text back; only where `traits.cancel` says so.

        *Cancelled* is said only when the provider has said that the text will not leave. Never raises for what the
        network or the provider does.
        """
        return Recall(Recalled.REFUSED)

    async def balance(self) -> Money | None:
        """What is left on the account; only where `traits.balance` says so.

        None: nobody can say now, or the account is not one that runs dry. It may be negative. Never raises for what
        the network or the provider does.
        """
        return None

    def secrets(self) -> Sequence[str]:
        """Values that must never reach a log."""
        return ()

    async def close(self) -> None:
        """Give back connections."""
