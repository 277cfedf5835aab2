"""The web application: provider callbacks, health, and whatever routes the composition adds, under safe headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.gateways.base import Gateway
from bridge.web.health import Ask, health_routes
from bridge.web.hooks import Intake, hook_routes
from bridge.web.proxies import BehindProxies, Proxies
from bridge.web.refusals import Refusals

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def build_web(
    gateways: Mapping[str, Gateway],
    intake: Intake,
    health: Ask,
    extra_routes: Sequence[BaseRoute] = (),
    *,
    proxies: Proxies | None = None,
    refusals: Refusals | None = None,
) -> Starlette:
    """The app with `/hooks/{gateway}/{hook}`, `/healthz`, `/readyz` and `extra_routes`.

    Without `proxies` it is called by nobody but this machine and those who reach it directly.
    """
    counted = refusals if refusals is not None else Refusals()

    async def nothing_here(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return counted.answer(request, PlainTextResponse(error.detail, error.status_code, error.headers))

    return Starlette(
        routes=[*health_routes(health), *hook_routes(gateways, intake, counted), *extra_routes],
        middleware=[Middleware(_SafeHeaders), Middleware(BehindProxies, proxies or Proxies())],
        exception_handlers={404: nothing_here, 405: nothing_here},
    )


class _SafeHeaders:
    """Adds headers that let a browser do nothing with an answer; a page that needs more sets its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)
