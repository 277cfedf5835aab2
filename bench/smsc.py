"""An SMSC that takes every message and counts: SMPP 3.4 on one port, what has come so far (`Count`) on another.

`python -m bench.smsc --port PORT --count-port PORT`. It answers each message at once, and sends no receipts.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from typing import cast

from bench.gateway import Connection, Count
from bridge.gateways.smpp.pdu import RESPONSE, Command, Pdu, split

_BINDS = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER})


class Bind(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._pending = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._pending += data
        answers = bytearray()
        for pdu in split(self._pending):
            if pdu.command & RESPONSE:
                continue
            body = b""
            if pdu.command in _BINDS:
                body = b"bench\0"
            elif pdu.command == Command.SUBMIT_SM:
                body = b"%x\0" % self._counted()
            answers += Pdu(pdu.command | RESPONSE, pdu.sequence, body=body).encode()
        self._transport.write(bytes(answers))

    def _counted(self) -> int:
        count, now = self._count, time.perf_counter()
        count.first, count.last = count.first or now, now
        count.messages += 1
        return count.messages


async def serve(port: int, count_port: int) -> None:
    """Listen until the process is ended."""
    count, loop = Count(), asyncio.get_running_loop()
    asked = await loop.create_server(lambda: Connection(count, 0.0), "127.0.0.1", count_port)
    server = await loop.create_server(lambda: Bind(count), "127.0.0.1", port)
    async with asked:
        await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.smsc", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count-port", type=int, required=True)
    chosen = parser.parse_args(arguments)
    asyncio.run(serve(chosen.port, chosen.count_port))


if __name__ == "__main__":
    main(sys.argv[1:])
