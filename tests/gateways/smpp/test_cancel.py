"""Taking a text back from an SMSC: cancel_sm over a bind of its own, a segment at a time (SMPP 3.4 section 4.9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bridge.gateways.base import Handed, Recall, Recalled
from bridge.gateways.smpp.pdu import Command, read_cancel
from bridge.gateways.smpp.status import TRY_AGAIN
from tests.gateways.cases import NUMBER, REFERENCE, SENDER
from tests.gateways.smpp.smsc import Smsc, gateway_to, run_smsc
from tests.servers.ports import free_port

ONE = Handed(REFERENCE, ("7A3F",), NUMBER, SENDER)
THREE = replace(ONE, provider_ids=("a", "b", "c"))
CANCELLED, REFUSED, UNKNOWN = Recalled.CANCELLED, Recalled.REFUSED, Recalled.UNKNOWN
CANCEL_FAIL, INVALID_ID, SYSTEM_ERROR = 0x11, 0x0C, 0x08


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    async with run_smsc() as running:
        yield running


async def recall(smsc: Smsc, message: Handed = ONE, patience: float = 5.0, **options: str) -> Recall:
    gateway = gateway_to(f"smpp://localhost:{smsc.port}", options, patience)
    try:
        return await gateway.cancel(message)
    finally:
        await gateway.close()


async def test_a_cancel_says_all_that_the_specification_asks_for(smsc: Smsc) -> None:
    """No service type, the id as the SMSC gave it, both addresses as in the submit."""
    assert (await recall(smsc)).kind is CANCELLED
    international = bytes((1, 1))
    ours, phone = international + SENDER[1:].encode(), international + NUMBER[1:].encode()
    assert smsc.cancels == [b"\0".join((b"", b"7A3F", ours, phone, b""))]


@pytest.mark.parametrize(
    ("message", "answers", "kind", "diagnostic"),
    [
        pytest.param(ONE, [], CANCELLED, "", id="cancelled"),
        pytest.param(ONE, [CANCEL_FAIL], REFUSED, "ESME_RCANCELFAIL", id="it has left"),
        pytest.param(ONE, [INVALID_ID], REFUSED, "ESME_RINVMSGID", id="the SMSC does not know it any more"),
        pytest.param(ONE, [SYSTEM_ERROR], UNKNOWN, "ESME_RSYSERR", id="the SMSC has a fault"),
        pytest.param(ONE, [0x03], UNKNOWN, "ESME_RINVCMDID", id="the SMSC cannot cancel"),
        pytest.param(THREE, [], CANCELLED, "", id="all of three segments"),
        pytest.param(THREE, [0, CANCEL_FAIL], REFUSED, "1 of 3 segments: ESME_RCANCELFAIL", id="two of three segments"),
        pytest.param(
            THREE,
            [CANCEL_FAIL, SYSTEM_ERROR],
            UNKNOWN,
            "2 of 3 segments: ESME_RCANCELFAIL",
            id="nobody knows of the second",
        ),
    ],
)
async def test_what_an_smsc_answers(
    message: Handed, answers: list[int | None], kind: Recalled, diagnostic: str, smsc: Smsc
) -> None:
    smsc.cancelled = answers
    assert await recall(smsc, message) == Recall(kind, diagnostic)
    assert tuple(read_cancel(body) for body in smsc.cancels) == message.provider_ids, "every segment is asked for"


async def test_an_smsc_that_keeps_silent_has_cancelled_nothing(smsc: Smsc) -> None:
    smsc.cancelled = [None]
    assert await recall(smsc, patience=0.2) == Recall(UNKNOWN, "no answer in time")


async def test_an_smsc_that_allows_no_second_bind_says_so(smsc: Smsc) -> None:
    smsc.refuses_binds = 0x05
    assert await recall(smsc) == Recall(UNKNOWN, "ESME_RALYBND")
    assert smsc.cancels == []


async def test_an_smsc_that_is_away(smsc: Smsc) -> None:
    gateway = gateway_to(f"smpp://localhost:{free_port()}", {})
    assert (await gateway.cancel(ONE)).kind is UNKNOWN
    await gateway.close()


async def test_without_an_id_nobody_is_asked(smsc: Smsc) -> None:
    assert (await recall(smsc, replace(ONE, provider_ids=()))).kind is REFUSED
    assert smsc.links == []


async def test_a_pair_of_binds_asks_by_the_one_that_sends(smsc: Smsc) -> None:
    assert (await recall(smsc, bind="pair")).kind is CANCELLED
    assert [link.mode for link in smsc.links] == [Command.BIND_TRANSMITTER]


@pytest.mark.parametrize(
    ("notation", "can"), [("same", True), ("hex-then-decimal", False), ("decimal-then-hex", False)]
)
def test_an_id_that_is_kept_otherwise_than_the_smsc_wrote_it_names_nothing_to_it(notation: str, can: bool) -> None:
    assert gateway_to("smpp://localhost:2775", {"message_ids": notation}).traits.cancel is can


async def test_what_comes_meanwhile_is_left_to_the_bridge(smsc: Smsc) -> None:
    """A receipt on the short bind is not confirmed, so that the SMSC says it again to the bridge that runs."""
    smsc.cancelled = [None]
    asking = asyncio.create_task(recall(smsc))
    link = await smsc.next_bind()
    assert await link.deliver(b"id:7A3F stat:DELIVRD err:000 text:", 4) == TRY_AGAIN
    link.hang_up()
    assert (await asking).kind is UNKNOWN
