"""Clients that hand in mails as fast as a server takes them: a process of its own, beside the server it measures.

`python -m bench.load --port PORT --mails 4000 [--kept] [--tls] [--login]` prints one JSON object (`Load`).
Each client waits for each answer, as most mail programs do (no pipelining), and a mail counts when its 250 is there.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import resource
import ssl
import statistics
import sys
import time
from base64 import b64encode
from collections.abc import Sequence

from bench import mails

CLIENTS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What one run came to. Times are seconds, latencies milliseconds."""

    mails: int
    seconds: float
    client_cpu: float
    """Processor time that the clients used: near `seconds`, the clients were the limit and not the server."""
    median: float
    """From the first command of a mail (its connection, when each has one) to its 250."""
    p99: float

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """What to do: how many mails, to where, and how."""

    port: int
    mails: int
    first: int
    """Index of the first phone: a run that is to bring new mails begins where the last one ended."""
    recipients: int
    """Phones of each mail; every phone of a run is another one."""
    seconds: float
    clients: int
    kept: bool
    tls: bool
    login: bool
    send_at: str
    octets: int
    """Of each mail, with a file in it; 0 for a small one without."""


class Refused(Exception):
    """The server gave another answer than the one that takes the mail further."""


class Client(asyncio.Protocol):
    """One connection: the script of a session, one answer after the other."""

    def __init__(self, supply: Supply) -> None:
        self._supply = supply
        self._answer = bytearray()
        self._script: list[tuple[bytes, bytes]] = []
        self._expected = b"220"
        self._step = 0
        self._started = 0.0
        self._transport: asyncio.Transport | None = None
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._script = self._supply.greeting
        self._step = 0

    def connection_lost(self, error: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_exception(error or Refused("the server hung up"))

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        answer += data
        # The last line of an answer has a space after its code (RFC 5321 section 4.2.1).
        last = answer.rfind(b"\n", 0, len(answer) - 1) + 1
        if not answer.endswith(b"\n") or answer[last + 3 : last + 4] != b" ":
            return
        if not answer.startswith(self._expected):
            self._fail(f"expected {self._expected.decode()}, got {bytes(answer[:80])!r}")
            return
        answer.clear()
        self._next()

    def _next(self) -> None:
        if self._step == len(self._script) and not self._turn():
            return
        command, self._expected = self._script[self._step]
        self._step += 1
        assert self._transport is not None
        self._transport.write(command)

    def _turn(self) -> bool:
        """The script so far is done: begin the next one; false when there is none."""
        now = time.perf_counter()
        if self._script is not self._supply.greeting:
            if self._expected == b"221":
                self._leave()
                return False
            self._supply.taken(now - self._started)
            self._started = now
            if not self._supply.kept or not self._supply.left():
                self._script, self._step = [(b"QUIT\r\n", b"221")], 0
                return True
        elif self._supply.kept:
            self._started = now
        self._script, self._step = self._supply.mail(), 0
        return True

    def begin(self, started: float) -> None:
        """The moment from which the first mail of this connection is timed."""
        self._started = started

    def _leave(self) -> None:
        assert self._transport is not None
        self._transport.close()
        if not self.gone.done():
            self.gone.set_result(None)

    def _fail(self, why: str) -> None:
        assert self._transport is not None
        self._transport.abort()
        if not self.gone.done():
            self.gone.set_exception(Refused(why))


class Supply:
    """The mails that all clients of a run share, and the times they took."""

    def __init__(self, order: Order) -> None:
        self.kept = order.kept
        self.greeting: list[tuple[bytes, bytes]] = [(b"EHLO client.example.test\r\n", b"250")]
        if order.login:
            response = b64encode(f"\0{mails.LOGIN}\0{mails.PASSWORD}".encode())
            self.greeting.append((b"AUTH PLAIN " + response + b"\r\n", b"235"))
        # Made before the clock runs: what the clients do in the run is speaking SMTP, nothing else.
        step = order.recipients
        firsts = range(order.first, order.first + order.mails * step, step)
        self._scripts = [_script(first, step, order) for first in firsts]
        self._until = float("inf")
        self.times: list[float] = []

    def start(self, seconds: float) -> None:
        """Give out mails from now on, for at most so many seconds."""
        self._until = time.perf_counter() + seconds

    def left(self) -> bool:
        """There is another mail, and time for it."""
        return bool(self._scripts) and time.perf_counter() < self._until

    def mail(self) -> list[tuple[bytes, bytes]]:
        """The commands of the next mail, each with the code that must answer it; QUIT when none is left."""
        return self._scripts.pop() if self._scripts else [(b"QUIT\r\n", b"221")]

    def taken(self, seconds: float) -> None:
        """A mail has got its 250."""
        self.times.append(seconds)


def _script(first: int, recipients: int, order: Order) -> list[tuple[bytes, bytes]]:
    if order.octets:
        mail = mails.with_attachment(first, order.send_at, order.octets)
    else:
        mail = mails.small(first, order.send_at)
    phones = range(first, first + recipients)
    return [
        (f"MAIL FROM:<{mails.LOGIN}>\r\n".encode(), b"250"),
        *((f"RCPT TO:<{mails.address(index)}>\r\n".encode(), b"250") for index in phones),
        (b"DATA\r\n", b"354"),
        (mail + b".\r\n", b"250"),
    ]


async def run(order: Order) -> Load:
    """Hand in the mails of `order`. Raises `Refused` when one is not taken."""
    supply = Supply(order)
    context = _tls() if order.tls else None
    loop = asyncio.get_running_loop()

    async def visit() -> None:
        while supply.left():
            started = time.perf_counter()
            _, client = await loop.create_connection(
                lambda: Client(supply),
                "127.0.0.1",
                order.port,
                ssl=context,
                server_hostname="localhost" if context else None,
            )
            client.begin(started)
            await client.gone

    used = _cpu()
    started = time.perf_counter()
    supply.start(order.seconds)
    async with asyncio.TaskGroup() as clients:
        for _ in range(order.clients):
            clients.create_task(visit())
    seconds = time.perf_counter() - started
    times = sorted(supply.times)
    return Load(
        mails=len(times),
        seconds=seconds,
        client_cpu=_cpu() - used,
        median=statistics.median(times) * 1000,
        p99=times[len(times) * 99 // 100] * 1000,
    )


def _tls() -> ssl.SSLContext:
    """Encrypted, not verified: what is measured is the server. Nothing is kept for a shorter second handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(arguments: Sequence[str]) -> None:
    """Read the order from the command line and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mails", type=int, default=4000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--recipients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--login", action="store_true")
    parser.add_argument("--send-at", default="")
    parser.add_argument("--octets", type=int, default=0)
    load = asyncio.run(run(Order(**vars(parser.parse_args(arguments)))))
    print(json.dumps(dataclasses.asdict(load)))


if __name__ == "__main__":
    main(sys.argv[1:])
