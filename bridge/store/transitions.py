"""Changing the state of messages: compare and set, late truth wins, and what it means for the sender's report.

Every change of a message's state goes through `apply`, inside a transaction of the committer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, case, func, or_, select, update

from bridge.errors import Reason
from bridge.store.filings import NOTHING, FilingRules, file_texts, show_states
from bridge.store.tables import messages, submissions
from bridge.types import MAY_BECOME, SETTLED, MessageState, Notify

_TOLD_AS = {
    MessageState.DELIVERED: Notify.SUCCESS,
    MessageState.UNDELIVERED: Notify.FAILURE,
    MessageState.EXPIRED: Notify.FAILURE,
    MessageState.FAILED: Notify.FAILURE,
    MessageState.REFUSED: Notify.FAILURE,
    MessageState.CANCELLED: Notify.FAILURE,
}
"""Under which NOTIFY keyword (RFC 3461 section 4.1) a settled state is told."""

LATE = "late"
"""What stands as the state last reported when the sender was told that a text has not arrived yet."""

_OPEN = frozenset({LATE, MessageState.UNKNOWN})
"""Reports that a final one follows, and that are made once (`delayed`, RFC 3464 section 2.3.3)."""

_DONE = [*SETTLED, MessageState.UNKNOWN]

_TELLING = frozenset(
    {
        MessageState.SENT,
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
        MessageState.CANCELLED,
    }
)
"""What a receipt can tell. One that claims anything else (that a message is queued, say) moves nothing."""

_HANDED_OVER = frozenset(MessageState) - {MessageState.HELD, MessageState.QUEUED}

_WITH_THE_PROVIDER = frozenset({MessageState.SENT, MessageState.UNKNOWN})
"""Whoever wants to cancel a text that is here has to ask the provider."""

_HERE = frozenset({MessageState.HELD, MessageState.QUEUED, MessageState.SENDING})
_OUT = frozenset({MessageState.SENT, MessageState.UNKNOWN, MessageState.DELIVERED, MessageState.UNDELIVERED})
"""A text that goes from the first to the second has left for its phone, as far as anybody knows."""

_SAVED = (
    "state",
    "provider_id",
    "reason",
    "diagnostic",
    "lease_owner",
    "lease_until",
    "report_at",
    "settled_at",
    "due_at",
    "gateway",
    "stand_ins",
)

_IDS: BindParameter[Any] = bindparam("b_ids", expanding=True)

_LOCK = (
    select(
        *(
            messages.c[name]
            for name in ("id", "submission_id", "version", "attempts", "report_on", "reported", "late_at")
        ),
        *(messages.c[name] for name in _SAVED),
    )
    .where(messages.c.id.in_(_IDS))
    .order_by(messages.c.id)
    .with_for_update()
)

_SAVE = (
    update(messages)
    .where(messages.c.id == bindparam("b_id"), messages.c.version == bindparam("b_version"))
    .values({name: bindparam(f"b_{name}") for name in _SAVED} | {"version": messages.c.version + 1})
)


_LOCK_SUBMISSIONS = (
    select(submissions.c.id).where(submissions.c.id.in_(_IDS)).order_by(submissions.c.id).with_for_update()
)

_IS_HANDED_ON = and_(
    messages.c.state == MessageState.SENT, messages.c.report_at.is_not(None), messages.c.reason.is_(None)
)
"""Whether it is to be reported that a text was handed over; one that the network says waits has a reason."""

_IS_DONE = or_(messages.c.state.in_(_DONE), _IS_HANDED_ON)

_OWED = (
    select(
        messages.c.submission_id,
        func.sum(case((_IS_DONE, 0), else_=1)).label("pending"),
        func.min(case((_IS_DONE, messages.c.report_at))).label("first"),
        func.min(case((~_IS_DONE, messages.c.report_at))).label("late"),
        func.max(messages.c.report_at).label("last"),
    )
    .where(messages.c.submission_id.in_(_IDS))
    .group_by(messages.c.submission_id)
)

_OWE = update(submissions).where(submissions.c.id == bindparam("b_id")).values(report_due_at=bindparam("b_due"))


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
    gateways: tuple[str, ...] = ()
    """Who is tried next, and who stands in for him, when that changes."""
    told_after: float = 0.0
    """Seconds to wait before the sender is told; a better truth may come in the meantime."""
    by_person: bool = False
    """A person asked for it, who may also have an `unknown` message sent again."""
    by_provider: bool = False
    """The provider said it, without whose word nothing is cancelled that it has."""
    attempt: int | None = None
    """The try that led to it. Once a later try has begun, what an earlier one came to decides nothing any more."""
    only_from: frozenset[MessageState] | None = None
    """The states it is about, where that is fewer than those that would yield."""
    unheard: bool = False
    """For `sent`: its gateway tells nothing of what it has, so this is the last that is known."""


def heard(
    message_id: str, state: MessageState, at: datetime, reason: Reason | None, diagnostic: str, provider_id: str | None
) -> Change | None:
    """What a delivery receipt changes; None when it tells nothing.

    Of a message that waits to be sent (again), only that the phone has it: whatever else a receipt says is about an
    earlier try.
    """
    if state not in _TELLING:
        return None
    only_from = None if state is MessageState.DELIVERED else _HANDED_OVER
    return Change(message_id, state, at, reason, diagnostic, provider_id or None, by_provider=True, only_from=only_from)


def still_waits(message_id: str, at: datetime, reason: Reason | None, diagnostic: str) -> Change | None:
    """What a receipt changes that says of one segment why its phone does not have it yet; nothing of a message that
    nobody is sure the network has."""
    if reason is None:
        return None
    there = frozenset({MessageState.SENT})
    return Change(message_id, MessageState.SENT, at, reason, diagnostic, by_provider=True, only_from=there)


def apply(
    connection: Connection, changes: Sequence[Change], *, report_wait: float, filing: FilingRules = NOTHING
) -> list[MessageState | None]:
    """Carry out `changes` in order; for each the state it led to, or None where the message did not yield.

    A provider id is kept even when the state does not change; that of a later try replaces that of an earlier one.
    `report_wait` is how many seconds after the first outcome a report may wait for the mail's other recipients;
    `filing` says whose texts are put aside for their folders when they leave, and on whose copies it is shown what
    became of them.
    """
    ids = {"b_ids": list({change.message_id for change in changes})}
    rows = {row.id: dict(row._mapping) for row in connection.execute(_LOCK, ids)}
    results: list[MessageState | None] = []
    changed: dict[str, dict[str, Any]] = {}
    touched: set[str] = set()
    left: list[str] = []
    moved: dict[str, tuple[MessageState, MessageState]] = {}
    for change in changes:
        row = rows.get(change.message_id)
        if row is None:
            results.append(None)
            continue
        yields = _yields(row, change)
        by_try = change.attempt is not None and change.attempt == row["attempts"]
        if change.provider_id and (row["provider_id"] is None or by_try):
            row["provider_id"] = change.provider_id
            changed[change.message_id] = row
        if yields:
            if _leaves(MessageState(row["state"]), change.state):
                left.append(change.message_id)
            began = moved[change.message_id][0] if change.message_id in moved else MessageState(row["state"])
            moved[change.message_id] = (began, change.state)
            row.update(_values(row, change))
            changed[change.message_id] = row
            touched.add(row["submission_id"])
        elif _still_waits(row, change):
            row.update(reason=change.reason, diagnostic=change.diagnostic, report_at=_report_at(row, change))
            changed[change.message_id] = row
            touched.add(row["submission_id"])
        results.append(change.state if yields else None)
    if changed:
        saved = [
            {"b_id": row["id"], "b_version": row["version"]} | {f"b_{name}": row[name] for name in _SAVED}
            for row in changed.values()
        ]
        connection.execute(_SAVE, saved)
    if touched:
        schedule_reports(connection, touched, report_wait)
    file_texts(connection, filing, left)
    show_states(connection, filing, moved)
    return results


def _leaves(present: MessageState, state: MessageState) -> bool:
    if state is MessageState.EXPIRED:  # told by a receipt it was taken before; else it never left
        return present is MessageState.SENDING
    return present in _HERE and state in _OUT


def _yields(row: dict[str, Any], change: Change) -> bool:
    present = MessageState(row["state"])
    if change.attempt is not None and change.attempt != row["attempts"]:
        return False
    if change.only_from is not None and present not in change.only_from:
        return False
    if change.by_person and present is MessageState.UNKNOWN and change.state is MessageState.QUEUED:
        return True
    if change.state is MessageState.CANCELLED and present in _WITH_THE_PROVIDER and not change.by_provider:
        return False
    return change.state in MAY_BECOME[present]


def _values(row: dict[str, Any], change: Change) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": change.state,
        "reason": change.reason,
        "diagnostic": change.diagnostic,
        "lease_owner": None,
        "lease_until": None,
        "report_at": _report_at(row, change),
        "settled_at": change.at if change.state in SETTLED else None,
    }
    if change.due_at is not None:
        values["due_at"] = change.due_at
    if change.gateways:
        values["gateway"], *stand_ins = change.gateways
        if values["gateway"] != row["gateway"]:
            values["provider_id"] = None  # at another provider the same id means another message
        values["stand_ins"] = ",".join(stand_ins)
    return values


def _still_waits(row: dict[str, Any], change: Change) -> bool:
    """Whether a receipt says why a phone does not have yet what its network has."""
    waits = change.by_provider and change.state is MessageState.SENT and change.reason is not None
    return waits and row["state"] == MessageState.SENT


def _report_at(row: dict[str, Any], change: Change) -> datetime | None:
    """From when on the state that a message takes is to be told, if its sender wants to hear of it."""
    told, wanted = row["reported"], row["report_on"].split(",")
    # A final report is the only one of its kind (RFC 3464 section 3).
    if told is not None and told in SETTLED:
        return None
    if change.state in SETTLED:
        # Whoever was told that nobody knows, or that it takes longer, is told how it ended.
        return change.at if told in _OPEN or _TOLD_AS[change.state] in wanted else None
    if told in _OPEN:
        # Where nobody will say how it ended, this is all that its sender can be told.
        return change.at if change.unheard else None
    if change.state is MessageState.UNKNOWN:
        # It may be a failure: who wants to hear of those hears of this too.
        tells = Notify.DELAY in wanted or Notify.FAILURE in wanted
        return change.at + timedelta(seconds=change.told_after) if tells else None
    late_at: datetime | None = row["late_at"]
    if change.state is not MessageState.SENT or change.reason is not None:
        return late_at
    handed_on = Notify.RELAYED in wanted or (change.unheard and Notify.SUCCESS in wanted)
    return change.at if handed_on and told is None else None


def schedule_reports(connection: Connection, submission_ids: Iterable[str], report_wait: float) -> None:
    """Set when the report of each submission is due: at once when all its messages are done or one is late, else a
    little after the first is done."""
    ids = {"b_ids": sorted(submission_ids)}
    # Two nodes that settle two phones of one mail must see each other's, or one overwrites what the other made due.
    connection.execute(_LOCK_SUBMISSIONS, ids)
    dues = []
    for row in connection.execute(_OWED, ids):
        due = row.last
        if row.pending:
            first = row.first + timedelta(seconds=report_wait) if row.first is not None else None
            due = min(filter(None, (first, row.late)), default=None)
        dues.append({"b_id": row.submission_id, "b_due": due})
    connection.execute(_OWE, dues)
