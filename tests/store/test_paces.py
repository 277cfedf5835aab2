"""How fast messages are claimed where gateways have rates: one pace for all nodes, and nobody waits for the slow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.store.claims import Claim, Claimed, Release
from bridge.store.paces import AHEAD, Hold, Slots, Wish
from bridge.store.queue import Finish
from bridge.store.store import Store
from bridge.store.transitions import Change
from bridge.types import MessageState, NewMessage, Outcome, OutcomeKind, Rates
from tests.store.conftest import GATEWAY, NOW, StoreRoom, later, new_mail
from tests.store.steps import ME, OTHER, start


async def put(
    room: StoreRoom,
    number: int,
    *,
    sender: str = "+390200000001",
    gateway: str = GATEWAY,
    stand_ins: tuple[str, ...] = (),
    segments: int = 1,
    at: float = 0,
) -> None:
    """Messages of one mail, all due at the same moment."""
    phones = [f"+3933300{index:05}" for index in range(number)]
    mail = new_mail(room.mailbox, phones, message_id=f"<{sender}.{gateway}.{at}@client.test>", at=later(at))

    def changed(message: NewMessage) -> NewMessage:
        pieces = message.encoded.segments[:1] * segments
        encoded = replace(message.encoded, segments=pieces, text="".join(pieces))
        return replace(message, sender=sender, gateway=gateway, stand_ins=stand_ins, encoded=encoded)

    await room.outbox.take(replace(mail, messages=tuple(map(changed, mail.messages))))


async def claim(
    room: StoreRoom | Store,
    rates: Mapping[str, Rates],
    at: float = 1,
    *,
    owner: str = ME,
    limit: int = 50,
    without: frozenset[str] = frozenset(),
) -> list[Claimed]:
    queue = (room if isinstance(room, Store) else room.store).queue
    return await queue.claim(Claim(owner, later(at), later(at + 90), limit, without, rates=rates))


def seconds(claimed: Sequence[Claimed]) -> list[float]:
    """The slots, in seconds after the beginning of the test."""
    return [round((each.slot.at - NOW).total_seconds(), 3) for each in claimed]


async def test_messages_of_a_gateway_leave_evenly(room: StoreRoom) -> None:
    await put(room, 20)
    rates = {GATEWAY: Rates(gateway=20)}
    assert seconds(await claim(room, rates, 1.0)) == [1.0, 1.05, 1.1, 1.15, 1.2, 1.25]
    assert await claim(room, rates, 1.0) == [], "what was given out is given out, to whoever asks"
    assert seconds(await claim(room, rates, 1.2)) == [1.3, 1.35, 1.4, 1.45]
    assert seconds(await claim(room, rates, 9.0, limit=2)) == [9.0, 9.05], "a quiet time is not made up for"


async def test_a_long_text_counts_as_many(room: StoreRoom) -> None:
    await put(room, 3, segments=2)
    assert seconds(await claim(room, {GATEWAY: Rates(gateway=20)})) == [1.0, 1.1, 1.2]


async def test_what_is_no_longer_to_be_sent_uses_up_nothing(room: StoreRoom) -> None:
    mail = new_mail(room.mailbox, [f"+39333000000{digit}" for digit in range(5)])
    over = tuple(replace(each, expires_at=later(0.5)) for each in mail.messages[:4])
    await room.outbox.take(replace(mail, messages=(*over, mail.messages[4])))
    assert seconds(await claim(room, {GATEWAY: Rates(gateway=1)})) == [1.0] * 5


async def test_each_sender_has_a_rate_of_its_own(room: StoreRoom) -> None:
    await put(room, 2, sender="+390200000001")
    await put(room, 2, sender="+390200000002")
    found = await claim(room, {GATEWAY: Rates(sender=1)})
    assert {each.sms.sender: each.slot.at for each in found} == {
        "+390200000001": later(1),
        "+390200000002": later(1),
    }
    assert len(await claim(room, {GATEWAY: Rates(sender=1)}, 2)) == 2


async def test_a_long_row_of_a_slow_sender_starves_nobody(room: StoreRoom) -> None:
    """They were first, and stand before the others in the queue."""
    for part in range(4):
        await put(room, 250, sender="+390200000001", at=part / 100)
    await put(room, 1, sender="+390200000002", at=0.5)
    await put(room, 1, gateway="other", at=0.6)
    found = await claim(room, {GATEWAY: Rates(sender=1)}, limit=10)
    assert [(each.gateway, each.sms.sender) for each in found] == [
        (GATEWAY, "+390200000001"),
        (GATEWAY, "+390200000002"),
        ("other", "+390200000001"),
    ]


async def test_the_order_of_a_sender_is_kept(room: StoreRoom) -> None:
    for moment in (3, 1, 2, 0):
        await put(room, 2, at=moment / 10)
    rates, due = {GATEWAY: Rates(gateway=100, sender=4)}, []
    for moment in range(1, 20):
        due += [each.due_at for each in await claim(room, rates, moment / 4 + 1)]
    assert len(due) == 8
    assert due == sorted(due)


async def test_a_gateway_without_a_rate_goes_at_once_beside_one_that_has(room: StoreRoom) -> None:
    await put(room, 5, gateway="other")
    await put(room, 5)
    found = await claim(room, {GATEWAY: Rates(gateway=1)})
    assert sorted(each.gateway for each in found) == ["other"] * 5 + [GATEWAY]


async def test_a_stand_in_keeps_to_its_own_pace(room: StoreRoom) -> None:
    await put(room, 5, gateway="main", stand_ins=("gone", GATEWAY))
    rates, without = {GATEWAY: Rates(gateway=1)}, frozenset({"main", "gone"})
    for moment in (1, 2):
        found = await claim(room, rates, moment, without=without)
        assert [each.slot.gateway for each in found] == [GATEWAY]
        assert seconds(found) == [moment]
    assert await claim(room, rates, 2.5, without=without) == []
    assert len(await claim(room, rates, 2.5)) == 3, "who was left alone is back, and has no rate"


async def test_a_stand_in_without_a_slot_keeps_nobody_waiting(room: StoreRoom) -> None:
    await put(room, 30, gateway="main", stand_ins=(GATEWAY,))
    await put(room, 1, gateway="other", at=0.5)
    found = await claim(room, {GATEWAY: Rates(gateway=1)}, limit=10, without=frozenset({"main"}))
    assert [each.gateway for each in found] == ["main", "other"]


async def test_the_rate_holds_over_a_restart_and_for_both_nodes(room: StoreRoom) -> None:
    await put(room, 10)
    rates = {GATEWAY: Rates(gateway=1)}
    async with Store(room.store.settings) as second:
        assert len(await claim(room, rates, 1)) == 1
        assert await claim(second, rates, 1.5, owner=OTHER) == []
        assert len(await claim(second, rates, 2, owner=OTHER)) == 1
        assert await claim(room, rates, 2.5) == []


async def test_nodes_that_claim_at_the_same_moment_share_the_slots(room: StoreRoom) -> None:
    await put(room, 100)
    rates, slots = {GATEWAY: Rates(gateway=20)}, list[datetime]()
    async with Store(room.store.settings) as second, Store(room.store.settings) as third:
        for moment in range(1, 5):
            nodes = [claim(store, rates, moment, owner=store.node) for store in (room.store, second, third)]
            found = [each for claimed in await asyncio.gather(*nodes) for each in claimed]
            slots += [each.slot.at for each in found]
    assert len(slots) == 4 * 6
    assert all(
        then - one >= timedelta(seconds=0.05) for one, then in zip(sorted(slots), sorted(slots)[1:], strict=False)
    )


async def test_what_waits_for_a_slot_is_looked_for_when_there_is_one(room: StoreRoom) -> None:
    await put(room, 2)
    rates = {GATEWAY: Rates(gateway=1)}
    assert seconds(await claim(room, rates, 1)) == [1.0]
    assert await claim(room, rates, 1.1) == []
    moment = await room.store.queue.next_due(later(1.1))
    assert moment == later(2) - AHEAD / 2
    assert seconds(await claim(room, rates, (moment - NOW).total_seconds())) == [2.0]


async def test_a_message_that_missed_its_slot_takes_another(room: StoreRoom) -> None:
    await put(room, 2)
    rates = {GATEWAY: Rates(gateway=10)}
    first, _ = await claim(room, rates, 1)
    await room.store.queue.release(Release(ME, first.sms.reference, later(5)))
    (again,) = await claim(room, rates, 6)
    assert (again.sms.reference, seconds([again])) == (first.sms.reference, [6.0])


@pytest.mark.parametrize("rates", [{}, {GATEWAY: Rates(gateway=100)}], ids=["without a rate", "with one"])
async def test_a_gateway_that_wants_rest_is_left_alone_by_all(room: StoreRoom, rates: dict[str, Rates]) -> None:
    await put(room, 2)
    (first,) = await claim(room, rates, 1, limit=1)
    await start(room, first.sms.reference)
    await throttled(room, first, until=30)
    await put(room, 1, gateway="other", at=1)
    async with Store(room.store.settings) as second:
        assert [each.gateway for each in await claim(second, rates, 29, owner=OTHER)] == ["other"]
        assert len(await claim(second, rates, 30, owner=OTHER)) == 2


async def test_a_shorter_rest_does_not_end_a_longer_one(room: StoreRoom) -> None:
    await put(room, 3)
    for until in (30, 20):
        (each,) = await claim(room, {}, 1, limit=1) or await claim(room, {}, 31, limit=1)
        await start(room, each.sms.reference)
        await throttled(room, each, until=until)
    assert await claim(room, {}, 29) == []


async def throttled(room: StoreRoom, claimed: Claimed, until: float) -> None:
    change = Change(claimed.sms.reference, MessageState.QUEUED, later(2), due_at=later(3), attempt=1)
    finish = Finish(1, Outcome(OutcomeKind.THROTTLED), change, Hold(claimed.gateway, later(until)))
    await room.store.queue.finish(finish)


_WISHES = st.lists(
    st.tuples(
        st.integers(0, 3_000_000),  # microseconds since the claim before
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), max_size=30),  # sender, segments
    ),
    max_size=20,
)
_RATE = st.sampled_from([0.0, 0.3, 1.0, 7.0, 30.0, 333.0])


@given(claims=_WISHES, gateway=_RATE, sender=_RATE)
def test_never_more_than_the_rate_in_any_window(
    claims: list[tuple[int, list[tuple[str, int]]]], gateway: float, sender: float
) -> None:
    """In t seconds at most rate x t segments begin, and the text at the end of them."""
    rates, free, now = {GATEWAY: Rates(gateway, sender)}, dict[tuple[str, str], datetime](), NOW
    left: list[tuple[datetime, Wish]] = []
    for gap, wanted in claims:
        now += timedelta(microseconds=gap)
        slots = Slots(rates, now, free)
        wishes = [Wish(str(index), GATEWAY, who, size) for index, (who, size) in enumerate(wanted)]
        given_out = slots.give(wishes, now + AHEAD)
        assert all(now <= at <= now + AHEAD for at in given_out.values())
        left += [(given_out[wish.message_id], wish) for wish in wishes if wish.message_id in given_out]
        for who in "abc":
            places = [at for wish in wishes if wish.sender == who and (at := given_out.get(wish.message_id))]
            missing = [wish.message_id not in given_out for wish in wishes if wish.sender == who]
            assert places == sorted(places)
            assert missing == sorted(missing), "who came first is not passed over"
    _keep_to(gateway, left)
    for who in "abc":
        _keep_to(sender, [each for each in left if each[1].sender == who])


def _keep_to(rate: float, left: list[tuple[datetime, Wish]]) -> None:
    left.sort(key=lambda each: each[0])
    for first in range(len(left)) if rate else ():
        segments = 0
        for at, wish in left[first:]:
            assert segments <= rate * (at - left[first][0]).total_seconds() + 1e-9
            segments += wish.segments


@given(senders=st.lists(st.sampled_from("abc"), max_size=30))
def test_without_a_rate_everything_leaves_at_once(senders: list[str]) -> None:
    wishes = [Wish(str(index), GATEWAY, who, 1) for index, who in enumerate(senders)]
    given_out = Slots({}, NOW, {}).give(wishes, NOW + AHEAD)
    assert given_out == {wish.message_id: NOW for wish in wishes}


@given(number=st.integers(1, 40))
def test_slots_that_are_free_are_given_out(number: int) -> None:
    """At thirty a second a quarter of a second has room for eight: 0, 33, … 233 ms."""
    wishes = [Wish(str(index), GATEWAY, "a", 1) for index in range(number)]
    assert len(Slots({GATEWAY: Rates(30)}, NOW, {}).give(wishes, NOW + AHEAD)) == min(number, 8)
