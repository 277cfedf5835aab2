"""Receipts that came before their message's provider id was known: they are matched as soon as it is.

The id comes with the answer to a try, with a look-up of what was in doubt, or with a receipt that names our reference.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, update

from bridge.errors import Reason
from bridge.store import transitions
from bridge.store.tables import messages, receipts
from bridge.types import MessageState


def waiting(connection: Connection, message_ids: Collection[str]) -> list[transitions.Change]:
    """What receipts tell that came before the provider ids of these messages were known, oldest first.

    Providers use their ids again: a receipt that is older than the message is about another one.
    """
    if not message_ids:
        return []
    query = (
        select(receipts, messages.c.id.label("owner"))
        .select_from(messages)
        .join(
            receipts,
            and_(receipts.c.gateway == messages.c.gateway, receipts.c.provider_id == messages.c.provider_id),
        )
        .where(
            messages.c.id.in_(message_ids),
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
