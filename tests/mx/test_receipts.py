"""Delivery receipts that mail programs ask for, when their mail comes through somebody's provider."""

from __future__ import annotations

import pytest

from tests.mx.conftest import ANNA, PHONE, Mx, letter
from tests.receipt_requests import NOTIFIED, REQUESTS, Request, wanted


@pytest.mark.parametrize("request_", [*REQUESTS.values(), *NOTIFIED.values()], ids=[*REQUESTS, *NOTIFIED])
async def test_what_is_asked_for_is_reported(mx: Mx, request_: Request) -> None:
    client = await mx.greeted()
    assert (await client.say(f"MAIL FROM:<{ANNA}>")).startswith("250")
    notify = f" NOTIFY={request_.notify}" if request_.notify else ""
    assert (await client.say(f"RCPT TO:<{PHONE}>{notify}")).startswith("250")
    assert (await client.say("DATA")).startswith("354")
    raw = letter(f"Anna <{ANNA}>", *request_.fields)
    assert (await client.mail(raw.removesuffix(b"\r\n"))).startswith("250")
    assert await wanted(mx.room.store.engine) == [request_.wants]
