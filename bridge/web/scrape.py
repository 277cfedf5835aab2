"""`GET /metrics`: what was counted and what waits, in the text format of Prometheus.

Nothing in it tells who texts whom, but it tells how much, so it is not for everybody: with a token for whoever shows
it, without one for this machine only. A request that a proxy passed on does not come from this machine, and as long as
nobody said which proxies there are, one on this machine may have passed on any request.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable

from prometheus_client.core import GaugeMetricFamily
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bridge import metrics
from bridge.web.proxies import Proxies
from bridge.web.refusals import Refusals

LOOPBACK = frozenset({"127.0.0.1", "::1"})
PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Header fields by which a proxy tells that it is one (RFC 7239, RFC 9110 section 7.6.3)."""

Gauges = Callable[[], Awaitable[Iterable[GaugeMetricFamily]]]


def scrape_routes(
    gauges: Gauges, token: str, proxies: Proxies | None = None, refusals: Refusals | None = None
) -> list[Route]:
    """`/metrics`; `gauges` are read at each request. An empty `token` lets this machine alone ask."""
    known = (proxies or Proxies()).are_known
    counted = refusals if refusals is not None else Refusals()

    async def scrape(request: Request) -> Response:
        refused = refusal(request)
        if refused is not None:
            return counted.answer(request, refused)
        return Response(metrics.exposition(await gauges()), media_type=metrics.CONTENT_TYPE)

    def refusal(request: Request) -> Response | None:
        if token and not _shows(request, token):
            sentence = "Show the token of http.metrics_token: Authorization: Bearer TOKEN.\n"
            return PlainTextResponse(sentence, 401, {"WWW-Authenticate": "Bearer"})
        if not token and not _is_from_here(request):
            sentence = "Only the bridge's own machine may read this. For others set http.metrics_token.\n"
            return PlainTextResponse(sentence, 403)
        if not token and not known:
            sentence = "A reverse proxy may have passed this on. Set http.trusted_proxies, or http.metrics_token.\n"
            return PlainTextResponse(sentence, 403)
        return None

    return [Route("/metrics", scrape, methods=["GET"])]


def _shows(request: Request, token: str) -> bool:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


def _is_from_here(request: Request) -> bool:
    caller = request.client.host if request.client is not None else ""
    return caller in LOOPBACK and not any(name in request.headers for name in PASSED_ON)
