"""Refused again and again: a guesser is told to wait, a provider never is, and no log holds what was guessed."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily

from bridge import redact
from bridge.gateways.registry import build
from bridge.types import GatewayEvent
from bridge.web import refusals as room
from bridge.web.app import build_web
from bridge.web.proxies import Proxies
from bridge.web.refusals import AT_ONCE, EVERY, Refusals
from bridge.web.scrape import scrape_routes
from bridge.web.server import WebServer
from tests.gateways import cases
from tests.servers.web import NOBODY
from tests.web.parts import all_is_well

TOKEN = cases.TOKEN
GUESS = TOKEN[:-1] + "0"
WEBSOCKET = {"Connection": "upgrade", "Upgrade": "websocket"}
RIGHT = {"id": "46e1", "status": "delivered", "delivered": "2026-11-21T09:59:58"}


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_so_many_at_once_and_then_one_by_one() -> None:
    clock = Clock()
    refusals = Refusals(at_once=3, now=clock)
    assert [refusals.count("192.0.2.7") for _ in range(5)] == [0, 0, 0, EVERY, EVERY]
    clock.time += EVERY / 2
    assert refusals.count("192.0.2.7") == EVERY / 2
    clock.time += EVERY / 2
    assert [refusals.count("192.0.2.7") for _ in range(2)] == [0, EVERY]
    clock.time += 100
    assert [refusals.count("192.0.2.7") for _ in range(4)] == [0, 0, 0, EVERY]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("2001:db8::1", "2001:db8:0:0:ffff::1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
    ids=["two addresses", "one address in two spellings", "one /64", "two of them"],
)
def test_who_counts_as_one_caller(first: str, second: str, together: bool) -> None:
    refusals = Refusals(at_once=1, now=Clock())
    refusals.count(first)
    assert (refusals.count(second) > 0) is together


@given(st.lists(st.floats(min_value=0, max_value=20), max_size=60))
def test_no_order_of_events_gives_more_than_the_allowance(pauses: list[float]) -> None:
    clock, told = Clock(), 0
    refusals = Refusals(at_once=5, now=clock)
    for pause in pauses:
        clock.time += pause
        wait = refusals.count("192.0.2.7")
        told += wait == 0
        assert 0 <= wait <= EVERY
        assert told <= 5 + (clock.time - 1000.0) / EVERY


def test_many_callers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REMEMBERED", 100)
    refusals = Refusals(at_once=1, now=Clock())
    for number in range(1000):
        refusals.count(f"10.0.{number // 250}.{number % 250}")
    assert refusals.remembered == 100
    assert refusals.count("10.0.3.249") > 0


# ------------------------------------------------------------------------------------------------ at the listener


class Listener:
    """A listener with one gateway that signs nothing, which is believed for its path, and one that signs."""

    def __init__(self, http: httpx.AsyncClient, heard: list[GatewayEvent]) -> None:
        self.http, self.heard = http, heard

    async def receipt(self, token: str, caller: str = "192.0.2.7", status: str = "delivered") -> httpx.Response:
        body = {**RIGHT, "status": status}
        return await self.http.post(f"/hooks/plain/receipts/{token}", data=body, headers={"X-Forwarded-For": caller})

    async def unsigned(self, caller: str = "192.0.2.7") -> httpx.Response:
        return await self.http.post("/hooks/signed/receipts", data=RIGHT, headers={"X-Forwarded-For": caller})


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    heard: list[GatewayEvent] = []

    async def keep(events: Sequence[GatewayEvent]) -> None:
        heard.extend(events)

    gateways = {
        "plain": build("46elks", cases.connection(account="user", secret="password")),
        "signed": build("twilio", cases.connection(account="AC1", secret="token")),
    }
    web = WebServer(build_web(gateways, keep, all_is_well, proxies=Proxies(["127.0.0.1"])), "127.0.0.1", 0)
    await web.start()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{web.port}", trust_env=False, timeout=60, verify=NOBODY
    ) as http:
        yield Listener(http, heard)
    await web.stop()
    for gateway in gateways.values():
        await gateway.close()


async def test_who_guesses_a_token_is_told_to_wait(listener: Listener) -> None:
    answers = [await listener.receipt(GUESS) for _ in range(AT_ONCE + 5)]
    assert [answer.status_code for answer in answers] == [404] * AT_ONCE + [429] * 5
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= EVERY
    assert answers[-1].headers["Connection"] == "close"
    assert answers[-1].json()["error"].endswith(".")
    assert (await listener.receipt(GUESS, caller="192.0.2.8")).status_code == 404


async def test_who_forges_signatures_is_told_to_wait(listener: Listener) -> None:
    answers = [(await listener.unsigned()).status_code for _ in range(AT_ONCE + 1)]
    assert answers == [403] * AT_ONCE + [429]


async def test_guesses_of_the_metrics_token_count_with_the_others() -> None:
    async def no_gauges() -> list[GaugeMetricFamily]:
        return []

    async def drop(events: Sequence[GatewayEvent]) -> None:
        """No gateway is mounted here, so nothing comes."""

    refusals = Refusals(at_once=2)
    page = scrape_routes(no_gauges, "a-long-random-word", refusals=refusals)
    web = WebServer(build_web({}, drop, all_is_well, page, refusals=refusals), "127.0.0.1", 0)
    await web.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}", trust_env=False, verify=NOBODY) as http:
        answers = [(await http.get(path)).status_code for path in ("/nowhere", "/metrics", "/metrics", "/nowhere")]
        right = await http.get("/metrics", headers={"Authorization": "Bearer a-long-random-word"})
    await web.stop()
    assert answers == [404, 401, 429, 429]
    assert right.status_code == 200


async def test_a_provider_is_heard_however_much_it_calls_and_whoever_guesses_beside_it(listener: Listener) -> None:
    async with asyncio.TaskGroup() as all_at_once:
        calls = [all_at_once.create_task(listener.receipt(TOKEN)) for _ in range(200)]
        guesses = [all_at_once.create_task(listener.receipt(GUESS)) for _ in range(50)]
    assert {call.result().status_code for call in calls} == {200}
    assert {guess.result().status_code for guess in guesses} == {404, 429}
    assert len(listener.heard) == 200


class Listening(logging.Handler):
    """Keeps every record."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def libraries() -> Iterator[list[logging.LogRecord]]:
    """The real chain, which knows no secret, so that its mask has nothing to do; and what libraries say to it."""
    root, listener = logging.getLogger(), Listening()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, structlog.get_config())
    redact.configure("debug", "json")
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield listener.records
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before[:4]
    structlog.configure(**before[4])


