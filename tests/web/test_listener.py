"""The HTTP listener and the questions of a supervisor."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Mapping, Sequence

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bridge.errors import SettingsError
from bridge.types import GatewayEvent
from bridge.web import health as health_room
from bridge.web.app import build_web
from bridge.web.health import Health
from bridge.web.server import WebServer
from tests.web.parts import all_is_well


async def drop(events: Sequence[GatewayEvent]) -> None:
    """No gateway is mounted here, so nothing comes."""


async def ask(health: Health, path: str) -> httpx.Response:
    web = WebServer(build_web({}, drop, health), "127.0.0.1", 0)
    await web.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"http://127.0.0.1:{web.port}{path}")
    await web.stop()
    return answer


async def store_is_away() -> Mapping[str, str]:
    return {"store": "The database does not answer."}


async def health_fails() -> Mapping[str, str]:
    raise OSError("+393331234567")


async def health_hangs() -> Mapping[str, str]:
    await asyncio.Event().wait()
    return {}


@pytest.mark.parametrize(
    ("health", "path", "status"),
    [
        (all_is_well, "/healthz", 200),
        (store_is_away, "/healthz", 200),
        (all_is_well, "/readyz", 200),
        (store_is_away, "/readyz", 503),
        (health_fails, "/readyz", 503),
    ],
    ids=["alive", "alive without its store", "ready", "not ready", "cannot tell"],
)
async def test_health(health: Health, path: str, status: int) -> None:
    answer = await ask(health, path)
    assert answer.status_code == status
    assert "+39" not in answer.text


async def test_a_part_that_hangs_makes_the_bridge_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_room, "PATIENCE", 0.05)
    assert (await ask(health_hangs, "/readyz")).status_code == 503


async def test_readyz_names_the_part_that_does_not_work() -> None:
    answer = await ask(store_is_away, "/readyz")
    assert answer.json() == {"status": "not ready", "parts": {"store": "The database does not answer."}}


async def test_every_answer_tells_a_browser_to_do_nothing_with_it() -> None:
    answer = await ask(all_is_well, "/nowhere")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers


async def test_a_port_in_use_is_named_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match="choose another port"):
            await WebServer(build_web({}, drop, all_is_well), "127.0.0.1", port).start()


async def test_the_listener_leaves_the_signals_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    web = WebServer(build_web({}, drop, all_is_well), "127.0.0.1", 0)
    await web.start()
    during = signal.getsignal(signal.SIGTERM)
    await web.stop()
    assert during is before


async def test_stopping_finishes_the_request_in_hand() -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        reached.set()
        await go_on.wait()
        return PlainTextResponse("done")

    web = WebServer(build_web({}, drop, all_is_well, [Route("/slow", slow)]), "127.0.0.1", 0)
    await web.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        asking = asyncio.create_task(http.get(f"http://127.0.0.1:{web.port}/slow"))
        await reached.wait()
        stopping = asyncio.create_task(web.stop())
        go_on.set()
        assert (await asking).text == "done"
    await stopping
