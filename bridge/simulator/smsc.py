"""The network's SMSC: gateways that speak SMPP 3.4 hand texts over here, and hear receipts and phones' answers.

Any system id may bind; the password is the network's secret, or its first eight letters, which is all that the
specification leaves room for (section 4.1.1). Every segment of a long text has an id and a receipt of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bridge import clock
from bridge.gateways.smpp import coding, status
from bridge.gateways.smpp.coding import Alphabet, Place, Way
from bridge.gateways.smpp.pdu import (
    RESPONSE,
    Address,
    Command,
    MalformedPdu,
    Pdu,
    ShortMessage,
    Tag,
    read_bind,
    read_deliver,
    split,
    submit_body,
)
from bridge.simulator.network import Answer, Order, e164
from bridge.simulator.refusal import CallRefused
from bridge.sms.encoding import encode
from bridge.sms.national import alphabet_of
from bridge.types import Encoding, OutboundSms, Shift

PATIENCE = 10.0
"""Seconds that a bridge has to confirm what it is told."""

_BINDS = (Command.BIND_TRANSCEIVER, Command.BIND_RECEIVER, Command.BIND_TRANSMITTER)
_REFUSALS = {400: 0x0B, 422: 0x0B, 429: 0x58, 503: 0x14}
"""What is said in SMPP where the HTTP face answers with such a status."""
_STATES = {
    "delivered": ("DELIVRD", 2),
    "expired": ("EXPIRED", 3),
    "undelivered": ("UNDELIV", 5),
    "sent": ("ACCEPTD", 6),
}
_ERRORS = {"absent_subscriber": b"\3\0\x1b"}
"""As network_error_code: absent subscriber of a GSM network."""


@dataclass
class _Link:
    """One connection."""

    writer: asyncio.StreamWriter
    mode: int = 0
    sequence: int = 0
    answers: dict[int, asyncio.Future[int]] = field(default_factory=dict)

    def write(self, pdu: Pdu) -> None:
        if not self.writer.is_closing():
            self.writer.write(pdu.encode())

    async def deliver(self, message: ShortMessage) -> int | None:
        """The status that the bridge answers a message with; None when it does not."""
        sequence = self.sequence = self.sequence + 1  # others are delivered meanwhile
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.answers[sequence] = answer
        self.write(Pdu(Command.DELIVER_SM, sequence, body=submit_body(message)))
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self.answers[sequence]


@dataclass(frozen=True)
class _Kind:
    """What a message says of itself besides its words."""

    shift: Shift | None
    flash: bool


@dataclass
class _Long:
    """A long text of which some segments have come."""

    id: str
    texts: dict[int, str] = field(default_factory=dict)


class Smsc:
    """Listens on loopback; `port` 0 takes any free one."""

    def __init__(self, secret: str, port: int = 0) -> None:
        self.port = port
        self._secret = secret.encode()
        self._links: list[_Link] = []
        self._long: dict[tuple[str, str, int, int], _Long] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0

    async def start(self, submit: Callable[[Order], Awaitable[Answer]]) -> None:
        """Take texts to `submit`. Raises OSError when the port is taken."""
        self._submit = submit
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up."""
        self._server.close()
        for link in self._links:
            link.writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def say(self, hook: str, body: bytes) -> str:
        """Tell the bridge what the network has for it: empty when it was confirmed, else what came instead."""
        link = next((each for each in reversed(self._links) if each.mode != Command.BIND_TRANSMITTER), None)
        if link is None:
            return "no bind"
        event = json.loads(body)
        for message in _receipts(event) if hook == "receipts" else self._words(event):
            code = await link.deliver(message)
            if code != status.OK:
                return "no answer" if code is None else status.name(code)
        return ""

    def _words(self, event: Mapping[str, str]) -> Iterator[ShortMessage]:
        cut = encode(event["text"])
        sms = OutboundSms("", event["to"], event["from"], cut.text, cut.encoding, cut.segments)
        self._count += 1
        for piece in coding.pieces(sms, Way(), self._count):
            addresses = _address(event["from"]), _address(event["to"])
            yield ShortMessage(*addresses, piece.octets, piece.esm_class, piece.data_coding, tlvs=piece.tlvs)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, buffer = _Link(writer), bytearray()
        try:
            while data := await reader.read(65536):
                buffer += data
                for pdu in split(buffer):
                    self._take(link, pdu)
        except (ConnectionError, MalformedPdu):
            return
        finally:
            if link in self._links:
                self._links.remove(link)
            writer.close()

    def _take(self, link: _Link, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            answer = link.answers.get(pdu.sequence)
            if answer is not None and not answer.done():
                answer.set_result(pdu.status)
        elif pdu.command in _BINDS:
            code = status.OK if self._knows(pdu) else status.WRONG_PASSWORD
            link.write(Pdu(pdu.command | RESPONSE, pdu.sequence, code, b"simulator\0"))
            if code == status.OK:
                link.mode = pdu.command
                self._links.append(link)
        elif pdu.command == Command.SUBMIT_SM and link in self._links:
            task = asyncio.ensure_future(self._answer(link, pdu))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif pdu.command in (Command.ENQUIRE_LINK, Command.UNBIND):
            link.write(Pdu(pdu.command | RESPONSE, pdu.sequence))
        else:
            link.write(Pdu(Command.GENERIC_NACK, pdu.sequence, status.INVALID_COMMAND_ID))

    def _knows(self, pdu: Pdu) -> bool:
        given = read_bind(pdu.body)[1].encode("latin-1")
        return any(hmac.compare_digest(given, known) for known in (self._secret, self._secret[:8]))

    async def _answer(self, link: _Link, pdu: Pdu) -> None:
        try:
            code, message_id = await self._take_text(read_deliver(pdu.body))
        except (CallRefused, MalformedPdu):
            code, message_id = _REFUSALS[400], ""
        if code is None:
            link.writer.transport.abort()
        else:
            body = message_id.encode() + b"\0" if code == status.OK else b""
            link.write(Pdu(pdu.command | RESPONSE, pdu.sequence, code, body))

    async def _take_text(self, message: ShortMessage) -> tuple[int | None, str]:
        """The status of the answer, or None for none, and the id of what was handed over."""
        text, place = coding.text_of(message, Alphabet.GSM7)
        phone, sender = e164("+" + message.destination.value), _written(message.source)
        kind = _Kind(coding.shift_of(message), coding.is_flash(message))
        if place is None:
            texts = encode(text).segments if kind.shift is None else (text,)
            answer = await self._submit(_order(phone, sender, texts, clock.new_id(), kind))
            return _code(answer), answer.body.get("id", "")
        return await self._take_segment(phone, sender, text, place, kind)

    async def _take_segment(
        self, phone: str, sender: str, text: str, place: Place, kind: _Kind
    ) -> tuple[int | None, str]:
        key = phone, sender, place.reference, place.total
        long = self._long.setdefault(key, _Long(f"{clock.new_id()}.{place.total}"))
        long.texts[place.ordinal] = text
        mine = f"{long.id}.{place.ordinal}"
        if len(long.texts) < place.total:
            return status.OK, mine
        texts = tuple(long.texts[at + 1] for at in range(place.total))
        answer = await self._submit(_order(phone, sender, texts, long.id, kind))
        if answer.status == 201:
            self._long.pop(key, None)
        return _code(answer), mine


def _order(phone: str, sender: str, texts: tuple[str, ...], message_id: str, kind: _Kind) -> Order:
    whole, alphabet = "".join(texts), alphabet_of(kind.shift)
    wide = not alphabet.fits(whole)
    segments = tuple(text.encode("utf-16-be", "surrogatepass") if wide else alphabet.encode(text) for text in texts)
    reference = hashlib.sha256(f"{phone} {sender} {whole!r}".encode()).hexdigest()
    encoding, shift = (Encoding.UCS2, None) if wide else (Encoding.GSM7, kind.shift)
    return Order(reference, sender, phone, encoding, segments, message_id, shift, kind.flash)


def _code(answer: Answer) -> int | None:
    if answer.broken:
        return None
    return status.OK if answer.status == 201 else _REFUSALS[answer.status]


def _receipts(event: Mapping[str, str]) -> Iterator[ShortMessage]:
    """One for each segment; the id of a long text ends with how many it has."""
    word, value = _STATES[event["status"]]
    _, _, total = event["id"].partition(".")
    ids = [f"{event['id']}.{ordinal}" for ordinal in range(1, int(total) + 1)] if total else [event["id"]]
    done = "".join(char for char in event["time"][2:16] if char.isdecimal())
    for message_id in ids:
        words = f"id:{message_id} sub:001 dlvrd:001 submit date:{done} done date:{done} stat:{word} err:000 text:"
        tlvs: dict[int, bytes] = {
            Tag.RECEIPTED_MESSAGE_ID: message_id.encode() + b"\0",
            Tag.MESSAGE_STATE: bytes((value,)),
        }
        if event["error"] in _ERRORS:
            tlvs[Tag.NETWORK_ERROR_CODE] = _ERRORS[event["error"]]
        yield ShortMessage(_address(event["phone"]), _address(event["sender"]), words.encode(), 4, tlvs=tlvs)


def _address(written: str) -> Address:
    if written.startswith("+"):
        return Address(1, 1, written[1:])
    return Address(3, 0, written) if written.isdecimal() else Address(5, 0, written)


def _written(address: Address) -> str:
    return f"+{address.value}" if address.ton == 1 else address.value
