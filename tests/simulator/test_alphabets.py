"""National tables and flash on the road to a simulated phone, by HTTP and by SMPP: the phone shows what was written."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bridge.gateways.connection import Connection
from bridge.gateways.smpp.gateway import SmppGateway
from bridge.simulator.record import Record, StoredMessage
from bridge.simulator.server import Simulator
from bridge.sms.encoding import encode
from bridge.types import National, OutboundSms, OutcomeKind
from tests.gateways.smpp.smsc import Ear
from tests.simulator.test_calls import BEARER, ORDER, PHONE, PHONES
from tests.simulator.world import SECRET, SENDER, World

TEXTS = [
    pytest.param("Yarın saat onda görüşürüz, Ağrı'da. " * 4, National.TURKISH, id="Turkish, one segment"),
    pytest.param("Yarın saat onda görüşürüz, Ağrı'da. " * 12, National.TURKISH, id="Turkish, several segments"),
    pytest.param("El próximo miércoles a las 9 irá Lucía: 5 € más. " * 4, National.SPANISH, id="Spanish"),
    pytest.param("A sua consulta não é amanhã, às 9: dê notícias. " * 3, National.PORTUGUESE, id="Portuguese"),
    pytest.param("आपकी मुलाकात कल सुबह ९ बजे है। " * 5, National.HINDI, id="Hindi"),
    pytest.param("உங்கள் சந்திப்பு நாளை காலை 9 மணிக்கு. " * 3, National.TAMIL, id="Tamil"),
    pytest.param("آپ کی ملاقات کل صبح ۹ بجے ہے۔ " * 5, National.URDU, id="Urdu"),
]


def written(text: str, language: National) -> OutboundSms:
    """The message that a text becomes where this language's tables are permitted."""
    cut = encode(text, shifts={language})
    assert cut.shift is not None, "the table saves nothing"
    return OutboundSms("r", PHONE, SENDER, cut.text, cut.encoding, cut.segments, shift=cut.shift)


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[tuple[SmppGateway, httpx.AsyncClient]]:
    """The network by SMPP: the gateway that is bound to its SMSC, and its calls."""
    simulator = Simulator(tmp_path / "smpp", "http://127.0.0.1:9/hooks/none", SECRET, smpp_port=0)
    await simulator.start()
    gateway = SmppGateway(Connection("main", f"smpp://127.0.0.1:{simulator.smpp_port}", "bridge", SECRET))
    listening = asyncio.create_task(gateway.listen(Ear().hear))
    app = httpx.ASGITransport(app=Starlette(routes=simulator.routes))
    async with httpx.AsyncClient(transport=app, base_url="http://network") as http:
        yield gateway, http
    await gateway.close()
    await listening
    await simulator.stop()


async def shown(http: httpx.AsyncClient) -> dict[str, Any]:
    """The one text of the phone."""
    (message,) = (await http.get(f"{PHONES}/{PHONE}")).json()["messages"]
    found: dict[str, Any] = message
    return found


@pytest.mark.parametrize(("text", "language"), TEXTS)
async def test_by_http_the_phone_shows_what_was_written(world: World, text: str, language: National) -> None:
    sms = written(text, language)
    assert (await world.gateway.submit(sms)).kind is OutcomeKind.ACCEPTED
    message = await shown(world.http)
    assert (message["text"], message["segments"]) == (text, len(sms.segments))
    assert (message["encoding"], message["shift"]) == ("gsm7", language.value)
    assert "flash" not in message


@pytest.mark.parametrize(("text", "language"), TEXTS)
async def test_by_smpp_the_phone_shows_what_was_written(
    network: tuple[SmppGateway, httpx.AsyncClient], text: str, language: National
) -> None:
    gateway, http = network
    sms = written(text, language)
    assert (await gateway.submit(sms)).kind is OutcomeKind.ACCEPTED
    message = await shown(http)
    assert (message["text"], message["segments"]) == (text, len(sms.segments))
    assert (message["encoding"], message["shift"]) == ("gsm7", language.value)


@pytest.mark.parametrize("text", ["Sì, domani", "Приём завтра", "La aspettiamo. " * 20], ids=["gsm7", "ucs2", "long"])
async def test_a_flash_text_says_so(world: World, network: tuple[SmppGateway, httpx.AsyncClient], text: str) -> None:
    cut = encode(text)
    sms = OutboundSms("r", PHONE, SENDER, text, cut.encoding, cut.segments, flash=True)
    for gateway, http in ((world.gateway, world.http), network):
        assert (await gateway.submit(sms)).kind is OutcomeKind.ACCEPTED
        message = await shown(http)
        assert (message["text"], message["encoding"], message["flash"]) == (text, cut.encoding.value, True)
        assert "shift" not in message


async def test_a_flash_text_in_national_tables(network: tuple[SmppGateway, httpx.AsyncClient]) -> None:
    gateway, http = network
    sms = replace(written("Yarın görüşürüz " * 9, National.TURKISH), flash=True)
    await gateway.submit(sms)
    message = await shown(http)
    assert (message["text"], message["shift"], message["flash"]) == (sms.text, "turkish", True)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        pytest.param({"shift": "klingon:single"}, "'shift' must name national tables", id="no such language"),
        pytest.param({"shift": 1}, "'shift' must name national tables", id="no text"),
        pytest.param({"shift": "turkish:single", "encoding": "ucs2"}, "'shift' is for gsm7 alone.", id="in UCS-2"),
        pytest.param({"shift": "turkish:single", "segments": ["41" * 156]}, "longer than an SMS", id="too long for it"),
        pytest.param({"flash": "yes"}, "'flash' must be true or false.", id="flash is no word"),
    ],
)
async def test_a_mistaken_order_gets_its_sentence(world: World, more: dict[str, object], sentence: str) -> None:
    answer = await world.http.post("/simulator/provider/messages", json=ORDER | more, headers=BEARER)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


async def test_a_segment_may_fill_what_its_header_leaves(world: World) -> None:
    order = ORDER | {"shift": "turkish:single", "segments": ["41" * 155]}
    assert (await world.http.post("/simulator/provider/messages", json=order, headers=BEARER)).status_code == 201


async def test_a_record_of_an_earlier_version_is_brought_up(tmp_path: Path) -> None:
    path, earlier = tmp_path / "simulator.db", "id reference sender phone text encoding segments shown received_at"
    with sqlite3.connect(path) as db:
        columns = ", ".join(
            f"{name} {'INTEGER' if name in ('segments', 'shown') else 'TEXT'}" for name in earlier.split()
        )
        db.execute(f"CREATE TABLE messages (seq INTEGER PRIMARY KEY, {columns})")
        row = ("1", "r", SENDER, PHONE, "Ciao", "gsm7", 1, 1, "2026-11-21T10:00:00+00:00")
        db.execute("INSERT INTO messages VALUES (NULL,?,?,?,?,?,?,?,?,?)", row)
    for _ in range(2):  # the second time there is nothing left to do
        record = Record(path)
        await record.open()
        messages = await record.messages(PHONE)
        assert [(each.text, each.shift, each.flash) for each in messages] == [("Ciao", "", False)]
        await record.close()
    record = Record(path)
    await record.open()
    new = StoredMessage("2", "r", SENDER, PHONE, "Şu", "gsm7", 1, True, "2026-11-22T10:00:00+00:00", "turkish", True)
    await record.add_message(new, [])
    assert (await record.messages(PHONE))[-1] == new
    await record.close()
