"""The address books: names of phones and of groups; `directory` keeps them in memory for the front door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.store.book_draft import BookDraft
from bridge.store.committer import Committer
from bridge.store.mailboxes import bump_revision
from bridge.store.tables import contacts, memberships
from bridge.types import AddressBook, Contact, Group


async def read_books(connection: AsyncConnection) -> dict[str, AddressBook]:
    """Every organisation's address book, by its id."""
    rows = (await connection.execute(select(contacts).order_by(contacts.c.key))).all()
    if not rows:
        return {}
    joined = (await connection.execute(select(memberships))).all()
    by_id = {row.id: row for row in rows}
    members: dict[str, list[Contact]] = {row.id: [] for row in rows if row.number is None}
    # On PostgreSQL the second look may see changes that the first did not; the revision tells of them the next time.
    known = [row for row in joined if row.contact_id in by_id and row.group_id in members]
    for row in sorted(known, key=lambda row: str(by_id[row.contact_id].key)):
        contact = by_id[row.contact_id]
        members[row.group_id].append(Contact(contact.name, contact.number))
    return {
        organisation_id: _book([row for row in rows if row.organisation_id == organisation_id], members)
        for organisation_id in {row.organisation_id for row in rows}
    }


def _book(rows: Sequence[Any], members: dict[str, list[Contact]]) -> AddressBook:
    people = {row.key: Contact(row.name, row.number) for row in rows if row.number is not None}
    groups = {row.key: Group(row.name, tuple(members[row.id])) for row in rows if row.number is None}
    return AddressBook(people, groups, {each.number: each.name for each in people.values()})


_NO_GROUPS: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Change:
    """Who joins and leaves a group."""

    name: str
    join: tuple[str, ...]
    leave: tuple[str, ...] = ()


class Contacts:
    """Changes of the address book. Every method raises StoreUnavailable when the database does not take the change."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    async def save(self, people: Sequence[Contact], groups: Mapping[str, Sequence[str]] = _NO_GROUPS) -> None:
        """Add contacts, or change the numbers of those that have these names, and let contacts join `groups`, which are
        made where they are not there. All of it or nothing. Raises NotPossible when a name is a group's, or a group's
        name a contact's, or a group would have too many members; NotFound for a member that is no contact."""
        joins = tuple(_Change(group, tuple(names)) for group, names in groups.items())
        await self._committer.do(_save_all, (tuple(people), joins))

    async def remove(self, name: str) -> None:
        """Remove a contact from the book and from its groups, or a group. Raises NotFound."""
        await self._committer.do(_remove, name)

    async def change_group(self, name: str, join: Sequence[str], leave: Sequence[str]) -> None:
        """Let contacts join and leave a group; one that somebody joins is made when it is not there. Raises NotFound
        for a contact that is not there or does not belong to the group, NotPossible when the name is a contact's or the
        group would have too many members."""
        await self._committer.do(_change_groups, _Change(name, tuple(join), tuple(leave)))


def _save_all(connection: Connection, wishes: Sequence[tuple[Sequence[Contact], Sequence[_Change]]]) -> list[None]:
    for people, joins in wishes:
        draft = BookDraft(connection)
        for each in people:
            draft.save(each)
        for change in joins:
            draft.join(change.name, change.join)
        draft.write()
    bump_revision(connection)
    return [None] * len(wishes)


def _remove(connection: Connection, names: Sequence[str]) -> list[None]:
    draft = BookDraft(connection)
    for name in names:
        draft.remove(name)
    bump_revision(connection)
    return [None] * len(names)


def _change_groups(connection: Connection, changes: Sequence[_Change]) -> list[None]:
    for change in changes:
        draft = BookDraft(connection)
        if change.leave:
            draft.leave(change.name, change.leave)
        if change.join:
            draft.join(change.name, change.join)
        draft.write()
    bump_revision(connection)
    return [None] * len(changes)
