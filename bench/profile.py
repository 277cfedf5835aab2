"""Where the microseconds of a mail go in the bridge, sampled while clients hand in mails.

`python -m bench.profile [--kept] [--tls --login] [--mails N]` prints the processor time of a mail: by what the serving
thread was doing for which room of the bridge, by package, and by function. Time in C is its Python caller's. While
the serving thread waits, the time is that of the threads in which SQLite works.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import peers
from bench.door import Numbers, Way, hand_in

SHOWN = 25

SQLITE = "the threads in which SQLite works"

Samples = list[tuple[list[str], int]]
"""Frames, innermost first, each `file:function`; and how often they were seen."""


def main(arguments: Sequence[str]) -> None:
    """Run the clients once and print the profile, with all times divided by the number of mails."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--mails", type=int, default=4000)
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--login", action="store_true")
    chosen = parser.parse_args(arguments)
    options = tuple(f"--{name}" for name in ("kept", "tls", "login") if getattr(chosen, name))
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        folder = Path(name)
        file = folder / "profile"
        command = (sys.executable, "-m", "bench.profiled", str(file), "--config")
        way, numbers = Way("", options, chosen.tls, 1.0), Numbers()
        with peers.bridge(folder / "bridge", peers.certificate(folder), "http://127.0.0.1:9", command) as peer:
            hand_in(peer, way, numbers, max(20, chosen.mails // 10))
            used = peers.processor_time(peer.pid)
            os.kill(peer.pid, signal.SIGUSR1)
            load = hand_in(peer, way, numbers, chosen.mails)
            os.kill(peer.pid, signal.SIGUSR2)
            used = peers.processor_time(peer.pid) - used
        samples: Samples = json.loads(file.read_text())
    cost = used / load.mails * 1e6
    share = cost / sum(count for _, count in samples)
    print(f"{cost:.0f} µs of processor time a mail, {load.rate:.0f} mails/s")
    _show("for which room (the innermost frame of the bridge)", share, ((_room(s), n) for s, n in samples))
    _show("in which package (the innermost frame)", share, ((_package(s[0]), n) for s, n in samples))
    _show("in which function (the innermost frame)", share, ((_place(s[0]), n) for s, n in samples))
    stations = ((place, n) for s, n in samples for place in set(map(_place, s)) if place.startswith("bridge/"))
    _show("in a function of the bridge and all it calls", share, stations)


def _show(title: str, share: float, seen: Iterable[tuple[str, int]]) -> None:
    counts: Counter[str] = Counter()
    for what, count in seen:
        counts[what] += count
    print(f"\n{title}")
    for what, count in counts.most_common(SHOWN):
        print(f"{count * share:8.0f} µs  {what}")


def _room(frames: Sequence[str]) -> str:
    places = [_place(frame) for frame in frames]
    if _idle(frames[0]):
        return SQLITE
    for place in places:
        if place.startswith("bridge/") and not place.startswith("bridge/cli/"):
            return place.partition(":")[0]
    # A greenlet has a stack of its own: who gave SQLAlchemy the statement cannot be seen from inside.
    return "SQLAlchemy, while it executes" if places[-1].startswith("sqlalchemy/") else "the event loop"


def _package(frame: str) -> str:
    return SQLITE if _idle(frame) else _place(frame).partition("/")[0].partition(":")[0]


def _idle(frame: str) -> bool:
    return frame.endswith("selectors.py:EpollSelector.select")


def _place(frame: str) -> str:
    """The path from the package on: `sqlalchemy/sql/compiler.py:…`, `bridge/parser.py:…`, `asyncio/events.py:…`."""
    for root in sorted(filter(None, [*sys.path, str(Path.cwd())]), key=len, reverse=True):
        if frame.startswith(root + "/"):
            return frame.removeprefix(root + "/")
    return frame


if __name__ == "__main__":
    main(sys.argv[1:])
