"""What was done with the mails of watched IMAP mailboxes, so that each is done with once, whoever looks at it.

A mail that is texted is written down in the transaction that takes it (`take`, for the outbox), a refused one with the
notice that says so. It is moved away afterwards; whoever finds it before that sees here what became of it. Between two
nodes that look at one mailbox the rows decide: the second to write one waits for the first, and then leaves the mail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import clock
from bridge.store.committer import Committer
from bridge.store.engine import reading, upsert
from bridge.store.mails import MailKind, insert_mail
from bridge.store.tables import watched_mails, watches
from bridge.types import Fate, Mailbox, OutgoingMail, Place


@dataclass(frozen=True, slots=True)
class Start:
    """Where the look at a folder begins."""

    next_uid: int
    renumbered: bool = False
    """The server has given its mails new UIDs since the last look: what came meanwhile is not looked at."""


@dataclass(frozen=True, slots=True)
class _Entry:
    watch: str
    uid_validity: int
    next_uid: int


@dataclass(frozen=True, slots=True)
class _Done:
    place: Place
    fate: Fate
    notice: OutgoingMail | None = None
    mailbox: Mailbox | None = None
    """Whose mail the notice is."""


class Watched:
    """The record of watched mailboxes. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def enter(self, watch: str, uid_validity: int, next_uid: int) -> Start:
        """The first UID to look at. A folder that is seen for the first time, or in a new numbering, begins at
        `next_uid`, the one that its next mail will have."""
        return await self._committer.do(_enter, _Entry(watch, uid_validity, next_uid))

    async def passed(self, watch: str, uid_validity: int, next_uid: int) -> None:
        """All below `next_uid` are dealt with, or none of the bridge's business."""
        await self._committer.do(_pass, _Entry(watch, uid_validity, next_uid))

    async def fates(self, watch: str, uid_validity: int, uids: Collection[int]) -> dict[int, Fate]:
        """What became of those of `uids` that were dealt with."""
        query = select(watched_mails.c.uid, watched_mails.c.fate).where(
            watched_mails.c.watch == watch,
            watched_mails.c.uid_validity == uid_validity,
            watched_mails.c.uid.in_(uids),
        )
        async with reading(self._engine) as connection:
            return {row.uid: Fate(row.fate) for row in await connection.execute(query)}

    async def fate(self, place: Place) -> Fate | None:
        """What became of a mail, here or, if it was taken, where it stood before somebody moved it; None when it is
        still to be done, or to be done again: who moves a refused mail back wants it tried once more."""
        query = select(watched_mails.c.fate).where(
            watched_mails.c.watch == place.watch,
            or_(_is_here(place), and_(watched_mails.c.digest == place.digest, watched_mails.c.fate == Fate.TAKEN)),
        )
        async with reading(self._engine) as connection:
            found = (await connection.execute(query)).scalars().first()
        return Fate(found) if found is not None else None

    async def keep(
        self, place: Place, fate: Fate, notice: OutgoingMail | None = None, mailbox: Mailbox | None = None
    ) -> bool:
        """Write down what became of a mail and queue the `notice` that says so, a mail of `mailbox`; whether that is
        news. What is known already stays as it is, and nothing is queued."""
        return await self._committer.do(_keep, _Done(place, fate, notice, mailbox), wakes=notice is not None)


def take(connection: Connection, places: Iterable[Place]) -> set[Place]:
    """Write down mails that are taken, in the caller's transaction; those that were dealt with before, and must be
    left."""
    known = set()
    for place in sorted(places, key=lambda each: (each.watch, each.uid_validity, each.uid)):
        if not _write(connection, place, Fate.TAKEN):
            known.add(place)
    return known


def give_back(connection: Connection, places: Iterable[Place]) -> None:
    """Forget mails that were written down in the caller's transaction, since they are not taken after all."""
    for place in places:
        connection.execute(delete(watched_mails).where(watched_mails.c.watch == place.watch, _is_here(place)))


def _is_here(place: Place) -> ColumnElement[bool]:
    return and_(watched_mails.c.uid_validity == place.uid_validity, watched_mails.c.uid == place.uid)


def _write(connection: Connection, place: Place, fate: Fate) -> bool:
    """Whether the mail was not dealt with before. That it was refused elsewhere is forgotten."""
    connection.execute(
        delete(watched_mails).where(
            watched_mails.c.watch == place.watch,
            watched_mails.c.digest == place.digest,
            watched_mails.c.fate == Fate.REFUSED,
            not_(_is_here(place)),
        )
    )
    statement = upsert(connection.dialect.name, watched_mails).values(
        watch=place.watch,
        uid_validity=place.uid_validity,
        uid=place.uid,
        digest=place.digest,
        fate=fate.value,
        at=clock.now(),
    )
    once = statement.on_conflict_do_nothing().returning(watched_mails.c.uid)
    return connection.execute(once).first() is not None


def _enter(connection: Connection, entries: Sequence[_Entry]) -> list[Start]:
    return [_enter_one(connection, entry) for entry in entries]


def _enter_one(connection: Connection, entry: _Entry) -> Start:
    row = connection.execute(select(watches).where(watches.c.name == entry.watch)).first()
    if row is not None and row.uid_validity == entry.uid_validity:
        return Start(row.next_uid)
    values = {"uid_validity": entry.uid_validity, "next_uid": entry.next_uid, "since": clock.now()}
    statement = upsert(connection.dialect.name, watches).values(name=entry.watch, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[watches.c.name], set_=values))
    return Start(entry.next_uid, renumbered=row is not None)


def _pass(connection: Connection, entries: Sequence[_Entry]) -> list[None]:
    for entry in entries:
        connection.execute(
            update(watches)
            .where(watches.c.name == entry.watch, watches.c.uid_validity == entry.uid_validity)
            .where(watches.c.next_uid < entry.next_uid)
            .values(next_uid=entry.next_uid)
        )
    return [None] * len(entries)


def _keep(connection: Connection, done: Sequence[_Done]) -> list[bool]:
    return [_keep_one(connection, each) for each in done]


def _keep_one(connection: Connection, done: _Done) -> bool:
    if not _write(connection, done.place, done.fate):
        return False
    if done.notice is not None and done.mailbox is not None:
        insert_mail(
            connection,
            done.notice,
            organisation_id=done.mailbox.organisation_id,
            mailbox_id=done.mailbox.id,
            kind=MailKind.REFUSAL,
        )
    return True
