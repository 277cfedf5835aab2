"""`bridge contacts`: the address book, the names that a mail may be sent to instead of numbers.

A running bridge notices every change within a second.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import properties
from bridge.cli.shared import Config, Json, in_store, show_json
from bridge.errors import BridgeError, NotPossible, UsageError
from bridge.types import AddressBook, Contact, Group

if TYPE_CHECKING:
    from bridge.store.store import Store

app = typer.Typer(help="The address book: names of phones and of groups of them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name, in quotes if it has several words.")]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="COUNTRY",
        help="Country of numbers written without a country code, such as IT; without it, that of the mailboxes.",
        callback=properties.checked(properties.country),
        show_default=False,
    ),
]


@app.command("list")
def show_all(config: Config = None, as_json: Json = False) -> None:
    """List every contact and every group."""
    book = in_store(config, _book)
    belongs = _groups(book)
    if as_json:
        show_json(
            {
                "contacts": [_contact(each, belongs) for each in book.contacts.values()],
                "groups": [_group(each) for each in book.groups.values()],
            }
        )
        return
    for contact in book.contacts.values():
        print(f"{contact.name}  {_shown(contact.number)}")
    for group in book.groups.values():
        count = len(group.members)
        print(f"{group.name}  group of {count} {'contact' if count == 1 else 'contacts'}")
    if not book.contacts and not book.groups:
        print("The address book is empty. Add a name with `bridge contacts add NAME NUMBER`.")


@app.command()
def show(name: Name, config: Config = None, as_json: Json = False) -> None:
    """Show a contact with its groups, or a group."""
    from bridge.cli import entries

    book = in_store(config, _book)
    found, belongs = entries.find(book, name), _groups(book)
    if as_json:
        show_json(_contact(found, belongs) if isinstance(found, Contact) else _group(found))
    elif isinstance(found, Contact):
        print(f"{found.name}  {_shown(found.number)}")
        for group in belongs.get(found.name, ()):
            print(f"  in {group}")
    else:
        for member in found.members:
            print(f"{member.name}  {_shown(member.number)}")
        if not found.members:
            print(f"{found.name} has no members. Add one with --add of `bridge contacts group`.")


@app.command()
def add(
    name: Name,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The phone's number, such as +393331234567.")],
    region: Region = None,
    config: Config = None,
) -> None:
    """Give a phone a name, or a name another number."""
    from bridge.cli import entries
    from bridge.reading.names import name_key, typed
    from bridge.reading.naming import single_spaced

    spelt = single_spaced(name)

    async def work(store: Store) -> tuple[Contact, Contact | None, str]:
        book, country = await _book(store), _region(region, store)
        _check(UsageError, entries.about_name(spelt) or entries.about_number(number, country))
        _check(NotPossible, entries.about_kin(spelt, book, Contact))
        contact = Contact(spelt, entries.e164(number, country))
        before = book.contacts.get(name_key(spelt))
        await store.contacts.save([contact])
        return contact, before, f"{typed(spelt)}@{store.settings.domain}"

    contact, before, address = in_store(config, work)
    if before is not None and before.number != contact.number:
        print(f"{contact.name} was {_shown(before.number)} and is {_shown(contact.number)} now.")
    else:
        print(f"{contact.name} is {_shown(contact.number)}: a mail to {address} texts this phone.")


@app.command()
def remove(name: Name, config: Config = None) -> None:
    """Remove a contact from the book, or a group.

    A contact leaves its groups too; the members of a group stay.
    """
    from bridge.cli import entries

    async def work(store: Store) -> str:
        found = entries.find(await _book(store), name)
        await store.contacts.remove(name)
        return found.name

    print(f"{in_store(config, work)} is removed.")


@app.command()
def group(
    name: Name,
    join: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="CONTACT", help="Who joins it; may be repeated.", show_default=False),
    ] = None,
    leave: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="CONTACT", help="Who leaves it; may be repeated.", show_default=False),
    ] = None,
    config: Config = None,
) -> None:
    """Let contacts join and leave a group.

    The first contact that joins makes the group.
    """
    if not join and not leave:
        raise UsageError("Name who joins with --add CONTACT, or who leaves with --remove CONTACT.")
    from bridge.cli import entries
    from bridge.reading.names import name_key
    from bridge.reading.naming import single_spaced

    spelt = single_spaced(name)

    async def work(store: Store) -> Group:
        book = await _book(store)
        if name_key(spelt) not in book.groups:
            _check(UsageError, entries.about_name(spelt))
        for each in (*(join or ()), *(leave or ())):
            entries.find(book, each)
        await store.contacts.change_group(spelt, join or (), leave or ())
        await store.directory.refresh()
        return (await _book(store)).groups[name_key(spelt)]

    changed = in_store(config, work)
    print(f"{changed.name}: {', '.join(each.name for each in changed.members) or 'nobody'}.")


@app.command("import")
def bring_in(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV file with name, number and perhaps groups; - reads stdin.")
    ],
    region: Region = None,
    config: Config = None,
) -> None:
    """Add and change contacts as a CSV file says.

    Nothing is changed when a line is wrong. Columns are name, number and groups, with semicolons between groups; a line
    with these titles may stand above.
    """
    from bridge.cli import entries
    from bridge.cli.contact_files import read_lines
    from bridge.reading.names import name_key

    lines = read_lines(_octets(file))

    async def work(store: Store) -> tuple[int, int]:
        book, country = await _book(store), _region(region, store)
        complaints = entries.about_lines(lines, book, country)
        if complaints:
            raise NotPossible("\n".join([*complaints, "Nothing was changed. Mend these lines and import it again."]))
        groups: dict[str, list[str]] = {}
        for line in lines:
            for each in line.groups:
                groups.setdefault(each, []).append(line.name)
        await store.contacts.save([Contact(line.name, entries.e164(line.number, country)) for line in lines], groups)
        return len(lines), sum(name_key(line.name) not in book.contacts for line in lines)

    count, new = in_store(config, work)
    print(f"{count} {'contact' if count == 1 else 'contacts'} imported: {new} new, {count - new} known before.")


def _check(kind: type[BridgeError], complaint: str | None) -> None:
    if complaint is not None:
        raise kind(complaint)


def _region(named: str | None, store: Store) -> str | None:
    """The country of numbers without a country code: the one that is named, or that of all mailboxes."""
    regions = {mailbox.region for mailbox in store.directory.all()}
    return named or (regions.pop() if len(regions) == 1 else None)


async def _book(store: Store) -> AddressBook:
    from bridge.store.mailboxes import FIRST_ORGANISATION

    return store.directory.book(FIRST_ORGANISATION)


def _groups(book: AddressBook) -> dict[str, list[str]]:
    """The groups that each contact belongs to, by its name."""
    found: dict[str, list[str]] = {}
    for group in book.groups.values():
        for member in group.members:
            found.setdefault(member.name, []).append(group.name)
    return found


def _octets(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}. Name a CSV file.") from error


def _shown(number: str) -> str:
    from bridge.sms.numbers import international

    return international(number)


def _contact(contact: Contact, belongs: dict[str, list[str]]) -> dict[str, Any]:
    return {"name": contact.name, "number": contact.number, "groups": belongs.get(contact.name, [])}


def _group(group: Group) -> dict[str, Any]:
    return {"name": group.name, "members": [each.name for each in group.members]}
