"""App passwords of mailboxes: kept here, read by the directory, asked for by `bridge.logins` and the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.store.committer import Committer
from bridge.store.named import Kind, Named
from bridge.store.tables import app_passwords
from bridge.types import AppPassword, AppPasswordUse, Mailbox

_KIND = Kind(app_passwords, "app password", "passwords")


async def read_passwords(connection: AsyncConnection) -> dict[str, tuple[AppPassword, ...]]:
    """Those of every mailbox, by its id, oldest first."""
    found: dict[str, tuple[AppPassword, ...]] = {}
    for row in await connection.execute(select(app_passwords).order_by(app_passwords.c.id)):
        found[row.mailbox_id] = (*found.get(row.mailbox_id, ()), AppPassword(row.id, row.name, row.verifier))
    return found


class Passwords(Named):
    """App passwords."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        super().__init__(engine, committer, _KIND)

    async def add(self, mailbox: Mailbox, name: str, verifier: Callable[[Sequence[str]], str]) -> None:
        """Add one. `verifier` makes it, given those that the mailbox has. Raises NotPossible if there is one of this
        name, or there are too many."""
        await self._make(mailbox, name, lambda _, there: {"verifier": verifier([row.verifier for row in there])})

    async def all(self) -> list[AppPasswordUse]:
        """Those of every mailbox, in the order of their logins, oldest first."""
        return [
            AppPasswordUse(row["login"], row["name"], row["created_at"], row["used_at"]) for row in await self._rows()
        ]
