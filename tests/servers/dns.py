"""A small name server on loopback, over UDP and TCP, whose zone is a dict and which can be slow, silent or wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.txtbase
import dns.rrset

from bridge.access.dns import Resolver

PIECE = 255
"""Octets of one string of a TXT record (RFC 1035 section 3.3.14)."""
UDP_SIZE = 1232
"""Octets of an answer over UDP; a longer one is cut off and asked for again over TCP."""


class Fault(StrEnum):
    """What goes wrong with every question about a name."""

    SERVFAIL = "servfail"
    SILENCE = "silence"
    GARBAGE = "garbage"
    FOREIGN = "foreign"
    """The answer is to another question: somebody guesses."""


Records = Mapping[str, Sequence[str | bytes]]
"""By type: addresses, host names, `preference host` for MX; texts as octets or characters of latin-1."""


@dataclass
class NameServer:
    """Answers for `zone`: records by name and type. A name that is not there does not exist, unless others lie below
    it."""

    zone: dict[str, Records] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    ttl: int = 300
    delay: float = 0.0
    """Seconds before every answer."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Every question: name, type and `udp` or `tcp`."""
    port: int = 0
    _transport: asyncio.DatagramTransport | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def resolver(self) -> Resolver:
        """A new resolver that asks this server."""
        return Resolver([("127.0.0.1", self.port)])

    def answer(self, wire: bytes, way: str) -> bytes | None:
        """The octets of the answer; None to stay silent."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, way))
        reply = dns.message.make_response(query)
        fault = self.faults.get(name)
        if fault is Fault.SILENCE:
            return None
        if fault is Fault.GARBAGE:
            return wire[:2] + b"\xff" * 20
        if fault is Fault.SERVFAIL:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        if fault is Fault.FOREIGN:
            reply.id ^= 1
        self._fill(reply, question.name, kind)
        octets = reply.to_wire(max_size=65_535)
        if way == "udp" and len(octets) > UDP_SIZE:
            cut = dns.message.make_response(query)
            cut.flags |= dns.flags.TC
            return cut.to_wire()
        return octets

    def _fill(self, reply: dns.message.Message, asked: dns.name.Name, kind: str) -> None:
        name = asked
        for _ in range(20):
            text = name.to_text(omit_final_dot=True).lower()
            records = self.zone.get(text)
            if records is None:
                if not any(other.endswith(f".{text}") for other in self.zone):
                    reply.set_rcode(dns.rcode.NXDOMAIN)
                return
            if kind in records or "CNAME" not in records:
                if records.get(kind):
                    reply.answer.append(_rrset(name, self.ttl, kind, records[kind]))
                return
            reply.answer.append(_rrset(name, self.ttl, "CNAME", records["CNAME"]))
            name = dns.name.from_text(cast(str, records["CNAME"][0]))

    def datagram(self, wire: bytes, peer: tuple[str, int]) -> None:
        """Answer one question over UDP."""
        self._keep(asyncio.create_task(self._datagram(wire, peer)))

    async def _datagram(self, wire: bytes, peer: tuple[str, int]) -> None:
        answer = self.answer(wire, "udp")
        if self.delay:
            await asyncio.sleep(self.delay)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, peer)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the questions of one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                answer = self.answer(await reader.readexactly(length), "tcp")
                await asyncio.sleep(self.delay)
                if answer is None:
                    break
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()
        writer.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.datagram(data, addr)


def _rrset(name: dns.name.Name, ttl: int, kind: str, values: Sequence[str | bytes]) -> dns.rrset.RRset:
    rdatas = [_rdata(kind, value) for value in values]
    return dns.rrset.from_rdata_list(name, ttl, rdatas)


def _rdata(kind: str, value: str | bytes) -> dns.rdata.Rdata:
    if kind == "TXT":
        octets = value.encode("latin-1") if isinstance(value, str) else value
        pieces = [octets[start : start + PIECE] for start in range(0, len(octets), PIECE)] or [b""]
        wire = b"".join(bytes([len(piece)]) + piece for piece in pieces)
        return dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.TXT, wire, 0, len(wire))
    text = cast(str, value)
    absolute = text if kind in {"A", "AAAA"} or text.endswith(".") else f"{text}."
    return dns.rdata.from_text(dns.rdataclass.IN, kind, absolute)


@contextlib.asynccontextmanager
async def name_server(zone: Mapping[str, Records] | None = None) -> AsyncIterator[NameServer]:
    """A running server; its own `port` is the one to ask."""
    server = NameServer(dict(zone or {}))
    streams = await asyncio.start_server(server.stream, "127.0.0.1", 0)
    server.port = streams.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(server), local_addr=("127.0.0.1", server.port)
    )
    server._transport = transport
    try:
        yield server
    finally:
        transport.close()
        streams.close()
