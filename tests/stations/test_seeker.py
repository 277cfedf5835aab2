"""What nobody knows is asked of the provider, and what it says settles the message; nothing is ever sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bridge import clock, seeker
from bridge.errors import Reason
from bridge.gateways.base import Doubt, Gateway, Traits
from bridge.seeker import Seeker
from bridge.store.claims import Claim, Start
from bridge.store.transitions import Change
from bridge.types import MessageState, OutboundSms, Outcome, OutcomeKind
from tests.store.conftest import GATEWAY, StoreRoom, new_mail
from tests.store.steps import ME, state

THERE = Outcome(OutcomeKind.ACCEPTED, "P-7")
REFUSED = Outcome(OutcomeKind.REJECTED, reason=Reason.UNKNOWN_SUBSCRIBER, diagnostic="no such number")
NOBODY_KNOWS = Outcome(OutcomeKind.UNKNOWN)


class Provider(Gateway):
    """Knows of one message what the test says; it is never to be handed one."""

    name = GATEWAY
    traits = Traits(receipts=True, inbound=True, lookup=True)

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[Doubt] = []

    async def submit(self, sms: OutboundSms) -> Outcome:
        raise AssertionError("a message was sent again")

    async def probe(self) -> str:
        return ""

    async def lookup(self, message: Doubt) -> Outcome:
        self.asked.append(message)
        return self.outcomes.pop(0)


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        pytest.param([THERE], MessageState.SENT, id="the provider has it"),
        pytest.param([REFUSED], MessageState.FAILED, id="it was refused"),
        pytest.param([NOBODY_KNOWS, NOBODY_KNOWS, THERE], MessageState.SENT, id="it is asked again"),
    ],
)
async def test_what_the_provider_says_settles_it(
    room: StoreRoom, said: list[Outcome], becomes: MessageState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeker, "FIRST_WAIT", 0.01)
    message_id = await unknown(room)
    provider, settled = Provider(*said), asyncio.Event()

    def note() -> None:
        if not provider.outcomes:
            settled.set()

    station = Seeker(room.store.queue, {GATEWAY: provider}, note)
    running = asyncio.create_task(station.run())
    await asyncio.wait_for(settled.wait(), 30)
    station.stop()
    await running
    assert await state(room, message_id) is becomes
    assert provider.asked == [Doubt(message_id, None, "+393331234567")] * len(said)


async def test_a_receipt_that_came_meanwhile_knows_better(room: StoreRoom) -> None:
    message_id = await unknown(room)
    late = Change(message_id, MessageState.FAILED, clock.now(), only_from=frozenset({MessageState.UNKNOWN}))
    await room.store.queue.change(Change(message_id, MessageState.DELIVERED, clock.now()))
    assert await room.store.queue.change(late) is None
    assert await state(room, message_id) is MessageState.DELIVERED
    assert await room.store.queue.doubts([GATEWAY], clock.now() - seeker.LONGEST_DOUBT) == []


async def test_the_old_ones_do_not_keep_the_others_from_being_asked_about(
    room: StoreRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider cannot say what became of the first five, and is asked about those behind them all the same."""
    monkeypatch.setattr(seeker, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(seeker, "PAGE", 2)
    messages = [await unknown(room, f"<{number}@client.test>") for number in range(7)]
    provider, settled = Provider(*[NOBODY_KNOWS] * 5, THERE, THERE, *[NOBODY_KNOWS] * 1000), asyncio.Event()
    station = Seeker(
        room.store.queue, {GATEWAY: provider}, lambda: settled.set() if len(provider.asked) >= 12 else None
    )
    running = asyncio.create_task(station.run())
    await asyncio.wait_for(settled.wait(), 30)
    station.stop()
    await running
    asked = [doubt.reference for doubt in provider.asked]
    assert asked[:7] == messages, "each once, before any is asked about again"
    assert asked[7:12] == messages[:5]
    assert [await state(room, each) for each in messages[5:]] == [MessageState.SENT] * 2


async def unknown(room: StoreRoom, mail: str = "<one@client.test>") -> str:
    now = clock.now()
    await room.outbox.take(new_mail(room.mailbox, message_id=mail, at=now))
    until = now + timedelta(seconds=90)
    (claimed,) = await room.store.queue.claim(Claim(ME, clock.now(), until, 10))
    message_id = claimed.sms.reference
    assert await room.store.queue.start(Start(ME, message_id, GATEWAY, clock.now(), until)) == 1
    await room.store.queue.change(Change(message_id, MessageState.UNKNOWN, clock.now(), Reason.NO_ANSWER))
    return message_id


async def breaks(_: Doubt) -> Outcome:
    raise KeyError("the gateway's own code is broken")


async def hangs(_: Doubt) -> Outcome:
    await asyncio.Event().wait()
    return THERE


@pytest.mark.parametrize("first", [breaks, hangs])
async def test_a_gateway_that_breaks_over_an_answer_is_asked_again(
    room: StoreRoom, first: Callable[[Doubt], Awaitable[Outcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A station that died of it would take the bridge with it, at every start anew."""
    monkeypatch.setattr(seeker, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(seeker, "ANSWER", 0.1)
    message_id = await unknown(room)
    provider, plays = Provider(THERE), [first]
    lookup, settled = provider.lookup, asyncio.Event()

    async def play(doubt: Doubt) -> Outcome:
        return await (plays.pop() if plays else lookup)(doubt)

    monkeypatch.setattr(provider, "lookup", play)
    station = Seeker(room.store.queue, {GATEWAY: provider}, lambda: settled.set() if provider.asked else None)
    running = asyncio.create_task(station.run())
    try:
        await asyncio.wait({asyncio.create_task(settled.wait()), running}, timeout=10, return_when="FIRST_COMPLETED")
        assert await state(room, message_id) is MessageState.SENT
    finally:
        station.stop()
        await running


@pytest.mark.parametrize("said", [THERE, REFUSED])
async def test_what_is_said_of_one_try_decides_nothing_about_the_next(
    room: StoreRoom, said: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the provider thinks, a person has the text sent again, and again nobody answers."""
    monkeypatch.setattr(seeker, "FIRST_WAIT", 0.01)
    message_id = await unknown(room)
    provider, settled = Provider(), asyncio.Event()

    async def thinks(_: Doubt) -> Outcome:
        await try_again(room, message_id)
        monkeypatch.setattr(seeker, "FIRST_WAIT", 3600.0)
        return said

    monkeypatch.setattr(provider, "lookup", thinks)
    station = Seeker(room.store.queue, {GATEWAY: provider}, settled.set)
    running = asyncio.create_task(station.run())
    await asyncio.wait_for(settled.wait(), 30)
    station.stop()
    await running
    assert await state(room, message_id) is MessageState.UNKNOWN


async def try_again(room: StoreRoom, message_id: str) -> None:
    """A second try, by a person's word, that leaves as much in doubt as the first."""
    now = clock.now()
    await room.store.queue.change(Change(message_id, MessageState.QUEUED, now, due_at=now, by_person=True))
    until = now + timedelta(seconds=90)
    await room.store.queue.claim(Claim(ME, clock.now(), until, 10))
    assert await room.store.queue.start(Start(ME, message_id, GATEWAY, clock.now(), until)) == 2
    await room.store.queue.change(Change(message_id, MessageState.UNKNOWN, clock.now(), Reason.NO_ANSWER))
