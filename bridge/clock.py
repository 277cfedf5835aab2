"""Time and chance, at the edge of every road: the only module that asks the machine for either."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_BASE_32 = str.maketrans(_CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]

_EPOCH = datetime.fromtimestamp(0, UTC)

_counting = threading.Lock()
_last_id = 0


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A new 26-character id (ULID, lower case): 48 bits of milliseconds, 80 bits of chance.

    Ids of one process sort in the order in which they were made.
    """
    global _last_id
    with _counting:
        number = _last_id = max(_last_id + 1, (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80))
    return _written(number)


def new_id_behind(other: str) -> str:
    """A new id that sorts behind another one, also where the clock of whoever made that is ahead of ours."""
    own = new_id()
    return own if own > other else _written(int(other.translate(_BASE_32), 32) + 1 + secrets.randbits(64))


def first_id(moment: datetime) -> str:
    """The lowest of the ids that are made from `moment` on."""
    return _written((moment - _EPOCH) // timedelta(milliseconds=1) << 80)


def _written(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def jitter(seconds: float) -> float:
    """`seconds` stretched or shrunk by at most a fifth, so that retries of many messages do not march in step."""
    return seconds * (0.8 + 0.4 * secrets.randbelow(1001) / 1000)


class Alarm:
    """What a station of the road sleeps on: it wakes when somebody rings, or when its next work is due."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the sleeper, or keep it from falling asleep once."""
        self._event.set()

    async def sleep(self, until: datetime | None, at_most: float) -> None:
        """Sleep until somebody rings, `until` comes, or `at_most` seconds are over."""
        seconds = at_most if until is None else min(at_most, max(0.0, (until - now()).total_seconds()))
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()
