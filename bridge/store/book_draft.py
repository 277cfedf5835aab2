"""The address book within one transaction: read once, changed in memory, written in a few statements.

A whole file of contacts is imported beside a running bridge, which waits for the database meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from bridge import clock
from bridge.errors import NotFound, NotPossible
from bridge.reading.names import name_key
from bridge.store.engine import upsert
from bridge.store.mailboxes import FIRST_ORGANISATION, keep_organisation
from bridge.store.tables import contacts, memberships
from bridge.types import Contact

MAX_MEMBERS = 1_000
"""Contacts in one group: as many recipients a mail may have."""

_CHANGED = (
    update(contacts)
    .where(contacts.c.id == bindparam("b_id"))
    .values(name=bindparam("b_name"), number=bindparam("b_number"))
)
_HELD = select(memberships.c.group_id, func.count().label("held")).group_by(memberships.c.group_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in the book."""

    id: str
    name: str
    number: str | None
    """None for a group."""


class BookDraft:
    """What is to become of the address book. Whatever is added is written by `write`; the rest at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        query = select(contacts).where(contacts.c.organisation_id == FIRST_ORGANISATION)
        rows = connection.execute(query)
        self._entries = {row.key: Entry(row.id, row.name, row.number) for row in rows}
        self._new: dict[str, Entry] = {}
        self._changed: dict[str, Entry] = {}
        self._ties: dict[tuple[str, str], None] = {}

    def save(self, contact: Contact) -> None:
        """Add a contact, or change its number. Raises NotPossible when the name is a group's."""
        key = name_key(contact.name)
        known = self._entries.get(key)
        if known is None:
            self._add(contact.name, contact.number)
        elif known.number is None:
            raise NotPossible(f"{known.name} is a group. Give the contact another name.")
        else:
            entry = self._entries[key] = Entry(known.id, contact.name, contact.number)
            (self._new if key in self._new else self._changed)[key] = entry

    def join(self, name: str, members: Sequence[str]) -> None:
        """Let contacts join a group, which is made if it is not there. Raises NotFound and NotPossible."""
        group = self._group(name) or self._add(name, None)
        for each in members:
            member = self._known(each)
            if member.number is None:
                raise NotPossible(f"{member.name} is a group, and a group has contacts as its members.")
            self._ties[group.id, member.id] = None

    def leave(self, name: str, members: Sequence[str]) -> None:
        """Let contacts leave a group. Raises NotFound and NotPossible."""
        group = self._group(name)
        if group is None:
            raise NotFound(f"There is no group {name}. See `bridge contacts list`.")
        for each in members:
            member = self._known(each)
            tie = and_(memberships.c.group_id == group.id, memberships.c.contact_id == member.id)
            if self._connection.execute(delete(memberships).where(tie)).rowcount == 0:
                raise NotFound(f"{member.name} does not belong to {group.name}. See `bridge contacts show`.")

    def remove(self, name: str) -> None:
        """Remove a contact from the book and from its groups, or a group. Raises NotFound."""
        entry = self._known(name)
        ties = or_(memberships.c.group_id == entry.id, memberships.c.contact_id == entry.id)
        self._connection.execute(delete(memberships).where(ties))
        self._connection.execute(delete(contacts).where(contacts.c.id == entry.id))
        del self._entries[name_key(name)]

    def write(self) -> None:
        """Write what was added and changed. Raises NotPossible when a group has too many members then."""
        connection, now = self._connection, clock.now()
        if self._new:
            keep_organisation(connection, now)
            common = {"organisation_id": FIRST_ORGANISATION, "created_at": now}
            rows = [{**common, "key": key, **_row(entry)} for key, entry in self._new.items()]
            connection.execute(insert(contacts), rows)
        if self._changed:
            rows = [{f"b_{name}": value for name, value in _row(entry).items()} for entry in self._changed.values()]
            connection.execute(_CHANGED, rows)
        if self._ties:
            # Whoever belongs to the group already stays in it.
            tied = upsert(connection.dialect.name, memberships).on_conflict_do_nothing()
            connection.execute(tied, [{"group_id": group, "contact_id": member} for group, member in self._ties])
            self._check_size()

    def _check_size(self) -> None:
        joined = {group for group, _ in self._ties}
        names = {entry.id: entry.name for entry in self._entries.values()}
        for group_id, held in self._connection.execute(_HELD):
            if group_id in joined and held > MAX_MEMBERS:
                raise NotPossible(f"A group has at most {MAX_MEMBERS} members. Divide {names[group_id]} into two.")

    def _add(self, name: str, number: str | None) -> Entry:
        key = name_key(name)
        entry = self._entries[key] = self._new[key] = Entry(clock.new_id(), name, number)
        return entry

    def _group(self, name: str) -> Entry | None:
        group = self._entries.get(name_key(name))
        if group is not None and group.number is not None:
            raise NotPossible(f"{group.name} is a contact. Give the group another name.")
        return group

    def _known(self, name: str) -> Entry:
        entry = self._entries.get(name_key(name))
        if entry is None:
            raise NotFound(f"There is no contact and no group {name}. See `bridge contacts list`.")
        return entry


def _row(entry: Entry) -> dict[str, str | None]:
    return {"id": entry.id, "name": entry.name, "number": entry.number}
