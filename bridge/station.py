"""A station of the road: it works in rounds, and sleeps between them until there is something to do.

What stations have in common stands here; each adds its round and says when its next work is due.
"""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import structlog

from bridge import clock
from bridge.errors import StoreUnavailable

log = structlog.get_logger("bridge.station")

AWAY = 1.0
"""Seconds between two tries to write into a database that is away."""

R = TypeVar("R")


class Station(abc.ABC):
    """Works until it is stopped. While the database is away it waits and tries again."""

    name: str
    """What the log calls it."""

    pause = 5.0
    """Seconds after which an idle station looks for work that nobody rang for: another process may have left it."""

    def __init__(self) -> None:
        self._alarm = clock.Alarm()
        self._stopping = False

    def ring(self) -> None:
        """There may be something to do."""
        self._alarm.ring()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._alarm.ring()

    async def run(self) -> None:
        """Work until `stop` is called."""
        while not self._stopping:
            found, due = 0, None
            try:
                found = await self._round()
                if not found:
                    due = await self._next_due()
            except StoreUnavailable as error:
                log.warning("station.store_unavailable", station=self.name, detail=error.detail)
            if not found:
                await self._alarm.sleep(due, self.pause)

    @abc.abstractmethod
    async def _round(self) -> int:
        """Do what is due; how much that was, and whether to go on at once. Raises StoreUnavailable."""

    async def _next_due(self) -> datetime | None:
        """When there will be work again, as far as is known now. Raises StoreUnavailable."""
        return None


async def insist(write: Callable[[], Awaitable[R]], event: str, *, stopping: Callable[[], bool], **what: str) -> R:
    """Try to write until the database takes it: what is written is known only here. The log says `event` meanwhile.

    Raises StoreUnavailable once the bridge stops: the row's lease decides then, as after a crash.
    """
    while True:
        try:
            return await write()
        except StoreUnavailable as error:
            if stopping():
                raise
            log.warning(event, detail=error.detail, **what)
            await asyncio.sleep(clock.jitter(AWAY))


async def answer_of(question: Awaitable[R], otherwise: Callable[[str], R], *, within: float, **what: str) -> R:
    """What a gateway answers `within` seconds; what `otherwise` makes of the reason, where no answer comes.

    A gateway that breaks over one message is no reason to leave the others: the log says where it broke.
    """
    try:
        async with asyncio.timeout(within):
            return await question
    except TimeoutError:
        return otherwise("no answer in time")
    except Exception as error:
        log.exception("gateway.failed", **what)
        return otherwise(type(error).__name__)
