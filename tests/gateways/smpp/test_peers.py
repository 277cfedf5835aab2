"""The gateway with SMSCs that others wrote: smpp34 (Rust) and Net::SMPP (Perl); and over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import smpp34
import trustme

from bridge.gateways.smpp.pdu import Tag
from bridge.types import Encoding, InboundSms, MessageState, OutcomeKind, Receipt
from tests.gateways.cases import NUMBER, SENDER
from tests.gateways.smpp.smsc import Smsc, bound, gateway_to, run_smsc, sms
from tests.servers.ports import free_port


class Peer:
    """smpp34's server: every `throttles`th submit is throttled, and every one that is taken has its receipt."""

    def __init__(self, throttles: int = 0) -> None:
        self.port = free_port()
        self.taken: Counter[bytes] = Counter()
        self.statuses: list[int] = []
        self._server = smpp34.Server("127.0.0.1", self.port)
        self._throttles = throttles
        self._submits = 0
        self._deliveries: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._server.start()
        self._task = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        await self._server.stop()
        self._task.cancel()

    async def _serve(self) -> None:
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self.esme = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                self._take(event)

    def _take(self, event: smpp34.SubmitSmEvent) -> None:
        self._submits += 1
        if self._throttles and self._submits % self._throttles == 0:
            event.reject(0x58)
            return
        self.taken[event.short_message] += 1
        event.accept(f"p-{self._submits}")
        task = asyncio.create_task(self._deliver(event, f"p-{self._submits}"))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, event: smpp34.SubmitSmEvent, message_id: str) -> None:
        tlvs = [
            smpp34.Tlv(Tag.RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
            smpp34.Tlv(Tag.MESSAGE_STATE, b"\2"),
        ]
        answer = await self.esme.deliver_sm(
            event.source_addr, source_addr=event.destination_addr, esm_class=4, tlvs=tlvs
        )
        self.statuses.append(answer.command_status)


@asynccontextmanager
async def peer(throttles: int = 0) -> AsyncIterator[Peer]:
    running = Peer(throttles)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


async def test_smpp34_takes_what_we_send_and_we_hear_what_it_says() -> None:
    async with peer() as smsc, bound(smsc.port) as (gateway, heard):
        plain = await gateway.submit(sms("Sì €"))
        long = await gateway.submit(sms("", "a" * 153, "b"))
        wide = await gateway.submit(sms("☎", encoding=Encoding.UCS2))
        answer = await smsc.esme.deliver_sm(
            SENDER[1:], "SI ☎".encode("utf-16-be"), source_addr=NUMBER[1:], source_addr_ton=1, data_coding=8
        )
        assert answer.is_success
        await heard.reaches(5)
    assert [plain.provider_id, long.segment_ids, wide.provider_id] == ["p-1", ("p-2", "p-3"), "p-4"]
    texts = {octets.partition(b"\x03")[2][3:] if octets.startswith(b"\5\0\3") else octets for octets in smsc.taken}
    assert texts == {b"S\x07 \x1be", b"a" * 153, b"b", "☎".encode("utf-16-be")}
    receipts = {event.provider_id for event in heard if isinstance(event, Receipt)}
    assert receipts == {"p-1", "p-2", "p-3", "p-4"}
    assert [(event.number, event.text) for event in heard if isinstance(event, InboundSms)] == [(NUMBER, "SI ☎")]
    assert set(smsc.statuses) == {0}


async def test_smpp34_throttles_and_every_text_arrives_once(long: bool) -> None:
    count = 10_000 if long else 500
    async with peer(throttles=100) as smsc, bound(smsc.port, binds="2", window="50") as (gateway, heard):
        places = asyncio.Semaphore(100)

        async def send(number: int) -> OutcomeKind:
            async with places:
                while True:
                    outcome = await gateway.submit(sms(f"text {number}"))
                    if outcome.kind is not OutcomeKind.THROTTLED:
                        return outcome.kind
                    await asyncio.sleep(outcome.retry_after or 0.0)

        kinds = Counter(await asyncio.gather(*(send(number) for number in range(count))))
        assert kinds == {OutcomeKind.ACCEPTED: count}
        await heard.reaches(count)
    assert smsc.taken == Counter(f"text {number}".encode() for number in range(count))


async def test_smpp34_that_unbinds_us_is_bound_again() -> None:
    async with peer() as smsc, bound(smsc.port) as (gateway, _):
        assert (await gateway.submit(sms())).kind is OutcomeKind.ACCEPTED
        await smsc.esme.unbind()
        assert (await gateway.submit(sms())).kind is OutcomeKind.ACCEPTED


async def test_net_smpp_takes_what_we_send_and_we_hear_what_it_says() -> None:
    port = free_port()
    script = Path(__file__).with_name("net_smpp.pl")
    perl = await asyncio.create_subprocess_exec("perl", script, str(port), stdout=asyncio.subprocess.PIPE)
    assert perl.stdout is not None
    assert await perl.stdout.readline() == b"ready\n"
    async with bound(port, message_ids="hex-then-decimal") as (gateway, heard):
        outcome = await gateway.submit(sms("Sì"))
        assert (outcome.kind, outcome.provider_id) == (OutcomeKind.ACCEPTED, "160")
        seen = [(await perl.stdout.readline()).decode().strip() for _ in range(3)]
        assert seen == [f"{SENDER[1:]} {NUMBER[1:]} 0 0 5307", "kept 0", "kept 0"]
    assert await perl.wait() == 0, "we took our leave"
    receipt = next(event for event in heard if isinstance(event, Receipt))
    assert (receipt.provider_id, receipt.state) == ("160", MessageState.DELIVERED)
    assert next(event.text for event in heard if isinstance(event, InboundSms)) == "SI 1"


@pytest.fixture
async def sealed(tmp_path: Path) -> AsyncIterator[tuple[Smsc, Path]]:
    """An SMSC with TLS, and the file of its authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with run_smsc(context) as smsc:
        yield smsc, tmp_path / "ca.pem"


async def test_over_tls(sealed: tuple[Smsc, Path]) -> None:
    smsc, authority = sealed
    async with bound(smsc.port, scheme="smpps", ca_file=str(authority)) as (gateway, heard):
        assert (await gateway.submit(sms())).kind is OutcomeKind.ACCEPTED
        assert await smsc.link.deliver(b"SI") == 0
    assert len(heard) == 1


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(sealed: tuple[Smsc, Path]) -> None:
    smsc, _ = sealed
    assert await gateway_to(f"smpps://localhost:{smsc.port}", {}).probe() == (
        "The SMSC cannot be used: its certificate cannot be verified; check the host name in url, or set "
        "options.ca_file."
    )
    assert smsc.links == []
