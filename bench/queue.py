"""The queue behind the door: what a long one costs in memory, and how fast it goes out to a slow provider."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench import peers
from bench.door import WAYS, Numbers, hand_in
from bench.gateway import Count

KEPT = WAYS[1]
PHONES = 100
"""Phones of each mail that fills a queue; the rows are those of as many mails to one phone, but for the mail's own."""

PAUSE = 0.05
"""Seconds that the provider takes for each message."""

IN_FLIGHT = 50
"""Messages that the bridge hands over at the same time by default: with `PAUSE`, 1,000 a second are possible."""

SETTLES = 3.0
"""Seconds in which a bridge that was just started does what it does at a start."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the serving process in MB (10^6 octets), at its highest."""

    messages: int
    filling: float
    """From an empty queue to a full one."""
    restarted: float
    """A process that started on the full queue."""


def memory(folder: Path, pem: Path, messages: int) -> Memory:
    """Fill a queue through the door with messages that are due years from now, then start another bridge on it."""
    with peers.bridge(folder, pem, "http://127.0.0.1:9") as peer:
        load = hand_in(peer, KEPT, Numbers(), messages // PHONES, recipients=PHONES)
        filling = _peak(peer.pid)
    with peers.bridge(folder, pem, "http://127.0.0.1:9") as peer:
        time.sleep(SETTLES)
        restarted = _peak(peer.pid)
    return Memory(load.mails * PHONES, filling, restarted)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How fast messages reached the provider, each in a mail of its own unless the queue was full before."""

    queued: Count
    """Out of a queue in which everything became due at once, while no mail came."""
    mails: float
    """Mails a second that the door took while their messages went out at the same time."""
    passing: Count
    """What the provider got of those."""


def dispatch(folder: Path, pem: Path, messages: int) -> Dispatch:
    """Measure with a provider that answers after `PAUSE` seconds."""
    folder.mkdir()
    numbers = Numbers()
    with peers.slow_gateway(folder, PAUSE) as url, peers.bridge(folder / "queued", pem, url) as peer:
        # Later than the filling takes, so that the queue is full when its first message is due.
        due = datetime.now(UTC) + timedelta(seconds=10 + messages / 500)
        hand_in(peer, KEPT, numbers, messages // PHONES, recipients=PHONES, send_at=due.isoformat())
        queued = wait(url, messages // PHONES * PHONES)
    with peers.slow_gateway(folder, PAUSE) as url, peers.bridge(folder / "passing", pem, url) as peer:
        load = hand_in(peer, KEPT, numbers, messages, send_at="")
        passing = wait(url, load.mails)
    return Dispatch(queued, load.rate, passing)


def by_smpp(folder: Path, pem: Path, messages: int, *, receipts: bool = False, in_flight: int | None = None) -> Count:
    """How fast a queue in which all became due at once goes out to an SMSC that answers at once.

    With default settings, or with so many in flight and a window of as many. With `receipts` the SMSC says of each
    message that it was delivered, and the last of them has been confirmed when this returns.
    """
    folder.mkdir()
    settings, options = (f"in_flight = {in_flight}\n", {"window": str(in_flight)}) if in_flight else ("", {})
    manner = ("--receipts",) if receipts else ()
    with (
        peers.smsc(folder, *manner) as (url, count_url),
        peers.bridge(folder / "bridge", pem, url, settings=settings, options=options) as peer,
    ):
        due = datetime.now(UTC) + timedelta(seconds=10 + messages / 500)
        hand_in(peer, KEPT, Numbers(), messages // PHONES, recipients=PHONES, send_at=due.isoformat())
        count = messages // PHONES * PHONES
        return wait(count_url, count, receipts=count if receipts else 0)


def through_smpp(folder: Path, pem: Path, messages: int) -> Count:
    """What an SMSC that answers at once gets of mails while they are handed in, with default settings."""
    folder.mkdir()
    with peers.smsc(folder) as (url, count_url), peers.bridge(folder / "bridge", pem, url) as peer:
        load = hand_in(peer, KEPT, Numbers(), messages, send_at="")
        return wait(count_url, load.mails)


def wait(url: str, messages: int, *, receipts: int = 0) -> Count:
    """Wait until a provider has got so many messages, and so many of its receipts were confirmed; what it counted."""
    deadline = time.monotonic() + 120
    while True:
        count = Count(**httpx.get(f"{url}/count").json())
        if count.messages >= messages and count.receipts >= receipts:
            return count
        assert time.monotonic() < deadline, f"{count.messages} of {messages} messages came in two minutes"
        time.sleep(0.2)


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("Linux tells the highest resident memory of a process in /proc")
