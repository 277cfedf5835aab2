"""The address book on disk: saved whole or not at all, and known to a running bridge by the revision."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import NotFound, NotPossible
from bridge.store.book_draft import MAX_MEMBERS
from bridge.store.mailboxes import FIRST_ORGANISATION
from bridge.store.store import Store
from bridge.types import EMPTY_BOOK, AddressBook, Contact
from tests.store.conftest import StoreRoom

MARIO = Contact("Mario Rossi", "+393331234567")
JOSE = Contact("José García", "+393471234567")
ANNA = Contact("Anna", "+393281234567")


async def book(room: StoreRoom) -> AddressBook:
    await room.store.directory.refresh()
    return room.store.directory.book(FIRST_ORGANISATION)


async def members(room: StoreRoom, group: str) -> list[str] | None:
    found = (await book(room)).groups.get(group)
    return None if found is None else [each.name for each in found.members]


async def test_a_new_store_has_an_empty_book(room: StoreRoom) -> None:
    assert await book(room) is EMPTY_BOOK
    assert room.mailbox.organisation_id == FIRST_ORGANISATION


async def test_contacts_and_groups_are_found_by_any_spelling_of_their_names(room: StoreRoom) -> None:
    await room.store.contacts.save([MARIO, JOSE])
    await room.store.contacts.change_group("Pazienti", ["jose.garcia", "MARIO ROSSI"], [])
    found = await book(room)
    assert found.members("jose garcia") == (JOSE,)
    assert found.members("pazienti") == (JOSE, MARIO)
    assert found.members("nobody") is None
    assert found.names == {MARIO.number: "Mario Rossi", JOSE.number: "José García"}
    assert [each.name for each in found.contacts.values()] == ["José García", "Mario Rossi"]
    assert [each.name for each in found.groups.values()] == ["Pazienti"]


async def test_saving_again_changes_the_number_everywhere(room: StoreRoom) -> None:
    await room.store.contacts.save([MARIO])
    await room.store.contacts.change_group("Pazienti", ["Mario Rossi"], [])
    moved = Contact("Mario Rossi", "+393331234568")
    await room.store.contacts.save([moved])
    found = await book(room)
    assert (found.members("mario rossi"), found.members("pazienti")) == ((moved,), (moved,))


async def test_people_and_their_groups_come_together(room: StoreRoom) -> None:
    await room.store.contacts.save([MARIO, JOSE], {"Oggi": ["Mario Rossi"], "Tutti": ["Mario Rossi", "José García"]})
    assert (await members(room, "oggi"), await members(room, "tutti")) == (
        ["Mario Rossi"],
        ["José García", "Mario Rossi"],
    )


@pytest.mark.parametrize(
    ("people", "groups", "error", "sentence"),
    [
        ([ANNA, Contact("Oggi", "+393331234500")], {}, NotPossible, "Oggi is a group. Give the contact another name."),
        ([ANNA], {"Mario Rossi": ["Anna"]}, NotPossible, "Mario Rossi is a contact. Give the group another name."),
        ([ANNA], {"Domani": ["Nobody"]}, NotFound, "There is no contact and no group Nobody."),
        ([ANNA], {"Domani": ["Oggi"]}, NotPossible, "Oggi is a group, and a group has contacts as its members."),
        ([Contact(f"N{number}", f"+39333{number:07}") for number in range(MAX_MEMBERS + 1)],
         {"Domani": [f"N{number}" for number in range(MAX_MEMBERS + 1)]}, NotPossible,
         "A group has at most 1000 members. Divide Domani into two."),
    ],
    ids=["contact with a group's name", "group with a contact's name", "unknown member", "group in a group",
         "too many"],
)  # fmt: skip
async def test_all_of_it_is_saved_or_nothing(
    room: StoreRoom, people: list[Contact], groups: dict[str, list[str]], error: type[Exception], sentence: str
) -> None:
    await room.store.contacts.save([MARIO], {"Oggi": ["Mario Rossi"]})
    before = await book(room)
    with pytest.raises(error) as caught:
        await room.store.contacts.save(people, groups)
    assert str(caught.value).startswith(sentence)
    assert not await room.store.directory.refresh()
    assert await book(room) == before


async def test_who_fails_does_not_keep_others_back_that_save_at_the_same_moment(room: StoreRoom) -> None:
    results = await asyncio.gather(
        room.store.contacts.save([MARIO]),
        room.store.contacts.change_group("Oggi", ["Nobody"], []),
        room.store.contacts.save([JOSE], {"Mario Rossi": ["José García"]}),
        room.store.contacts.save([ANNA]),
        return_exceptions=True,
    )
    assert [type(each) for each in results] == [type(None), NotFound, NotPossible, type(None)]
    assert set((await book(room)).contacts) == {"anna", "mario rossi"}


async def test_members_leave(room: StoreRoom) -> None:
    await room.store.contacts.save([MARIO, JOSE, ANNA], {"Oggi": ["Mario Rossi", "José García"]})
    await room.store.contacts.change_group("oggi", ["Anna"], ["mario-rossi"])
    assert await members(room, "oggi") == ["Anna", "José García"]
    with pytest.raises(NotFound, match="Mario Rossi does not belong to Oggi"):
        await room.store.contacts.change_group("oggi", [], ["Mario Rossi"])
    with pytest.raises(NotFound, match="There is no group Domani"):
        await room.store.contacts.change_group("Domani", [], ["Anna"])
    assert await members(room, "domani") is None


async def test_what_is_removed_is_gone_from_groups_too(room: StoreRoom) -> None:
    await room.store.contacts.save([MARIO, JOSE], {"Oggi": ["Mario Rossi", "José García"]})
    await room.store.contacts.remove("mario.rossi")
    assert await members(room, "oggi") == ["José García"]
    await room.store.contacts.remove("Oggi")
    found = await book(room)
    assert (set(found.contacts), set(found.groups)) == ({"jose garcia"}, set())
    with pytest.raises(NotFound, match="There is no contact and no group Oggi"):
        await room.store.contacts.remove("Oggi")


async def test_another_bridge_on_the_same_store_notices(room: StoreRoom) -> None:
    """By the revision alone, which it looks at every second."""
    async with Store(room.store.settings) as other:
        assert other.directory.book(FIRST_ORGANISATION) is EMPTY_BOOK
        await room.store.contacts.save([MARIO])
        assert await other.directory.refresh()
        assert other.directory.book(FIRST_ORGANISATION).members("mario rossi") == (MARIO,)
        await room.store.contacts.change_group("Oggi", ["Mario Rossi"], [])
        assert await other.directory.refresh()
        await room.store.contacts.remove("Oggi")
        assert await other.directory.refresh()
        assert not await other.directory.refresh()
