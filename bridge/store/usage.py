"""How many messages each mailbox has sent on a day of its own, for the daily cap; called by the outbox, and for what
the bridge texts by itself in the name of a mailbox that has a cap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.sql.dml import ReturningInsert

from bridge.store.engine import upsert
from bridge.store.tables import usages

Day = tuple[str, str]
"""Id of a mailbox, and a day in its time zone: `2026-11-21`."""


def locked(connection: Connection, days: Sequence[Day]) -> dict[Day, int]:
    """Messages so far on these days; nobody else counts on them until this transaction ends."""
    rows = [{"mailbox_id": mailbox_id, "day": day, "messages": 0} for mailbox_id, day in days]
    returned = connection.execute(_lock(connection.dialect.name), rows)
    return {(row.mailbox_id, row.day): row.messages for row in returned}


def write(connection: Connection, used: Mapping[Day, int], days: Iterable[Day]) -> None:
    """Write down what was used of days that are `locked`."""
    counted = update(usages).where(usages.c.mailbox_id == bindparam("b_mailbox"), usages.c.day == bindparam("b_day"))
    connection.execute(
        counted.values(messages=bindparam("b_messages")),
        [{"b_mailbox": mailbox_id, "b_day": day, "b_messages": used[mailbox_id, day]} for mailbox_id, day in days],
    )


@cache
def _lock(dialect: str) -> ReturningInsert[Any]:
    """An update that changes nothing locks and returns a row that a plain SELECT FOR UPDATE would not find yet."""
    return (
        upsert(dialect, usages)
        .on_conflict_do_update(index_elements=[usages.c.mailbox_id, usages.c.day], set_={"messages": usages.c.messages})
        .returning(usages.c.mailbox_id, usages.c.day, usages.c.messages)
    )
