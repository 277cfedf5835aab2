"""The dispatcher between a real store and a phone network that misbehaves: one text a phone, whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bridge import clock, dispatcher
from bridge.dispatcher import Dispatcher, Pace
from bridge.gateways.base import Gateway, Traits
from bridge.store import engine as engine_module
from bridge.streaks import Streaks
from bridge.types import MessageState, OutboundSms, Outcome, OutcomeKind
from tests.store.conftest import GATEWAY, StoreRoom, Template, new_mail, open_room

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "P-1")
PACE = Pace(first_retry=0.01, max_retry=0.02, give_up_after=60, unknown_after=15, in_flight=10)


class Network(Gateway):
    """A phone network that keeps count of what it was handed, and answers as it is told to."""

    name = GATEWAY
    traits = Traits(receipts=True, inbound=False)

    def __init__(self, answer: Callable[[int], Awaitable[Outcome]]) -> None:
        self._answer = answer
        self.handed: list[str] = []
        self.asked = asyncio.Event()
        self.settled = asyncio.Event()

    async def submit(self, sms: OutboundSms) -> Outcome:
        self.handed.append(sms.reference)
        self.asked.set()
        return await self._answer(len(self.handed))

    async def probe(self) -> str:
        return ""


@asynccontextmanager
async def dispatching(room: StoreRoom, network: Network, grace: float = 5.0) -> AsyncIterator[Dispatcher]:
    """A dispatcher at work; it is stopped as the bridge stops it."""
    station = Dispatcher(
        room.store.queue, {GATEWAY: network}, PACE, node="me", settled=network.settled.set, streaks=Streaks()
    )
    running = asyncio.create_task(station.run())
    try:
        yield station
    finally:
        await station.stop(grace)
        await running


async def states(room: StoreRoom) -> list[MessageState]:
    found = await room.store.ledger.messages(state=None, number=None, login=None, limit=100)
    return [view.state for view in reversed(found)]


async def becomes(room: StoreRoom, network: Network, expected: list[MessageState]) -> None:
    async with asyncio.timeout(10):
        while await states(room) != expected:
            await network.settled.wait()
            network.settled.clear()


async def take(room: StoreRoom, *numbers: str) -> None:
    await room.outbox.take(new_mail(room.mailbox, numbers or ("+393331234567",), at=clock.now()))


async def breaks(_: int) -> Outcome:
    raise RuntimeError("the gateway's own code is broken")


async def times_out(_: int) -> Outcome:
    raise TimeoutError


async def hangs(_: int) -> Outcome:
    await asyncio.Event().wait()
    return ACCEPTED


async def busy_twice(asked: int) -> Outcome:
    return Outcome(OutcomeKind.THROTTLED, diagnostic="HTTP 429") if asked < 3 else ACCEPTED


async def refused_once(asked: int) -> Outcome:
    return Outcome(OutcomeKind.UNREACHABLE) if asked < 2 else ACCEPTED


async def accepts(_: int) -> Outcome:
    return ACCEPTED


@pytest.mark.parametrize(
    ("answer", "handed", "ends"),
    [
        pytest.param(accepts, 1, MessageState.SENT, id="accepted"),
        pytest.param(busy_twice, 3, MessageState.SENT, id="busy twice, then accepted"),
        pytest.param(refused_once, 2, MessageState.SENT, id="out of reach once, then accepted"),
        pytest.param(breaks, 1, MessageState.UNKNOWN, id="a gateway that breaks may have sent"),
        pytest.param(times_out, 1, MessageState.UNKNOWN, id="a time-out of its own"),
        pytest.param(hangs, 1, MessageState.UNKNOWN, id="a gateway that never answers is not waited for"),
    ],
)
async def test_what_a_message_becomes(
    room: StoreRoom,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[int], Awaitable[Outcome]],
    handed: int,
    ends: MessageState,
) -> None:
    monkeypatch.setattr(dispatcher, "ANSWER", 0.2)
    await take(room)
    network = Network(answer)
    async with dispatching(room, network):
        await becomes(room, network, [ends])
    assert len(network.handed) == handed


async def test_a_stop_lets_what_is_in_flight_finish(room: StoreRoom) -> None:
    answered = asyncio.Event()

    async def slowly(_: int) -> Outcome:
        await answered.wait()
        return ACCEPTED

    await take(room)
    network = Network(slowly)
    async with dispatching(room, network):
        await network.asked.wait()
        asyncio.get_running_loop().call_later(0.1, answered.set)
    assert await states(room) == [MessageState.SENT]


async def test_a_stop_does_not_wait_for_ever_and_nothing_is_sent_twice(room: StoreRoom) -> None:
    await take(room)
    first, second = Network(hangs), Network(accepts)
    async with dispatching(room, first, grace=0.1):
        await first.asked.wait()
    assert await states(room) == [MessageState.SENDING]
    await room.store.leases.recover(clock.now(), all_leases=True, told_after=15)
    await take(room, "+393337654321")
    async with dispatching(room, second):
        await becomes(room, second, [MessageState.UNKNOWN, MessageState.SENT])
    assert len(second.handed) == 1


async def test_what_is_claimed_during_a_stop_stays_in_the_queue(room: StoreRoom) -> None:
    await take(room)
    network = Network(accepts)
    station = Dispatcher(room.store.queue, {GATEWAY: network}, PACE, node="me", settled=lambda: None, streaks=Streaks())
    running = asyncio.create_task(station.run())
    await asyncio.sleep(0)  # the claim is on its way to the database
    await station.stop(1)
    await running
    assert network.handed == []
    assert await states(room) == [MessageState.QUEUED]


async def test_an_outcome_waits_for_a_locked_database(
    tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text has gone, and another process holds the database: the outcome is kept, and nothing is sent again."""
    monkeypatch.setattr(engine_module, "BUSY", 0.1)
    async with open_room(tmp_path, template) as room:
        with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:

            async def locks(_: int) -> Outcome:
                other.execute("BEGIN IMMEDIATE")
                return ACCEPTED

            await take(room)
            network = Network(locks)
            async with dispatching(room, network):
                await network.asked.wait()
                await asyncio.sleep(0.3)  # long enough for the first try to settle it to fail
                assert await states(room) == [MessageState.SENDING]
                other.execute("ROLLBACK")
                await becomes(room, network, [MessageState.SENT])
        assert len(network.handed) == 1