async def test_no_log_holds_a_token_or_a_guess(
    libraries: list[logging.LogRecord],
    listener: Listener,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="uvicorn.error")
    await listener.http.get(f"/healthz?{TOKEN}", headers=WEBSOCKET)
    await listener.receipt(TOKEN)
    await listener.receipt(TOKEN, status="nonsense")
    await listener.unsigned()
    for _ in range(AT_ONCE + 5):
        await listener.receipt(GUESS)
    await listener.http.put(f"/hooks/plain/receipts/{TOKEN}")
    written = capfd.readouterr().err
    told = [json.loads(line)["peer"] for line in written.splitlines() if "web.refused" in line]
    assert told == ["192.0.2.7"] * AT_ONCE + ["127.0.0.1"], "one line for each reason that was told"
    ours = [record for record in libraries if not record.name.startswith("http")]  # but not this test's client
    assert ours, "uvicorn has something to say"
    assert TOKEN[:20] not in written + "".join(record.getMessage() for record in ours)


@pytest.mark.usefixtures("libraries")
async def test_what_is_no_request_to_us_is_not_in_the_log(
    listener: Listener, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """As much of it may come as anybody likes: TLS to a port without, a WebSocket that nobody offers."""
    caplog.set_level(logging.WARNING)  # as in the bridge
    assert (await listener.http.get("/healthz", headers=WEBSOCKET)).status_code == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.http.base_url.port)
    writer.write(b"\x16\x03\x01\x02\x00\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()
    assert capfd.readouterr().err == ""
