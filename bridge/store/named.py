"""What the machines of a mailbox log in with, each under a name of its own: made, used, revoked; one kind a table.

`store.passwords` and `store.certificates` say what is particular to theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import clock
from bridge.errors import NotFound, NotPossible
from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.mailboxes import bump_revision
from bridge.store.tables import mailboxes
from bridge.types import Mailbox

MOST = 50
"""Of one kind, of one mailbox: a proof of SCRAM is compared with each app password."""
NOTED_EVERY = timedelta(hours=1)
"""A use that soon after the one before it is not written down."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of them."""

    table: Table
    """With `id`, `mailbox_id`, `name`, `created_at` and `used_at`, and what is particular to the kind."""
    noun: str
    """As a person calls one."""
    command: str
    """The group of commands that deals with them."""


@dataclass(frozen=True, slots=True)
class _New:
    kind: Kind
    mailbox: Mailbox
    name: str
    particular: Callable[[Connection, Sequence[Row[Any]]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Use:
    table: Table
    id: str
    at: datetime


class Named:
    """Those of one kind. Every method raises StoreUnavailable when the database does not take the change."""

    def __init__(self, engine: AsyncEngine, committer: Committer, kind: Kind) -> None:
        self._engine = engine
        self._committer = committer
        self._kind = kind

    async def revoke(self, mailbox: Mailbox, name: str) -> None:
        """Nobody logs in with it any more, and who has is shut out. Raises NotFound."""
        await self._committer.do(_revoke, (self._kind, mailbox, name))

    async def used(self, key: str, at: datetime) -> None:
        """Somebody has logged in with the one that has this id."""
        # Apart, as another node may be revoking it, and would wait for what else is written with it.
        await self._committer.do(_note, _Use(self._kind.table, key, at), apart=True)

    async def _make(
        self, mailbox: Mailbox, name: str, particular: Callable[[Connection, Sequence[Row[Any]]], Mapping[str, Any]]
    ) -> None:
        """Add one; `particular` gives the other columns, from the rows that the mailbox has. Raises NotPossible if
        there is one of this name, or there are too many."""
        await self._committer.do(_add, _New(self._kind, mailbox, name, particular))

    async def _rows(self) -> list[dict[str, Any]]:
        """Those of every mailbox with its `login`, in the order of the logins, oldest first."""
        table = self._kind.table
        query = select(mailboxes.c.login, table).join(mailboxes, mailboxes.c.id == table.c.mailbox_id)
        async with reading(self._engine) as connection:
            found = await connection.execute(query.order_by(mailboxes.c.login, table.c.id))
            return [dict(row._mapping) for row in found]


def _add(connection: Connection, new: Sequence[_New]) -> list[None]:
    for each in new:
        owner, kind = each.mailbox, each.kind
        # Whoever adds to the same mailbox waits here, since all its verifiers must have one salt; mails do not.
        connection.execute(select(mailboxes.c.id).where(mailboxes.c.id == owner.id).with_for_update(key_share=True))
        query = select(kind.table).where(kind.table.c.mailbox_id == owner.id).order_by(kind.table.c.id)
        there = connection.execute(query).all()
        if any(row.name.lower() == each.name.lower() for row in there):
            raise NotPossible(
                f"{owner.login} has the {kind.noun} {each.name} already. Choose another name, or take that one away."
            )
        if len(there) >= MOST:
            raise NotPossible(f"{owner.login} has {MOST} {kind.noun}s, which is the most. Take one away first.")
        row = {"id": clock.new_id(), "mailbox_id": owner.id, "name": each.name, "created_at": clock.now()}
        connection.execute(insert(kind.table).values(**row, **each.particular(connection, there)))
    bump_revision(connection)
    return [None] * len(new)


def _revoke(connection: Connection, named: Sequence[tuple[Kind, Mailbox, str]]) -> list[None]:
    for kind, mailbox, name in named:
        query = select(kind.table.c.id, kind.table.c.name).where(kind.table.c.mailbox_id == mailbox.id)
        found = [row.id for row in connection.execute(query) if row.name.lower() == name.lower()]
        if not found:
            raise NotFound(
                f"{mailbox.login} has no {kind.noun} {name}. See `bridge {kind.command} list {mailbox.login}`."
            )
        connection.execute(delete(kind.table).where(kind.table.c.id.in_(found)))
    bump_revision(connection)
    return [None] * len(named)


def _note(connection: Connection, uses: Sequence[_Use]) -> list[None]:
    for use in sorted(uses, key=lambda use: use.id):
        column = use.table.c.used_at
        long_ago = or_(column.is_(None), column <= use.at - NOTED_EVERY)
        connection.execute(update(use.table).where(use.table.c.id == use.id, long_ago).values(used_at=use.at))
    return [None] * len(uses)
