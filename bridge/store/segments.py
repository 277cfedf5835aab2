"""The segments of long texts, where each has an id and receipts of its own: what they say of the whole text.

A text has arrived when all of its segments have. It has failed as soon as one of them has, since the phone then never
shows it whole; if that segment arrives after all, so has the text. A segment whose id nobody knows never arrives.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from bridge import clock
from bridge.errors import Reason
from bridge.store import transitions
from bridge.store.tables import messages, receipts, segments
from bridge.types import MessageState

_TELLING = frozenset({MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.FAILED})
_LATE = frozenset({MessageState.UNDELIVERED, MessageState.EXPIRED})
"""States of a segment that yield to a late arrival."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a receipt says of the segment with this id."""

    gateway: str
    provider_id: str | None
    state: MessageState


@dataclass(frozen=True, slots=True)
class Meant:
    """What it means for the message the segment belongs to."""

    message_id: str
    state: MessageState | None
    """None: nothing yet."""


def begin(connection: Connection, handed_over: Mapping[str, Sequence[str | None]]) -> None:
    """Write down the ids of the segments of messages that were handed over; those of an earlier try are forgotten."""
    forget(connection, handed_over)
    query = select(messages.c.id, messages.c.gateway).where(messages.c.id.in_(handed_over))
    gateways = {row.id: row.gateway for row in connection.execute(query)}
    rows = [
        {
            "id": clock.new_id(),
            "message_id": message_id,
            "ordinal": ordinal,
            "gateway": gateways[message_id],
            "provider_id": provider_id,
            "state": MessageState.SENT if provider_id else MessageState.UNKNOWN,
            "reason": None,
        }
        for message_id, ids in handed_over.items()
        for ordinal, provider_id in enumerate(ids, 1)
    ]
    connection.execute(insert(segments), rows)


def forget(connection: Connection, message_ids: Collection[str]) -> None:
    """Segments of an earlier try: what becomes of them says nothing of the text as it was sent again."""
    connection.execute(delete(segments).where(segments.c.message_id.in_(message_ids)))


def hear(connection: Connection, said: Sequence[Said]) -> list[Meant | None]:
    """Write down what receipts say, in order; None for one that is about no segment."""
    owners = _owners(connection, said)
    if not owners:
        return [None] * len(said)
    # Two nodes that hear of two segments of one text must see each other's, or neither finds that all have arrived.
    ids = {row.message_id for row in owners.values()}
    connection.execute(select(messages.c.id).where(messages.c.id.in_(ids)).order_by(messages.c.id).with_for_update())
    query = select(segments).where(segments.c.message_id.in_(ids)).order_by(segments.c.message_id, segments.c.ordinal)
    states: dict[str, dict[str, MessageState]] = {}
    for row in connection.execute(query):
        states.setdefault(row.message_id, {})[row.id] = MessageState(row.state)
    meant: list[Meant | None] = []
    changed: dict[str, MessageState] = {}
    for each in said:
        owner = owners.get((each.gateway, each.provider_id))
        if owner is None:
            meant.append(None)
            continue
        whole = states[owner.message_id]
        if each.state in _TELLING and _yields(whole[owner.id], each.state):
            whole[owner.id] = changed[owner.id] = each.state
        meant.append(Meant(owner.message_id, _of_whole(list(whole.values()))))
    if changed:
        saved = update(segments).where(segments.c.id == bindparam("b_id")).values(state=bindparam("b_state"))
        connection.execute(saved, [{"b_id": key, "b_state": state} for key, state in changed.items()])
    return meant


def waiting(connection: Connection, message_ids: Sequence[str]) -> list[transitions.Change]:
    """What receipts tell that came before the ids of these messages' segments were known; they are matched now.

    Providers use their ids again: a receipt that is older than the message is about another one.
    """
    same = and_(receipts.c.gateway == segments.c.gateway, receipts.c.provider_id == segments.c.provider_id)
    query = (
        select(receipts, segments.c.message_id.label("owner"))
        .select_from(segments)
        .join(messages, messages.c.id == segments.c.message_id)
        .join(receipts, same)
        .where(
            segments.c.message_id.in_(message_ids),
            receipts.c.message_id.is_(None),
            receipts.c.received_at >= messages.c.created_at,
        )
        .order_by(receipts.c.id)
    )
    rows = {row.id: row for row in connection.execute(query)}
    if not rows:
        return []
    matched = update(receipts).where(receipts.c.id == bindparam("b_id")).values(message_id=bindparam("b_owner"))
    connection.execute(matched, [{"b_id": row.id, "b_owner": row.owner} for row in rows.values()])
    said = [Said(row.gateway, row.provider_id, MessageState(row.state)) for row in rows.values()]
    changes = [_change(row, meant) for row, meant in zip(rows.values(), hear(connection, said), strict=True)]
    return [change for change in changes if change is not None]


def _change(row: Any, meant: Meant | None) -> transitions.Change | None:
    if meant is None or meant.state is None:
        return None
    at: datetime = row.received_at
    reason = Reason(row.reason) if row.reason else None
    return transitions.heard(meant.message_id, meant.state, at, reason, row.diagnostic, None)


def _owners(connection: Connection, said: Sequence[Said]) -> dict[tuple[str, str | None], Any]:
    """The segment of each id; where a provider used an id again, that of the newest message."""
    ids = {each.provider_id for each in said if each.provider_id}
    if not ids:
        return {}
    query = (
        select(segments)
        .where(segments.c.gateway.in_({each.gateway for each in said}), segments.c.provider_id.in_(ids))
        .order_by(segments.c.message_id)
    )
    return {(row.gateway, row.provider_id): row for row in connection.execute(query)}


def _yields(present: MessageState, state: MessageState) -> bool:
    return present not in _TELLING or (present in _LATE and state is MessageState.DELIVERED)


def _of_whole(states: Sequence[MessageState]) -> MessageState | None:
    if all(state is MessageState.DELIVERED for state in states):
        return MessageState.DELIVERED
    return next((state for state in states if state in _TELLING and state is not MessageState.DELIVERED), None)
