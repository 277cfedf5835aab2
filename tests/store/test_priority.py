"""High priority leaves before what is older, with and without rates, and takes nothing from anybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.store.claims import Claim
from bridge.types import Priority, Rates
from bridge.types.sms import Encoding, National, Shift
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import ME, OTHER

HIGH, NORMAL = Priority.HIGH, Priority.NORMAL
RATED = {GATEWAY: Rates(gateway=200)}


async def put(room: StoreRoom, name: str, count: int, priority: Priority, at: float, **changes: Any) -> None:
    """Messages of one mail; their texts begin with `name`."""
    numbers = [f"+3933312{name[0].encode()[0]:03}{index:02}" for index in range(count)]
    mail = new_mail(room.mailbox, numbers, message_id=f"<{name}@x>", text=f"{name} text", at=later(at))
    messages = (replace(each, priority=priority, **changes) for each in mail.messages)
    await room.outbox.take(replace(mail, messages=tuple(messages)))


async def claimed(
    room: StoreRoom,
    limit: int,
    rates: Mapping[str, Rates],
    at: float = 100,
    owner: str = ME,
    without: frozenset[str] = frozenset(),
) -> list[str]:
    """The first letters of the texts that are claimed, in the order in which they leave."""
    now = later(at)
    wish = Claim(owner, now, now + timedelta(seconds=900), limit, without, rates=rates)
    found = await room.store.queue.claim(wish)
    return [each.sms.text[0] for each in sorted(found, key=lambda each: each.slot.at)]


@pytest.mark.parametrize("rates", [pytest.param({}, id="no rate"), pytest.param(RATED, id="a rate")])
async def test_high_leaves_before_what_is_older(room: StoreRoom, rates: Mapping[str, Rates]) -> None:
    await put(room, "old", 3, NORMAL, 0)
    await put(room, "new", 3, NORMAL, 2)
    await put(room, "high", 2, HIGH, 3)
    assert await claimed(room, 3, rates) == ["h", "h", "o"]
    assert await claimed(room, 9, rates, 200) == ["o", "o", "n", "n", "n"]


@pytest.mark.parametrize("rates", [pytest.param({}, id="no rate"), pytest.param(RATED, id="a rate")])
async def test_of_several_high_ones_the_oldest_leaves_first(room: StoreRoom, rates: Mapping[str, Rates]) -> None:
    await put(room, "normal", 1, NORMAL, 0)
    await put(room, "late", 1, HIGH, 5)
    await put(room, "early", 1, HIGH, 4)
    assert await claimed(room, 9, rates) == ["e", "l", "n"]


@pytest.mark.parametrize("rates", [pytest.param({}, id="no rate"), pytest.param(RATED, id="a rate")])
async def test_high_is_strict(room: StoreRoom, rates: Mapping[str, Rates]) -> None:
    """While enough high ones wait, no other leaves; whoever asks for it decides that."""
    await put(room, "normal", 2, NORMAL, 0)
    await put(room, "high", 5, HIGH, 1)
    assert await claimed(room, 3, rates) == ["h"] * 3
    assert await claimed(room, 3, rates, 200, OTHER) == ["h", "h", "n"]


async def test_what_is_high_and_not_due_holds_up_nobody(room: StoreRoom) -> None:
    await put(room, "normal", 2, NORMAL, 0)
    await put(room, "high", 2, HIGH, 500)
    assert await claimed(room, 9, {}) == ["n", "n"]
    assert await claimed(room, 9, {}, 600) == ["h", "h"]


@pytest.mark.parametrize("rates", [pytest.param({}, id="no rate"), pytest.param(RATED, id="a rate")])
async def test_a_gateway_that_is_left_alone_keeps_its_high_ones(room: StoreRoom, rates: Mapping[str, Rates]) -> None:
    await put(room, "high", 3, HIGH, 0, gateway="away")
    await put(room, "normal", 2, NORMAL, 1)
    assert await claimed(room, 9, rates, without=frozenset({"away"})) == ["n", "n"]


async def test_the_pace_of_a_slow_sender_is_not_changed_by_priority(room: StoreRoom) -> None:
    """What has no slot is passed over, high or not, and others leave meanwhile."""
    rates = {GATEWAY: Rates(sender=1)}
    await put(room, "high", 3, HIGH, 0, sender="+390200000001")
    await put(room, "normal", 1, NORMAL, 1, sender="+390200000002")
    assert sorted(await claimed(room, 9, rates)) == ["h", "n"]


async def test_how_a_text_is_to_be_shown_travels_with_it(room: StoreRoom) -> None:
    shift = Shift(National.TURKISH, single=True, locking=False)
    mail = new_mail(room.mailbox, ["+393331234567", "+393337654321"])
    one, other = mail.messages
    shifted = replace(one.encoded, shift=shift)
    await room.outbox.take(replace(mail, messages=(replace(one, encoded=shifted, flash=True), other)))
    found = await room.store.queue.claim(Claim(ME, later(1), later(91), 10))
    assert {each.sms.number: (each.sms.encoding, each.sms.shift, each.sms.flash) for each in found} == {
        "+393331234567": (Encoding.GSM7, shift, True),
        "+393337654321": (Encoding.GSM7, None, False),
    }
