"""Two questions a supervisor asks: does the process answer (`/healthz`), and can it do its work (`/readyz`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Health = Callable[[], Awaitable[Mapping[str, str]]]
"""The state of every part by name: empty when it works, else a sentence that says what is wrong."""

PATIENCE = 5.0
"""Seconds that all parts together have to answer."""

log = structlog.get_logger("bridge.web")


def health_routes(health: Health) -> list[Route]:
    """`/healthz` and `/readyz`. Both answer JSON; `/readyz` is 503 while a part does not work."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        try:
            parts = dict(await asyncio.wait_for(health(), PATIENCE))
        except TimeoutError:
            parts = {"bridge": f"A part did not answer within {PATIENCE:g} seconds."}
        except Exception as error:
            # A question about health is never itself a failure to answer; what went wrong is in the log by its name.
            log.error("health.failed", error=type(error).__name__)
            parts = {"bridge": "The state could not be read. The log has the reason."}
        ready = not any(parts.values())
        shown = {name: said or "ok" for name, said in parts.items()}
        return JSONResponse({"status": "ok" if ready else "not ready", "parts": shown}, 200 if ready else 503)

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]
