"""Long answers of phones that come in segments, in any order and over any bind; none of their words is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from bridge.store.automatic import Dealings
from bridge.store.engine import reading
from bridge.store.inbounds import Filing, Thread
from bridge.store.tables import inbound_parts
from bridge.types import InboundPart, InboundSms
from tests.store.conftest import GATEWAY, StoreRoom, later

PHONE = "+393331234567"


def part(
    room: StoreRoom, ordinal: int, text: str, *, total: int = 3, reference: int = 42, at: float = 0
) -> InboundPart:
    """A segment of the phone."""
    event_id = f"{reference}:{ordinal}:{at}"
    return InboundPart(GATEWAY, event_id, PHONE, room.mailbox.sender, text, later(at), reference, total, ordinal)


def nobody(inbound_id: str, sms: InboundSms, threads: Sequence[Thread], dealings: Dealings) -> Filing:
    return Filing(None, None, None, "none", None)


async def put(room: StoreRoom, *parts: InboundPart) -> list[str]:
    """What becomes whole, one segment after the other."""
    filed = [await room.inbox.part(one, nobody) for one in parts]
    return [sms.text for sms, _ in (each for each in filed if each is not None)]


@pytest.mark.parametrize("order", [pytest.param((1, 2, 3), id="in order"), pytest.param((3, 1, 2), id="in another")])
async def test_segments_are_put_together(room: StoreRoom, order: tuple[int, ...]) -> None:
    words = {1: "Vengo ", 2: "domani ", 3: "alle 9"}
    assert await put(room, *(part(room, ordinal, words[ordinal]) for ordinal in order)) == ["Vengo domani alle 9"]
    assert await put(room, part(room, 1, "E ", at=9), part(room, 2, "poi ", at=9), part(room, 3, "vedo", at=9)) == [
        "E poi vedo"
    ]


async def test_all_segments_at_the_same_moment(room: StoreRoom) -> None:
    parts = [part(room, ordinal, str(ordinal), total=6) for ordinal in range(1, 7)]
    filed = await asyncio.gather(*(room.inbox.part(one, nobody) for one in parts))
    assert [sms.text for sms, _ in (each for each in filed if each is not None)] == ["123456"]


async def test_a_character_cut_in_two_is_whole_again(room: StoreRoom) -> None:
    assert await put(room, part(room, 1, "Sì \ud83d", total=2), part(room, 2, "\ude00", total=2)) == ["Sì 😀"]
    assert await put(room, part(room, 1, "Sì \ud83d", total=2, at=9), part(room, 2, "No", total=2, at=9)) == [
        "Sì \ufffdNo"
    ]


async def test_a_segment_that_is_said_again_is_one_segment(room: StoreRoom) -> None:
    again = part(room, 1, "A", total=2)
    assert await put(room, again, again, part(room, 2, "B", total=2)) == ["AB"]


async def test_texts_with_other_references_are_other_texts(room: StoreRoom) -> None:
    assert await put(room, part(room, 1, "A", total=2), part(room, 2, "x", total=2, reference=43)) == []
    assert await put(room, part(room, 2, "B", total=2)) == ["AB"]
    assert await put(room, part(room, 1, "y", total=2, reference=43)) == ["yx"]


async def test_a_reference_that_is_used_again_days_later_is_another_text(room: StoreRoom) -> None:
    day = timedelta(days=2).total_seconds()
    assert await put(room, part(room, 1, "old", total=2), part(room, 2, "B", total=2, at=day)) == []
    assert await put(room, part(room, 1, "A", total=2, at=day)) == ["AB"]


async def test_after_an_hour_there_is_what_there_is(room: StoreRoom) -> None:
    await put(room, part(room, 1, "Vengo "), part(room, 3, " alle 9", at=60))
    assert await room.inbox.given_up(later(3600), nobody) is None
    given_up = await room.inbox.given_up(later(3661), nobody)
    assert given_up is not None
    sms, _ = given_up
    assert (sms.text, sms.number, sms.to) == ("Vengo […] alle 9", PHONE, room.mailbox.sender)
    assert await room.inbox.given_up(later(9999), nobody) is None


async def test_a_segment_that_is_delivered_again_after_all_is_no_second_answer(room: StoreRoom) -> None:
    """Vonage calls again for a day when our answer is lost; the phone wrote once."""
    first, second = part(room, 1, "A", total=2), part(room, 2, "B", total=2)
    assert await put(room, first, second) == ["AB"]
    assert await put(room, second, first) == []
    assert await room.inbox.given_up(later(9999), nobody) is None


async def test_the_same_words_with_the_same_reference_are_a_second_answer(room: StoreRoom) -> None:
    """Some phones give every long text the same reference."""
    assert await put(room, part(room, 1, "A", total=2), part(room, 2, "B", total=2)) == ["AB"]
    assert await put(room, part(room, 1, "A", total=2, at=5), part(room, 2, "B", total=2, at=5)) == ["AB"]


async def test_whole_answers_leave_no_words_behind_and_are_forgotten_after_a_day(room: StoreRoom) -> None:
    await put(room, part(room, 1, "A", total=2), part(room, 2, "B", total=2))
    query = select(inbound_parts.c.text)
    async with reading(room.store.engine) as connection:
        assert (await connection.execute(query)).scalars().all() == ["", ""]
    await room.inbox.given_up(later(timedelta(days=1, seconds=1).total_seconds()), nobody)
    async with reading(room.store.engine) as connection:
        assert (await connection.execute(query)).scalars().all() == []
