"""App passwords of mailboxes: kept here, read by the directory, asked for by `bridge.logins` and the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge import clock
from bridge.errors import NotFound, NotPossible
from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.mailboxes import bump_revision
from bridge.store.tables import app_passwords, mailboxes
from bridge.types import AppPassword, AppPasswordUse, Mailbox
from bridge.types.passwords import MOST_APP_PASSWORDS

NOTED_EVERY = timedelta(hours=1)
"""A use that soon after the one before it is not written down."""


async def read_passwords(connection: AsyncConnection) -> dict[str, tuple[AppPassword, ...]]:
    """Those of every mailbox, by its id, oldest first."""
    found: dict[str, tuple[AppPassword, ...]] = {}
    for row in await connection.execute(select(app_passwords).order_by(app_passwords.c.id)):
        found[row.mailbox_id] = (*found.get(row.mailbox_id, ()), AppPassword(row.id, row.name, row.verifier))
    return found


@dataclass(frozen=True, slots=True)
class _New:
    mailbox: Mailbox
    name: str
    verifier: Callable[[Sequence[str]], str]


class Passwords:
    """App passwords. Every method raises StoreUnavailable when the database does not take the change."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def add(self, mailbox: Mailbox, name: str, verifier: Callable[[Sequence[str]], str]) -> None:
        """Add one. `verifier` makes it, given those that the mailbox has. Raises NotPossible if there is one of this
        name, or there are too many."""
        await self._committer.do(_add, _New(mailbox, name, verifier))

    async def revoke(self, mailbox: Mailbox, name: str) -> None:
        """Nobody logs in with it any more, and who has is shut out. Raises NotFound."""
        await self._committer.do(_revoke, (mailbox, name))

    async def used(self, password_id: str, at: datetime) -> None:
        """Somebody has logged in with it."""
        # Apart, as another node may be revoking it, and would wait for what else is written with it.
        await self._committer.do(_note, (password_id, at), apart=True)

    async def all(self) -> list[AppPasswordUse]:
        """Those of every mailbox, in the order of their logins, oldest first."""
        query = (
            select(mailboxes.c.login, app_passwords.c.name, app_passwords.c.created_at, app_passwords.c.used_at)
            .join(mailboxes, mailboxes.c.id == app_passwords.c.mailbox_id)
            .order_by(mailboxes.c.login, app_passwords.c.id)
        )
        async with reading(self._engine) as connection:
            return [AppPasswordUse(**row._mapping) for row in await connection.execute(query)]


def _add(connection: Connection, new: Sequence[_New]) -> list[None]:
    for each in new:
        owner = each.mailbox
        # Whoever adds to the same mailbox waits here, since all its verifiers must have one salt; mails do not.
        connection.execute(select(mailboxes.c.id).where(mailboxes.c.id == owner.id).with_for_update(key_share=True))
        query = select(app_passwords.c.name, app_passwords.c.verifier).where(app_passwords.c.mailbox_id == owner.id)
        there = connection.execute(query.order_by(app_passwords.c.id)).all()
        if any(row.name.lower() == each.name.lower() for row in there):
            raise NotPossible(
                f"{owner.login} has an app password {each.name} already. Choose another name, or revoke that one."
            )
        if len(there) >= MOST_APP_PASSWORDS:
            raise NotPossible(f"{owner.login} has {MOST_APP_PASSWORDS} app passwords, which is the most. Revoke one.")
        row = {
            "id": clock.new_id(),
            "mailbox_id": owner.id,
            "name": each.name,
            "verifier": each.verifier([row.verifier for row in there]),
            "created_at": clock.now(),
        }
        connection.execute(insert(app_passwords).values(**row))
    bump_revision(connection)
    return [None] * len(new)


def _revoke(connection: Connection, named: Sequence[tuple[Mailbox, str]]) -> list[None]:
    for mailbox, name in named:
        query = select(app_passwords.c.id, app_passwords.c.name).where(app_passwords.c.mailbox_id == mailbox.id)
        found = [row.id for row in connection.execute(query) if row.name.lower() == name.lower()]
        if not found:
            raise NotFound(f"{mailbox.login} has no app password {name}. See `bridge passwords list {mailbox.login}`.")
        connection.execute(delete(app_passwords).where(app_passwords.c.id.in_(found)))
    bump_revision(connection)
    return [None] * len(named)


def _note(connection: Connection, uses: Sequence[tuple[str, datetime]]) -> list[None]:
    for password_id, at in sorted(uses):
        long_ago = or_(app_passwords.c.used_at.is_(None), app_passwords.c.used_at <= at - NOTED_EVERY)
        connection.execute(update(app_passwords).where(app_passwords.c.id == password_id, long_ago).values(used_at=at))
    return [None] * len(uses)
