"""Provider callbacks over HTTP: 2xx means kept, and everything else says what to do without repeating the callback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from bridge import clock
from bridge.gateways.callback import sign
from bridge.gateways.connection import Connection
from bridge.gateways.simulator import SimulatorGateway
from bridge.types import GatewayEvent
from bridge.web.app import build_web
from bridge.web.server import WebServer
from tests.servers.web import NOBODY
from tests.web.parts import all_is_well

SECRET = "a secret for tests"
NUMBER = "+393331234567"
INBOUND = {"event_id": "e", "from": NUMBER, "to": "+390200000001", "text": "privato", "time": "2026-11-21T10:00:00Z"}


class Store:
    """The intake: keeps events, or fails while it is `away`."""

    def __init__(self) -> None:
        self.kept: list[GatewayEvent] = []
        self.away = False

    async def keep(self, events: Sequence[GatewayEvent]) -> None:
        if self.away:
            raise OSError(f"cannot keep {NUMBER}: privato")
        self.kept += events


@pytest.fixture
def store() -> Store:
    return Store()


@pytest_asyncio.fixture
async def http(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    gateway = SimulatorGateway(Connection("sim", "http://127.0.0.1:1", secret=SECRET, timeout=1.0))
    web = WebServer(build_web({"sim": gateway}, store.keep, all_is_well), "127.0.0.1", 0)
    await web.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}", trust_env=False, verify=NOBODY) as client:
        yield client
    await web.stop()
    await gateway.close()


def headers(body: bytes, age: float = 0, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int((clock.now() - timedelta(seconds=age)).timestamp()))
    return {"X-Simulator-Timestamp": timestamp, "X-Simulator-Signature": sign(secret, timestamp, body)}


async def test_a_signed_callback_is_kept_and_then_answered(http: httpx.AsyncClient, store: Store) -> None:
    body = json.dumps(INBOUND).encode()
    answer = await http.post("/hooks/sim/inbound", content=body, headers=headers(body))
    assert answer.status_code == 200
    assert len(store.kept) == 1


@pytest.mark.parametrize(
    ("body", "age", "secret", "status"),
    [
        (json.dumps(INBOUND).encode(), 0, "another", 403),
        (json.dumps(INBOUND).encode(), 400, SECRET, 403),
        (b"garbage", 0, SECRET, 400),
        (json.dumps(INBOUND | {"from": "333"}).encode(), 0, SECRET, 400),
        (b"x" * 65_537, 0, SECRET, 413),
    ],
    ids=["bad signature", "stale", "garbage", "no number", "too large"],
)
async def test_a_callback_that_is_refused(
    http: httpx.AsyncClient, store: Store, body: bytes, age: float, secret: str, status: int
) -> None:
    answer = await http.post("/hooks/sim/inbound", content=body, headers=headers(body, age, secret))
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")
    assert store.kept == []


async def test_a_callback_without_end_is_cut_off_at_the_limit(http: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http.base_url.port)
    writer.write(b"POST /hooks/sim/inbound HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(b"10001\r\n" + b"x" * 0x10001)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_what_the_store_cannot_keep_is_asked_for_again_and_not_logged(
    http: httpx.AsyncClient, store: Store, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    store.away = True
    body = json.dumps(INBOUND).encode()
    answer = await http.post("/hooks/sim/inbound", content=body, headers=headers(body))
    assert answer.status_code == 503
    written = answer.text + caplog.text + "".join(capfd.readouterr())
    assert "hook.failed" in written
    assert NUMBER not in written
    assert "privato" not in written


@pytest.mark.parametrize(
    "path", ["/hooks/sim/other", "/hooks/other/inbound", "/hooks", "/hooks/sim/inbound/x"], ids=lambda path: path
)
async def test_a_path_that_no_gateway_declares_is_not_there(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.post(path)).status_code == 404
