"""Long texts whose segments have ids and receipts of their own: when has the whole arrived, and when has it not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bridge.store.queue import Finish
from bridge.store.transitions import Change
from bridge.types import MessageState, Outcome, OutcomeKind
from tests.store.conftest import StoreRoom, later
from tests.store.steps import claim, finish, receipt, sending, start, state, view

SENT, DELIVERED, UNDELIVERED = MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED
EXPIRED, FAILED, UNKNOWN = MessageState.EXPIRED, MessageState.FAILED, MessageState.UNKNOWN


async def handed_over(
    room: StoreRoom, message_id: str, ids: Sequence[str | None], became: MessageState = SENT, attempt: int = 1
) -> None:
    """The answer to a try with these segments."""
    kind = OutcomeKind.ACCEPTED if became is SENT else OutcomeKind.UNKNOWN
    outcome = Outcome(kind, ids[0], segment_ids=tuple(ids))
    change = Change(message_id, became, later(2), provider_id=ids[0], attempt=attempt)
    assert await room.store.queue.finish(Finish(attempt, outcome, change)) is became


async def tell(room: StoreRoom, *said: tuple[str, MessageState]) -> None:
    """Receipts, one after the other."""
    for number, (provider_id, told) in enumerate(said):
        await room.inbox.receipt(receipt(None, told, f"{provider_id} {told} {number}", provider_id), later(3))


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        pytest.param([], SENT, id="nothing yet"),
        pytest.param([("A", DELIVERED)], SENT, id="a part is not the whole"),
        pytest.param([("A", DELIVERED), ("B", DELIVERED)], SENT, id="two of three"),
        pytest.param([("A", DELIVERED), ("B", DELIVERED), ("C", DELIVERED)], DELIVERED, id="all"),
        pytest.param([("C", DELIVERED), ("A", DELIVERED), ("B", DELIVERED)], DELIVERED, id="all, in any order"),
        pytest.param([("A", DELIVERED), ("A", DELIVERED), ("A", DELIVERED)], SENT, id="one, three times"),
        pytest.param([("A", DELIVERED), ("B", UNDELIVERED)], UNDELIVERED, id="without one of them it is not whole"),
        pytest.param([("B", EXPIRED)], EXPIRED, id="one expired"),
        pytest.param([("B", FAILED), ("A", DELIVERED), ("C", DELIVERED)], FAILED, id="one refused for good"),
        pytest.param(
            [("B", UNDELIVERED), ("A", DELIVERED), ("C", DELIVERED), ("B", DELIVERED)], DELIVERED, id="late truth"
        ),
        pytest.param(
            [("A", DELIVERED), ("A", UNDELIVERED), ("B", DELIVERED), ("C", DELIVERED)], DELIVERED, id="arrived stays so"
        ),
        pytest.param([("A", SENT), ("B", SENT), ("C", SENT)], SENT, id="on their way"),
    ],
)
async def test_what_receipts_of_segments_mean(
    room: StoreRoom, said: list[tuple[str, MessageState]], ends: MessageState
) -> None:
    message_id = await sending(room)
    await handed_over(room, message_id, ["A", "B", "C"])
    await tell(room, *said)
    assert await state(room, message_id) is ends
    assert (await view(room, message_id)).provider_id == "A"


async def test_receipts_that_come_before_the_answer(room: StoreRoom) -> None:
    message_id = await sending(room)
    await tell(room, ("A", DELIVERED), ("B", DELIVERED))
    await handed_over(room, message_id, ["A", "B"])
    assert await state(room, message_id) is DELIVERED


async def test_all_receipts_at_the_same_moment(room: StoreRoom) -> None:
    message_id = await sending(room)
    ids = [f"S{number}" for number in range(6)]
    await handed_over(room, message_id, ids)
    await asyncio.gather(*(tell(room, (one, DELIVERED)) for one in ids))
    assert await state(room, message_id) is DELIVERED


async def test_a_text_with_a_segment_in_doubt_stays_in_doubt(room: StoreRoom) -> None:
    message_id = await sending(room)
    await handed_over(room, message_id, ["A", None], UNKNOWN)
    await tell(room, ("A", DELIVERED))
    assert await state(room, message_id) is UNKNOWN


async def test_a_text_that_is_sent_again_has_new_segments(room: StoreRoom) -> None:
    message_id = await sending(room)
    await handed_over(room, message_id, ["A", None], UNKNOWN)
    again = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True)
    await room.store.queue.change(again)
    await claim(room, at=4)
    await start(room, message_id, at=5)
    await handed_over(room, message_id, ["C", "D"], attempt=2)
    await tell(room, ("A", DELIVERED), ("C", DELIVERED))
    assert await state(room, message_id) is SENT
    await tell(room, ("D", DELIVERED))
    assert await state(room, message_id) is DELIVERED


async def test_an_id_that_is_used_again_means_the_newest_message(room: StoreRoom) -> None:
    older, newer = await sending(room, "<a@x>"), await sending(room, "<b@x>")
    await handed_over(room, older, ["A", "B"])
    await handed_over(room, newer, ["B", "C"])
    await tell(room, ("B", DELIVERED), ("C", DELIVERED))
    assert (await state(room, older), await state(room, newer)) == (SENT, DELIVERED)


@pytest.mark.parametrize("became", [SENT, UNKNOWN, FAILED])
async def test_segments_of_the_first_try_say_nothing_of_the_second(room: StoreRoom, became: MessageState) -> None:
    """The second went out whole, over a provider that cuts texts itself."""
    message_id = await sending(room)
    await handed_over(room, message_id, ["A", "B"], UNKNOWN)
    again = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True)
    await room.store.queue.change(again)
    await claim(room, at=4)
    await start(room, message_id, at=5)
    assert await finish(room, message_id, became, attempt=2, at=6, provider_id="C") is became
    await tell(room, ("B", UNDELIVERED))
    assert await state(room, message_id) is became


async def test_segments_that_arrive_after_all_keep_a_text_from_being_sent_again(room: StoreRoom) -> None:
    """The second try was put off: what is said of the first still counts."""
    message_id = await sending(room)
    await handed_over(room, message_id, ["A", "B"], UNKNOWN)
    again = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True)
    await room.store.queue.change(again)
    await claim(room, at=4)
    await start(room, message_id, at=5)
    await finish(room, message_id, MessageState.QUEUED, attempt=2, at=6)
    await tell(room, ("A", DELIVERED), ("B", DELIVERED))
    assert await state(room, message_id) is DELIVERED
