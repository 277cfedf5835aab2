"""The network's SMSC with the real SMPP gateway, and with Kannel: the same phones, the same fates."""

from __future__ import annotations

import asyncio
import shutil
import socket
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from bridge.errors import Reason
from bridge.gateways.connection import Connection
from bridge.gateways.smpp.gateway import SmppGateway
from bridge.simulator.server import Simulator
from bridge.sms.encoding import encode
from bridge.types import GatewayEvent, InboundPart, InboundSms, MessageState, OutboundSms, OutcomeKind, Receipt
from tests.gateways.smpp.smsc import Ear
from tests.servers.kannel import until
from tests.servers.ports import free_port
from tests.servers.web import NOBODY

SECRET, SENDER = "network-secret-of-a-test", "+390200000001"
DELIVERED, ACCEPTED = MessageState.DELIVERED, OutcomeKind.ACCEPTED


@dataclass
class Phones:
    """The network, and what a gateway to it hears."""

    simulator: Simulator
    http: httpx.AsyncClient
    gateway: SmppGateway
    heard: Ear

    async def texts(self, number: str) -> list[str]:
        found = (await self.http.get(f"/simulator/api/phones/{number}")).json()
        return [message["text"] for message in found["messages"]]

    async def writes(self, number: str, text: str) -> None:
        answer = await self.http.post(f"/simulator/api/phones/{number}/replies", json={"text": text, "to": SENDER})
        assert answer.status_code == 201


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Simulator]:
    running = Simulator(tmp_path, "http://127.0.0.1:9/hooks/none", SECRET, smpp_port=0)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def phones(simulator: Simulator) -> AsyncIterator[Phones]:
    gateway = SmppGateway(Connection("main", f"smpp://127.0.0.1:{simulator.smpp_port}", "bridge", SECRET, timeout=1.0))
    heard = Ear()
    listening = asyncio.create_task(gateway.listen(heard.hear))
    async with client(simulator) as http:
        yield Phones(simulator, http, gateway, heard)
    await gateway.close()
    await listening


def client(simulator: Simulator) -> httpx.AsyncClient:
    """The network's calls, without a port."""
    app = httpx.ASGITransport(app=Starlette(routes=simulator.routes))
    return httpx.AsyncClient(transport=app, base_url="http://network")


def sms(number: str, text: str = "Ciao") -> OutboundSms:
    cut = encode(text)
    return OutboundSms("r", number, SENDER, cut.text, cut.encoding, cut.segments)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Sì, 5 €", id="short"),
        pytest.param("Your visit is tomorrow. " * 12, id="long"),
        pytest.param("Приём завтра 😀 " * 9, id="long, in UCS-2"),
    ],
)
async def test_a_text_arrives_with_a_receipt_for_each_segment(phones: Phones, text: str) -> None:
    outcome = await phones.gateway.submit(sms("+393470000123", text))
    assert outcome.kind is ACCEPTED
    ids = set(outcome.segment_ids or (outcome.provider_id,))
    assert len(ids) == len(encode(text).segments)
    await phones.heard.reaches(len(ids))
    assert await phones.texts("+393470000123") == [text]
    told = [event for event in phones.heard if isinstance(event, Receipt)]
    assert ({event.provider_id for event in told}, {event.state for event in told}) == (ids, {DELIVERED})


@pytest.mark.parametrize(
    ("fate", "kind", "told"),
    [
        pytest.param("901", OutcomeKind.REJECTED, [], id="unknown subscriber"),
        pytest.param("902", OutcomeKind.THROTTLED, [], id="too fast"),
        pytest.param("910", OutcomeKind.THROTTLED, [], id="not reachable: its queue is full"),
        pytest.param("903", ACCEPTED, [(MessageState.UNDELIVERED, Reason.ABSENT_SUBSCRIBER)], id="absent"),
        pytest.param("904", ACCEPTED, [(MessageState.EXPIRED, Reason.VALIDITY_EXPIRED)], id="expired"),
        pytest.param("905", OutcomeKind.UNKNOWN, [(DELIVERED, None)], id="breaks off, and has it"),
        pytest.param("907", ACCEPTED, [(DELIVERED, None)] * 2, id="every receipt twice"),
        pytest.param("908", ACCEPTED, [(DELIVERED, None)], id="the receipt comes first"),
        pytest.param("909", OutcomeKind.UNKNOWN, [(DELIVERED, None), (MessageState.SENT, None)], id="a slow answer"),
    ],
)
async def test_every_fate(
    phones: Phones, fate: str, kind: OutcomeKind, told: list[tuple[MessageState, Reason | None]]
) -> None:
    outcome = await phones.gateway.submit(sms(f"+393470000{fate}"))
    assert outcome.kind is kind
    await phones.heard.reaches(len(told))
    found = [(event.state, event.reason) for event in phones.heard if isinstance(event, Receipt)]
    assert found == told


