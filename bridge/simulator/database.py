"""One SQLite file under one worker thread; whoever asks at the same time shares one commit. Under the record.

`synchronous=FULL` on a write-ahead log: what `run` returned from is on the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")
_Work = Callable[[sqlite3.Connection], Any]


class Database:
    """The open file. Only one process may have it open."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._schema = schema
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="simulator-database")
        self._waiting: list[tuple[_Work, asyncio.Future[Any]]] = []
        self._draining: asyncio.Task[None] | None = None
        self._db: sqlite3.Connection

    async def open(self) -> None:
        """Open the file; it and its folder are made when they are missing."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connect)

    async def close(self) -> None:
        """Close the file, after all that was asked before."""
        if self._draining is not None:
            await self._draining
        await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._db.close())
        self._thread.shutdown(wait=False)

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """What `work` gives, after its commit. Raises the sqlite3.Error of `work` itself, or of the commit."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="simulator-database")
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            outcomes = await loop.run_in_executor(self._thread, self._carry_out, [work for work, _ in batch])
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if isinstance(outcome, sqlite3.Error):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        self._draining = None

    def _connect(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self._path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(self._schema)

    def _carry_out(self, works: Sequence[_Work]) -> Sequence[Any]:
        """The results of `works` in one transaction; an error stands in the place of the result it prevented."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [self._one(work) for work in works]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            return [error] * len(works)
        return outcomes

    def _one(self, work: _Work) -> Any:
        self._db.execute("SAVEPOINT one")
        try:
            outcome = work(self._db)
        except sqlite3.Error as error:
            self._db.execute("ROLLBACK TO one")
            outcome = error
        self._db.execute("RELEASE one")
        return outcome
