"""Receipts: whom they belong to, in which order they count, and what they may never do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest

from bridge.store.automatic import Dealings
from bridge.store.inbounds import Filing, Thread
from bridge.store.transitions import Change
from bridge.types import InboundSms, MessageState, Receipt
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import claim, finish, receipt, sending, start, state, view

DELIVERED, UNDELIVERED, SENT = MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.SENT


async def sent(room: StoreRoom, mail: str, provider_id: str | None) -> str:
    message_id = await sending(room, mail)
    assert await finish(room, message_id, SENT, provider_id=provider_id) is SENT
    return message_id


@pytest.mark.parametrize(
    ("reference", "provider_id", "moved"),
    [
        pytest.param("first", None, "first", id="our reference"),
        pytest.param(None, "P-1", "first", id="the provider's id"),
        pytest.param("second", "P-1", "second", id="our reference goes before the provider's id"),
        pytest.param("nobody", "P-1", "first", id="a reference that is not ours does not hide the provider's id"),
        pytest.param(None, "", None, id="an empty id is no id, although a gateway once gave one"),
        pytest.param("", "", None, id="nothing at all"),
        pytest.param(None, "p-1", None, id="ids are compared exactly"),
    ],
)
async def test_whose_receipt_it_is(
    room: StoreRoom, reference: str | None, provider_id: str | None, moved: str | None
) -> None:
    ids = {"first": await sent(room, "<a@x>", "P-1"), "second": await sent(room, "<b@x>", "")}
    told = receipt(ids.get(reference or "", reference), DELIVERED, "1", provider_id)
    await room.inbox.receipt(told, later(3))
    assert {name for name, one in ids.items() if await state(room, one) is DELIVERED} == ({moved} if moved else set())


async def test_a_provider_that_uses_an_id_again_means_the_newest_message(room: StoreRoom) -> None:
    older, newer = await sent(room, "<a@x>", "7"), await sent(room, "<b@x>", "7")
    await room.inbox.receipt(receipt(None, DELIVERED, "1", "7"), later(3))
    assert (await state(room, older), await state(room, newer)) == (SENT, DELIVERED)


async def test_a_receipt_older_than_the_message_is_about_another_one(room: StoreRoom) -> None:
    await room.inbox.receipt(receipt(None, DELIVERED, "1", "7"), later(-3600))
    assert await state(room, await sent(room, "<a@x>", "7")) is SENT


async def test_one_waiting_receipt_settles_one_message(room: StoreRoom) -> None:
    """Two messages that got the same id from the provider: the receipt is not counted for both."""
    older, newer = await sending(room, "<a@x>"), await sending(room, "<b@x>")
    await room.inbox.receipt(receipt(None, DELIVERED, "1", "7"), later(2))
    await asyncio.gather(
        finish(room, older, SENT, provider_id="7"),
        finish(room, newer, SENT, provider_id="7"),
    )
    assert [await state(room, older), await state(room, newer)].count(DELIVERED) == 1


async def test_receipts_for_many_messages_in_one_batch(room: StoreRoom) -> None:
    numbers = [f"+3933300000{index:02}" for index in range(40)]
    await room.outbox.take(new_mail(room.mailbox, numbers))
    ids = [claimed.sms.reference for claimed in await claim(room, limit=100)]
    await asyncio.gather(*(start(room, one) for one in ids))
    told = [receipt(one, UNDELIVERED if index % 2 else DELIVERED, f"e{index}") for index, one in enumerate(ids)]
    assert await asyncio.gather(*(room.inbox.receipt(one, later(2)) for one in told)) == [True] * 40
    states = [await state(room, one) for one in ids]
    assert states == [UNDELIVERED if index % 2 else DELIVERED for index in range(40)]


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        pytest.param([SENT, DELIVERED], DELIVERED, id="in order"),
        pytest.param([DELIVERED, SENT], DELIVERED, id="out of order"),
        pytest.param([UNDELIVERED, DELIVERED], DELIVERED, id="late truth"),
        pytest.param([DELIVERED, UNDELIVERED], DELIVERED, id="delivered stays"),
        pytest.param([UNDELIVERED, MessageState.EXPIRED], UNDELIVERED, id="the first failure stays"),
        pytest.param([MessageState.QUEUED], MessageState.SENDING, id="a provider's own queue is not ours"),
        pytest.param([MessageState.CANCELLED], MessageState.SENDING, id="only we cancel"),
    ],
)
async def test_several_receipts_in_one_batch(room: StoreRoom, told: list[MessageState], ends: MessageState) -> None:
    message_id = await sending(room)
    heard = [receipt(message_id, one, str(index)) for index, one in enumerate(told)]
    await asyncio.gather(*(room.inbox.receipt(one, later(2)) for one in heard))
    assert await state(room, message_id) is ends
    assert await claim(room, at=1000) == [], "whatever a receipt says, nothing is sent again"


async def test_of_two_events_with_one_id_the_first_counts(room: StoreRoom) -> None:
    message_id = await sending(room)
    told = [receipt(message_id, UNDELIVERED, "same"), receipt(message_id, DELIVERED, "same")]
    assert await asyncio.gather(*(room.inbox.receipt(one, later(2)) for one in told)) == [True, False]
    assert await state(room, message_id) is UNDELIVERED
    trace = await room.store.ledger.trace(message_id)
    assert trace is not None
    assert [step.detail for step in trace.steps if step.what == "receipt"] == ["undelivered"]


@pytest.mark.parametrize(
    ("told", "sent_again"),
    [
        pytest.param(DELIVERED, False, id="the phone has it: nothing is sent again"),
        pytest.param(UNDELIVERED, True, id="the first try failed: the second goes"),
        pytest.param(MessageState.EXPIRED, True, id="the first try expired: the second goes"),
    ],
)
async def test_a_late_receipt_while_a_person_sends_it_again(
    room: StoreRoom, told: MessageState, sent_again: bool
) -> None:
    message_id = await sending(room)
    await finish(room, message_id, MessageState.UNKNOWN)
    again = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True)
    assert await room.store.queue.change(again) is MessageState.QUEUED
    (claimed,) = await claim(room, at=4)
    await room.inbox.receipt(receipt(message_id, told, "late"), later(4))
    assert (await start(room, claimed.sms.reference, at=5) == 2) is sent_again


async def test_a_message_sent_again_is_known_by_its_new_id(room: StoreRoom) -> None:
    message_id = await sending(room)
    await finish(room, message_id, MessageState.UNKNOWN, provider_id="old")
    await room.store.queue.change(Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True))
    await claim(room, at=4)
    await start(room, message_id, at=5)
    await finish(room, message_id, SENT, attempt=2, at=6, provider_id="new")
    found = await view(room, message_id)
    assert (found.provider_id, found.reason) == ("new", None)
    await room.inbox.receipt(receipt(None, DELIVERED, "1", "new"), later(7))
    assert await state(room, message_id) is DELIVERED


async def test_moments_from_another_time_zone(room: StoreRoom) -> None:
    """Ten o'clock in Rome is nine o'clock UTC, also for a database that knows no time zones."""
    rome = timezone(timedelta(hours=1))
    message_id = await sending(room)
    told = Receipt(GATEWAY, None, message_id, DELIVERED, "1", occurred_at=datetime(2026, 11, 21, 10, 0, 5, tzinfo=rome))
    await room.inbox.receipt(told, later(5).astimezone(rome))
    assert (await view(room, message_id)).settled_at == later(5)


async def test_an_inbound_sms_is_filed_once(room: StoreRoom) -> None:
    sms = InboundSms(GATEWAY, "1", "+393331234567", room.mailbox.sender, "SI", later(0))
    filings = await asyncio.gather(*(room.inbox.inbound(sms, nobody) for _ in range(5)))
    assert [filing is not None for filing in filings] == [True, False, False, False, False]


def nobody(inbound_id: str, sms: InboundSms, threads: Sequence[Thread], dealings: Dealings) -> Filing:
    return Filing(None, None, None, "none", None)
