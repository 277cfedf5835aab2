"""The dispatcher between a real store and a phone network that misbehaves: one text a phone, whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge import breaker, clock, dispatcher
from bridge import station as stations
from bridge.dispatcher import Dispatcher
from bridge.errors import Reason, StoreUnavailable
from bridge.gateways.base import Gateway, Traits
from bridge.sms.encoding import encode
from bridge.store import engine as engine_module
from bridge.store.claims import Claim, Claimed, Start
from bridge.streaks import Streaks
from bridge.tries import Patience
from bridge.types import Encoding, MessageState, National, OutboundSms, Outcome, OutcomeKind
from tests.stations.conftest import refusals
from tests.store.conftest import GATEWAY, StoreRoom, Template, new_mail, open_room

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "P-1")
PATIENCE = Patience(first_retry=0.01, max_retry=0.02, give_up_after=60, unknown_after=15)
IN_FLIGHT = 10


class Network(Gateway):
    """A phone network that keeps count of what it was handed, and answers as it is told to."""

    name = GATEWAY
    traits = Traits(receipts=True, inbound=False)

    def __init__(self, answer: Callable[[int], Awaitable[Outcome]]) -> None:
        self._answer = answer
        self.handed: list[str] = []
        self.texts: list[OutboundSms] = []
        self.asked = asyncio.Event()
        self.settled = asyncio.Event()

    async def submit(self, sms: OutboundSms) -> Outcome:
        self.handed.append(sms.reference)
        self.texts.append(sms)
        self.asked.set()
        return await self._answer(len(self.handed))

    async def probe(self) -> str:
        return ""


@asynccontextmanager
async def dispatching(room: StoreRoom, network: Network, grace: float = 5.0) -> AsyncIterator[Dispatcher]:
    """A dispatcher at work; it is stopped as the bridge stops it."""
    station = Dispatcher(
        room.store.queue,
        {GATEWAY: network},
        PATIENCE,
        in_flight=IN_FLIGHT,
        node="me",
        settled=network.settled.set,
        streaks=Streaks(),
    )
    running = asyncio.create_task(station.run())
    try:
        yield station
    finally:
        await station.stop(grace)
        await running


@pytest.mark.parametrize(
    ("outcome", "handed"),
    [
        pytest.param(OutcomeKind.UNREACHABLE, [1, 1], id="who cannot be reached gives way at once"),
        pytest.param(OutcomeKind.THROTTLED, [2, 0], id="who asks for patience is given it"),
    ],
)
async def test_a_stand_in_carries_what_the_first_cannot(
    room: StoreRoom, outcome: OutcomeKind, handed: list[int]
) -> None:
    taken = asyncio.Event()

    async def takes(_: int) -> Outcome:
        taken.set()
        return ACCEPTED

    async def fails_once(tries: int) -> Outcome:
        return Outcome(outcome) if tries == 1 else await takes(tries)

    first, second = Network(fails_once), Network(takes)
    mail = new_mail(room.mailbox, at=clock.now())
    messages = tuple(replace(message, stand_ins=("second",)) for message in mail.messages)
    await room.outbox.take(replace(mail, messages=messages))
    station = Dispatcher(
        room.store.queue,
        {GATEWAY: first, "second": second},
        PATIENCE,
        in_flight=IN_FLIGHT,
        node="me",
        settled=lambda: None,
        streaks=Streaks(),
    )
    running = asyncio.create_task(station.run())
    await asyncio.wait_for(taken.wait(), 30)
    await station.stop(5)
    await running
    assert await states(room) == [MessageState.SENT]
    assert [len(first.handed), len(second.handed)] == handed


@pytest.mark.parametrize(("receipts", "told"), [(False, [[MessageState.SENT]]), (True, [])])
async def test_where_no_receipt_will_come_the_hand_over_is_what_is_told(
    room: StoreRoom, receipts: bool, told: list[list[MessageState]]
) -> None:
    network = Network(accepts)
    network.traits = Traits(receipts=receipts, inbound=False)
    await room.outbox.take(new_mail(room.mailbox, at=clock.now()))
    async with dispatching(room, network):
        await asyncio.wait_for(network.settled.wait(), 30)
    due = await room.reports.due(clock.now(), 10)
    assert [[line.state for line in report.lines] for report in due] == told


async def test_a_text_cut_for_tables_that_are_permitted_no_longer_leaves_all_the_same(room: StoreRoom) -> None:
    """As when the operator took them out of the settings, or another provider has the name now."""

    network, mail = Network(accepts), new_mail(room.mailbox, at=clock.now())
    turkish = encode("Yarın görüşürüz " * 9, shifts={National.TURKISH})
    assert (str(turkish.shift), len(turkish.segments)) == ("turkish:locking", 1)
    await room.outbox.take(replace(mail, messages=tuple(replace(each, encoded=turkish) for each in mail.messages)))
    async with dispatching(room, network):
        await becomes(room, network, [MessageState.SENT])
    (sent,) = network.texts
    assert (sent.shift, sent.encoding, len(sent.segments)) == (None, Encoding.UCS2, 3)
    assert "".join(sent.segments) == sent.text == turkish.text


async def test_one_that_no_header_could_number_without_tables_is_refused(room: StoreRoom) -> None:
    network, mail = Network(accepts), new_mail(room.mailbox, at=clock.now())
    turkish = encode("ş" * 149 * 200, shifts={National.TURKISH})
    await room.outbox.take(replace(mail, messages=tuple(replace(each, encoded=turkish) for each in mail.messages)))
    async with dispatching(room, network):
        await becomes(room, network, [MessageState.FAILED])
    assert network.texts == []
    (view,) = await room.store.ledger.messages(state=None, number=None, login=None, limit=100)
    assert view.reason == Reason.UNENCODABLE


async def states(room: StoreRoom) -> list[MessageState]:
    found = await room.store.ledger.messages(state=None, number=None, login=None, limit=100)
    return [view.state for view in reversed(found)]


async def becomes(room: StoreRoom, network: Network, expected: list[MessageState]) -> None:
    async with asyncio.timeout(30):
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
    station = Dispatcher(
        room.store.queue,
        {GATEWAY: network},
        PATIENCE,
        in_flight=IN_FLIGHT,
        node="me",
        settled=lambda: None,
        streaks=Streaks(),
    )
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
            network, refused = Network(locks), refusals(monkeypatch, room.store.queue, "finish")
            async with dispatching(room, network):
                await refused.wait()
                assert await states(room) == [MessageState.SENDING]
                other.execute("ROLLBACK")
                await becomes(room, network, [MessageState.SENT])
        assert len(network.handed) == 1


async def test_a_claimed_message_leaves_as_soon_as_the_database_is_back(
    tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when its lease ends, which is a minute and a half later."""
    monkeypatch.setattr(engine_module, "BUSY", 0.1)
    monkeypatch.setattr(stations, "AWAY", 0.1)
    async with open_room(tmp_path, template) as room:
        with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
            start, refused = room.store.queue.start, asyncio.Event()

            async def start_after_a_lock(wish: Start) -> int | None:
                if not refused.is_set():
                    other.execute("BEGIN IMMEDIATE")
                try:
                    return await start(wish)
                except StoreUnavailable:
                    refused.set()
                    raise

            monkeypatch.setattr(room.store.queue, "start", start_after_a_lock)
            await take(room)

            async def takes(_: int) -> Outcome:
                return ACCEPTED

            network = Network(takes)
            async with dispatching(room, network):
                await refused.wait()
                assert await states(room) == [MessageState.QUEUED]
                other.execute("ROLLBACK")
                await becomes(room, network, [MessageState.SENT])
        assert len(network.handed) == 1


