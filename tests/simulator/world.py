"""A running simulator, the real gateway to it, and a bridge that only remembers what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiosmtplib
import httpx

from bridge import clock
from bridge.conditions import Health
from bridge.gateways.connection import Connection
from bridge.gateways.simulator import SimulatorGateway
from bridge.simulator.mail_client import BridgeDoor
from bridge.simulator.server import Simulator
from bridge.types import Encoding, GatewayEvent, InboundSms, OutboundSms, Receipt
from bridge.web.app import build_web
from bridge.web.server import WebServer
from tests.servers.ports import free_port
from tests.servers.web import NOBODY

SECRET = "a secret for tests"
SENDER = "+390200000001"


def sms(number: str, text: str = "Ciao", reference: str = "") -> OutboundSms:
    """A message of one GSM-7 segment."""
    return OutboundSms(reference or clock.new_id(), number, SENDER, text, Encoding.GSM7, (text,))


@dataclass
class Bridge:
    """The bridge as far as the network knows it: keeps events, and refuses `refusals` of them first."""

    events: list[GatewayEvent] = field(default_factory=list)
    refusals: int = 0
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def intake(self, events: Sequence[GatewayEvent]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OSError("the store is away")
        async with self.heard:
            self.events += events
            self.heard.notify_all()

    async def wait_for(self, count: int) -> None:
        """Return once `count` events were heard; fail after half a minute."""
        async with asyncio.timeout(30), self.heard:
            await self.heard.wait_for(lambda: len(self.events) >= count)

    @property
    def receipts(self) -> list[Receipt]:
        return [event for event in self.events if isinstance(event, Receipt)]

    @property
    def inbound(self) -> list[InboundSms]:
        return [event for event in self.events if isinstance(event, InboundSms)]


@dataclass
class World:
    """Everything that runs in one test."""

    simulator: Simulator
    gateway: SimulatorGateway
    bridge: Bridge
    http: httpx.AsyncClient
    web: WebServer

    async def mail(self, to: Sequence[str], raw: bytes) -> None:
        """Hand a mail to the catch-all mailbox, as the bridge's relay does."""
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.simulator.mail_port, start_tls=False)
        async with client:
            await client.sendmail("", list(to), raw)

    async def texts(self, number: str) -> list[str]:
        """What the phone shows."""
        answer = await self.http.get(f"/simulator/api/phones/{number}")
        return [message["text"] for message in answer.json()["messages"]]


async def healthy() -> Health:
    return Health(takes_mail=True, parts={})


@asynccontextmanager
async def run_world(data_dir: Path, bridge: Bridge, door: BridgeDoor | None = None) -> AsyncIterator[World]:
    """Simulator, gateway and hooks on one HTTP port, as in the demo."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    simulator = Simulator(data_dir, f"{base}/hooks/sim", SECRET, door=door)
    gateway = SimulatorGateway(Connection("sim", f"{base}/simulator/provider", secret=SECRET, timeout=10.0))
    web = WebServer(build_web({"sim": gateway}, bridge.intake, healthy, simulator.routes), "127.0.0.1", port)
    await simulator.start()
    await web.start()
    async with httpx.AsyncClient(base_url=base, trust_env=False, verify=NOBODY) as http:
        try:
            yield World(simulator, gateway, bridge, http, web)
        finally:
            await gateway.close()
            await simulator.hang_up()
            await web.stop()
            await simulator.stop()
