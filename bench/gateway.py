"""A provider that takes its time: speaks the simulated network's protocol and answers each message after a pause.

`python -m bench.gateway --port PORT --pause 0.05`. `POST …/messages` is answered 201 with an id, `GET …/count` with
what has come so far (`Count`). No phone gets anything and no receipt is sent.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import Sequence


@dataclasses.dataclass(slots=True)
class Count:
    """The messages so far: how many, how many at the same time, and when the first and the last came (seconds)."""

    messages: int = 0
    at_once: int = 0
    most_at_once: int = 0
    first: float = 0.0
    last: float = 0.0
    receipts: int = 0
    """Delivery receipts that were confirmed."""
    last_receipt: float = 0.0
    arrivals: dict[str, float] = dataclasses.field(default_factory=dict)
    """When each phone's message came, where that was asked for: seconds of the machine's own clock."""

    @property
    def rate(self) -> float:
        """Messages a second between the first and the last."""
        return (self.messages - 1) / (self.last - self.first)

    @property
    def rate_with_receipts(self) -> float:
        """Messages a second between the first one and the last confirmed receipt."""
        return self.messages / (self.last_receipt - self.first)


class Connection(asyncio.Protocol):
    """One kept HTTP/1.1 connection."""

    def __init__(self, count: Count, pause: float) -> None:
        self._count = count
        self._pause = pause
        self._pending = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._pending += data
        head, end, rest = bytes(self._pending).partition(b"\r\n\r\n")
        if not end or len(rest) < _length(head):
            return
        self._pending.clear()
        if head.startswith(b"GET "):
            self._answer(b"200 OK", dataclasses.asdict(self._count))
            return
        count = self._count
        now = time.perf_counter()
        count.first, count.last = count.first or now, now
        count.messages += 1
        count.at_once += 1
        count.most_at_once = max(count.most_at_once, count.at_once)
        asyncio.get_running_loop().call_later(self._pause, self._taken, f"message-{count.messages}")

    def _taken(self, message_id: str) -> None:
        self._count.at_once -= 1
        self._answer(b"201 Created", {"id": message_id})

    def _answer(self, status: bytes, document: object) -> None:
        if self._transport is None:
            return
        body = json.dumps(document).encode()
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(port: int, pause: float) -> None:
    """Listen until the process is ended."""
    count = Count()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(count, pause), "127.0.0.1", port)
    await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pause", type=float, default=0.05)
    chosen = parser.parse_args(arguments)
    asyncio.run(serve(chosen.port, chosen.pause))


if __name__ == "__main__":
    main(sys.argv[1:])
