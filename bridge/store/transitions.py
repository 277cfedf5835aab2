"""Changing the state of messages: compare and set, late truth wins, and what it means for the sender's report.

Every change of a message's state goes through `apply`, inside a transaction of the committer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.errors import Reason
from bridge.store.tables import messages, submissions
from bridge.types import MAY_BECOME, SETTLED, MessageState, Notify

_TOLD_AS = {
    MessageState.DELIVERED: Notify.SUCCESS,
    MessageState.UNDELIVERED: Notify.FAILURE,
    MessageState.EXPIRED: Notify.FAILURE,
    MessageState.FAILED: Notify.FAILURE,
    MessageState.REFUSED: Notify.FAILURE,
    MessageState.CANCELLED: Notify.FAILURE,
    MessageState.UNKNOWN: Notify.DELAY,
}
"""Under which NOTIFY keyword (RFC 3461 section 4.1) a state is told."""

_DONE = [*SETTLED, MessageState.UNKNOWN]


@dataclass(frozen=True, slots=True)
class Change:
    """A message is to take another state, if its present one yields to it."""

    message_id: str
    state: MessageState
    at: datetime
    reason: Reason | None = None
    diagnostic: str = ""
    provider_id: str | None = None
    due_at: datetime | None = None
    """When it is to be tried again, for `queued`."""
    told_after: float = 0.0
    """Seconds to wait before the sender is told; a better truth may come in the meantime."""
    by_person: bool = False
    """A person asked for it, who may also have an `unknown` message sent again."""


async def apply(
    connection: AsyncConnection, changes: Sequence[Change], *, report_wait: float
) -> list[MessageState | None]:
    """Carry out `changes` in order; for each the state it led to, or None where the message did not yield.

    A provider id is kept even when the state does not change. `report_wait` is how many seconds after the first
    outcome a report may wait for the mail's other recipients.
    """
    ids = list({change.message_id for change in changes})
    query = select(
        messages.c.id,
        messages.c.submission_id,
        messages.c.state,
        messages.c.version,
        messages.c.provider_id,
        messages.c.report_on,
        messages.c.reported,
    ).where(messages.c.id.in_(ids))
    rows = {row.id: dict(row._mapping) for row in await connection.execute(query.with_for_update())}
    results: list[MessageState | None] = []
    updates: dict[str, dict[str, Any]] = {}
    touched: set[str] = set()
    for change in changes:
        row = rows.get(change.message_id)
        if row is None:
            results.append(None)
            continue
        values = updates.setdefault(change.message_id, {})
        if change.provider_id is not None and row["provider_id"] is None:
            values["provider_id"] = row["provider_id"] = change.provider_id
        if not _yields(MessageState(row["state"]), change):
            results.append(None)
            continue
        row["state"] = change.state
        values.update(_values(row, change))
        touched.add(row["submission_id"])
        results.append(change.state)
    for message_id, values in updates.items():
        if values:
            values.setdefault("version", rows[message_id]["version"] + 1)
            await connection.execute(
                update(messages)
                .where(messages.c.id == message_id, messages.c.version == rows[message_id]["version"])
                .values(values)
            )
    if touched:
        await schedule_reports(connection, touched, report_wait)
    return results


def _yields(present: MessageState, change: Change) -> bool:
    if change.by_person and present is MessageState.UNKNOWN and change.state is MessageState.QUEUED:
        return True
    return change.state in MAY_BECOME[present]


def _values(row: dict[str, Any], change: Change) -> dict[str, Any]:
    wanted = _TOLD_AS.get(change.state) in row["report_on"].split(",")
    # Whoever was told that nobody knows is told the truth when it comes; a final report is the only one of its kind
    # (RFC 3464 section 2.3.3).
    owed = row["reported"] == MessageState.UNKNOWN and change.state in SETTLED
    told_finally = row["reported"] is not None and row["reported"] in SETTLED
    tells = (wanted or owed) and not told_finally
    values: dict[str, Any] = {
        "state": change.state,
        "reason": change.reason,
        "diagnostic": change.diagnostic,
        "lease_owner": None,
        "lease_until": None,
        "report_at": change.at + timedelta(seconds=change.told_after) if tells else None,
        "settled_at": change.at if change.state in SETTLED else None,
    }
    if change.due_at is not None:
        values["due_at"] = change.due_at
    return values


async def schedule_reports(connection: AsyncConnection, submission_ids: Iterable[str], report_wait: float) -> None:
    """Set when the report of each submission is due: at once when all its messages are done, else a little later."""
    pending = func.sum(case((messages.c.state.in_(_DONE), 0), else_=1))
    query = (
        select(
            messages.c.submission_id,
            pending.label("pending"),
            func.min(messages.c.report_at).label("first"),
            func.max(messages.c.report_at).label("last"),
        )
        .where(messages.c.submission_id.in_(list(submission_ids)))
        .group_by(messages.c.submission_id)
    )
    dues = []
    for row in await connection.execute(query):
        due = row.last
        if row.pending and row.first is not None:
            due = row.first + timedelta(seconds=report_wait)
        dues.append({"b_id": row.submission_id, "b_due": due})
    statement = update(submissions).where(submissions.c.id == bindparam("b_id"))
    await connection.execute(statement.values(report_due_at=bindparam("b_due")), dues)