async def test_what_a_phone_writes_is_heard(phones: Phones) -> None:
    await phones.gateway.submit(sms("+393470000123"))
    await phones.writes("+393470000123", "SI ☎")
    await phones.writes("+393470000123", "I shall come. " * 20)
    await phones.heard.reaches(3, InboundSms, InboundPart)
    (short,) = (event for event in phones.heard if isinstance(event, InboundSms))
    assert (short.number, short.to, short.text) == ("+393470000123", SENDER, "SI ☎")
    parts = [event for event in phones.heard if isinstance(event, InboundPart)]
    assert "".join(part.text for part in parts) == "I shall come. " * 20


async def test_what_is_told_at_the_same_moment_is_told_once(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A receipt and an answer come over one bind, and neither waits for the other to be taken."""
    both, heard = asyncio.Event(), Ear()

    async def hear(events: Sequence[GatewayEvent]) -> None:
        await heard.hear(events)
        if len(heard) > 1:
            both.set()
        await asyncio.wait_for(both.wait(), 30)

    gateway = SmppGateway(Connection("main", f"smpp://127.0.0.1:{simulator.smpp_port}", "bridge", SECRET))
    listening = asyncio.create_task(gateway.listen(hear))
    async with client(simulator) as http:
        phones = Phones(simulator, http, gateway, heard)
        await gateway.submit(sms("+393470000123"))
        await phones.writes("+393470000123", "One")
        await heard.reaches(2)
        await phones.writes("+393470000123", "Two")
        await heard.reaches(3)
    await gateway.close()
    await listening
    assert [event.text for event in heard if isinstance(event, InboundSms)] == ["One", "Two"]
    assert len([event for event in heard if isinstance(event, Receipt)]) == 1
    assert "smpp.repeated" not in capsys.readouterr().out


async def test_without_the_secret_nobody_binds(simulator: Simulator) -> None:
    gateway = SmppGateway(Connection("main", f"smpp://127.0.0.1:{simulator.smpp_port}", "bridge", "guess"))
    assert await gateway.probe() == "The SMSC answers: it does not know the password; check secret."


KANNEL = """
group = core
admin-port = {admin}
admin-password = pw
smsbox-port = {boxes}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = network
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = kannel
smsc-password = {password}
system-type = ""
source-addr-autodetect = true

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}

group = sendsms-user
username = u
password = p
max-messages = 9
concatenation = true
"""


async def test_kannel_takes_it_for_an_smsc(simulator: Simulator, tmp_path: Path) -> None:
    assert shutil.which("bearerbox"), "Kannel is missing: run `make test`, or apt-get install kannel"
    http_port, box_port = free_port(), free_port()
    ports = {"admin": free_port(), "boxes": box_port, "http": http_port, "smpp": simulator.smpp_port}
    (tmp_path / "kannel.conf").write_text(KANNEL.format(**ports, password=SECRET[:8]))
    said = tmp_path / "kannel.log"
    with said.open("wb") as log:
        boxes = []
        try:
            for box, ready in (("bearerbox", box_port), ("smsbox", http_port)):
                boxes.append(
                    await asyncio.create_subprocess_exec(
                        box, "-v", "0", "kannel.conf", cwd=tmp_path, stdin=DEVNULL, stdout=log, stderr=STDOUT
                    )
                )
                await until(partial(_listens, ready), lambda: said.read_text(errors="replace"))
            text = "Your visit is tomorrow. " * 12
            query = urlencode({"username": "u", "password": "p", "to": "+393470000124", "from": SENDER, "text": text})
            async with httpx.AsyncClient(verify=NOBODY) as kannel, client(simulator) as network:
                assert (await kannel.get(f"http://127.0.0.1:{http_port}/cgi-bin/sendsms?{query}")).status_code == 202
                phone = await _texted(network, "+393470000124")
                flash = urlencode(
                    {"username": "u", "password": "p", "to": "+393470000125", "from": SENDER, "text": "Sì", "mclass": 0}
                )
                await kannel.get(f"http://127.0.0.1:{http_port}/cgi-bin/sendsms?{flash}&charset=utf-8")
                shown_at_once = await _texted(network, "+393470000125")
            assert [message["text"] for message in phone["messages"]] == [text]
            assert [(each["text"], each["flash"]) for each in shown_at_once["messages"]] == [("Sì", True)]
        finally:
            for process in reversed(boxes):
                process.kill()
                await process.wait()


async def _texted(network: httpx.AsyncClient, number: str) -> dict[str, Any]:
    """The phone, as soon as it has a text."""
    for _ in range(200):
        phone: dict[str, Any] = (await network.get(f"/simulator/api/phones/{number}")).json()
        if phone["messages"]:
            return phone
        await asyncio.sleep(0.1)
    raise AssertionError("nothing came")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
