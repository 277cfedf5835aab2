"""The table of fates, told by the real gateway: what a submit comes to, what the phone shows, what receipts follow."""

from __future__ import annotations

import asyncio
import time

import pytest

from bridge.errors import Reason
from bridge.types import MessageState, OutcomeKind
from tests.simulator.world import World, sms

ACCEPTED, REJECTED, UNKNOWN = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN
THROTTLED, UNREACHABLE = OutcomeKind.THROTTLED, OutcomeKind.UNREACHABLE
DELIVERED, SENT = MessageState.DELIVERED, MessageState.SENT

STORIES = {
    "any other is delivered": ("+393470000123", [ACCEPTED], ["Ciao"], [DELIVERED]),
    "901 is unknown": ("+393470000901", [REJECTED], [], []),
    "902 is throttled twice": ("+393470000902", [THROTTLED, THROTTLED, ACCEPTED], ["Ciao"], [DELIVERED]),
    "903 is absent": ("+393470000903", [ACCEPTED], [], [MessageState.UNDELIVERED]),
    "904 expires": ("+393470000904", [ACCEPTED], [], [MessageState.EXPIRED]),
    "905 breaks, its receipt comes": ("+393470000905", [UNKNOWN], ["Ciao"], [DELIVERED]),
    "907 has every receipt twice": ("+393470000907", [ACCEPTED], ["Ciao"], [DELIVERED, SENT, DELIVERED]),
    "908 has an early receipt": ("+393470000908", [ACCEPTED], ["Ciao"], [DELIVERED]),
    "909 answers late": ("+393470000909", [ACCEPTED], ["Ciao"], [DELIVERED]),
    "910 is away three times": ("+393470000910", [UNREACHABLE] * 3 + [ACCEPTED], ["Ciao"], [DELIVERED]),
}


@pytest.mark.parametrize(("number", "outcomes", "texts", "states"), STORIES.values(), ids=STORIES.keys())
async def test_each_fate_from_submit_to_receipt(
    world: World,
    number: str,
    outcomes: list[OutcomeKind],
    texts: list[str],
    states: list[MessageState],
) -> None:
    message = sms(number)

    answers = [await world.gateway.submit(message) for _ in outcomes]

    assert [answer.kind for answer in answers] == outcomes
    assert await world.texts(number) == texts
    await world.bridge.wait_for(len(states))
    assert [receipt.state for receipt in world.bridge.receipts] == states
    assert {receipt.reference for receipt in world.bridge.receipts} <= {message.reference}
    if answers[-1].kind is ACCEPTED:
        assert {receipt.provider_id for receipt in world.bridge.receipts} == {answers[-1].provider_id}


async def test_unknown_subscriber_names_its_reason(world: World) -> None:
    outcome = await world.gateway.submit(sms("+393470000901"))
    assert outcome.reason is Reason.UNKNOWN_SUBSCRIBER


@pytest.mark.parametrize(
    ("number", "reason"),
    [("+393470000903", Reason.ABSENT_SUBSCRIBER), ("+393470000904", Reason.VALIDITY_EXPIRED)],
    ids=["absent", "expired"],
)
async def test_failed_receipts_name_their_reason(world: World, number: str, reason: Reason) -> None:
    await world.gateway.submit(sms(number))
    await world.bridge.wait_for(1)
    assert world.bridge.receipts[0].reason is reason


async def test_throttling_asks_for_a_short_pause(world: World) -> None:
    outcome = await world.gateway.submit(sms("+393470000902"))
    assert outcome.retry_after == 1.0


async def test_the_tries_of_two_messages_are_counted_apart(world: World) -> None:
    first, second = sms("+393470000902"), sms("+393470000902")
    kinds = [(await world.gateway.submit(message)).kind for message in (first, second, first, second, first)]
    assert kinds == [THROTTLED, THROTTLED, THROTTLED, THROTTLED, ACCEPTED]


async def test_an_ordinary_receipt_comes_within_a_fifth_of_a_second_after_the_answer(world: World) -> None:
    seconds = []
    for told in range(5):
        await world.gateway.submit(sms("+393470000123"))
        assert told or world.bridge.receipts == []
        started = time.monotonic()
        await world.bridge.wait_for(told + 1)
        seconds.append(time.monotonic() - started)
    # The network's own share is 50 ms; a busy machine may hold up one of them, and not each.
    assert min(seconds) < 0.2


async def test_905_hangs_up_at_once_and_its_receipt_follows_after_three_seconds(world: World) -> None:
    started = time.monotonic()
    outcome = await world.gateway.submit(sms("+393470000905"))
    assert outcome.kind is UNKNOWN
    assert outcome.diagnostic in ("RemoteProtocolError", "ReadError")
    assert time.monotonic() - started < 1.0
    await world.bridge.wait_for(1)
    assert 2.5 < time.monotonic() - started < 5.0


async def test_906_shows_the_text_and_never_sends_a_receipt(world: World) -> None:
    outcome = await world.gateway.submit(sms("+393470000906"))
    assert outcome.kind is UNKNOWN
    assert await world.texts("+393470000906") == ["Ciao"]
    # A later message's receipt comes by the same road, after whatever 906 might have sent.
    later = sms("+393470000123")
    await world.gateway.submit(later)
    await world.bridge.wait_for(1)
    assert [receipt.reference for receipt in world.bridge.receipts] == [later.reference]


async def test_907_repeats_its_receipt_as_a_new_event_after_a_second(world: World) -> None:
    await world.gateway.submit(sms("+393470000907"))
    await world.bridge.wait_for(1)
    started = time.monotonic()
    await world.bridge.wait_for(3)
    assert time.monotonic() - started > 0.7
    assert len({receipt.event_id for receipt in world.bridge.receipts}) == 3


async def test_908_answers_the_submit_only_after_the_receipt_was_taken(world: World) -> None:
    outcome = await world.gateway.submit(sms("+393470000908"))
    assert [receipt.provider_id for receipt in world.bridge.receipts] == [outcome.provider_id]


async def test_909_answers_after_five_seconds_with_the_text_long_shown(world: World) -> None:
    started = time.monotonic()
    submitting = asyncio.create_task(world.gateway.submit(sms("+393470000909")))
    await world.bridge.wait_for(1)
    assert await world.texts("+393470000909") == ["Ciao"]
    assert not submitting.done()
    assert (await submitting).kind is ACCEPTED
    assert 4.5 < time.monotonic() - started < 7.0


async def test_the_same_reference_twice_is_two_texts_on_the_phone(world: World) -> None:
    message = sms("+393470000123")
    first, second = await world.gateway.submit(message), await world.gateway.submit(message)
    assert await world.texts("+393470000123") == ["Ciao", "Ciao"]
    assert first.provider_id != second.provider_id
