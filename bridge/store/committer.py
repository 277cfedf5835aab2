"""Group commit: many small pieces of work, one transaction, one wait for the disk.

Whoever wants something written hands over a function that does the work for a whole batch, and his own piece of
it. While one transaction is being committed the next batch gathers; all pieces for the same function are done by
one call of it. If a batch fails, its pieces are done one by one in transactions of their own, so that a piece that
cannot be done does not fail its neighbours. A function may therefore be called again for the same piece: what it
did in the failed transaction is undone, and it keeps nothing in memory. If the database takes nothing at all,
everybody is told at once instead: one by one, each would wait for the same lock in turn.

Nodes that share a database must take their locks in one order, or two of them wait for each other: messages that are
there; what a mailbox has used; its conversations; blocks; the revision of the directory. Mails are taken with their
rows in that order, and after all else that is done in a transaction (`last`). What a phone sends locks the same for one
mailbox after the other, as each is found, so where other nodes write too each SMS has a transaction of its own.

What is done `apart` goes through a lane of its own beside the other: PostgreSQL carries both out at once, SQLite in
turn. A mail waits for one transaction of the other lane at the most, however much has come from phones.

A piece that was handed over is carried out even if nobody waits for it any more: a client that hangs up after the
final dot does not undo the commit of its mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from bridge.errors import StoreUnavailable
from bridge.store.engine import is_fault, is_gone
from bridge.store.writer import LoopWriter, ThreadWriter

P = TypeVar("P")
R = TypeVar("R")

Work = Callable[[Connection, Sequence[P]], Sequence[R]]
"""Does a batch in the transaction it is given: one result for each payload, in order."""

CHANNEL = "bridge"
"""On which the nodes of a PostgreSQL database wake each other (LISTEN and NOTIFY)."""

MAX_BATCH = 500
"""What the pieces of one transaction weigh at the most, if it holds more than one."""

GATHER = 0.02
"""Seconds that a batch is kept open for those who shared the one before it; who writes alone never waits."""

ENOUGH = 0.75
"""Share of those who shared the last transaction that the next one waits for. Of clients that send one mail after the
other nearly all come back; of mails that come as they please fewer do, and to wait for all would cost each `GATHER`."""

FEW = 10
"""Pieces of one transaction that are done apart where nobody else writes: it shall be over soon."""


@dataclass(slots=True)
class _Piece:
    work: Work[Any, Any]
    payload: Any
    done: asyncio.Future[Any]
    wakes: bool
    weight: int
    last: bool


class Committer:
    """The writer of this process: two lanes, each with one transaction at a time."""

    def __init__(self, writer: LoopWriter | ThreadWriter, node: str) -> None:
        """`node` is this process's name among those that share a database."""
        self._shared = _Lane(writer, node, MAX_BATCH)
        self._apart = _Lane(writer, node, FEW if writer.alone else 1)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to commit; needs a running loop."""
        self._tasks = {
            asyncio.create_task(self._shared.run(), name="committer"),
            asyncio.create_task(self._apart.run(), name="committer apart"),
        }

    async def close(self) -> None:
        """Commit what is waiting, then stop; work handed over later is refused."""
        for lane in (self._shared, self._apart):
            lane.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def do(
        self,
        work: Work[P, R],
        payload: P,
        *,
        wakes: bool = False,
        weight: int = 1,
        apart: bool = False,
        last: bool = False,
    ) -> R:
        """Have `payload` done by `work` and committed. Raises StoreUnavailable when the database does not take it.

        With `wakes`, the other nodes of a PostgreSQL database are told that there is something to do. `weight` is how
        many messages it is about, so that no transaction keeps all others waiting for long. With `apart`, the piece
        goes through the lane of its own; with `last` it is done after the others of its transaction.
        """
        piece = _Piece(work, payload, asyncio.get_running_loop().create_future(), wakes, weight, last)
        (self._apart if apart else self._shared).add(piece)
        result: R = await piece.done
        return result


class _Lane:
    """Pieces of work on their way into one transaction after the other."""

    def __init__(self, writer: LoopWriter | ThreadWriter, node: str, most: int) -> None:
        """`most` is what the pieces of one transaction weigh at the most, if it holds more than one."""
        self._writer = writer
        self._node = node
        self._most = most
        self._waiting: list[_Piece] = []
        self._held: list[_Piece] = []
        self._wake = asyncio.Event()
        self._expected = 0
        self._enough = asyncio.Event()
        self._closed = False

    def add(self, piece: _Piece) -> None:
        """Raises StoreUnavailable once it is closed."""
        if self._closed:
            raise StoreUnavailable("The bridge is stopping.")
        self._waiting.append(piece)
        self._wake.set()
        if len(self._waiting) >= self._expected:
            self._enough.set()

    def close(self) -> None:
        """Take nothing more, and end when nothing waits."""
        self._closed = True
        self._wake.set()
        self._enough.set()

    async def run(self) -> None:
        """Commit until it is closed."""
        try:
            while self._waiting or not self._closed:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._gather()
                    count = self._next_batch()
                    self._held, self._waiting = self._waiting[:count], self._waiting[count:]
                    await self._commit(self._held)
                    self._expected = int(min(len(self._held) + len(self._waiting), self._most) * ENOUGH)
        finally:
            # Whatever ended the writer: nobody may wait for it for ever, and nobody may hand it more.
            self._closed = True
            for piece in (*self._held, *self._waiting):
                _answer(piece, error=StoreUnavailable("The bridge is stopping."))

    def _next_batch(self) -> int:
        """How many of those that wait go into the next transaction."""
        total = 0
        for index, piece in enumerate(self._waiting):
            total += piece.weight
            if index and total > self._most:
                return index
        return len(self._waiting)

    async def _gather(self) -> None:
        """Wait for most of those that were under way last time: a transaction costs the same for one as for twenty.

        Without it those who wait fall into two halves, each of which comes back while the other is being committed.
        """
        if len(self._waiting) >= self._expected or self._closed:
            return
        alarm = asyncio.get_running_loop().call_later(GATHER, self._enough.set)
        self._enough.clear()
        await self._enough.wait()
        alarm.cancel()

    async def _commit(self, batch: list[_Piece], *, tried: bool = False) -> None:
        try:
            results = await self._transaction(batch)
        except Exception as error:  # whatever it is, it goes to those who wait for the piece that caused it
            # A row that another node wrote at the same moment is found at the second look.
            is_last_try = len(batch) == 1 and (tried or not isinstance(error, IntegrityError))
            if is_last_try or is_gone(error):
                for piece in batch:
                    _answer(piece, error=_translated(error))
                return
            for piece in batch:
                await self._commit([piece], tried=len(batch) == 1)
            return
        for piece, result in zip(batch, results, strict=True):
            _answer(piece, result)

    async def _transaction(self, batch: list[_Piece]) -> list[Any]:
        groups: dict[Work[Any, Any], list[int]] = {}
        for index, piece in sorted(enumerate(batch), key=lambda pair: pair[1].last):
            groups.setdefault(piece.work, []).append(index)
        wakes = any(piece.wakes for piece in batch)

        def work_all(connection: Connection) -> list[Any]:
            results: list[Any] = [None] * len(batch)
            for work, indexes in groups.items():
                answers = work(connection, [batch[index].payload for index in indexes])
                for index, answer in zip(indexes, answers, strict=True):
                    results[index] = answer
            if wakes and connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_notify(CHANNEL, self._node)))
            return results

        return await self._writer.carry_out(work_all)


def _answer(piece: _Piece, result: Any = None, error: Exception | None = None) -> None:
    if piece.done.done():  # nobody waits any more
        return
    if error is None:
        piece.done.set_result(result)
    else:
        piece.done.set_exception(error)


def _translated(error: Exception) -> Exception:
    if is_fault(error):
        return error
    unavailable = StoreUnavailable(
        "The database does not take changes at the moment.", detail=f"{type(error).__name__} in the committer"
    )
    unavailable.__cause__ = error
    return unavailable
