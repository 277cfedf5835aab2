"""The queue that the message rows are: claiming what is due, marking what is on its way, settling what came of it.

Leases: a claimed row is still `queued`, with a lease; a row becomes `sending` in a commit of its own just before the
first byte leaves. When a lease runs out, a `queued` row is claimable again and a `sending` row becomes `unknown`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import clock
from bridge.errors import Reason
from bridge.store import transitions
from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.filings import NOTHING, FilingRules
from bridge.store.tables import QUEUED, attempts, mailboxes, message_contents, messages, opt_outs, receipts
from bridge.types import Encoding, MessageClass, MessageState, OutboundSms, Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish for work: at most `limit` messages that are due, leased to `owner` until `until`."""

    owner: str
    now: datetime
    until: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message that is ours to send until its lease ends."""

    sms: OutboundSms
    gateway: str
    attempts: int
    """Tries so far."""
    first_tried_at: datetime | None
    """When the present row of tries began; a person who has an unknown message sent again begins another."""
    opted_out_since: datetime | None
    """The phone asked this sender number for no more texts, after the message was taken."""
    due_at: datetime
    """Since when it could leave; before the first try that is when it was taken, or the later time it asked for."""


@dataclass(frozen=True, slots=True)
class Start:
    """A claimed message is about to leave: bytes may be on their way from now on."""

    owner: str
    message_id: str
    gateway: str
    now: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Finish:
    """What a try came to, and the change of state that follows from it."""

    attempt: int
    outcome: Outcome
    change: transitions.Change


_OPTED_OUT = and_(
    opt_outs.c.organisation_id == messages.c.organisation_id,
    opt_outs.c.sender == messages.c.sender,
    opt_outs.c.number_hash == messages.c.number_hash,
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
        return await self._committer.do(_claim, claim)

    async def start(self, start: Start) -> int | None:
        """Commit that a message is on its way; the number of this try.

        None when it may not leave: its lease is over, a receipt or a person came first, or the phone has opted out.
        """
        return await self._committer.do(_start, start)

    async def finish(self, finish: Finish) -> MessageState | None:
        """Commit what a try came to; None when a receipt knew better before."""
        return await self._committer.do(self._finish, finish)

    async def change(self, change: transitions.Change) -> MessageState | None:
        """Commit a change that no try led to; None when the message did not yield to it."""
        return await self._committer.do(self._change, change, wakes=True)

    async def next_due(self, after: datetime) -> datetime | None:
        """When the next queued message that is not due yet will be."""
        query = select(func.min(messages.c.due_at)).where(messages.c.state == QUEUED, messages.c.due_at > after)
        async with reading(self._engine) as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one_or_none()
            return due

    def _change(self, connection: Connection, changes: Sequence[transitions.Change]) -> list[MessageState | None]:
        return transitions.apply(connection, changes, report_wait=self._report_wait, filing=self._filing)

    def _finish(self, connection: Connection, finishes: Sequence[Finish]) -> list[MessageState | None]:
        done = (
            update(attempts)
            .where(attempts.c.message_id == bindparam("b_message"), attempts.c.number == bindparam("b_number"))
            .values(finished_at=bindparam("b_at"), outcome=bindparam("b_outcome"), diagnostic=bindparam("b_diagnostic"))
        )
        rows = [
            {
                "b_message": finish.change.message_id,
                "b_number": finish.attempt,
                "b_at": finish.change.at,
                "b_outcome": finish.outcome.kind,
                "b_diagnostic": finish.outcome.diagnostic,
            }
            for finish in finishes
        ]
        connection.execute(done, rows)
        changes = [finish.change for finish in finishes]
        results = transitions.apply(connection, changes, report_wait=self._report_wait, filing=self._filing)
        waiting = _waiting_receipts(connection, changes)
        if waiting:
            transitions.apply(connection, waiting, report_wait=self._report_wait, filing=self._filing)
        return results


def _waiting_receipts(connection: Connection, changes: Sequence[transitions.Change]) -> list[transitions.Change]:
    """Receipts that came before we knew the provider id of their message, oldest first; they are matched now.

    Providers use their ids again: a receipt that is older than the message is about another one.
    """
    ids = {change.message_id for change in changes if change.provider_id}
    if not ids:
        return []
    query = (
        select(receipts, messages.c.id.label("owner"))
        .select_from(messages)
        .join(
            receipts,
            and_(receipts.c.gateway == messages.c.gateway, receipts.c.provider_id == messages.c.provider_id),
        )
        .where(
            messages.c.id.in_(ids),
            receipts.c.message_id.is_(None),
            receipts.c.received_at >= messages.c.created_at,
        )
        .order_by(receipts.c.id, messages.c.id.desc())
    )
    rows: dict[str, Any] = {}
    for row in connection.execute(query):
        rows.setdefault(row.id, row)
    if not rows:
        return []
    matched = update(receipts).where(receipts.c.id == bindparam("b_id")).values(message_id=bindparam("b_owner"))
    connection.execute(matched, [{"b_id": row.id, "b_owner": row.owner} for row in rows.values()])
    found = (
        transitions.heard(
            row.owner,
            MessageState(row.state),
            row.received_at,
            Reason(row.reason) if row.reason else None,
            row.diagnostic,
            row.provider_id,
        )
        for row in rows.values()
    )
    return [change for change in found if change is not None]


def _claim(connection: Connection, claims: Sequence[Claim]) -> list[list[Claimed]]:
    return [_claim_one(connection, claim) for claim in claims]


def _claim_one(connection: Connection, claim: Claim) -> list[Claimed]:
    free = or_(messages.c.lease_until.is_(None), messages.c.lease_until < claim.now)
    due = (
        select(messages.c.id)
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .where(
            messages.c.state == QUEUED,
            messages.c.due_at <= claim.now,
            free,
            mailboxes.c.paused.is_(False),
        )
        .order_by(messages.c.due_at)
        .limit(claim.limit)
        .with_for_update(skip_locked=True, of=messages)
        .cte("due")  # PostgreSQL may run a plain subquery more than once, and then lease more than the limit
    )
    leased = (
        update(messages)
        .where(messages.c.id.in_(select(due.c.id)))
        .values(lease_owner=claim.owner, lease_until=claim.until, version=messages.c.version + 1)
        .returning(messages.c.id)
    )
    ids = (connection.execute(leased)).scalars().all()
    if not ids:
        return []
    tries, doubts = attempts.alias("tries"), attempts.alias("doubts")
    last_doubt = (
        select(func.max(doubts.c.number))
        .where(
            doubts.c.message_id == messages.c.id,
            or_(doubts.c.outcome.is_(None), doubts.c.outcome == OutcomeKind.UNKNOWN),
        )
        .correlate(messages)
        .scalar_subquery()
    )
    first_tried_at = (
        select(func.min(tries.c.started_at))
        .where(tries.c.message_id == messages.c.id, tries.c.number > func.coalesce(last_doubt, 0))
        .correlate(messages)
        .scalar_subquery()
    )
    query = (
        select(
            messages,
            message_contents.c.text,
            message_contents.c.lengths,
            opt_outs.c.since,
            first_tried_at.label("first_tried_at"),
        )
        .join(message_contents, message_contents.c.message_id == messages.c.id)
        .outerjoin(opt_outs, _OPTED_OUT)
        .where(messages.c.id.in_(ids))
        .order_by(messages.c.due_at, messages.c.id)
    )
    return [_claimed(row) for row in connection.execute(query)]


def _claimed(row: Any) -> Claimed:
    bounds = accumulate(row.lengths, initial=0)
    sms = OutboundSms(
        reference=row.id,
        number=row.number,
        sender=row.sender,
        text=row.text,
        encoding=Encoding(row.encoding),
        segments=tuple(row.text[start:end] for start, end in pairwise(bounds)),
        message_class=MessageClass(row.message_class),
        expires_at=row.expires_at,
    )
    return Claimed(sms, row.gateway, row.attempts, row.first_tried_at, row.since, row.due_at)


def _start(connection: Connection, starts: Sequence[Start]) -> list[int | None]:
    by_owner: dict[str, dict[str, Start]] = {}
    for start in starts:
        by_owner.setdefault(start.owner, {})[start.message_id] = start
    numbers: dict[tuple[str, str], int] = {}
    for owner, leaving in by_owner.items():
        going = (
            update(messages)
            .where(
                messages.c.id.in_(leaving),
                messages.c.state == MessageState.QUEUED,
                messages.c.lease_owner == owner,
                messages.c.lease_until > max(start.now for start in leaving.values()),
                ~exists().where(_OPTED_OUT),
            )
            .values(
                state=MessageState.SENDING,
                version=messages.c.version + 1,
                attempts=messages.c.attempts + 1,
                lease_until=max(start.until for start in leaving.values()),
            )
            .returning(messages.c.id, messages.c.attempts)
        )
        for row in connection.execute(going):
            numbers[owner, row.id] = row.attempts
    rows = [
        {
            "id": clock.new_id(),
            "message_id": message_id,
            "segment_id": None,
            "number": number,
            "gateway": by_owner[owner][message_id].gateway,
            "started_at": by_owner[owner][message_id].now,
            "finished_at": None,
            "outcome": None,
            "diagnostic": "",
        }
        for (owner, message_id), number in numbers.items()
    ]
    if rows:
        connection.execute(insert(attempts), rows)
    # Whoever asks twice for the same message hears yes once.
    return [numbers.pop((start.owner, start.message_id), None) for start in starts]
