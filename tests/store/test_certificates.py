"""Client certificates as rows: known by their fingerprint, each one mailbox's, and used about once an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.errors import NotPossible
from tests.store.conftest import StoreRoom, later


async def test_they_reach_the_directory_and_leave_it(room: StoreRoom) -> None:
    store, mailbox, until = room.store, room.mailbox, later(86_400)
    await store.certificates.add(mailbox, "Postfix", pem="PEM", fingerprint="ab", until=until)
    await store.directory.refresh()
    known = store.directory.certificates["ab"]
    assert (known.mailbox_id, known.pem, known.until) == (mailbox.id, "PEM", until)
    with pytest.raises(NotPossible, match="where it is Postfix"):
        await store.certificates.add(mailbox, "another", pem="PEM", fingerprint="ab", until=until)
    await store.certificates.used(known.id, later(0))
    await store.certificates.used(known.id, later(3000))
    assert [each.used_at for each in await store.certificates.all()] == [later(0)]
    await store.certificates.revoke(mailbox, "postfix")
    assert await store.directory.refresh()
    assert store.directory.certificates == {}
    await store.certificates.used(known.id, later(0) + timedelta(days=1))
    assert await store.certificates.all() == []
