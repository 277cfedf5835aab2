"""Changing the users of the bridge; running bridges notice by the revision counter (see `bridge.store.directory`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from bridge import clock
from bridge.errors import NotFound, NotPossible
from bridge.store.committer import Committer
from bridge.store.engine import upsert
from bridge.store.tables import (
    app_passwords,
    client_certificates,
    conversations,
    digests,
    keywords,
    mailboxes,
    mails,
    messages,
    organisations,
    revisions,
    signatures,
    usages,
)
from bridge.types import Mailbox

FIRST_ORGANISATION = "main"
"""The id of the organisation of a small installation."""


def bump_revision(connection: Connection) -> None:
    """Tell running bridges that mailboxes or opt-outs changed, inside the caller's transaction."""
    statement = upsert(connection.dialect.name, revisions).values(name="directory", value=1)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[revisions.c.name], set_={"value": revisions.c.value + 1})
    )


def keep_organisation(connection: Connection, now: datetime) -> None:
    """Make the organisation that everything of a small installation belongs to, if it is not there yet."""
    statement = upsert(connection.dialect.name, organisations).on_conflict_do_nothing(
        index_elements=[organisations.c.id]
    )
    connection.execute(statement.values(id=FIRST_ORGANISATION, name="", created_at=now))


class Mailboxes:
    """Changes of mailboxes. Every method raises StoreUnavailable when the database does not take the change."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    async def add(self, mailbox: Mailbox) -> None:
        """Add a mailbox; its `id` and `organisation_id` are made here. Raises NotPossible if the login exists."""
        await self._committer.do(_add, mailbox)

    async def save(self, mailbox: Mailbox) -> None:
        """Write every property of a mailbox that exists. Raises NotFound."""
        await self._committer.do(_save, mailbox)

    async def remove(self, login: str) -> None:
        """Remove a mailbox that never sent or got anything; another is to be paused, since its record must stay.

        Raises NotFound and NotPossible.
        """
        await self._committer.do(_remove, login)


def _add(connection: Connection, new: Sequence[Mailbox]) -> list[None]:
    for mailbox in new:
        known = select(mailboxes.c.id).where(mailboxes.c.login == mailbox.login)
        if (connection.execute(known)).first() is not None:
            raise NotPossible(f"There is a mailbox {mailbox.login} already. Change it with `bridge mailbox set`.")
        now = clock.now()
        keep_organisation(connection, now)
        fresh = replace(mailbox, id=clock.new_id(), organisation_id=FIRST_ORGANISATION)
        connection.execute(insert(mailboxes).values(**_row(fresh), created_at=now))
    bump_revision(connection)
    return [None] * len(new)


def _save(connection: Connection, changed: Sequence[Mailbox]) -> list[None]:
    for mailbox in changed:
        statement = update(mailboxes).where(mailboxes.c.id == mailbox.id).values(**_row(mailbox))
        if (connection.execute(statement)).rowcount == 0:
            raise NotFound(f"There is no mailbox {mailbox.login}. See `bridge mailbox list`.")
    bump_revision(connection)
    return [None] * len(changed)


def _remove(connection: Connection, logins: Sequence[str]) -> list[None]:
    for login in logins:
        row = (connection.execute(select(mailboxes.c.id).where(mailboxes.c.login == login))).first()
        if row is None:
            raise NotFound(f"There is no mailbox {login}. See `bridge mailbox list`.")
        used = select(func.count()).select_from(messages).where(messages.c.mailbox_id == row.id)
        if (connection.execute(used)).scalar_one():
            raise NotPossible(f"{login} has sent messages, and their record stays. Use `bridge mailbox pause {login}`.")
        for table in (conversations, mails):
            if connection.execute(select(table.c.id).where(table.c.mailbox_id == row.id).limit(1)).first() is not None:
                raise NotPossible(
                    f"{login} has had mails of the bridge, and their record stays. Use `bridge mailbox pause {login}`."
                )
        connection.execute(delete(usages).where(usages.c.mailbox_id == row.id))
        connection.execute(delete(digests).where(digests.c.mailbox_id == row.id))
        connection.execute(delete(signatures).where(signatures.c.mailbox_id == row.id))
        connection.execute(delete(keywords).where(keywords.c.mailbox_id == row.id))
        connection.execute(delete(app_passwords).where(app_passwords.c.mailbox_id == row.id))
        connection.execute(delete(client_certificates).where(client_certificates.c.mailbox_id == row.id))
        connection.execute(delete(mailboxes).where(mailboxes.c.id == row.id))
    bump_revision(connection)
    return [None] * len(logins)


def _row(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "id": mailbox.id,
        "organisation_id": mailbox.organisation_id,
        "login": mailbox.login,
        "password_hash": mailbox.password_hash,
        "addresses": list(mailbox.addresses),
        "networks": list(mailbox.networks),
        "region": mailbox.region,
        "countries": list(mailbox.countries),
        "language": mailbox.language,
        "timezone": mailbox.timezone,
        "sender": mailbox.sender,
        "pool": list(mailbox.pool),
        "confirm": mailbox.confirm,
        "unicode": mailbox.unicode,
        "max_segments": mailbox.max_segments,
        "daily_cap": mailbox.daily_cap,
        "paused": mailbox.paused,
        "subject": mailbox.habits.subject,
        "kept_cuts": sorted(mailbox.habits.kept),
        "end_marks": list(mailbox.habits.end_marks),
        "grammar": mailbox.grammar,
        "order_password_hash": mailbox.order_password_hash,
        "digest_to": list(mailbox.digest.to),
        "digest_at": f"{mailbox.digest.at:%H:%M}",
        "digest_days": mailbox.digest.days,
        "digest_since": mailbox.digest.since,
        "subject_tags": mailbox.subject_tags,
        "phone_languages": list(mailbox.phone_languages),
        "unprompted": mailbox.greetings.unprompted,
        "closed": mailbox.greetings.closed,
        "hours": str(mailbox.greetings.hours or ""),
    }
