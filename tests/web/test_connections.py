"""Clients that connect and do not speak, or speak too slowly: they are cut, and nobody else has to wait for them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bridge.types import GatewayEvent
from bridge.web import connections
from bridge.web.app import build_web
from bridge.web.server import WebServer
from tests.servers.web import NOBODY
from tests.web.parts import all_is_well

PATIENCE = 0.3
HEAD = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


async def drop(events: Sequence[GatewayEvent]) -> None:
    """No gateway is mounted here, so nothing comes."""


class Slow:
    """A page that answers when it is told to."""

    def __init__(self) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        await request.body()
        self.reached.set()
        await self.go_on.wait()
        return PlainTextResponse("done")


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def port(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(connections, "PATIENCE", PATIENCE)
    monkeypatch.setattr(connections, "MOST", 20)

    async def page(request: Request) -> Response:
        return await slow(request)

    web = WebServer(build_web({}, drop, all_is_well, [Route("/slow", page, methods=["POST"])]), "127.0.0.1", 0)
    await web.start()
    yield web.port
    await web.stop()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the server closed; a test that waits in vain fails by its own limit."""
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "said",
    [b"", b"GET /heal", HEAD, HEAD + b"12345"],
    ids=["nothing", "half a line", "a head without its body", "half a body"],
)
async def test_a_request_that_does_not_come_is_not_waited_for(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    assert await ended(reader) == b""
    writer.close()


async def test_a_dribble_is_cut_however_steady_it_is(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.replace(b"10", b"1000"))
    cut = asyncio.create_task(ended(reader))
    sent = 0
    while not cut.done():
        writer.write(b"x")
        sent += 1
        await asyncio.wait({cut}, timeout=PATIENCE / 20)
    assert cut.result() == b""
    assert sent < 1000
    writer.close()


async def test_the_second_request_has_no_more_time_than_the_first(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal")
    said = await ended(reader)
    assert said.count(b"HTTP/1.1 200") == 1
    writer.close()


async def test_our_own_time_is_not_the_clients(port: int, slow: Slow) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
        asking = asyncio.create_task(http.post(f"http://127.0.0.1:{port}/slow", content=b"1234567890"))
        await slow.reached.wait()
        silent, writer = await asyncio.open_connection("127.0.0.1", port)
        await ended(silent)  # as long as a client has
        slow.go_on.set()
        assert (await asking).text == "done"
    writer.close()


async def test_who_reads_no_answers_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requests are complete, so that nothing is waited for but the room to answer the second."""
    monkeypatch.setattr(connections, "PATIENCE", PATIENCE)
    begun, over = asyncio.Semaphore(0), asyncio.Semaphore(0)

    class Long(PlainTextResponse):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            begun.release()
            await super().__call__(scope, receive, send)
            over.release()

    async def page(request: Request) -> Response:
        return Long(b"x" * 20_000_000)

    web = WebServer(build_web({}, drop, all_is_well, [Route("/long", page)]), "127.0.0.1", 0)
    await web.start()
    with socket.create_connection(("127.0.0.1", web.port)) as client:
        client.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        for _ in range(2):
            await begun.acquire()
        for _ in range(2):
            await asyncio.wait_for(over.acquire(), 10)
    await web.stop()


async def test_who_is_silent_gives_way_and_who_is_served_does_not(
    port: int, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 60.0)
    async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
        asking = asyncio.create_task(http.post(f"http://127.0.0.1:{port}/slow", content=b"1234567890"))
        await slow.reached.wait()
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        assert (await http.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
        gone = [await ended(reader) for reader, _ in silent[:80]]
        assert gone == [b""] * 80
        slow.go_on.set()
        assert (await asking).text == "done"
    for _, writer in silent:
        writer.close()
