"""An SMSC that misbehaves as a test says: it answers nothing, hangs up, unbinds, or goes silent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bridge.gateways.base import Hear
from bridge.gateways.connection import Connection
from bridge.gateways.smpp.gateway import SmppGateway
from bridge.gateways.smpp.pdu import RESPONSE, Address, Command, Pdu, ShortMessage, read_deliver, split, submit_body
from bridge.types import Encoding, GatewayEvent, OutboundSms
from tests.gateways.cases import NOW, NUMBER, REFERENCE, SENDER

Answer = int | str | None
"""What a submit is answered with: a status, a message id, or nothing."""

PHONE, OURS = Address(1, 1, NUMBER[1:]), Address(1, 1, SENDER[1:])


@dataclass
class Link:
    """One connection to it."""

    writer: asyncio.StreamWriter
    mode: Command = Command.BIND_TRANSCEIVER
    sequence: int = 0
    answers: dict[int, asyncio.Future[Pdu]] = field(default_factory=dict)

    def write(self, pdu: Pdu) -> None:
        """Say something."""
        self.writer.write(pdu.encode())

    def hang_up(self) -> None:
        """End the connection without a word."""
        if not self.writer.is_closing():
            self.writer.transport.abort()

    async def ask(self, command: Command, body: bytes = b"") -> Pdu:
        """Ask, and wait for the answer."""
        self.sequence += 1
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self.answers[self.sequence] = answer
        self.write(Pdu(command, self.sequence, body=body))
        return await asyncio.wait_for(answer, 30)

    async def deliver(self, octets: bytes, esm_class: int = 0, coding: int = 0, **more: Any) -> int:
        """Hand a message of the phone over; the status it is answered with."""
        message = ShortMessage(PHONE, OURS, octets, esm_class, coding, **more)
        return (await self.ask(Command.DELIVER_SM, submit_body(message))).status


class Smsc:
    """Answers each submit with the next of `answers`, and with an id of its own when there is none left."""

    def __init__(self) -> None:
        self.answers: list[Answer | Callable[[Link], None]] = []
        self.submits: list[ShortMessage] = []
        self.taken: list[str] = []
        """The octets of every submit that was answered with an id."""
        self.cancels: list[bytes] = []
        """The body of every cancel_sm."""
        self.cancelled: list[int | None] = []
        """What each is answered with, or nothing; 0 when none is left."""
        self.links: list[Link] = []
        self.refuses_binds = 0
        """Status to answer binds with."""
        self.is_alive = True
        """It answers whether it is there."""
        self.bound = asyncio.Event()
        self.came = asyncio.Event()
        self.port = 0

    @property
    def link(self) -> Link:
        """The connection that was bound last."""
        return self.links[-1]

    async def next_bind(self) -> Link:
        """Wait for the next one."""
        self.bound.clear()
        async with asyncio.timeout(30):
            await self.bound.wait()
        return self.link

    async def submitted(self, count: int) -> None:
        """Wait until so many submits have come."""
        async with asyncio.timeout(30):
            while len(self.submits) < count:
                self.came.clear()
                await self.came.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, buffer = Link(writer), bytearray()
        try:
            while data := await reader.read(65536):
                buffer += data
                for pdu in split(buffer):
                    self._take(link, pdu)
        except ConnectionError:
            return
        finally:
            writer.close()

    def _take(self, link: Link, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            link.answers.pop(pdu.sequence).set_result(pdu)
        elif pdu.command in (Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER):
            link.mode = Command(pdu.command)
            link.write(Pdu(pdu.command | RESPONSE, pdu.sequence, self.refuses_binds, b"smsc\0"))
            if not self.refuses_binds:
                self.links.append(link)
                self.bound.set()
        elif pdu.command == Command.SUBMIT_SM:
            self.submits.append(read_deliver(pdu.body))
            self.came.set()
            self._answer(link, pdu)
        elif pdu.command == Command.CANCEL_SM:
            self.cancels.append(pdu.body)
            code = self.cancelled.pop(0) if self.cancelled else 0
            if code is not None:
                link.write(Pdu(pdu.command | RESPONSE, pdu.sequence, code))
        elif pdu.command != Command.ENQUIRE_LINK or self.is_alive:
            link.write(Pdu(pdu.command | RESPONSE, pdu.sequence))

    def next_answer(self, link: Link) -> Answer:
        """What it says when nothing is prescribed."""
        return f"id-{len(self.submits)}"

    def _answer(self, link: Link, pdu: Pdu) -> None:
        answer = self.answers.pop(0) if self.answers else self.next_answer(link)
        if isinstance(answer, str):
            self.taken.append(self.submits[-1].octets.decode("latin-1"))
            link.write(Pdu(pdu.command | RESPONSE, pdu.sequence, 0, answer.encode() + b"\0"))
        elif isinstance(answer, int):
            link.write(Pdu(pdu.command | RESPONSE, pdu.sequence, answer))
        elif answer is not None:
            answer(link)


class Ear(list[GatewayEvent]):
    """What a gateway has heard."""

    def __init__(self) -> None:
        self._came = asyncio.Event()

    async def hear(self, events: Sequence[GatewayEvent]) -> None:
        """Keep events."""
        self.extend(events)
        self._came.set()

    async def reaches(self, count: int, *kinds: type) -> None:
        """Wait until so many have come, of these kinds or of any."""
        async with asyncio.timeout(60):
            while sum(isinstance(event, kinds or object) for event in self) < count:
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def run_smsc(tls: ssl.SSLContext | None = None, smsc: Smsc | None = None) -> AsyncIterator[Smsc]:
    """One on a free port of loopback."""
    smsc = smsc or Smsc()
    server = await asyncio.start_server(smsc.serve, "127.0.0.1", 0, ssl=tls)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
        for link in smsc.links:
            link.hang_up()


@asynccontextmanager
async def bound(
    port: int, hear: Hear | None = None, *, patience: float = 5.0, scheme: str = "smpp", **options: str
) -> AsyncIterator[tuple[SmppGateway, Ear]]:
    """A gateway that listens, and what it has heard."""
    ear = Ear()
    gateway = gateway_to(f"{scheme}://localhost:{port}", options, patience)
    listening = asyncio.create_task(gateway.listen(hear or ear.hear))
    try:
        yield gateway, ear
    finally:
        await gateway.close()
        await listening


def gateway_to(url: str, options: Mapping[str, str], patience: float = 5.0) -> SmppGateway:
    """A gateway whose clock stands still."""
    return SmppGateway(
        Connection("main", url, "bridge", "s3cret-pw", options=options, timeout=patience, now=lambda: NOW)
    )


def sms(text: str = "Ciao", *segments: str, encoding: Encoding = Encoding.GSM7) -> OutboundSms:
    """A message to the phone."""
    return OutboundSms(REFERENCE, NUMBER, SENDER, "".join(segments) or text, encoding, segments or (text,))
