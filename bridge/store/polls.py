"""How far each provider that is asked for news has been read.

The cursor is written when the news it stands behind is kept: after a crash some of it may be fetched again, and what is
fetched twice is known by its id. Two nodes that both believe they lead do no harm either: the older cursor may win, and
what lies between is fetched and known.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.store.engine import reading, upsert
from bridge.store.tables import poll_cursors


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in what one provider has to say."""

    gateway: str
    poll: str
    """The gateway's own name for what is asked."""
    value: str
    """Only the gateway understands it."""


async def read_cursor(engine: AsyncEngine, gateway: str, poll: str) -> str:
    """Where the next look begins; empty before the first. Raises StoreUnavailable."""
    query = select(poll_cursors.c.value).where(poll_cursors.c.gateway == gateway, poll_cursors.c.name == poll)
    async with reading(engine) as connection:
        return (await connection.execute(query)).scalar_one_or_none() or ""


def write_cursor(connection: Connection, cursor: Cursor) -> None:
    """Remember where the next look begins, in the caller's transaction."""
    statement = upsert(connection.dialect.name, poll_cursors).on_conflict_do_update(
        index_elements=[poll_cursors.c.gateway, poll_cursors.c.name], set_={"value": cursor.value}
    )
    connection.execute(statement.values(gateway=cursor.gateway, name=cursor.poll, value=cursor.value))
