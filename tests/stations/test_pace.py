"""Messages leave at the pace that the operator set, whoever carries them, and a gateway that wants rest gets it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge import clock, dispatcher, throttle
from bridge.dispatcher import Dispatcher
from bridge.errors import Reason
from bridge.gateways.base import Gateway, Traits
from bridge.gateways.configured import open_gateways, rates
from bridge.gateways.provider import Provider
from bridge.gateways.registry import PROVIDERS
from bridge.settings import GatewaySettings, Settings
from bridge.store.claims import Claim, Claimed
from bridge.store.store import Store
from bridge.streaks import Streaks
from bridge.throttle import Throttle
from bridge.tries import Patience
from bridge.types import MessageState, OutboundSms, Outcome, OutcomeKind, Rates
from tests.store.conftest import GATEWAY, StoreRoom, Template, new_mail, open_room

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "P-1")
BUSY = Outcome(OutcomeKind.THROTTLED)
PATIENCE = Patience(first_retry=0.01, max_retry=0.02, give_up_after=60, unknown_after=15)
ON_TIME = 0.01
"""Seconds by which a timer of the event loop, or the clock that slots are counted on, may be wrong."""

Answer = Callable[[OutboundSms], Awaitable[Outcome]]


class Network(Gateway):
    """A phone network that writes down when it was handed what."""

    name = GATEWAY
    traits = Traits(receipts=True, inbound=False)

    def __init__(self, expects: int, answer: Answer | None = None) -> None:
        self._expects = expects
        self._answer = answer
        self.handed: list[str] = []
        self.moments: list[float] = []
        self.all = asyncio.Event()
        """As many tries as were expected."""

    async def submit(self, sms: OutboundSms) -> Outcome:
        self.handed.append(sms.reference)
        self.moments.append(asyncio.get_running_loop().time())
        if len(self.handed) == self._expects:
            self.all.set()
        return ACCEPTED if self._answer is None else await self._answer(sms)

    async def probe(self) -> str:
        return ""


@asynccontextmanager
async def dispatching(
    store: Store, gateways: Mapping[str, Gateway], rates: Mapping[str, Rates], in_flight: int = 10
) -> AsyncIterator[asyncio.Event]:
    """A dispatcher at work; the event is set whenever something became of a message."""
    settled = asyncio.Event()
    station = Dispatcher(
        store.queue,
        gateways,
        PATIENCE,
        in_flight=in_flight,
        node=store.node,
        settled=settled.set,
        streaks=Streaks(),
        rates=rates,
    )
    running = asyncio.create_task(station.run())
    try:
        yield settled
    finally:
        await station.stop(5)
        await running


async def take(room: StoreRoom, number: int, sender: str = "+390200000001", ago: float = 0) -> None:
    at = clock.now() - timedelta(seconds=ago)
    mail = new_mail(room.mailbox, [f"+3933312{index:05}" for index in range(number)], message_id=f"<{sender}>", at=at)
    short = replace(mail.messages[0].encoded, segments=(mail.messages[0].encoded.text,))
    messages = tuple(replace(each, sender=sender, encoded=short) for each in mail.messages)
    await room.outbox.take(replace(mail, messages=messages))


async def test_a_gateway_is_handed_no_more_than_its_rate(room: StoreRoom) -> None:
    await take(room, 21)
    network, began = Network(21), asyncio.get_running_loop().time()
    async with dispatching(room.store, {GATEWAY: network}, {GATEWAY: Rates(gateway=50)}):
        await asyncio.wait_for(network.all.wait(), 30)
    assert len(set(network.handed)) == 21
    for before, moment in enumerate(network.moments):
        assert moment - began >= before / 50 - ON_TIME


async def test_two_nodes_keep_to_one_rate(tmp_path: Path, template: Template) -> None:
    async with open_room(tmp_path, template, "postgresql") as room, Store(room.store.settings) as second:
        await take(room, 41)
        network, began = Network(41), asyncio.get_running_loop().time()
        rates = {GATEWAY: Rates(gateway=50)}
        async with (
            dispatching(room.store, {GATEWAY: network}, rates),
            dispatching(second, {GATEWAY: network}, rates),
        ):
            await asyncio.wait_for(network.all.wait(), 30)
    assert len(set(network.handed)) == 41
    for before, moment in enumerate(network.moments):
        assert moment - began >= before / 50 - ON_TIME


async def test_others_do_not_wait_for_a_slow_sender(room: StoreRoom) -> None:
    """Its second text has its slot in a hundred seconds; theirs leave as if it were not there."""
    await take(room, 200, sender="+390200000001", ago=10)
    await take(room, 30, sender="+390200000002")
    network = Network(31)
    rates = {GATEWAY: Rates(sender=0.01)}
    others = Network(30)
    async with dispatching(room.store, {GATEWAY: network, "other": others}, rates):
        mail = new_mail(room.mailbox, [f"+3933399{index:05}" for index in range(30)], message_id="<o>", at=clock.now())
        messages = tuple(replace(each, gateway="other") for each in mail.messages)
        await room.outbox.take(replace(mail, messages=messages))
        await asyncio.wait_for(others.all.wait(), 30)
    assert len(network.handed) == 2, "the first text of each sender"


async def test_who_waits_for_a_slot_sleeps(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim for each text, one that finds none, one when it is settled: but not one after the other without end."""
    claim, claims = room.store.queue.claim, list[int]()

    async def counted(wish: Claim) -> list[Claimed]:
        found = await claim(wish)
        claims.append(len(found))
        return found

    monkeypatch.setattr(room.store.queue, "claim", counted)
    monkeypatch.setattr(dispatcher, "LATE", 30.0)  # a slot that a busy machine misses is claimed anew
    await take(room, 9)
    network = Network(9)
    async with dispatching(room.store, {GATEWAY: network}, {GATEWAY: Rates(sender=6)}):
        await asyncio.wait_for(network.all.wait(), 30)
    assert sum(claims) == 9
    assert len(claims) <= 6 * 9


