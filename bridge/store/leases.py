"""The leases of the dead: what a process that is no more had claimed, given back to those who live.

A claimed row that never left is simply free again. A message that was `sending` may have reached the phone: nobody can
say, so it becomes `unknown`. Our own mails are delivered at least once, and may go again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, true, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.errors import Reason
from bridge.store import transitions
from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.filings import NOTHING, FilingRules
from bridge.store.tables import QUEUED, SENDING, mails, messages
from bridge.types import MessageState

_CHUNK = 1000
"""Messages that change state in one statement; databases limit the values of one."""


class Leases:
    """Finds and frees what the dead hold."""

    def __init__(
        self, engine: AsyncEngine, committer: Committer, report_wait: float, filing: FilingRules = NOTHING
    ) -> None:
        self._engine = engine
        self._committer = committer
        self._report_wait = report_wait
        self._filing = filing

    async def recover(self, now: datetime, *, all_leases: bool, told_after: float) -> int:
        """Make `unknown` of every message whose sender died while it was on its way; how many there were.

        Without `all_leases` the dead are those whose lease has run out; with it, everybody: on SQLite a bridge that
        starts is the only one. `told_after` is in seconds (see `Change.told_after`).
        """
        return await self._committer.do(self._recover, (now, all_leases, told_after))

    async def owners(self) -> set[str]:
        """The nodes that hold leases."""
        held = select(messages.c.lease_owner).where(
            messages.c.state.in_([QUEUED, SENDING]), messages.c.lease_owner.is_not(None)
        )
        held_mails = select(mails.c.lease_owner).where(mails.c.state == QUEUED, mails.c.lease_owner.is_not(None))
        async with reading(self._engine) as connection:
            return set((await connection.execute(held.union(held_mails))).scalars())

    async def bury(self, owners: Collection[str], now: datetime, told_after: float) -> int:
        """Give back what nodes held that died; how many messages became `unknown` by it."""
        return await self._committer.do(self._bury, (owners, now, told_after), wakes=True)

    def _recover(self, connection: Connection, requests: Sequence[tuple[datetime, bool, float]]) -> list[int]:
        results = []
        for now, all_leases, told_after in requests:
            if all_leases:
                _free(connection, messages.c.lease_until.is_not(None), mails.c.lease_until.is_not(None))
            gone = true() if all_leases else messages.c.lease_until < now
            results.append(self._lose(connection, gone, now, told_after))
        return results

    def _bury(self, connection: Connection, requests: Sequence[tuple[Collection[str], datetime, float]]) -> list[int]:
        results = []
        for owners, now, told_after in requests:
            held = messages.c.lease_owner.in_(owners)
            _free(connection, held, mails.c.lease_owner.in_(owners))
            results.append(self._lose(connection, held, now, told_after))
        return results

    def _lose(self, connection: Connection, gone: ColumnElement[bool], now: datetime, told_after: float) -> int:
        lost = select(messages.c.id).where(messages.c.state == SENDING, gone)
        changes = [
            transitions.Change(message_id, MessageState.UNKNOWN, now, reason=Reason.NO_ANSWER, told_after=told_after)
            for message_id in (connection.execute(lost)).scalars()
        ]
        for first in range(0, len(changes), _CHUNK):
            transitions.apply(
                connection, changes[first : first + _CHUNK], report_wait=self._report_wait, filing=self._filing
            )
        return len(changes)


def _free(connection: Connection, held: ColumnElement[bool], held_mails: ColumnElement[bool]) -> None:
    nobody = {"lease_owner": None, "lease_until": None}
    connection.execute(update(messages).where(messages.c.state == QUEUED, held).values(nobody))
    connection.execute(update(mails).where(mails.c.state == QUEUED, held_mails).values(nobody))
