"""App passwords as rows: named, bounded, and used about once an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.errors import NotFound, NotPossible
from tests.store.conftest import StoreRoom, later


async def test_they_reach_the_directory_and_leave_it(room: StoreRoom) -> None:
    store, mailbox = room.store, room.mailbox
    await store.passwords.add(mailbox, "Scanner", lambda others: f"first of {len(others)}")
    await store.passwords.add(mailbox, "Thunderbird", lambda others: f"behind {others[0]}")
    await store.directory.refresh()
    there = store.directory.passwords(mailbox.id)
    assert [(each.name, each.verifier) for each in there] == [
        ("Scanner", "first of 0"),
        ("Thunderbird", "behind first of 0"),
    ]
    with pytest.raises(NotPossible, match="already"):
        await store.passwords.add(mailbox, "SCANNER", lambda _: "")
    await store.passwords.revoke(mailbox, "scanner")
    with pytest.raises(NotFound):
        await store.passwords.revoke(mailbox, "scanner")
    assert await store.directory.refresh()
    assert [each.name for each in store.directory.passwords(mailbox.id)] == ["Thunderbird"]


async def test_a_use_is_written_down_once_an_hour_and_wakes_nobody(room: StoreRoom) -> None:
    store = room.store
    await store.passwords.add(room.mailbox, "Scanner", lambda _: "")
    await store.directory.refresh()
    (password,) = store.directory.passwords(room.mailbox.id)

    async def use(minutes: int) -> timedelta:
        await store.passwords.used(password.id, later(60 * minutes))
        (row,) = await store.passwords.all()
        assert row.used_at is not None
        return row.used_at - later(0)

    assert await use(5) == timedelta(minutes=5)
    assert await use(64) == timedelta(minutes=5)
    assert await use(65) == timedelta(minutes=65)
    assert await use(3) == timedelta(minutes=65), "two nodes may write in either order"
    assert not await store.directory.refresh()
    await store.passwords.revoke(room.mailbox, "Scanner")
    await store.passwords.used(password.id, later(999_999))
    assert await store.passwords.all() == []
