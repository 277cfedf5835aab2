"""A gammu-smsd for each of the databases that it and the bridge have in common, and a gateway to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bridge import clock
from bridge.gateways.base import Gateway, Polled
from bridge.gateways.gammu.gateway import GammuGateway
from bridge.gateways.registry import build
from bridge.sms.encoding import encode
from bridge.types import InboundSms, OutboundSms, Receipt
from tests.gateways.cases import NUMBER, SENDER, connection
from tests.servers.gammu import ZONE, GammuServer
from tests.servers.postgres import PostgresServer

DATABASES = ["sqlite", "postgresql"]


def opened(url: str, **given: Any) -> GammuGateway:
    """A gateway to a gammu-smsd; its clock is the real one, since gammu-smsd has no other."""
    options = {"number": SENDER, "timezone": ZONE, **given.pop("options", {})}
    made = build("gammu", replace(connection(options=options, **given), url=url, now=clock.now))
    assert isinstance(made, GammuGateway)
    return made


def sms(text: str) -> OutboundSms:
    """A new message."""
    encoded = encode(text)
    return OutboundSms(clock.new_id(), NUMBER, SENDER, text, encoded.encoding, encoded.segments)


class Reader:
    """Reads one poll of a gateway as the bridge does: what a look brought is kept with its cursor."""

    def __init__(self, gateway: Gateway, name: str) -> None:
        self.read = next(poll.read for poll in gateway.polls() if poll.name == name)
        self.cursor = ""

    async def look(self) -> Polled:
        """One look, of which nothing is kept."""
        return await self.read(self.cursor)

    async def news(self) -> Sequence[Any]:
        """One look, of which all is kept."""
        polled = await self.look()
        self.cursor = polled.cursor
        return polled.events

    async def receipts(self) -> dict[str | None, Receipt]:
        """What is new, by our references."""
        return {each.reference: each for each in await self.news() if isinstance(each, Receipt)}

    async def texts(self) -> list[tuple[str, str]]:
        """What phones wrote that is new: who, and what."""
        return [(each.number, each.text) for each in await self.news() if isinstance(each, InboundSms)]


@pytest.fixture(scope="package", params=DATABASES)
async def running(request: pytest.FixtureRequest, postgres: PostgresServer) -> AsyncIterator[GammuServer]:
    """A gammu-smsd that runs."""
    server = GammuServer.create(postgres if request.param == "postgresql" else None)
    await server.start()
    yield server
    await server.remove()


@pytest.fixture
async def smsd(running: GammuServer) -> GammuServer:
    """The same, with a modem that has sent nothing yet."""
    running.modem.sent.clear()
    return running


@pytest.fixture(params=DATABASES)
async def tables(request: pytest.FixtureRequest, postgres: PostgresServer) -> AsyncIterator[GammuServer]:
    """The database of a gammu-smsd that does not run."""
    server = GammuServer.create(postgres if request.param == "postgresql" else None)
    yield server
    await server.remove()


@pytest.fixture
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[GammuGateway]:
    """A gateway to the gammu-smsd that the test asks for, whether it runs or not."""
    name = "smsd" if "smsd" in request.fixturenames else "tables"
    made = opened(request.getfixturevalue(name).url)
    yield made
    await made.close()
