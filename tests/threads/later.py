"""`python -m tests.threads.later DAYS COMMAND …` is `bridge COMMAND …` so many days from now."""

from __future__ import annotations

import runpy
import sys
from datetime import datetime, timedelta

from bridge import clock


def run() -> None:
    """Set the clock on before anything of the bridge is loaded that may keep hold of it, and begin."""
    ahead, today = timedelta(days=float(sys.argv.pop(1))), clock.now

    def now() -> datetime:
        return today() + ahead

    clock.now = now
    runpy.run_module("bridge", run_name="__main__")


if __name__ == "__main__":
    run()
