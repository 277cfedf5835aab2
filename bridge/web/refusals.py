"""How often one caller may be refused: whoever guesses addresses, signatures or tokens is told to wait.

Only refusals are counted. What proves itself is taken however much of it comes and whatever else came from the same
address, since a provider bursts, and behind a proxy that does not say for whom it calls all share one address. So it
is not this that keeps a token from being guessed (it has 128 bits) but it keeps guessing from filling the log.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bridge.access.networks import plain_address, subscriber

AT_ONCE = 30
"""Refusals that a caller may have at once."""
EVERY = 2.0
"""Seconds after which it may have one more."""
REMEMBERED = 10_000
"""Callers that are remembered; the one whose last refusal is the oldest is forgotten first."""

log = structlog.get_logger("bridge.web")


class Refusals:
    """Counts refusals by caller: by IPv4 address, or by the /64 of an IPv6 address.

    For each caller only the moment is kept at which its refusals will be forgotten (GCRA, ITU-T I.371): each refusal
    moves it on by `EVERY`, and it may lie at most `at_once` times as far ahead.
    """

    def __init__(self, at_once: int = AT_ONCE, now: Callable[[], float] = time.monotonic) -> None:
        self._most = at_once * EVERY
        self._now = now
        self._forgotten_at: OrderedDict[str, float] = OrderedDict()

    @property
    def remembered(self) -> int:
        """How many callers it remembers."""
        return len(self._forgotten_at)

    def count(self, address: str) -> float:
        """Count a refusal; 0 when its caller may hear the reason, else the seconds until it may."""
        caller, now = _caller(address), self._now()
        then = max(self._forgotten_at.pop(caller, now), now)
        late = then + EVERY - now - self._most
        self._forgotten_at[caller] = then if late > 0 else then + EVERY
        if len(self._forgotten_at) > REMEMBERED:
            self._forgotten_at.popitem(last=False)
        return max(late, 0.0)

    def answer(self, request: Request, usual: Response, **about: str) -> Response:
        """The answer to a request that is refused: the `usual` one, or 429 once its caller had too many.

        What it was `about` is for the log. The path is no part of it: it may hold a token with one letter wrong.
        """
        address = request.client.host if request.client is not None else ""
        wait = self.count(address)
        if not wait:
            log.warning("web.refused", peer=address, status=usual.status_code, **about)
            return usual
        sentence = "Too many requests from this address were refused. Wait, and correct address and secret."
        # Whoever goes on has to connect anew, and what is left of a body that is too long is not waited for.
        headers = {"Retry-After": str(math.ceil(wait)), "Connection": "close"}
        return JSONResponse({"error": sentence}, 429, headers)


def _caller(address: str) -> str:
    try:
        return subscriber(plain_address(address))
    except ValueError:
        return address
