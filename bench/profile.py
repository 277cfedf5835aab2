"""Where the microseconds of a mail go in the bridge: its serving thread under cProfile while clients hand in mails.

`python -m bench.profile [--kept] [--tls --login] [--mails N]` prints the functions by the time spent in themselves,
then by the time spent in them and in what they call. The profiler makes small functions look dearer than they are.
"""

from __future__ import annotations

import argparse
import os
import pstats
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import peers
from bench.door import Numbers, Way, hand_in

SHOWN = 45


def main(arguments: Sequence[str]) -> None:
    """Run the clients once and print the profile, with all times divided by the number of mails."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--mails", type=int, default=2000)
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
            os.kill(peer.pid, signal.SIGUSR1)
            load = hand_in(peer, way, numbers, chosen.mails)
            os.kill(peer.pid, signal.SIGUSR2)
        _show(file, load.mails)


def _show(file: Path, mails: int) -> None:
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = vars(pstats.Stats(str(file)))["stats"]
    for title, key in (("in itself", 2), ("with what it calls", 3)):
        print(f"µs a mail {title}, calls a mail, function")
        rows = sorted(stats.items(), key=lambda row: -float(row[1][key]))[:SHOWN]  # type: ignore[arg-type]
        for (path, line, function), figures in rows:
            place = "/".join(Path(path).parts[-2:])
            print(f"{float(figures[key]) / mails * 1e6:9.1f} {figures[1] / mails:8.2f}  {place}:{line} {function}")  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1:])
