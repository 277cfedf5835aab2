"""How many mails a second the front door takes, beside its peers: each measured several times, in turns.

Turns keep a machine that becomes faster or slower from favouring anybody; the median of the turns is what counts.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.load import Load
from bench.peers import Peer, processor_time

SEND_AT = "2030-01-01T10:00:00+01:00"
"""Mails that are not to be sent on: what is measured is their acceptance."""

SECONDS = 60.0
"""The longest that one run may take."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the clients come: one row of the table of results."""

    name: str
    options: tuple[str, ...]
    tls: bool
    share: float
    """Of the mails of a full run; what takes long is measured with fewer."""


WAYS = (
    Way("a connection for each mail", (), tls=False, share=1.0),
    Way("kept connections", ("--kept",), tls=False, share=1.5),
    Way("TLS and login for each mail", ("--tls", "--login"), tls=True, share=0.4),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One peer, one way: the median of its turns."""

    rate: float
    """Mails a second."""
    spread: float
    """Half the distance between the fastest and the slowest turn, as a share of the median."""
    median: float
    p99: float
    """Milliseconds that a mail took."""
    server_cpu: float
    """Microseconds of processor time that the server used for a mail, in all its processes."""
    client_share: float
    """How busy the clients' own processor was: near 1 they were the limit."""


class Numbers:
    """Gives each run mails that no run had before, so that none is recognised as a resubmission."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, count: int) -> int:
        """The index of the first of `count` new mails."""
        first = self._next
        self._next += count
        return first


def measure(peers: Sequence[Peer], numbers: Numbers, mails: int, turns: int) -> Iterator[tuple[Way, dict[str, Figure]]]:
    """Every way with every peer that knows it; first a short run to warm up."""
    for way in WAYS:
        able = [peer for peer in peers if not way.tls or peer.tls_port is not None]
        count = int(mails * way.share)
        for peer in able:
            hand_in(peer, way, numbers, max(20, count // 10))
        runs: dict[str, list[tuple[Load, float]]] = {peer.name: [] for peer in able}
        for _, peer in itertools.product(range(turns), able):
            used = processor_time(peer.pid)
            load = hand_in(peer, way, numbers, count)
            runs[peer.name].append((load, processor_time(peer.pid) - used))
        yield way, {name: _figure(loads) for name, loads in runs.items()}


def hand_in(peer: Peer, way: Way, numbers: Numbers, count: int, *, recipients: int = 1, send_at: str = SEND_AT) -> Load:
    """One run of the clients against one peer: `count` mails to as many phones each."""
    port = peer.tls_port if way.tls else peer.port
    command = [sys.executable, "-m", "bench.load", "--port", str(port), "--mails", str(count)]
    command += ["--first", str(numbers.take(count * recipients)), "--recipients", str(recipients)]
    command += ["--seconds", str(SECONDS), "--send-at", send_at, *way.options]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=SECONDS * 3, check=True)
    return Load(**json.loads(done.stdout))


def _figure(runs: Sequence[tuple[Load, float]]) -> Figure:
    rates = [load.rate for load, _ in runs]
    middle = statistics.median(rates)
    return Figure(
        rate=middle,
        spread=(max(rates) - min(rates)) / 2 / middle,
        median=statistics.median(load.median for load, _ in runs),
        p99=statistics.median(load.p99 for load, _ in runs),
        server_cpu=statistics.median(cpu / load.mails for load, cpu in runs) * 1e6,
        client_share=statistics.median(load.client_cpu / load.seconds for load, _ in runs),
    )
