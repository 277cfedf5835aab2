"""`bridge serve` whose serving thread can be sampled for a while: SIGUSR1 begins, SIGUSR2 ends and writes the file.

`python -m bench.profiled FILE --config CONFIG`; `bench.profile` starts it. Samples are taken by processor time of the
process (ITIMER_PROF, setitimer(2)) and show the Python frames of the serving thread. Unlike cProfile, which makes
small functions look many times dearer than they are, this hardly slows the bridge down.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from bridge.cli import main

INTERVAL = 0.002
"""Seconds of processor time between two samples; the kernel's own tick may make it longer."""


def profiled(file: Path) -> None:
    """Run `bridge serve` with the rest of the command line. The file holds a list of pairs: frames and samples."""
    samples: Counter[tuple[str, ...]] = Counter()

    def sample(_: int, frame: FrameType | None) -> None:
        frames = []
        while frame is not None:
            frames.append(f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}")
            frame = frame.f_back
        samples[tuple(frames)] += 1

    def end(*_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        # Whoever waits for the file must not find half of it.
        part = file.with_suffix(".part")
        part.write_text(json.dumps(list(samples.items())))
        part.rename(file)

    signal.signal(signal.SIGPROF, sample)
    signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL))
    signal.signal(signal.SIGUSR2, end)
    main()


if __name__ == "__main__":
    destination = Path(sys.argv[1])
    sys.argv[:2] = ["bridge", "serve"]
    profiled(destination)
