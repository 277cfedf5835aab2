"""Several bridges on one PostgreSQL: how much faster two and three hand over than one.

What may limit a node is the number of messages it has in flight (`sending.in_flight`) or its processor. Nodes stand
for machines, but here they share one with the database and the provider; so they are measured with few messages in
flight, where each mostly waits, and once more with many, where the processors of this machine are the limit.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import peers
from bench.door import Numbers, hand_in
from bench.queue import KEPT, PAUSE, wait
from tests.servers.postgres import PostgresServer

FEW, MANY = 2, 50
"""Messages that a node has in flight: so few that three nodes leave the processors of a small machine time, and as
many as it has by default."""

LEAD = 3
"""Seconds before the messages, which were handed in for a day far off, are due: by then every node has looked again."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """What so many nodes handed over."""

    nodes: int
    in_flight: int
    """Of each node."""
    rate: float
    """Messages a second, of all nodes together."""
    processor: float
    """Microseconds of processor time of the bridges for a message."""
    busy: float
    """Processors of this machine that were busy, whoever kept them so: near all of them, they were the limit."""


@contextmanager
def server() -> Iterator[PostgresServer]:
    """A new PostgreSQL, which commits to disk as one in use does."""
    running = PostgresServer.create()
    try:
        yield running
    finally:
        running.remove()


def measure(folder: Path, pem: Path, postgres: PostgresServer, nodes: int, in_flight: int, messages: int) -> Nodes:
    """Let `nodes` empty one queue that becomes due at once, to a provider that takes `PAUSE` seconds for a message."""
    folder.mkdir()
    database = f"bench_{nodes}_{in_flight}"
    postgres.sql(f"CREATE DATABASE {database}")
    settings = f'in_flight = {in_flight}\n[database]\nurl = "{postgres.url(database)}"\n'
    with ExitStack() as stack:
        url = stack.enter_context(peers.slow_gateway(folder, PAUSE))
        running = []
        for index in range(nodes):
            place = folder / str(index)
            if index:  # the mailbox is known and the key is the first one's, as on a second machine
                (place / "data").mkdir(parents=True, mode=0o700)
                shutil.copy(folder / "0" / "data" / "secret.key", place / "data" / "secret.key")
            running.append(stack.enter_context(peers.bridge(place, pem, url, settings=settings)))
        # Each in a mail of its own: nodes that settle phones of one mail wait for each other to schedule its report.
        hand_in(running[0], KEPT, Numbers(), messages)
        postgres.sql(f"UPDATE message SET due_at = now() + interval '{LEAD} seconds'", database)
        time.sleep(LEAD)
        used, idle, began = _used(running), _idle(), time.perf_counter()
        count = wait(url, messages)
        seconds = time.perf_counter() - began
        busy = (os.cpu_count() or 1) - (_idle() - idle) / seconds
        return Nodes(nodes, in_flight, count.rate, (_used(running) - used) / count.messages * 1e6, busy)


def _used(running: Sequence[peers.Peer]) -> float:
    return sum(peers.processor_time(peer.pid) for peer in running)


def _idle() -> float:
    """Seconds that the processors of this machine have had nothing to do (proc(5), `/proc/stat`)."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")
