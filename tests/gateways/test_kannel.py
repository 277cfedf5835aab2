"""A real Kannel takes what the gateway sends and calls back what the gateway reads, in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bridge.clock import new_id
from bridge.gateways.connection import Connection
from bridge.gateways.kannel import Kannel
from bridge.gateways.registry import build
from bridge.sms.encoding import encode
from bridge.types import GatewayEvent, InboundSms, MessageState, OutboundSms, OutcomeKind, Receipt
from bridge.web.app import build_web
from bridge.web.server import WebServer
from tests.gateways.cases import NUMBER, SENDER, TOKEN
from tests.servers.kannel import PASSWORD, USER, KannelServer
from tests.servers.ports import free_port
from tests.web.parts import all_is_well


@dataclass
class Line:
    """A bridge's web listener on one side of Kannel, phones on the other."""

    kannel: KannelServer
    connection: Connection
    heard: asyncio.Queue[GatewayEvent]
    refusals: list[Exception] = field(default_factory=list)
    """What the intake raises at its next calls, in place of keeping them."""

    async def keep(self, events: Sequence[GatewayEvent]) -> None:
        if self.refusals:
            raise self.refusals.pop()
        for event in events:
            await self.heard.put(event)

    async def next(self) -> GatewayEvent:
        async with asyncio.timeout(30):
            return await self.heard.get()

    async def submit(self, sms: OutboundSms) -> OutcomeKind:
        gateway = build("kannel", self.connection)
        outcome = await gateway.submit(sms)
        await gateway.close()
        return outcome.kind


def text(words: str, number: str = NUMBER) -> OutboundSms:
    encoded = encode(words)
    return OutboundSms(new_id(), number, SENDER, encoded.text, encoded.encoding, encoded.segments)


@pytest.fixture(scope="module")
async def line() -> AsyncIterator[Line]:
    port = free_port()
    hooks = f"http://127.0.0.1:{port}"
    inbound = f"{hooks}/hooks/main/inbound/{TOKEN}?id=%I&from=%p&to=%P&time=%T"
    kannel = await KannelServer.create(inbound)
    connection = Connection(
        name="main", url=kannel.url, account=USER, secret=PASSWORD, public_url=hooks, hook_token=TOKEN
    )
    line = Line(kannel, connection, asyncio.Queue())
    web = WebServer(build_web({"main": Kannel(connection)}, line.keep, all_is_well), "127.0.0.1", port)
    await web.start()
    yield line
    await kannel.remove()
    await web.stop()


@pytest.mark.parametrize(
    ("words", "segments"),
    [
        pytest.param("A domani alle 9, perché sì: 5 € {x}", 1, id="plain"),
        pytest.param("Приём 10:00 ☎ 😀", 1, id="unicode"),
        pytest.param("  con spazi  intorno ", 1, id="spaces around it"),
        pytest.param("perché " * 30 + "€", 2, id="long"),
        pytest.param("Приём завтра. " * 12, 3, id="long unicode"),
    ],
)
async def test_a_text_reaches_the_phone_and_its_receipts_come_back(line: Line, words: str, segments: int) -> None:
    sms, before = text(words), len(line.kannel.segments())
    assert await line.submit(sms) is OutcomeKind.ACCEPTED
    receipts = [await line.next(), await line.next()]
    assert all(isinstance(receipt, Receipt) and receipt.reference == sms.reference for receipt in receipts)
    assert {receipt.state for receipt in receipts if isinstance(receipt, Receipt)} == {
        MessageState.SENT,
        MessageState.DELIVERED,
    }
    got = await line.kannel.reached(before, segments)
    assert "".join(part.body.decode("utf-16-be" if sms.encoding == "ucs2" else "utf-8") for part in got) == words
    assert [(part.sender, part.number, len(part.header)) for part in got] == [
        (SENDER, NUMBER, 6 if segments > 1 else 0)
    ] * segments


async def test_what_a_phone_writes_comes_back(line: Line) -> None:
    await line.kannel.write(NUMBER, SENDER, "Sì, grazie: 5 €")
    await line.kannel.write(NUMBER, SENDER, "Приём ☎ 😀", encoding=text("☎").encoding)
    await line.kannel.write_long(NUMBER, SENDER, "a" * 153, "b" * 10)
    heard = [await line.next() for _ in range(3)]
    assert all(isinstance(event, InboundSms) for event in heard)
    assert sorted((event.number, event.to, event.text) for event in heard if isinstance(event, InboundSms)) == sorted(
        (NUMBER, SENDER, words) for words in ("Sì, grazie: 5 €", "Приём ☎ 😀", "a" * 153 + "b" * 10)
    )


async def test_what_could_not_be_kept_is_called_in_again(line: Line) -> None:
    line.refusals.append(OSError("the disk is full"))
    await line.kannel.write(NUMBER, SENDER, "Arrivo")
    first = await line.next()
    assert isinstance(first, InboundSms)
    assert (first.text, line.refusals) == ("Arrivo", [])


async def test_a_second_si_is_another_event(line: Line) -> None:
    await line.kannel.write(NUMBER, SENDER, "Si")
    await line.kannel.write(NUMBER, SENDER, "Si")
    first, second = await line.next(), await line.next()
    assert first.event_id != second.event_id


async def test_a_text_waits_in_kannel_for_a_network_that_is_away(line: Line) -> None:
    sms, before = text("Ciao", "+4915112345678"), len(line.kannel.segments())
    assert await line.submit(sms) is OutcomeKind.ACCEPTED
    assert line.heard.empty()
    await line.kannel.network_comes()
    receipts = [await line.next(), await line.next()]
    assert {receipt.reference for receipt in receipts if isinstance(receipt, Receipt)} == {sms.reference}
    assert [got.number for got in await line.kannel.reached(before, 1)] == [sms.number]


async def test_a_number_without_a_route_is_refused(line: Line) -> None:
    assert await line.submit(text("Ciao", "+447700900123")) is OutcomeKind.REJECTED


@pytest.mark.parametrize("guess", ["guess", "pässword"])
async def test_the_check_tells_a_wrong_password(line: Line, guess: str) -> None:
    right, wrong = Kannel(line.connection), Kannel(replace(line.connection, secret=guess))
    assert await right.probe() == ""
    assert "does not know this login" in await wrong.probe()
    await right.close()
    await wrong.close()


async def test_a_full_queue_is_tried_again() -> None:
    kannel = await KannelServer.create(sms_outgoing_queue_limit="1")
    connection = Connection(name="main", url=kannel.url, account=USER, secret=PASSWORD, public_url="http://127.0.0.1:9")
    line = Line(kannel, connection, asyncio.Queue())
    outcomes = [await line.submit(text("Ciao", "+4915112345678")) for _ in range(4)]
    await kannel.remove()
    assert outcomes[0] is OutcomeKind.ACCEPTED
    assert outcomes[-1] is OutcomeKind.THROTTLED
