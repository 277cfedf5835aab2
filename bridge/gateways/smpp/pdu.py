"""The SMPP protocol data units as bytes and as values; pure, the ground of the SMPP gateway.

Source: Short Message Peer to Peer Protocol Specification v3.4, issue 1.2, sections 3.2 (layout), 4 (operations),
5.1 (command ids and status) and 5.3 (optional parameters); version 5.0 adds statuses and parameters, no new layout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType

HEADER = struct.Struct("!LLLL")
LONGEST = 70_000
"""Octets of one unit at most: a `message_payload` has 65,535 (section 5.3.2.32)."""

RESPONSE = 0x80000000
"""The bit that makes a response's command id of its request's."""


class Command(IntEnum):
    """Command ids (section 5.1.2.1); those of responses have the highest bit besides."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    CANCEL_SM = 0x08
    BIND_TRANSCEIVER = 0x09
    OUTBIND = 0x0B
    ENQUIRE_LINK = 0x15
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103
    GENERIC_NACK = 0x80000000


class Tag(IntEnum):
    """Optional parameters that are written or read here (section 5.3.2; 5.0: congestion_state)."""

    DEST_ADDR_SUBUNIT = 0x0005
    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427
    CONGESTION_STATE = 0x0428


class MalformedPdu(ValueError):
    """Octets that are no protocol data unit. The error does not hold them."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit: its header, and its body as it came."""

    command: int
    sequence: int
    status: int = 0
    body: bytes = b""

    def encode(self) -> bytes:
        """As it travels."""
        return HEADER.pack(16 + len(self.body), self.command, self.status, self.sequence) + self.body


@dataclass(frozen=True, slots=True)
class Address:
    """A telephone number or name with its type of number and numbering plan (section 5.2.5 and 5.2.6)."""

    ton: int
    npi: int
    value: str


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """What submit_sm, deliver_sm and data_sm carry (sections 4.4.1, 4.6.1 and 4.7.1)."""

    source: Address
    destination: Address
    octets: bytes
    """The user data, with its header where `esm_class` says so; of message_payload where there is no short_message."""
    esm_class: int = 0
    data_coding: int = 0
    validity: str = ""
    registered: int = 0
    service_type: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))
    priority: int = 0
    """`priority_flag`, 0 to 3 (section 5.2.14)."""


def split(buffer: bytearray) -> Iterator[Pdu]:
    """Take every whole unit from the front of `buffer`. Raises `MalformedPdu`; then nothing after it can be read."""
    start = 0
    try:
        while len(buffer) - start >= 16:
            length, command, status, sequence = HEADER.unpack_from(buffer, start)
            if not 16 <= length <= LONGEST:
                raise MalformedPdu("a protocol data unit has an impossible length")
            if len(buffer) - start < length:
                return
            body = bytes(buffer[start + 16 : start + length])
            start += length
            yield Pdu(command, sequence, status, body)
    finally:
        del buffer[:start]


def bind_body(system_id: str, password: str, system_type: str, version: int) -> bytes:
    """The body of bind_transmitter, bind_receiver and bind_transceiver (section 4.1).

    Nothing is cut to the sizes of the specification: half a password is never right.
    """
    return _c_octets(system_id) + _c_octets(password) + _c_octets(system_type) + bytes((version, 0, 0)) + b"\0"


def read_bind(body: bytes) -> tuple[str, str]:
    """System id and password of a bind. Raises `MalformedPdu`."""
    reader = _Reader(body)
    return reader.text(), reader.text()


def submit_body(message: ShortMessage) -> bytes:
    """The body of submit_sm and of deliver_sm; user data beyond 254 octets goes into message_payload."""
    short = message.octets if len(message.octets) <= 254 and Tag.MESSAGE_PAYLOAD not in message.tlvs else b""
    tlvs = dict(message.tlvs)
    if not short and message.octets:
        tlvs[Tag.MESSAGE_PAYLOAD] = message.octets
    return b"".join(
        (
            _c_octets(message.service_type),
            _address(message.source),
            _address(message.destination),
            bytes((message.esm_class, 0, message.priority)),
            b"\0",
            _c_octets(message.validity),
            bytes((message.registered, 0, message.data_coding, 0, len(short))),
            short,
            *(struct.pack("!HH", tag, len(value)) + value for tag, value in tlvs.items()),
        )
    )


def cancel_body(message_id: str, source: Address, destination: Address) -> bytes:
    """The body of cancel_sm for one message (section 4.9.1)."""
    return b"\0" + _c_octets(message_id) + _address(source) + _address(destination)


def read_cancel(body: bytes) -> str:
    """The message id of a cancel_sm. Raises `MalformedPdu`."""
    reader = _Reader(body)
    reader.text()
    return reader.text()


def read_deliver(body: bytes) -> ShortMessage:
    """The body of deliver_sm or submit_sm. Raises `MalformedPdu`."""
    reader = _Reader(body)
    service_type = reader.text()
    source, destination = reader.address(), reader.address()
    esm_class, _, priority = reader.octet(), reader.octet(), reader.octet()
    reader.text()
    validity = reader.text()
    registered, _, data_coding, _ = reader.octet(), reader.octet(), reader.octet(), reader.octet()
    short = reader.take(reader.octet())
    tlvs = reader.tlvs()
    octets = short or tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    return ShortMessage(
        source, destination, octets, esm_class, data_coding, validity, registered, service_type, tlvs, priority
    )


def read_data(body: bytes) -> ShortMessage:
    """The body of data_sm. Raises `MalformedPdu`."""
    reader = _Reader(body)
    service_type = reader.text()
    source, destination = reader.address(), reader.address()
    esm_class, registered, data_coding = reader.octet(), reader.octet(), reader.octet()
    tlvs = reader.tlvs()
    octets = tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    return ShortMessage(source, destination, octets, esm_class, data_coding, "", registered, service_type, tlvs)


def read_submit_response(body: bytes) -> tuple[str, Mapping[int, bytes]]:
    """The message id of a submit_sm_resp, empty where there is none, and its optional parameters.

    Never raises: a response that cannot be read does not undo that the message was taken.
    """
    end = body.find(b"\0")
    if end < 0:
        return "", {}
    return body[:end].decode("latin-1"), _Reader(body, end + 1).tlvs()


def _c_octets(text: str) -> bytes:
    """A C-octet string with its NUL (section 3.1)."""
    return text.encode("latin-1", "replace").replace(b"\0", b"?") + b"\0"


def _address(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + _c_octets(address.value)


class _Reader:
    """Reads a body from its front."""

    def __init__(self, body: bytes, at: int = 0) -> None:
        self._body = body
        self._at = at

    def octet(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        start, self._at = self._at, self._at + count
        if self._at > len(self._body):
            raise MalformedPdu("a protocol data unit ends too early")
        return self._body[start : self._at]

    def text(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise MalformedPdu("a text in a protocol data unit does not end")
        start, self._at = self._at, end + 1
        return self._body[start:end].decode("latin-1")

    def address(self) -> Address:
        return Address(self.octet(), self.octet(), self.text())

    def tlvs(self) -> Mapping[int, bytes]:
        """What follows, as optional parameters; one that is cut short is left out: the message itself is whole."""
        found: dict[int, bytes] = {}
        while self._at + 4 <= len(self._body):
            tag, length = struct.unpack_from("!HH", self._body, self._at)
            end = self._at + 4 + length
            if end > len(self._body):
                break
            found.setdefault(tag, self._body[self._at + 4 : end])
            self._at = end
        return found
