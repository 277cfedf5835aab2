"""The HTTP connections of one gateway, and what a request came to that got no answer on them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

import httpx

from bridge.types import Outcome, OutcomeKind

NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
"""httpx errors that are raised before the first byte of a request is written."""


class HttpClients:
    """The HTTP clients of one gateway: as many as it has requests under way, each with one connection.

    Connections are kept only briefly, since a request on one that the provider has closed ends in *unknown*. The client
    that was used last is taken next, so that a gateway with little to do keeps one connection warm. Clients share none:
    httpx looks through all connections and all waiting requests of a client whenever one of them changes.
    """

    KEPT = 2.0
    """Seconds that an unused connection is kept."""

    def __init__(self, timeout: float, headers: Mapping[str, str]) -> None:
        """`timeout` in seconds holds for every step of a request; `headers` go with each one."""
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10.0))
        self._headers = headers
        self._limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=self.KEPT)
        self._clients: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []

    @contextmanager
    def one(self) -> Iterator[httpx.AsyncClient]:
        """A client that nobody else uses until the block ends."""
        client = self._idle.pop() if self._idle else self._make()
        try:
            yield client
        finally:
            self._idle.append(client)

    async def close(self) -> None:
        """Give back every connection."""
        for client in self._clients:
            await client.aclose()

    def _make(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            verify=_authorities(),
            headers=self._headers,
            timeout=self._timeout,
            limits=self._limits,
            follow_redirects=False,
            trust_env=False,
        )
        self._clients.append(client)
        return client


@cache
def _authorities() -> ssl.SSLContext:
    """Whom all gateways trust; read once, since that takes a hundred times as long as all the rest of a client."""
    return httpx.create_ssl_context(trust_env=False)


def outcome_of_error(error: httpx.HTTPError) -> Outcome:
    """What a request that got no answer came to. The error's class is kept, its text may hold the URL and is not."""
    kind = OutcomeKind.UNREACHABLE if isinstance(error, NEVER_LEFT) else OutcomeKind.UNKNOWN
    return Outcome(kind, diagnostic=type(error).__name__)
