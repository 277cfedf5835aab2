"""A clinic in Italy with an address book, for the tables of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bridge.addressing import Ground, targets
from bridge.decision import Decision, decide, refuse_blocked
from bridge.reading.names import name_key
from bridge.routing import Routes
from bridge.types import (
    AddressBook,
    Block,
    BlockKind,
    Contact,
    Destination,
    Group,
    Mailbox,
    Recipient,
    Target,
)
from tests.clinic import CLINIC

DOMAIN = "sms.example.test"
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
STOPPED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

MARIO, JOSE, ANNA, GONE = "+393331234567", "+393471234567", "+393281234567", "+393491234567"
LANDLINE, ABROAD = "+390212345678", "+31612345678"

PEOPLE = {
    "Mario Rossi": MARIO,
    "José García": JOSE,
    "Anna D’Angelo": ANNA,
    "Łukasz": "+393381234567",
    "Porter": LANDLINE,
    "Left Us": GONE,
    "Piet": ABROAD,
}
GROUPS = {
    "Today": ["Mario Rossi", "José García"],
    "Everybody": list(PEOPLE),
    "Nobody can": ["Porter", "Left Us", "Piet"],
    "Empty": [],
}


def address_book(people: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> AddressBook:
    """The book as the store's directory holds it."""
    return AddressBook(
        {name_key(name): Contact(name, number) for name, number in people.items()},
        {
            name_key(name): Group(name, tuple(Contact(each, people[each]) for each in who))
            for name, who in groups.items()
        },
        {number: name for name, number in people.items()},
    )


def _check(mailbox: Mailbox, destination: Destination) -> None:
    if destination.number == GONE:
        refuse_blocked(mailbox, destination, mailbox.sender, Block(BlockKind.ORDER, STOPPED))


GROUND = Ground({DOMAIN}, address_book(PEOPLE, GROUPS), _check)


def meant(local: str, mailbox: Mailbox = CLINIC, ground: Ground = GROUND) -> tuple[Target, ...]:
    """What a recipient at the bridge's domain stands for."""
    return targets(mailbox, Recipient(f"{local}@{DOMAIN}"), ground)


def decided(mail: str, *locals_: str, mailbox: Mailbox = CLINIC) -> Decision:
    """What becomes of a mail to these recipients."""
    recipients = [Recipient(f"{local}@{DOMAIN}") for local in locals_]
    found = [target for each in recipients for target in targets(mailbox, each, GROUND)]
    return decide(mailbox, found, mail.replace("\n", "\r\n").encode(), GROUND, Routes.anywhere(), NOW)
