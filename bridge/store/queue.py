"""The queue that the message rows are: what is due is claimed and sent (`claims`), and what came of it settled here.

When a lease runs out, a `queued` row is claimable again and a `sending` row becomes `unknown`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.store import arrivals, claims, paces, segments, transitions
from bridge.store.claims import Claim, Claimed, Release, Start
from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.filings import NOTHING, FilingRules
from bridge.store.tables import QUEUED, UNKNOWN, attempts, messages
from bridge.types import MessageState, Outcome


@dataclass(frozen=True, slots=True)
class Finish:
    """What a try came to, and the change of state that follows from it."""

    attempt: int
    outcome: Outcome
    change: transitions.Change
    hold: paces.Hold | None = None
    """Its gateway asked all messages to wait."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A message whose outcome is unknown."""

    message_id: str
    gateway: str
    provider_id: str | None
    number: str
    """The phone, E.164."""
    attempt: int
    """The try that is in doubt, the last one."""
    taken_at: datetime


_DONE = (
    update(attempts)
    .where(attempts.c.message_id == bindparam("b_message"), attempts.c.number == bindparam("b_number"))
    .values(
        finished_at=bindparam("b_at"),
        outcome=bindparam("b_outcome"),
        diagnostic=bindparam("b_diagnostic"),
        price=bindparam("b_price"),
        price_unit=bindparam("b_price_unit"),
    )
)


_NEXT = select(
    select(func.min(messages.c.due_at))
    .where(messages.c.state == QUEUED, messages.c.due_at > bindparam("b_after"))
    .scalar_subquery(),
    paces.next_free(bindparam("b_slot")),
)


class Queue:
    """The way out of the table of messages. Every method raises StoreUnavailable."""

    def __init__(
        self, engine: AsyncEngine, committer: Committer, report_wait: float, filing: FilingRules = NOTHING
    ) -> None:
        self._engine = engine
        self._committer = committer
        self._report_wait = report_wait
        self._filing = filing

    async def claim(self, claim: Claim) -> list[Claimed]:
        """Lease messages that are due; none of them belongs to a paused mailbox."""
        return await self._committer.do(claims.claim, claim)

    async def start(self, start: Start) -> int | None:
        """Commit that a message is on its way; the number of this try.

        None when it may not leave: its lease is over, a receipt or a person came first, or the phone has opted out.
        """
        return await self._committer.do(claims.start, start)

    async def release(self, release: Release) -> None:
        """Commit that a claimed message waits again."""
        await self._committer.do(claims.release, release)

    async def finish(self, finish: Finish) -> MessageState | None:
        """Commit what a try came to; None when a receipt knew better before."""
        return await self._committer.do(self._finish, finish)

    async def change(self, change: transitions.Change) -> MessageState | None:
        """Commit a change that no try led to; None when the message did not yield to it."""
        return await self._committer.do(self._change, change, wakes=True)

    async def doubts(
        self, gateways: Collection[str], since: datetime, after: Doubtful | None = None, limit: int = 1000
    ) -> list[Doubtful]:
        """Messages of these gateways whose outcome is unknown, taken after `since`, oldest first.

        A page of `limit`; the next one begins `after` the last of it.
        """
        taken = messages.c.created_at
        query = (
            select(
                messages.c.id, messages.c.gateway, messages.c.provider_id, messages.c.number, messages.c.attempts, taken
            )
            .where(messages.c.state == UNKNOWN, messages.c.gateway.in_(gateways), taken > since)
            .order_by(taken, messages.c.id)
            .limit(limit)
        )
        if after is not None:
            behind = or_(taken > after.taken_at, messages.c.id > after.message_id)
            query = query.where(taken >= after.taken_at, behind)
        async with reading(self._engine) as connection:
            return [Doubtful(*row) for row in await connection.execute(query)]

    async def next_due(self, after: datetime) -> datetime | None:
        """When there may be something to claim again, if a claim at the moment `after` found nothing."""
        async with reading(self._engine) as connection:
            due, free = (await connection.execute(_NEXT, {"b_after": after, "b_slot": after + paces.AHEAD})).one()
        # Half of the time ahead is left to pass, so that the next claim is for more than one slot.
        moments = [due, free - paces.AHEAD / 2 if free is not None else None]
        return min((moment for moment in moments if moment is not None), default=None)

    def _change(self, connection: Connection, changes: Sequence[transitions.Change]) -> list[MessageState | None]:
        results = transitions.apply(connection, changes, report_wait=self._report_wait, filing=self._filing)
        waiting = arrivals.waiting(connection, {change.message_id for change in changes if change.provider_id})
        if waiting:
            transitions.apply(connection, waiting, report_wait=self._report_wait, filing=self._filing)
        return results

    def _finish(self, connection: Connection, finishes: Sequence[Finish]) -> list[MessageState | None]:
        rows = [
            {
                "b_message": finish.change.message_id,
                "b_number": finish.attempt,
                "b_at": finish.change.at,
                "b_outcome": finish.outcome.kind,
                "b_diagnostic": finish.outcome.diagnostic,
                "b_price": finish.outcome.price.digits if finish.outcome.price is not None else None,
                "b_price_unit": finish.outcome.price.unit if finish.outcome.price is not None else None,
            }
            for finish in finishes
        ]
        connection.execute(_DONE, rows)
        holds = [finish.hold for finish in finishes if finish.hold is not None]
        if holds:
            paces.hold(connection, holds)
        changes = [finish.change for finish in finishes]
        results = transitions.apply(connection, changes, report_wait=self._report_wait, filing=self._filing)
        cut = {
            finish.change.message_id: finish.outcome.segment_ids
            for finish, state in zip(finishes, results, strict=True)
            if finish.outcome.segment_ids and state is not None
        }
        named = {change.message_id for change in changes if change.provider_id}
        waiting = arrivals.waiting(connection, named - cut.keys())
        again = [
            finish.change.message_id
            for finish, state in zip(finishes, results, strict=True)
            if finish.attempt > 1 and state not in (None, MessageState.QUEUED)
        ]
        if again:
            segments.forget(connection, again)
        if cut:
            segments.begin(connection, cut)
            waiting += segments.waiting(connection, list(cut))
        if waiting:
            transitions.apply(connection, waiting, report_wait=self._report_wait, filing=self._filing)
        return results
