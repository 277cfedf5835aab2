"""What is wrong with names and numbers on their way into the address book: sentences for `bridge contacts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.cli.contact_files import Line, is_rounded
from bridge.errors import NotFound, Refusal
from bridge.reading.names import name_key, near_names
from bridge.reading.naming import why_no_name
from bridge.sms.numbers import NumberKind, international, read_number
from bridge.types import AddressBook, Contact, Group

_TEXTED = frozenset({NumberKind.MOBILE, NumberKind.VOIP})
_NOT_TEXTED = {
    NumberKind.LANDLINE: "a landline",
    NumberKind.PREMIUM: "a premium-rate, shared-cost or satellite number",
}


def find(book: AddressBook, name: str) -> Contact | Group:
    """Whom a name means. Raises NotFound, with the names that may be meant."""
    key = name_key(name)
    found = book.contacts.get(key) or book.groups.get(key)
    if found is None:
        near = near_names(name, book)
        meant = f"Did you mean {' or '.join(near)}?" if near else "See `bridge contacts list`."
        raise NotFound(f"There is no contact and no group {name}. {meant}")
    return found


def e164(number: str, region: str | None) -> str:
    """A number that `about_number` has nothing to say against, as it is kept."""
    return read_number(number, region or "ZZ").e164


def about_name(name: str) -> str | None:
    """What is wrong with a name; None when nothing is."""
    why = why_no_name(name)
    if why is None:
        return None
    shown = "".join(char for char in name[:64] if char.isprintable())
    return f"{shown or 'The name'} {why}. Give another name."


def about_kin(name: str, book: AddressBook, kind: type[Contact] | type[Group]) -> str | None:
    """Why a contact or a group cannot have a good name: something else has it; None when it can be added or changed.
    Another spelling is no change, since it may be another person."""
    key = name_key(name)
    there = book.contacts.get(key) or book.groups.get(key)
    if there is None:
        return None
    if not isinstance(there, kind):
        return f"{name} is the name of a {type(there).__name__.lower()}. Give another name."
    if there.name != name:
        return (
            f"{name} and {there.name}, which the book has, are the same name in an address. Spell it as the book does."
        )
    return None


def about_number(number: str, region: str | None) -> str | None:
    """What is wrong with a number, read as dialled in `region`; None when it can be texted."""
    if not number:
        return "The number is missing. Write it with its country code, like +393331234567."
    if is_rounded(number):
        return f"{number} is what a spreadsheet left of a number. Set the column to text there, and fill it in again."
    try:
        found = read_number(number, region or "ZZ")
    except Refusal as refusal:
        if region is None and not number.startswith(("+", "00")):
            return f"{number} has no country code, and no country is known for it. Name one with --region COUNTRY."
        return refusal.sentence
    if found.kind in _TEXTED:
        return None
    what = _NOT_TEXTED.get(found.kind, "not a mobile number")
    return f"{international(found.e164)} is {what}, which gets no texts. Give a mobile number."


def about_lines(lines: Sequence[Line], book: AddressBook, region: str | None) -> list[str]:
    """All that is wrong with the lines of a file, each with its place."""
    people: dict[str, Line] = {}
    for line in lines:
        people.setdefault(name_key(line.name), line)
    groups: dict[str, str] = {}
    found: list[str] = []
    for line in lines:
        about = [*_about_person(line, people, book), about_number(line.number, region)]
        about += [_about_group(name, groups, people, book) for name in line.groups]
        found += [f"Line {line.place}: {complaint}" for complaint in about if complaint is not None]
    return found


def _about_person(line: Line, people: dict[str, Line], book: AddressBook) -> Iterator[str | None]:
    wrong = about_name(line.name)
    if wrong is not None:
        yield wrong
        return
    first = people[name_key(line.name)]
    if first is not line:
        spelt = "" if first.name == line.name else f", spelt {first.name}"
        yield f"{line.name} stands on line {first.place} already{spelt}. Leave one of them out."
    else:
        yield about_kin(line.name, book, Contact)


def _about_group(name: str, groups: dict[str, str], people: dict[str, Line], book: AddressBook) -> str | None:
    wrong = about_name(name) or about_kin(name, book, Group)
    if wrong is not None:
        return wrong
    key = name_key(name)
    if key in people:
        return f"{name} is the name of the contact on line {people[key].place}. Give the group another name."
    first = groups.setdefault(key, name)
    return f"The groups {first} and {name} are the same name. Spell it in one way." if first != name else None
