"""Provider callbacks: from an HTTP request through the gateway that understands it to the intake that keeps it.

A 2xx answer means that the intake has committed. Anything that goes wrong on our side is 503, so that the provider
calls again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeGuard

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.gateways.base import Gateway, Hook, HookRefused
from bridge.types import GatewayEvent, HttpRequest, InboundSms
from bridge.web.refusals import Refusals

LONGEST_BODY = 65_536
"""Bytes of a callback; a receipt has a few hundred."""

Intake = Callable[[Sequence[GatewayEvent]], Awaitable[None]]
"""Keeps events for good; returns after the commit."""

log = structlog.get_logger("bridge.web")


def hook_routes(gateways: Mapping[str, Gateway], intake: Intake, refusals: Refusals) -> list[Route]:
    """The path of every hook of every gateway; GET as well as POST, since providers use both."""
    return [
        Route(hook.path(name), _endpoint(name, gateway, hook, intake, refusals), methods=["GET", "POST"])
        for name, gateway in gateways.items()
        for hook in gateway.hooks()
    ]


def _endpoint(
    name: str, gateway: Gateway, hook: Hook, intake: Intake, refusals: Refusals
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            body = await _body(request)
            events = hook.read(_request(request, body))
            if any(_names_files(event) for event in events):
                events = await asyncio.gather(*(_whole(gateway, event) for event in events))
            await intake(events)
        except HookRefused as refused:
            # A body that was not read to its end would go on coming: hang up.
            headers = {"Connection": "close"} if refused.status == 413 else None
            usual = JSONResponse({"error": str(refused)}, refused.status, headers)
            return refusals.answer(request, usual, gateway=name, hook=hook.name, why=str(refused))
        except ClientDisconnect:
            # Nobody is left to read an answer; a provider that hung up calls again.
            return Response(status_code=400)
        except Exception as error:
            # Whatever failed, the provider must keep the event and call again; the error's text may hold the callback.
            log.error("hook.failed", gateway=name, hook=hook.name, error=type(error).__name__)
            return JSONResponse({"error": "The bridge could not keep this callback. Send it again."}, 503)
        return Response(hook.says.body, media_type=hook.says.content_type)

    return answer


def _names_files(event: GatewayEvent) -> TypeGuard[InboundSms]:
    return isinstance(event, InboundSms) and bool(event.media)


async def _whole(gateway: Gateway, event: GatewayEvent) -> GatewayEvent:
    """An SMS that names files, with those that could be fetched; anything else as it is."""
    return await gateway.whole(event) if _names_files(event) else event


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise HookRefused(413, f"The callback is longer than {LONGEST_BODY} bytes.")
    return bytes(body)


def _request(request: Request, body: bytes) -> HttpRequest:
    target = request.scope.get("raw_path", b"").decode("latin-1") or request.url.path
    return HttpRequest(
        query=dict(request.query_params),
        headers=dict(request.headers),
        body=body,
        target=target + ("?" + request.url.query if request.url.query else ""),
    )
