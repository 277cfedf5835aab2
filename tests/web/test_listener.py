"""The HTTP listener and the questions of a supervisor."""

from __future__ import annotations

import asyncio
import signal
import socket
import statistics
import time
from collections.abc import Sequence

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bridge.conditions import Health
from bridge.errors import SettingsError
from bridge.types import GatewayEvent
from bridge.web import health as health_room
from bridge.web.app import build_web
from bridge.web.health import Ask
from bridge.web.server import WebServer
from tests.servers.web import NOBODY
from tests.web.parts import all_is_well


async def drop(events: Sequence[GatewayEvent]) -> None:
    """No gateway is mounted here, so nothing comes."""


async def ask(health: Ask, path: str) -> httpx.Response:
    web = WebServer(build_web({}, drop, health), "127.0.0.1", 0)
    await web.start()
    async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
        answer = await http.get(f"http://127.0.0.1:{web.port}{path}")
    await web.stop()
    return answer


async def store_is_away() -> Health:
    return Health(takes_mail=False, parts={"store": "The database does not answer.", "relay": ""})


async def relay_is_down() -> Health:
    return Health(takes_mail=True, parts={"store": "", "relay": "The mail server takes nothing."})


async def health_fails() -> Health:
    raise OSError("+393331234567")


async def health_hangs() -> Health:
    await asyncio.Event().wait()
    return await all_is_well()


@pytest.mark.parametrize(
    ("health", "path", "status"),
    [
        (all_is_well, "/healthz", 200),
        (store_is_away, "/healthz", 200),
        (all_is_well, "/readyz", 200),
        (relay_is_down, "/readyz", 200),
        (store_is_away, "/readyz", 503),
        (health_fails, "/readyz", 503),
    ],
    ids=["alive", "alive without its store", "ready", "takes mail and keeps it", "not ready", "cannot tell"],
)
async def test_health(health: Ask, path: str, status: int) -> None:
    answer = await ask(health, path)
    assert answer.status_code == status
    assert "+39" not in answer.text


async def test_a_part_that_hangs_makes_the_bridge_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_room, "PATIENCE", 0.05)
    assert (await ask(health_hangs, "/readyz")).status_code == 503


@pytest.mark.parametrize(
    ("health", "status", "parts"),
    [
        pytest.param(all_is_well, "ok", {"store": "ok", "relay": "ok"}, id="well"),
        pytest.param(
            relay_is_down, "degraded", {"store": "ok", "relay": "The mail server takes nothing."}, id="takes mail"
        ),
        pytest.param(
            store_is_away, "not ready", {"store": "The database does not answer.", "relay": "ok"}, id="takes none"
        ),
    ],
)
async def test_readyz_names_the_part_that_does_not_work(health: Ask, status: str, parts: dict[str, str]) -> None:
    assert (await ask(health, "/readyz")).json() == {"status": status, "parts": parts}


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
    async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
        asking = asyncio.create_task(http.get(f"http://127.0.0.1:{web.port}/slow"))
        await reached.wait()
        stopping = asyncio.create_task(web.stop())
        go_on.set()
        assert (await asking).text == "done"
    await stopping


async def test_no_answer_waits_for_the_acknowledgement_of_its_head() -> None:
    """A client may take its time with that: 40 ms on Linux, on every request of a connection that is kept."""
    web = WebServer(build_web({}, drop, all_is_well), "127.0.0.1", 0)
    await web.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}", trust_env=False, verify=NOBODY) as http:
        seconds = []
        for _ in range(50):
            began = time.monotonic()
            await http.get("/healthz")
            seconds.append(time.monotonic() - began)
    await web.stop()
    assert statistics.median(seconds) < 0.04 / 2