async def test_who_does_not_answer_is_left_alone_and_asked_again_by_one(
    room: StoreRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty texts, a provider that answers nobody for a while: few are in doubt, the others wait for it to be back."""
    monkeypatch.setattr(breaker, "FIRST_PAUSE", 0.5)
    moments: list[float] = []
    loop = asyncio.get_running_loop()

    async def silent_at_first(tries: int) -> Outcome:
        moments.append(loop.time())
        return ACCEPTED if tries > 22 else Outcome(OutcomeKind.UNKNOWN)

    network = Network(silent_at_first)
    numbers = [f"+3933312340{index:02}" for index in range(40)]
    await room.outbox.take(new_mail(room.mailbox, numbers, at=clock.now()))
    async with dispatching(room, network):
        async with asyncio.timeout(30):
            while MessageState.QUEUED in await states(room):
                await network.settled.wait()
                network.settled.clear()
    before_the_pause = 1 + max(range(len(moments) - 1), key=lambda index: moments[index + 1] - moments[index])
    assert before_the_pause >= breaker.SILENT_TRIES
    assert len(network.handed) == len(set(network.handed)) == 40
    assert (await states(room)).count(MessageState.UNKNOWN) == 22


async def test_a_claim_that_is_over_is_not_carried_out(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited so long for a place that its lease ended: another node, or the same one, has claimed it since."""
    claim, carried = room.store.queue.claim, asyncio.Event()

    async def claims_late(wish: Claim) -> list[Claimed]:
        found = await claim(wish)
        if not found:
            return found
        carried.set()
        return [replace(each, leased_until=clock.now()) for each in found]

    monkeypatch.setattr(room.store.queue, "claim", claims_late)
    await take(room)
    network = Network(accepts)
    async with dispatching(room, network):
        await asyncio.wait_for(carried.wait(), 30)
    assert network.handed == []
    assert await states(room) == [MessageState.QUEUED]
