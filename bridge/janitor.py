"""The station that keeps the house: reads changed mailboxes again and forgets fingerprints that have run out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from bridge import clock
from bridge.errors import StoreUnavailable
from bridge.store.directory import Directory
from bridge.store.mails import Mails
from bridge.store.nodes import Nodes
from bridge.store.outbox import Outbox
from bridge.store.queue import Queue

log = structlog.get_logger("bridge.janitor")

READ_AGAIN = 1.0
"""Seconds after which a running bridge notices what the command line changed."""

CLEAN = 3600.0
"""Seconds between two rounds of forgetting."""


class Janitor:
    """Small regular duties."""

    def __init__(
        self,
        directory: Directory,
        outbox: Outbox,
        queue: Queue,
        mails: Mails,
        *,
        nodes: Nodes | None,
        told_after: float,
        changed: Callable[[], None],
    ) -> None:
        """`nodes` knows the others on the same database; `told_after` is in seconds (see `Change.told_after`)."""
        self._directory = directory
        self._outbox = outbox
        self._queue = queue
        self._mails = mails
        self._nodes = nodes
        self._told_after = told_after
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
                if self._nodes is not None:
                    await self._bury(self._nodes, now)
                if (now - self._cleaned).total_seconds() > CLEAN:
                    self._cleaned = now
                    await self._outbox.forget(now)
            except StoreUnavailable as error:
                log.warning("janitor.store_unavailable", detail=error.detail)
            await self._alarm.sleep(None, READ_AGAIN)

    async def _bury(self, nodes: Nodes, now: datetime) -> None:
        """A node that died gives its work to the others at once, not only when its leases run out."""
        holders = await self._queue.owners() | await self._mails.owners()
        dead = await nodes.dead(holders)
        if not dead:
            return
        lost = await self._queue.bury(dead, now, self._told_after)
        await self._mails.bury(dead)
        log.warning("janitor.node_died", nodes=len(dead), unknown_messages=lost)
        self._changed()

    def stop(self) -> None:
        """End after the present round."""
        self._stopping = True
        self._alarm.ring()