async def test_slots_that_were_missed_are_not_made_up_for(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four places, and a gateway that takes its time over the first four: behind them slots come and go."""
    monkeypatch.setattr(dispatcher, "LATE", 0.05)
    answers = asyncio.Event()

    async def slow_at_first(_: OutboundSms) -> Outcome:
        if len(network.handed) == 4:
            asyncio.get_running_loop().call_later(1.0, answers.set)
        await answers.wait()
        return ACCEPTED

    await take(room, 10)
    network = Network(10, slow_at_first)
    async with dispatching(room.store, {GATEWAY: network}, {GATEWAY: Rates(gateway=10)}, in_flight=4):
        await asyncio.wait_for(network.all.wait(), 30)
    late = network.moments[4:]
    assert len(set(network.handed)) == 10
    assert late[-1] - late[0] >= len(late[1:]) / 10 / 2, "together they would take a few commits"


async def test_a_gateway_that_throttles_everybody_is_given_rest(room: StoreRoom) -> None:
    """Thirty texts are queued, and few run into the limit."""

    async def busy_at_first(_: OutboundSms) -> Outcome:
        return replace(BUSY, retry_after=0.6) if len(network.handed) <= 3 else ACCEPTED

    await take(room, 30)
    network = Network(33, busy_at_first)
    async with dispatching(room.store, {GATEWAY: network}, {}, in_flight=1):
        await asyncio.wait_for(network.all.wait(), 30)
    rest = network.moments[throttle.SEVERAL] - network.moments[throttle.SEVERAL - 1]
    assert rest >= 0.6 - ON_TIME


async def test_one_phone_that_is_throttled_holds_nobody_else(room: StoreRoom) -> None:
    """Were the gateway held, the others would leave after this one, an hour later."""

    async def busy_for_the_first(sms: OutboundSms) -> Outcome:
        return replace(BUSY, retry_after=3600.0) if sms.reference == network.handed[0] else ACCEPTED

    await take(room, 5)
    network = Network(5, busy_for_the_first)
    async with dispatching(room.store, {GATEWAY: network}, {}, in_flight=1):
        await asyncio.wait_for(network.all.wait(), 30)
    assert len(set(network.handed)) == 5


async def test_a_message_whose_gateway_is_gone_is_given_up_and_its_sender_told(room: StoreRoom) -> None:
    """The operator took the section out of the settings while messages waited for it."""
    await take(room, 1, ago=PATIENCE.give_up_after + 1)
    await take(room, 1, sender="+390200000002")
    async with dispatching(room.store, {"another": Network(1)}, {}) as settled:
        await asyncio.wait_for(settled.wait(), 30)
    found = {
        view.sender: view.state
        for view in await room.store.ledger.messages(state=None, number=None, login=None, limit=10)
    }
    assert found == {"+390200000001": MessageState.EXPIRED, "+390200000002": MessageState.QUEUED}
    (told,) = await room.reports.due(clock.now() + timedelta(seconds=90), 10)
    assert [line.reason for line in told.lines] == [Reason.GAVE_UP]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        pytest.param({}, Rates(gateway=30), id="what the provider documents"),
        pytest.param({"sender_rate": 1}, Rates(gateway=30, sender=1), id="and the operator besides"),
        pytest.param({"rate": 100}, Rates(gateway=100), id="the operator knows better"),
        pytest.param({"rate": 0}, None, id="as many as it takes"),
    ],
)
async def test_whose_word_counts(said: dict[str, float], meant: Rates | None) -> None:
    vonage = GatewaySettings.model_validate({"kind": "vonage", "account": "abcd1234", "secret": "a secret", **said})
    settings = Settings(gateways={"main": vonage})
    gateways = open_gateways(settings)
    assert rates(settings, gateways).get("main") == meant
    await gateways["main"].close()


@pytest.mark.parametrize("provider", [each for each in PROVIDERS if each.traits.rates], ids=lambda each: each.kind)
def test_a_rate_by_default_stands_on_the_providers_page(provider: Provider) -> None:
    page = Path(__file__).parents[2] / "docs" / "gateways" / f"{provider.kind}.md"
    (said,) = re.findall(r"^\*\*Rate\.\*\* (.*)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert f"{provider.traits.rates.gateway:g} " in said


NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "held"),
    [
        pytest.param("abc", 1.0, id="three phones in a row"),
        pytest.param("ab", None, id="two"),
        pytest.param("aaaaaaaa", None, id="one again and again"),
        pytest.param("ab+c", None, id="one was taken in between"),
        pytest.param("ab?c", 1.0, id="no answer in between says nothing"),
        pytest.param("abcdefghi", 1.0, id="what left before the rest began says nothing new"),
    ],
)
def test_when_a_gateway_as_a_whole_wants_rest(said: str, held: float | None) -> None:
    kinds = {"+": OutcomeKind.ACCEPTED, "?": OutcomeKind.UNKNOWN}
    gateway = Throttle()
    holds = [gateway.note(Outcome(kinds.get(one, OutcomeKind.THROTTLED)), one, NOW) for one in said]
    assert [hold for hold in holds if hold] == ([NOW + timedelta(seconds=held)] if held else [])
    assert gateway.held_until(NOW) == (NOW + timedelta(seconds=held) if held else None)


def test_rest_grows_until_a_message_is_taken() -> None:
    gateway, now, rests = Throttle(), NOW, list[float]()

    def throttled(retry_after: float | None = None) -> None:
        nonlocal now
        for one in "abc":
            until = gateway.note(replace(BUSY, retry_after=retry_after), one, now)
        assert until is not None
        assert gateway.held_until(until) is None
        rests.append((until - now).total_seconds())
        now = until

    for _ in range(8):
        throttled()
    throttled(retry_after=90.0)
    gateway.note(ACCEPTED, "a", now)
    throttled()
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 90, 1]


async def test_a_gateway_that_does_not_answer_takes_no_places_from_another(room: StoreRoom) -> None:
    """More texts wait for it than may be claimed at all, and they are older."""
    answers = asyncio.Event()

    async def in_the_end(_: OutboundSms) -> Outcome:
        await answers.wait()
        return ACCEPTED

    await take(room, 100, ago=10)
    mail = new_mail(room.mailbox, [f"+3933399{index:05}" for index in range(40)], message_id="<o>", at=clock.now())
    await room.outbox.take(replace(mail, messages=tuple(replace(each, gateway="other") for each in mail.messages)))
    silent, quick = Network(100, in_the_end), Network(40)
    async with dispatching(room.store, {GATEWAY: silent, "other": quick}, {}, in_flight=4):
        await asyncio.wait_for(quick.all.wait(), 30)
        assert len(silent.handed) <= 4
        answers.set()
        await asyncio.wait_for(silent.all.wait(), 30)
    assert len(set(silent.handed)) == 100
