"""Where a transaction that writes is carried out: under the committer, beside the readers.

The work of a transaction is a plain function over a connection. On SQLite all of it runs in one thread of its own, so
that thirty statements cost one hop away from the event loop and not thirty. PostgreSQL is spoken to on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.store.engine import WRITES

R = TypeVar("R")


class LoopWriter:
    """Writes over an asynchronous driver (asyncpg)."""

    alone = False
    """Other nodes write at the same time, and transactions wait for each other's locks."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def carry_out(self, work: Callable[[Connection], R]) -> R:
        """Do `work` in a transaction; when this returns, it is committed. What `work` raises undoes it."""
        async with self._engine.connect() as connection:
            await connection.execution_options(**WRITES)
            async with connection.begin():
                return await connection.run_sync(work)

    async def close(self) -> None:
        """Nothing to do: the engine belongs to whoever opened it."""


class ThreadWriter:
    """Writes in one thread, which keeps the one connection of this process that writes (SQLite)."""

    alone = True
    """While it writes, nobody else does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, "writer")

    async def carry_out(self, work: Callable[[Connection], R]) -> R:
        """Do `work` in a transaction; when this returns, it is committed. What `work` raises undoes it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    async def close(self) -> None:
        """Close the connection, once the work that was handed over is done."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()

    def _transaction(self, work: Callable[[Connection], R]) -> R:
        try:
            with self._engine.connect() as connection:
                connection.execution_options(**WRITES)
                with connection.begin():
                    return work(connection)
        except StopIteration as error:  # no future can hold one: whoever waits for it would wait for ever
            raise RuntimeError("the work of a transaction ran out of something") from error
