"""HTTP connections of our own, to providers and receivers of webhooks; what a request came to that got no answer, and
how long whoever answered wants to be left alone."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import httpx
from httpx import Response

from bridge.types import Outcome, OutcomeKind

NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
"""httpx errors that are raised before the first byte of a request is written."""

_ALWAYS = (("User-Agent", "smtp-sms-bridge"), ("Accept-Encoding", "identity"))
"""Nothing is unpacked: a small answer could become a large one. Some providers refuse whoever does not name himself."""


_LONGEST_WAIT = 3600.0
"""Seconds that anybody is waited for because he asks for it."""


class HttpClients:
    """The HTTP clients of one gateway, or of all webhooks: as many as there are requests under way, each with one
    connection.

    Connections are kept only briefly, since a request on one that the provider has closed ends in *unknown*. The client
    that was used last is taken next, so that a gateway with little to do keeps one connection warm. Clients share none:
    httpx looks through all connections and all waiting requests of a client whenever one of them changes.

    They are httpx's transports, which know nothing of cookies, redirects and logins: nothing of these is wanted, and a
    request costs two thirds of what it costs with them.
    """

    KEPT = 2.0
    """Seconds that an unused connection is kept."""

    def __init__(self, timeout: float) -> None:
        """`timeout` in seconds holds for every step of a request."""
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10.0)).as_dict()
        self._limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=self.KEPT)
        self._clients: list[httpx.AsyncHTTPTransport] = []
        self._idle: list[httpx.AsyncHTTPTransport] = []

    @asynccontextmanager
    async def response(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[Response]:
        """What a request is answered with, its body still to be read. Raises httpx.HTTPError, here and at reading."""
        # As octets, since a password may hold more than ASCII.
        octets = [(name.encode(), value.encode()) for name, value in (*_ALWAYS, *headers.items())]
        request = httpx.Request(method, url, headers=octets, content=body, extensions={"timeout": self._timeout})
        client = self._idle.pop() if self._idle else self._make()
        try:
            response = await client.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        finally:
            self._idle.append(client)

    async def close(self) -> None:
        """Give back every connection."""
        for client in self._clients:
            await client.aclose()

    def _make(self) -> httpx.AsyncHTTPTransport:
        client = httpx.AsyncHTTPTransport(verify=_authorities(), limits=self._limits, trust_env=False)
        self._clients.append(client)
        return client


@cache
def _authorities() -> ssl.SSLContext:
    """Whom all of them trust; read once, since that takes a hundred times as long as all the rest of a client."""
    return httpx.create_ssl_context(trust_env=False)


def outcome_of_error(error: httpx.HTTPError) -> Outcome:
    """What a request that got no answer came to. The error's class is kept, its text may hold the URL and is not."""
    kind = OutcomeKind.UNREACHABLE if isinstance(error, NEVER_LEFT) else OutcomeKind.UNKNOWN
    return Outcome(kind, diagnostic=type(error).__name__)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer asks us to wait (RFC 9110 section 10.2.3), at most an hour; None where it does not say.
    Names in `headers` are in lower case, or in any case in those of httpx."""
    given = headers.get("retry-after", "").strip()
    if given.isdecimal():
        return min(float(given), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, OverflowError):  # the latter for a year or a zone of twenty digits
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT)
