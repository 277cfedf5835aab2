"""What is left on the accounts: asked rarely, by the node that leads, and never in the way of anything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge import clock, metrics, treasurer
from bridge.gateways.base import Gateway, Traits
from bridge.treasurer import EVERY, Treasurer
from bridge.types import Money, OutboundSms, Outcome

TEN, NINE = Money(Decimal("10.00"), "EUR"), Money(Decimal("9.00"), "EUR")


class Account(Gateway):
    """Says one after the other what the test has written down."""

    def __init__(self, *says: Money | Exception | None, balance: bool = True) -> None:
        self.name = "main"
        self.traits = Traits(receipts=False, inbound=False, balance=balance)
        self.says = list(says)
        self.asked = 0
        self.done = asyncio.Event()
        """Everything was said."""

    async def submit(self, sms: OutboundSms) -> Outcome:
        raise AssertionError("the treasurer sends nothing")

    async def probe(self) -> str:
        return ""

    async def balance(self) -> Money | None:
        self.asked += 1
        said = self.says.pop(0)
        if not self.says:
            self.done.set()
        if isinstance(said, Exception):
            raise said
        return said


async def leads() -> bool:
    return True


@asynccontextmanager
async def at_work(station: Treasurer) -> AsyncIterator[None]:
    task = asyncio.create_task(station.run())
    try:
        yield
    finally:
        station.stop()
        await task


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Treasurer, "pause", 0.005)


async def test_what_was_said_is_remembered_and_shown() -> None:
    account = Account(TEN)
    station = Treasurer({"main": account}, leads)
    async with at_work(station), asyncio.timeout(30):
        await account.done.wait()
    assert station.balances() == {"main": TEN}
    assert b'bridge_gateway_balance{gateway="main",unit="EUR"} 10.0' in metrics.exposition(())


async def test_an_account_is_asked_every_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the station looks; an answer that does not come waits for the next turn too."""
    now = clock.now()
    rounds = asyncio.Queue[None]()

    async def counted() -> bool:
        rounds.put_nowait(None)
        return True

    async def look_again() -> None:
        for _ in range(3):
            await rounds.get()

    monkeypatch.setattr(clock, "now", lambda: now)
    account = Account(None, NINE, TEN)
    station = Treasurer({"main": account}, counted)
    async with at_work(station), asyncio.timeout(30):
        await look_again()
        assert account.asked == 1
        now += EVERY - timedelta(seconds=1)
        await look_again()
        assert (account.asked, station.balances()) == (1, {})
        now += timedelta(seconds=1)
        await look_again()
        assert (account.asked, station.balances()) == (2, {"main": NINE})


@pytest.mark.parametrize("breaks", [RuntimeError("a strange answer"), TimeoutError()], ids=["breaks", "is silent"])
async def test_one_gateway_that_breaks_keeps_no_other_from_being_asked(breaks: Exception) -> None:
    broken, account = Account(breaks), Account(NINE)
    station = Treasurer({"broken": broken, "main": account}, leads)
    async with at_work(station), asyncio.timeout(30):
        await account.done.wait()
    assert station.balances() == {"main": NINE}


async def test_an_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Account):
        async def balance(self) -> Money | None:
            await asyncio.Event().wait()
            raise AssertionError("it was woken")

    monkeypatch.setattr(treasurer, "ANSWER", 0.01)
    account = Account(NINE)
    station = Treasurer({"silent": Silent(), "main": account}, leads)
    async with at_work(station), asyncio.timeout(30):
        await account.done.wait()
    assert station.balances() == {"main": NINE}


async def test_who_does_not_lead_does_not_ask() -> None:
    looked = asyncio.Event()

    async def follows() -> bool:
        looked.set()
        return False

    account = Account(TEN)
    async with at_work(Treasurer({"main": account}, follows)), asyncio.timeout(30):
        await looked.wait()
        looked.clear()
        await looked.wait()
    assert account.asked == 0


async def test_a_provider_that_cannot_be_asked_is_not() -> None:
    looked: list[bool] = []

    async def seen() -> bool:
        looked.append(True)
        return True

    mute, account = Account(balance=False), Account(TEN)
    async with at_work(Treasurer({"mute": mute, "main": account}, seen)), asyncio.timeout(30):
        await account.done.wait()
    assert mute.asked == 0


async def test_who_leads_no_more_says_no_more_what_was_left() -> None:
    """Two nodes would show two balances, one of them old for ever."""
    first, followed = True, asyncio.Queue[None]()

    async def leads_at_first() -> bool:
        nonlocal first
        if first:
            first = False
            return True
        followed.put_nowait(None)
        return False

    account = Account(TEN)
    station = Treasurer({"main": account}, leads_at_first)
    async with at_work(station), asyncio.timeout(30):
        await followed.get()
        await followed.get()
    assert (account.asked, station.balances()) == (1, {})
    assert b"bridge_gateway_balance{" not in metrics.exposition(())
