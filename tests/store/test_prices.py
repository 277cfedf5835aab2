"""What a text costs is kept as its gateway said it, with the try or the receipt that said it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.store.queue import Finish
from bridge.store.transitions import Change
from bridge.types import MessageState, Money, Outcome, OutcomeKind
from tests.store.conftest import StoreRoom, later
from tests.store.steps import claim, finish, receipt, sending, start, view

SENT, DELIVERED, UNKNOWN = MessageState.SENT, MessageState.DELIVERED, MessageState.UNKNOWN


def money(amount: str, unit: str = "EUR") -> Money:
    return Money(Decimal(amount), unit)


async def answered(room: StoreRoom, message_id: str, price: Money | None, attempt: int = 1) -> None:
    """The gateway has taken a message, for this price."""
    outcome = Outcome(OutcomeKind.ACCEPTED, f"P-{attempt}", price=price)
    change = Change(message_id, SENT, later(2), provider_id=outcome.provider_id, attempt=attempt)
    await room.store.queue.finish(Finish(attempt, outcome, change))


async def told(room: StoreRoom, message_id: str, state: MessageState, event: str, price: Money | None) -> None:
    await room.inbox.receipt(replace(receipt(message_id, state, event), price=price), later(3))


async def details(room: StoreRoom, message_id: str) -> list[str]:
    trace = await room.store.ledger.trace(message_id)
    assert trace is not None
    return [step.detail for step in trace.steps if step.what in ("handed over", "receipt")]


@pytest.mark.parametrize(
    "price",
    [money("0.0750"), money("0.00000001"), money("12", "credits"), money("0.3500", ""), money("0"), None],
    ids=str,
)
async def test_a_price_is_kept_to_the_last_digit(room: StoreRoom, price: Money | None) -> None:
    message_id = await sending(room)
    await answered(room, message_id, price)
    found = await view(room, message_id)
    assert (found.price, found.price_unit) == ((price.digits, price.unit) if price is not None else (None, None))
    (listed,) = await room.store.ledger.messages(state=None, number=None, login=None, limit=10)
    assert listed == found
    assert await details(room, message_id) == [f"try 1 by simulator: accepted{f', costs {price}' if price else ''}"]


async def test_a_receipt_knows_better_than_the_answer(room: StoreRoom) -> None:
    """The answer has an estimate; of two receipts the newer counts, and one that says nothing changes nothing."""
    message_id = await sending(room)
    await answered(room, message_id, money("0.07"))
    await told(room, message_id, SENT, "1", money("0.08", "USD"))
    await told(room, message_id, DELIVERED, "2", money("0.0900", ""))
    await told(room, message_id, DELIVERED, "3", None)
    found = await view(room, message_id)
    assert (found.price, found.price_unit) == ("0.0900", "")
    assert await details(room, message_id) == [
        "try 1 by simulator: accepted, costs 0.07 EUR",
        "sent, costs 0.08 USD",
        "delivered, costs 0.0900",
        "delivered",
    ]


async def test_a_receipt_that_comes_before_the_answer_brings_its_price(room: StoreRoom) -> None:
    message_id = await sending(room)
    early = replace(receipt(None, DELIVERED, "1", "P-1"), price=money("0.05"))
    await room.inbox.receipt(early, later(2))
    assert (await view(room, message_id)).price is None
    await answered(room, message_id, None)
    assert (await view(room, message_id)).price == "0.05"


async def test_a_text_that_is_sent_again_costs_twice_and_each_try_says_so(room: StoreRoom) -> None:
    message_id = await sending(room)
    await finish(room, message_id, UNKNOWN)
    again = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True)
    await room.store.queue.change(again)
    await claim(room, at=4)
    assert await start(room, message_id, at=4) == 2
    await answered(room, message_id, money("0.06"), attempt=2)
    assert (await view(room, message_id)).price == "0.06"
    assert await details(room, message_id) == [
        "try 1 by simulator: unknown",
        "try 2 by simulator: accepted, costs 0.06 EUR",
    ]
