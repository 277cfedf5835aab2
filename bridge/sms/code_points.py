"""How the tables of this room are written down: characters that a reader's screen may lack, by their code points."""

from __future__ import annotations

from collections.abc import Iterator


def characters(runs: str) -> Iterator[str]:
    """Each character of `runs`: code points in hexadecimal and runs of them, as in `0B53-0B54 0CF3`."""
    for run in runs.split():
        first, _, last = run.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))
