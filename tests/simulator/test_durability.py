"""What the simulator answered is still there after it was killed, and what it owes the bridge still comes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bridge.gateways.connection import Connection
from bridge.gateways.simulator import SimulatorGateway
from bridge.types import OutcomeKind
from bridge.web.app import build_web
from bridge.web.server import WebServer
from tests.servers.ports import free_port
from tests.servers.web import NOBODY
from tests.simulator.world import SECRET, Bridge, healthy, run_world, sms

PHONE = "+393470000123"

ALONE = """
import asyncio, sys
from pathlib import Path
from bridge.simulator.server import run_alone
folder, hooks, secret, http_port, smtp_port = sys.argv[1:]
asyncio.run(run_alone(Path(folder), hooks, secret, http_port=int(http_port), smtp_port=int(smtp_port)))
"""


@asynccontextmanager
async def alone(folder: Path, hooks_port: int, http_port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The simulator as a process of its own, answering."""
    arguments = [str(folder), f"http://127.0.0.1:{hooks_port}/hooks/sim", SECRET, str(http_port), "0"]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ALONE, *arguments)
    try:
        async with httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
            while True:
                try:
                    await http.get(f"http://127.0.0.1:{http_port}/simulator/api/phones")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_killed_simulator_keeps_texts_tries_and_owed_receipts(tmp_path: Path) -> None:
    hooks_port, http_port, bridge = free_port(), free_port(), Bridge()
    url = f"http://127.0.0.1:{http_port}"
    gateway = SimulatorGateway(Connection("sim", f"{url}/simulator/provider", secret=SECRET, timeout=10.0))
    message, throttled = sms(PHONE, "prima"), sms("+393470000902")

    async with alone(tmp_path, hooks_port, http_port) as process:
        taken = await gateway.submit(message)
        await gateway.submit(throttled)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    web = WebServer(build_web({"sim": gateway}, bridge.intake, healthy), "127.0.0.1", hooks_port)
    await web.start()
    async with alone(tmp_path, hooks_port, http_port), httpx.AsyncClient(trust_env=False, verify=NOBODY) as http:
        await bridge.wait_for(1)
        assert [receipt.provider_id for receipt in bridge.receipts] == [taken.provider_id]
        kept = (await http.get(f"{url}/simulator/api/phones/{PHONE}")).json()["messages"]
        assert [text["text"] for text in kept] == ["prima"]
        second, third = [(await gateway.submit(throttled)).kind for _ in range(2)]
        assert (second, third) == (OutcomeKind.THROTTLED, OutcomeKind.ACCEPTED)
    await web.stop()
    await gateway.close()


async def test_a_terminated_simulator_stops_cleanly_though_a_page_is_open(tmp_path: Path) -> None:
    http_port = free_port()
    async with (
        alone(tmp_path, free_port(), http_port) as process,
        httpx.AsyncClient(trust_env=False, verify=NOBODY) as http,
    ):
        events = f"http://127.0.0.1:{http_port}/simulator/api/events"
        async with http.stream("GET", events) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            os.kill(process.pid, signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_callback_is_repeated_until_the_bridge_has_kept_it(tmp_path: Path) -> None:
    bridge = Bridge(refusals=3)
    async with run_world(tmp_path, bridge) as world:
        await world.http.post(f"/simulator/api/phones/{PHONE}/replies", json={"text": "uno", "to": "+390200000001"})
        await world.http.post(f"/simulator/api/phones/{PHONE}/replies", json={"text": "due", "to": "+390200000001"})
        await bridge.wait_for(2)
    assert [heard.text for heard in bridge.inbound] == ["uno", "due"]


async def test_one_phone_that_the_bridge_refuses_does_not_hold_up_another(tmp_path: Path) -> None:
    bridge = Bridge(refusals=1)
    async with run_world(tmp_path, bridge) as world:
        for number in ("+393470000001", "+393470000002"):
            await world.http.post(f"/simulator/api/phones/{number}/replies", json={"text": "ok", "to": "+390200000001"})
        await bridge.wait_for(2)
    assert {heard.number for heard in bridge.inbound} == {"+393470000001", "+393470000002"}
    assert bridge.inbound[0].number == "+393470000002"


async def test_a_mail_answered_250_is_there_after_a_restart(tmp_path: Path) -> None:
    async with run_world(tmp_path, Bridge()) as world:
        await world.mail(["clinic@example.test"], b"Subject: kept\r\n\r\nwords\r\n")
    async with run_world(tmp_path, Bridge()) as world:
        [mail] = (await world.http.get("/simulator/api/mail/clinic@example.test")).json()
    assert mail["subject"] == "kept"
