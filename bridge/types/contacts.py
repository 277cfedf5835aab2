"""The names that an organisation gives to phones and to groups of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Contact:
    """A phone with a name."""

    name: str
    number: str
    """E.164."""


@dataclass(frozen=True, slots=True)
class Group:
    """Several contacts under one name."""

    name: str
    members: tuple[Contact, ...]
    """By name; perhaps none."""


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Everything that has a name, by the name as it is compared (`reading.names`)."""

    contacts: Mapping[str, Contact] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of contacts by their numbers."""

    def members(self, key: str) -> tuple[Contact, ...] | None:
        """Whom a name means; None when nobody has it, and nobody for a group without members."""
        contact = self.contacts.get(key)
        if contact is not None:
            return (contact,)
        group = self.groups.get(key)
        return group.members if group is not None else None


EMPTY_BOOK = AddressBook()
