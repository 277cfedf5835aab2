"""An SMSC that takes every message and counts: SMPP 3.4 on one port, what has come so far (`Count`) on another.

`python -m bench.smsc --port PORT --count-port PORT [--receipts] [--arrivals]`. It answers each message at once. With
`--receipts` it says right after that it has been delivered; with `--arrivals` it notes when each phone's message came.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from bench.gateway import Connection, Count
from bridge.gateways.smpp.pdu import RESPONSE, Command, Pdu, ShortMessage, read_deliver, split, submit_body

_BINDS = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER})
_RECEIPT = 0x04
"""The bit of esm_class that makes a message a delivery receipt (SMPP 3.4 section 5.2.12)."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What it does beside taking messages."""

    receipts: bool = False
    arrivals: bool = False


class Bind(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, count: Count, manner: Manner) -> None:
        self._count = count
        self._manner = manner
        self._pending = bytearray()
        self._sequence = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._pending += data
        answers = bytearray()
        for pdu in split(self._pending):
            if pdu.command == Command.SUBMIT_SM:
                answers += self._submitted(pdu)
            elif pdu.command in _BINDS:
                answers += Pdu(pdu.command | RESPONSE, pdu.sequence, body=b"bench\0").encode()
            elif pdu.command == Command.DELIVER_SM | RESPONSE:
                self._count.receipts += pdu.status == 0
                self._count.last_receipt = time.perf_counter()
            elif not pdu.command & RESPONSE:
                answers += Pdu(pdu.command | RESPONSE, pdu.sequence).encode()
        self._transport.write(bytes(answers))

    def _submitted(self, pdu: Pdu) -> bytes:
        count, now = self._count, time.perf_counter()
        count.first, count.last = count.first or now, now
        count.messages += 1
        message_id = b"%x" % count.messages
        answer = Pdu(pdu.command | RESPONSE, pdu.sequence, body=message_id + b"\0").encode()
        if self._manner.arrivals:
            count.arrivals[read_deliver(pdu.body).destination.value] = now
        return answer + self._receipt(pdu, message_id) if self._manner.receipts else answer

    def _receipt(self, pdu: Pdu, message_id: bytes) -> bytes:
        submitted = read_deliver(pdu.body)
        self._sequence += 1
        words = b"id:%b sub:001 dlvrd:001 submit date:2611220139 done date:2611220140 stat:DELIVRD err:000 text:"
        receipt = ShortMessage(submitted.destination, submitted.source, words % message_id, _RECEIPT)
        return Pdu(Command.DELIVER_SM, self._sequence, body=submit_body(receipt)).encode()


async def serve(port: int, count_port: int, manner: Manner) -> None:
    """Listen until the process is ended."""
    count, loop = Count(), asyncio.get_running_loop()
    asked = await loop.create_server(lambda: Connection(count, 0.0), "127.0.0.1", count_port)
    server = await loop.create_server(lambda: Bind(count, manner), "127.0.0.1", port)
    async with asked:
        await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.smsc", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count-port", type=int, required=True)
    parser.add_argument("--receipts", action="store_true")
    parser.add_argument("--arrivals", action="store_true")
    chosen = parser.parse_args(arguments)
    asyncio.run(serve(chosen.port, chosen.count_port, Manner(chosen.receipts, chosen.arrivals)))


if __name__ == "__main__":
    main(sys.argv[1:])
