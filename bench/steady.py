"""How long a mail waits between its 250 and its message's arrival at the SMSC, while mails come at a steady rate.

The clients are a process of their own (`python -m bench.steady --port PORT --mails 6000 --rate 200`). Mails are due at
fixed moments, whether or not the one before has been answered, so that a server that stalls is measured stalling. All
processes read the same clock (CLOCK_MONOTONIC of this machine).
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import mails, peers
from bench.door import Numbers
from bench.queue import wait

RATE = 200
"""Mails a second."""
CLIENTS = 50
WARM = 200
"""Mails before the clock runs."""


@dataclasses.dataclass(frozen=True, slots=True)
class Handed:
    """What the clients saw."""

    taken: dict[str, float]
    """The moment of the 250, by phone."""
    late: float
    """Seconds that a mail began too late at the most, because every client was busy."""


@dataclasses.dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds from 250 to submit_sm."""

    rate: float
    """Mails a second that were taken."""
    median: float
    p99: float
    longest: float
    late: float
    """Milliseconds that a mail began too late at the most."""


def measure(folder: Path, pem: Path, count: int) -> Waits:
    """Hand in `count` mails to a bridge with default settings and an SMSC that answers at once."""
    folder.mkdir()
    numbers = Numbers()
    with (
        peers.smsc(folder, "--arrivals") as (url, count_url),
        peers.bridge(folder / "bridge", pem, url) as peer,
    ):
        _hand_in(peer.port, numbers, WARM)
        handed = _hand_in(peer.port, numbers, count)
        arrivals = wait(count_url, WARM + count).arrivals
    times = sorted((arrivals[phone] - moment) * 1000 for phone, moment in handed.taken.items())
    span = max(handed.taken.values()) - min(handed.taken.values())
    return Waits(
        rate=(len(times) - 1) / span,
        median=statistics.median(times),
        p99=times[len(times) * 99 // 100],
        longest=times[-1],
        late=handed.late * 1000,
    )


def _hand_in(port: int, numbers: Numbers, count: int) -> Handed:
    command = [sys.executable, "-m", "bench.steady", "--port", str(port), "--mails", str(count)]
    command += ["--first", str(numbers.take(count)), "--rate", str(RATE)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=count / RATE + 60, check=True)
    return Handed(**json.loads(done.stdout))


async def run(port: int, first: int, count: int, rate: float) -> Handed:
    """Hand in the mails of the phones from `first` on."""
    scripts = [_script(index) for index in range(first, first + count)]
    handed = Handed({}, 0.0)
    lateness = []
    begin = time.perf_counter() + 1.0
    places: Iterator[int] = iter(range(count))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await _said(reader, b"220")
        writer.write(b"EHLO client.example.test\r\n")
        await _said(reader, b"250")
        for place in places:
            due = begin + place / rate
            await asyncio.sleep(due - time.perf_counter())
            lateness.append(time.perf_counter() - due)
            for command, code in scripts[place]:
                writer.write(command)
                await _said(reader, code)
            handed.taken[mails.number(first + place)[1:]] = time.perf_counter()
        writer.write(b"QUIT\r\n")
        await _said(reader, b"221")
        writer.close()

    async with asyncio.TaskGroup() as clients:
        for _ in itertools.repeat(None, CLIENTS):
            clients.create_task(client())
    return dataclasses.replace(handed, late=max(lateness))


def _script(index: int) -> list[tuple[bytes, bytes]]:
    return [
        (f"MAIL FROM:<{mails.LOGIN}>\r\n".encode(), b"250"),
        (f"RCPT TO:<{mails.address(index)}>\r\n".encode(), b"250"),
        (b"DATA\r\n", b"354"),
        (mails.small(index) + b".\r\n", b"250"),
    ]


async def _said(reader: asyncio.StreamReader, code: bytes) -> None:
    """Read one answer of any number of lines."""
    while (line := await reader.readline())[3:4] == b"-":
        pass
    assert line.startswith(code), line


def main(arguments: Sequence[str]) -> None:
    """Read the order from the command line and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.steady", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mails", type=int, default=6000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rate", type=float, default=RATE)
    chosen = parser.parse_args(arguments)
    print(json.dumps(dataclasses.asdict(asyncio.run(run(chosen.port, chosen.first, chosen.mails, chosen.rate)))))


if __name__ == "__main__":
    main(sys.argv[1:])
