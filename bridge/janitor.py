"""The station that keeps the house: reads mailboxes again, frees the leases of the dead, forgets what ran out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bridge import clock
from bridge.station import Station
from bridge.store.directory import Directory
from bridge.store.leases import Leases
from bridge.store.nodes import Nodes
from bridge.store.outbox import Outbox

log = structlog.get_logger("bridge.janitor")

SWEEP = 30.0
"""Seconds between two looks for leases that ran out."""

CLEAN = 3600.0
"""Seconds between two rounds of forgetting."""


class Janitor(Station):
    """Small regular duties."""

    name = "janitor"
    pause = 1.0
    """Seconds after which a running bridge notices what the command line changed."""

    def __init__(
        self,
        directory: Directory,
        outbox: Outbox,
        leases: Leases,
        *,
        nodes: Nodes | None,
        told_after: float,
        most_queued: int,
        changed: Callable[[], None],
        give_up: Callable[[], Awaitable[None]],
    ) -> None:
        """`nodes` knows the others on the same database; `told_after` is in seconds (see `Change.told_after`);
        from `most_queued` messages on that wait no mail is taken.

        `give_up` files what phones sent in part and waits no longer for the rest; it raises StoreUnavailable.
        """
        super().__init__()
        self._directory = directory
        self._outbox = outbox
        self._leases = leases
        self._nodes = nodes
        self._told_after = told_after
        self._most_queued = most_queued
        self._changed = changed
        self._give_up = give_up
        self._cleaned = self._swept = clock.now()

    async def _round(self) -> int:
        if await self._directory.refresh():
            self._changed()
        now = clock.now()
        if self._nodes is not None:
            await self._bury(self._nodes, now)
        await self._sweep(now)
        if (now - self._cleaned).total_seconds() > CLEAN:
            self._cleaned = now
            await self._outbox.forget(now)
        return 0

    async def _bury(self, nodes: Nodes, now: datetime) -> None:
        """A node that died gives its work to the others at once, not only when its leases run out."""
        dead = await nodes.dead(await self._leases.owners())
        if not dead:
            return
        lost = await self._leases.bury(dead, now, self._told_after)
        log.warning("janitor.node_died", nodes=len(dead), unknown_messages=lost)
        self._changed()

    async def _sweep(self, now: datetime) -> None:
        if (now - self._swept).total_seconds() < SWEEP:
            return
        self._swept = now
        lost = await self._leases.recover(now, all_leases=False, told_after=self._told_after)
        if lost:
            log.warning("janitor.leases_ran_out", unknown_messages=lost)
            self._changed()
        await self._give_up()
        await self._outbox.look(self._most_queued)
        if self._outbox.crowded:
            log.error("janitor.queue_is_full", most=self._most_queued)
