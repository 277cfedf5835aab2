"""Which gateway carries a message, and how much each may hold: nobody more than that, and no message waits in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge import breaker, clock, dispatcher
from bridge.store.claims import Claim, Claimed
from bridge.store.paces import AHEAD
from bridge.types import OutboundSms, Outcome, OutcomeKind, Rates
from tests.stations.test_pace import ACCEPTED, BUSY, ON_TIME, Network, dispatching
from tests.store.conftest import GATEWAY, StoreRoom, new_mail

STAND_IN, GONE = "stand-in", "gone"
UNREACHABLE = Outcome(OutcomeKind.UNREACHABLE)


def phones(number: int) -> list[str]:
    return [f"+3933355{index:05}" for index in range(number)]


async def put(room: StoreRoom, numbers: Sequence[str], *ways: str, **changes: Any) -> None:
    """A text to each phone, which the first of `ways` carries, or else the next."""
    mail = new_mail(room.mailbox, numbers, message_id=f"<{clock.new_id()}@client.test>", at=clock.now())
    short = replace(mail.messages[0].encoded, segments=(mail.messages[0].encoded.text,))
    to_go = [replace(each, gateway=ways[0], stand_ins=ways[1:], encoded=short, **changes) for each in mail.messages]
    await room.outbox.take(replace(mail, messages=tuple(to_go)))


async def test_a_stand_in_holds_no_more_than_its_places(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first gateway is left alone, and its stand-in does not answer: what is queued stays in the database."""
    monkeypatch.setattr(breaker, "SILENT_TRIES", 1)
    monkeypatch.setattr(breaker, "FIRST_PAUSE", 600.0)
    claim, claimed, no_more, answers = room.store.queue.claim, list[Claimed](), asyncio.Event(), asyncio.Event()

    async def watched(wish: Claim) -> list[Claimed]:
        found = await claim(wish)
        claimed.extend(found)
        if not found and stand_in.handed:
            no_more.set()
        return found

    async def unreachable(_: OutboundSms) -> Outcome:
        return UNREACHABLE

    async def in_the_end(_: OutboundSms) -> Outcome:
        await answers.wait()
        return ACCEPTED

    monkeypatch.setattr(room.store.queue, "claim", watched)
    await put(room, phones(100), GATEWAY, STAND_IN)
    first, stand_in = Network(0, unreachable), Network(100, in_the_end)
    async with dispatching(room.store, {GATEWAY: first, STAND_IN: stand_in}, {}, in_flight=2):
        await asyncio.wait_for(no_more.wait(), 30)
        assert len(stand_in.handed) <= 2
        assert len(claimed) <= 20, "those that the first held, and those that the stand-in holds"
        answers.set()
        await asyncio.wait_for(stand_in.all.wait(), 30)
    assert len(set(stand_in.handed)) == 100


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param((GONE, GATEWAY), id="the first is gone"),
        pytest.param((GATEWAY, GONE), id="the stand-in is gone"),
        pytest.param((GATEWAY,), id="none is gone"),
    ],
)
async def test_a_gateway_that_is_gone_keeps_no_text_from_another(room: StoreRoom, ways: tuple[str, ...]) -> None:
    """The operator took a section out of the settings; the gateway that is left has a rate, and fails once."""

    async def unreachable_once(_: OutboundSms) -> Outcome:
        return UNREACHABLE if len(network.handed) == 1 else ACCEPTED

    await put(room, phones(5), *ways)
    network, began = Network(6, unreachable_once), asyncio.get_running_loop().time()
    async with dispatching(room.store, {GATEWAY: network}, {GATEWAY: Rates(gateway=20)}):
        await asyncio.wait_for(network.all.wait(), 30)
    assert len(set(network.handed)) == 5
    for before, moment in enumerate(network.moments):
        assert moment - began >= before / 20 - ON_TIME


async def test_texts_that_are_over_make_room_at_once(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are more than the gateway may hold; another gateway has nothing to do."""
    monkeypatch.setattr(dispatcher, "POLL", 600.0)
    await put(room, phones(30), GATEWAY, expires_at=clock.now() - timedelta(seconds=1))
    await put(room, ["+393331234567"], GATEWAY)
    network = Network(1)
    async with dispatching(room.store, {GATEWAY: network, STAND_IN: Network(0)}, {}, in_flight=1):
        await asyncio.wait_for(network.all.wait(), 30)


async def test_texts_leave_though_every_claim_takes_longer_than_a_slot_lasts(
    room: StoreRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "LATE", 0.05)
    claim = room.store.queue.claim

    async def slowly(wish: Claim) -> list[Claimed]:
        found = await claim(wish)
        await asyncio.sleep(AHEAD.total_seconds() + 0.1)  # a database that takes its time
        return found

    monkeypatch.setattr(room.store.queue, "claim", slowly)
    await put(room, phones(12), GATEWAY)
    network = Network(12)
    async with dispatching(room.store, {GATEWAY: network}, {GATEWAY: Rates(gateway=20)}):
        await asyncio.wait_for(network.all.wait(), 30)
    assert len(set(network.handed)) == 12
    assert network.moments[-1] - network.moments[0] >= 11 / 20 / 2, "not all together"


async def test_a_phone_that_is_throttled_whatever_it_is_sent_holds_nobody_else(room: StoreRoom) -> None:
    """Were the gateway held, the others would leave an hour later."""
    busy = "+393331234567"

    async def busy_for_one(sms: OutboundSms) -> Outcome:
        return replace(BUSY, retry_after=3600.0) if sms.number == busy else ACCEPTED

    for _ in range(4):
        await put(room, [busy], GATEWAY)
    await put(room, phones(5), GATEWAY)
    network = Network(9, busy_for_one)
    async with dispatching(room.store, {GATEWAY: network}, {}, in_flight=1):
        await asyncio.wait_for(network.all.wait(), 30)
    assert len(set(network.handed)) == 9
