"""Two questions a supervisor asks: does the process answer (`/healthz`), and does it take mail (`/readyz`).

A bridge whose gateway, mail server or IMAP server is down still takes mail, and keeps it: to send its clients elsewhere
would help nobody, and when all nodes share the trouble it would leave them no door at all. So such trouble is told in
the answer, and the status is 503 only for what keeps this node from taking mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.conditions import Health

Ask = Callable[[], Awaitable[Health]]

PATIENCE = 5.0
"""Seconds that all parts together have to answer."""

log = structlog.get_logger("bridge.web")


def health_routes(health: Ask) -> list[Route]:
    """`/healthz` and `/readyz`. Both answer JSON; `/readyz` is 503 while no mail is taken."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        try:
            found = await asyncio.wait_for(health(), PATIENCE)
        except TimeoutError:
            found = Health(takes_mail=False, parts={"bridge": f"A part did not answer within {PATIENCE:g} seconds."})
        except Exception as error:
            # A question about health is never itself a failure to answer; what went wrong is in the log by its name.
            log.error("health.failed", error=type(error).__name__)
            sentence = "The state could not be read. The log has the reason."
            found = Health(takes_mail=False, parts={"bridge": sentence})
        shown = {name: said or "ok" for name, said in found.parts.items()}
        return JSONResponse({"status": _status(found), "parts": shown}, 200 if found.takes_mail else 503)

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


def _status(health: Health) -> str:
    if not health.takes_mail:
        return "not ready"
    return "degraded" if any(health.parts.values()) else "ok"
