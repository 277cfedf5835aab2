"""The station that keeps the house: reads changed mailboxes again and forgets fingerprints that have run out."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bridge import clock
from bridge.errors import StoreUnavailable
from bridge.store.directory import Directory
from bridge.store.outbox import Outbox

log = structlog.get_logger("bridge.janitor")

READ_AGAIN = 1.0
"""Seconds after which a running bridge notices what the command line changed."""

CLEAN = 3600.0
"""Seconds between two rounds of forgetting."""


class Janitor:
    """Small regular duties."""

    def __init__(self, directory: Directory, outbox: Outbox, *, changed: Callable[[], None]) -> None:
        self._directory = directory
        self._outbox = outbox
        self._changed = changed
        self._alarm = clock.Alarm()
        self._stopping = False
        self._cleaned = clock.now()

    async def run(self) -> None:
        """Keep house until `stop` is called."""
        while not self._stopping:
            try:
                if await self._directory.refresh():
                    self._changed()
                now = clock.now()
                if (now - self._cleaned).total_seconds() > CLEAN:
                    self._cleaned = now
                    await self._outbox.forget(now)
            except StoreUnavailable as error:
                log.warning("janitor.store_unavailable", detail=error.detail)
            await self._alarm.sleep(None, READ_AGAIN)

    def stop(self) -> None:
        """End after the present round."""
        self._stopping = True
        self._alarm.ring()
