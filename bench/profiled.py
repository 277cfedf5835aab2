"""`bridge serve` whose serving thread can be profiled for a while: SIGUSR1 begins, SIGUSR2 ends and writes the file.

`python -m bench.profiled FILE --config CONFIG`; `bench.profile` starts it. The start of the bridge stays out.
"""

from __future__ import annotations

import cProfile
import signal
import sys
from pathlib import Path

from bridge.cli import main


def profiled(file: Path) -> None:
    """Run `bridge serve` with the rest of the command line."""
    profiler = cProfile.Profile()

    def end(*_: object) -> None:
        profiler.disable()
        # Whoever waits for the file must not find half of it.
        part = file.with_suffix(".part")
        profiler.dump_stats(part)
        part.rename(file)

    signal.signal(signal.SIGUSR1, lambda *_: profiler.enable())
    signal.signal(signal.SIGUSR2, end)
    main()


if __name__ == "__main__":
    destination = Path(sys.argv[1])
    sys.argv[:2] = ["bridge", "serve"]
    profiled(destination)
