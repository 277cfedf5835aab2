"""Delivery receipts that mail programs ask for, when their mail lies in a watched mailbox."""

from __future__ import annotations

import pytest

from tests.mailbox_door.conftest import Post
from tests.receipt_requests import REQUESTS, Request, wanted


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_what_is_asked_for_is_reported(sqlite_post: Post, request_: Request) -> None:
    sqlite_post.put(sqlite_post.mail(extra="".join(f"{field}\r\n" for field in request_.fields)))
    await sqlite_post.look()
    assert await wanted(sqlite_post.room.store.engine) == [request_.wants]
