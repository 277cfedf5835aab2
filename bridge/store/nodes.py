"""Several bridges on one PostgreSQL: how they wake each other, and how they notice that one has died.

Each node keeps one connection of its own. On it the node listens for the others' word that there is work, and holds
an advisory lock with its name: PostgreSQL gives the lock back the moment the node's connection ends, however it ends,
so a lock that can be had belongs to a node that is no more. Nothing depends on it but speed: without the word a poll
finds the work, and without the lock a lease runs out by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import asyncpg
import structlog
from sqlalchemy import make_url

from bridge import clock
from bridge.store.committer import CHANNEL
from bridge.store.turns import lock_key

PATIENCE = 5.0
"""Seconds to wait for a connection or an answer."""

AGAIN = 1.0
"""Seconds between two tries to reach a database that is away."""

_LEADER = "the leading node"
"""A name that no node can have: its advisory lock belongs to the node that leads."""

_TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

log = structlog.get_logger("bridge.nodes")


class Nodes:
    """This node among the others."""

    def __init__(self, url: str, owner: str, rung: Callable[[], None]) -> None:
        """`owner` is the name under which this node holds leases; `rung` is called when another node left work."""
        parts = make_url(url)
        self._dsn = parts.set(drivername="postgresql").render_as_string(hide_password=False)
        self._owner = owner
        self._rung = rung
        self._connection: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()  # the connection answers one question at a time
        self._leads = False
        self._leads_on: asyncpg.Connection | None = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Say that this node lives, and listen; both are taken up again whenever the database was away."""
        await self._connect()
        self._task = asyncio.create_task(self._keep(), name="nodes")

    async def close(self) -> None:
        """Leave: from now on the others count this node as gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._disconnect()

    async def dead(self, owners: Iterable[str]) -> set[str]:
        """Those of `owners` that are no more. While the database is away nobody is called dead."""
        gone = set()
        for owner in owners:
            if owner != self._owner and await self._is_dead(owner):
                gone.add(owner)
        return gone

    async def leads(self) -> bool:
        """Whether this is the one node that does what only one of them should; another takes over when it is gone.

        While the database is away nothing changes: nobody can know more.
        """
        connection = self._connection
        if connection is not None and not (self._leads and self._leads_on is connection):
            try:
                async with self._asking:
                    self._leads = await connection.fetchval(
                        "SELECT pg_try_advisory_lock($1)", lock_key(_LEADER), timeout=PATIENCE
                    )
                    self._leads_on = connection
            except _TROUBLE as error:
                log.warning("nodes.cannot_ask", error=type(error).__name__)
        return self._leads

    async def _is_dead(self, owner: str) -> bool:
        connection = self._connection
        if connection is None:
            return False
        try:
            async with self._asking:
                free = await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_key(owner), timeout=PATIENCE)
                if not free:
                    return False
                await connection.execute(f"SELECT pg_advisory_unlock({lock_key(owner)})", timeout=PATIENCE)
        except _TROUBLE as error:
            log.warning("nodes.cannot_ask", error=type(error).__name__)
            return False
        return True

    async def _keep(self) -> None:
        while True:
            await self._lost.wait()
            await self._disconnect()
            try:
                await self._connect()
            except _TROUBLE as error:
                log.warning("nodes.away", error=type(error).__name__)
                await asyncio.sleep(clock.jitter(AGAIN))
            else:
                log.info("nodes.back")
                self._rung()

    async def _connect(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=PATIENCE, command_timeout=PATIENCE)
        self._connection = connection
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        await connection.execute(f"SELECT pg_advisory_lock({lock_key(self._owner)})")
        await connection.add_listener(CHANNEL, self._hear)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _hear(self, connection: object, pid: int, channel: str, owner: object) -> None:
        if owner != self._owner:
            self._rung()
