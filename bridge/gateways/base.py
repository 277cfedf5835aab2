"""The contract between the dispatcher and every SMS provider, and the HTTP behaviour all of them share.

A gateway hands one message over and says in the closed words of `Outcome` what came of it. It never touches
the store and never decides about retries. What it hears (receipts, inbound SMS) it turns into `GatewayEvent`
values; the web room passes them on.

The line between *unreachable* and *unknown* is the promise that nobody is texted twice: an attempt is
unreachable only when the request provably never left (refused connection, DNS, TLS handshake). Once a byte of
it may have been read, silence means unknown.
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from bridge.types import GatewayEvent, HttpRequest, OutboundSms, Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class Traits:
    """What a gateway can do; the dispatcher, `bridge check` and the docs read it."""

    receipts: bool
    """Delivery receipts come back."""
    inbound: bool
    """Phones can answer."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A callback address that the provider calls; declared as data, mounted by the web room.

    `read` proves where the request comes from and turns it into events. It raises `HookRefused` when the proof
    fails or the request makes no sense.
    """

    name: str
    """Last part of the path: `/hooks/{gateway}/{name}`."""
    read: Callable[[HttpRequest], Sequence[GatewayEvent]]


class HookRefused(Exception):
    """A callback that is not believed or not understood; `status` is the HTTP answer (400 or 403)."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Gateway(abc.ABC):
    """A connection to an SMS provider."""

    name: str
    """The operator's name for it, as in `[gateways.NAME]`."""
    traits: Traits

    @abc.abstractmethod
    async def submit(self, sms: OutboundSms) -> Outcome:
        """Hand one message over, once. Never raises for what the network or the provider does."""

    @abc.abstractmethod
    async def probe(self) -> str:
        """Ask the provider whether it would take messages: empty when it would, else a sentence that says why not."""

    def hooks(self) -> Sequence[Hook]:
        """The callbacks this gateway listens to."""
        return ()

    def secrets(self) -> Sequence[str]:
        """Values that must never reach a log."""
        return ()

    async def close(self) -> None:
        """Give back connections."""


NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
"""httpx errors that are raised before the first byte of a request is written."""


class HttpClients:
    """The HTTP clients of one gateway, used in turn.

    Connections are kept only briefly, since a request on one that the provider has closed ends in *unknown*. Several
    small pools stand in for a large one: httpx looks through its whole pool for every request.
    """

    POOLS = 8

    def __init__(self, timeout: float, headers: Mapping[str, str]) -> None:
        """`timeout` in seconds holds for every step of a request; `headers` go with each one."""
        self._clients = [
            httpx.AsyncClient(
                headers=headers,
                timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
                limits=httpx.Limits(max_connections=25, max_keepalive_connections=10, keepalive_expiry=2.0),
                follow_redirects=False,
                trust_env=False,
            )
            for _ in range(self.POOLS)
        ]
        self._turns = itertools.cycle(self._clients)

    def next(self) -> httpx.AsyncClient:
        """The client whose turn it is."""
        return next(self._turns)

    async def close(self) -> None:
        """Give back every connection."""
        for client in self._clients:
            await client.aclose()


def outcome_of_error(error: httpx.HTTPError) -> Outcome:
    """What a request that got no answer came to. The error's class is kept, its text may hold the URL and is not."""
    kind = OutcomeKind.UNREACHABLE if isinstance(error, NEVER_LEFT) else OutcomeKind.UNKNOWN
    return Outcome(kind, diagnostic=type(error).__name__)


def outcome_of_status(status: int, retry_after: float | None = None) -> Outcome:
    """The usual meaning of an HTTP answer that is not 2xx; a provider that means another says so in its own file."""
    diagnostic = f"HTTP {status}"
    if status == 429:
        return Outcome(OutcomeKind.THROTTLED, diagnostic=diagnostic, retry_after=retry_after)
    if 400 <= status < 500 and status != 408:
        return Outcome(OutcomeKind.REJECTED, diagnostic=diagnostic)
    return Outcome(OutcomeKind.UNKNOWN, diagnostic=diagnostic)
