"""Answers that a provider does not call with are fetched once each, whatever breaks between asking and keeping."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from bridge import poller as station
from bridge.errors import StoreUnavailable
from bridge.gateways.base import Gateway, Poll, Polled, PollRefused
from bridge.gateways.connection import Connection as Settings
from bridge.gateways.registry import build
from bridge.poller import Poller
from bridge.store.engine import reading
from bridge.store.polls import Cursor, read_cursor
from bridge.store.tables import inbounds
from bridge.streaks import Streaks
from bridge.types import InboundSms, MessageState, OutboundSms, Outcome, OutcomeKind, Receipt
from tests.gateways.provider import Play, Provider, run_provider
from tests.stations.conftest import PHONE, intake_of, waiting, words
from tests.store.conftest import GATEWAY, NOW, StoreRoom
from tests.store.steps import sending, state

SENDER = "+390200000001"


class Asked(Gateway):
    """A provider that is asked: it plays what stands in `script`, and says nothing new afterwards."""

    def __init__(self, *script: Polled | Exception) -> None:
        self.script = list(script)
        self.cursors: list[str] = []
        self.name = GATEWAY

    async def submit(self, sms: OutboundSms) -> Outcome:
        return Outcome(OutcomeKind.UNKNOWN)

    async def probe(self) -> str:
        return ""

    def polls(self) -> Sequence[Poll]:
        return (Poll("answers", 3600.0, self.read),)

    async def read(self, cursor: str) -> Polled:
        self.cursors.append(cursor)
        play = self.script.pop(0) if self.script else Polled((), cursor)
        if isinstance(play, Exception):
            raise play
        return play


def answer(event_id: str, text: str = "Sì") -> InboundSms:
    return InboundSms(GATEWAY, event_id, PHONE, SENDER, text, NOW)


def news(cursor: str, *events: Receipt | InboundSms, more: bool = False) -> Polled:
    return Polled(events, cursor, more)


async def leads() -> bool:
    return True


class Noted(Streaks):
    """Streaks that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    def note(self, part: str, at: datetime, *, good: bool) -> None:
        super().note(part, at, good=good)
        self.notes.put_nowait((part, good))


@dataclass
class Asking:
    """A poller that runs, and how far it has come."""

    poller: Poller
    streaks: Noted
    looked: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    """The cursor of every look that was to be kept, kept or not."""


@asynccontextmanager
async def asking(
    room: StoreRoom,
    *gateways: Gateway,
    leads: Callable[[], Awaitable[bool]] = leads,
    keep: Callable[[str, str, Polled], Awaitable[None]] | None = None,
) -> AsyncIterator[Asking]:
    """A poller at work on a real store."""
    intake, streaks = intake_of(room), Noted()

    async def begin(gateway: str, poll: str) -> str:
        return await read_cursor(room.store.engine, gateway, poll)

    async def into_the_store(gateway: str, poll: str, polled: Polled) -> None:
        try:
            await intake.hear_polled(polled.events, Cursor(gateway, poll, polled.cursor))
        finally:
            running.looked.put_nowait(polled.cursor)

    poller = Poller(
        {gateway.name: gateway for gateway in gateways},
        begin=begin,
        keep=keep or into_the_store,
        leads=leads,
        streaks=streaks,
    )
    running = Asking(poller, streaks)
    task = asyncio.create_task(poller.run())
    try:
        yield running
    finally:
        poller.stop()
        await asyncio.wait_for(task, 30)


async def ids(room: StoreRoom) -> list[str]:
    """What has been filed, by its id at the provider."""
    async with reading(room.store.engine) as connection:
        return sorted((await connection.execute(select(inbounds.c.event_id))).scalars())


async def test_answers_and_their_place_are_kept_together(room: StoreRoom) -> None:
    gateway = Asked(news("1", answer("a"), more=True), news("2", answer("b", "No"), answer("c", "Forse")))
    async with asking(room, gateway) as running:
        assert [await running.looked.get() for _ in range(2)] == ["1", "2"]
    assert await ids(room) == ["a", "b", "c"]
    assert len(await waiting(room)) == 3
    assert await read_cursor(room.store.engine, GATEWAY, "answers") == "2"
    assert gateway.cursors == ["", "1"]


async def test_a_receipt_that_is_fetched_settles_its_message(room: StoreRoom) -> None:
    message = await sending(room)
    receipt = Receipt(GATEWAY, None, message, MessageState.DELIVERED, "r1")
    async with asking(room, Asked(news("1", receipt))) as running:
        await running.looked.get()
    assert await state(room, message) is MessageState.DELIVERED


async def test_what_is_fetched_again_is_known(room: StoreRoom) -> None:
    async with asking(room, Asked(news("1", answer("a")))) as running:
        await running.looked.get()
    async with asking(room, Asked(news("2", answer("a"), answer("b")))) as running:
        await running.looked.get()
    assert await ids(room) == ["a", "b"]
    assert len(await waiting(room)) == 2


@pytest.mark.parametrize("kept", [[], ["a"], ["a", "b"]], ids=["before all", "between", "before the cursor"])
async def test_killed_before_the_cursor_is_kept_nothing_is_lost_or_filed_twice(
    room: StoreRoom, monkeypatch: pytest.MonkeyPatch, kept: list[str]
) -> None:
    brought = news("1", answer("a"), answer("b"))
    with monkeypatch.context() as patched:
        patched.setattr(room.inbox, "inbound", dying(room.inbox.inbound, len(kept)))
        patched.setattr(room.inbox, "read_to", dying(room.inbox.read_to, 0))
        async with asking(room, Asked(brought)) as running:
            await running.looked.get()
    assert await ids(room) == kept
    assert await read_cursor(room.store.engine, GATEWAY, "answers") == ""

    again = Asked(brought)
    async with asking(room, again) as running:
        await running.looked.get()
    assert again.cursors == [""]
    assert await ids(room) == ["a", "b"]
    assert len(await waiting(room)) == 2


def dying(write: Callable[..., Awaitable[Any]], after: int) -> Callable[..., Awaitable[Any]]:
    """`write`, which works so often and then never again."""
    left = [None] * after

    async def dies(*what: object) -> Any:
        if not left:
            raise StoreUnavailable("killed")
        left.pop()
        return await write(*what)

    return dies


async def test_killed_after_the_commit_nothing_is_filed_twice(room: StoreRoom) -> None:
    intake, committed = intake_of(room), asyncio.Event()

    async def keep_and_die(gateway: str, poll: str, polled: Polled) -> None:
        await intake.hear_polled(polled.events, Cursor(gateway, poll, polled.cursor))
        committed.set()
        raise StoreUnavailable("The bridge is stopping.")

    brought = news("1", answer("a"))
    async with asking(room, Asked(brought), keep=keep_and_die):
        await committed.wait()
    second = Asked(replace(brought, cursor="2"))
    async with asking(room, second) as running:
        await running.looked.get()
    assert second.cursors == ["1"]
    assert await ids(room) == ["a"]


class Impatient(Asked):
    """The same, asked again at once."""

    def polls(self) -> Sequence[Poll]:
        return (Poll("answers", 0.01, self.read),)


@pytest.mark.parametrize(
    "trouble", [PollRefused("HTTP 500"), TimeoutError(), ValueError("a bug")], ids=["refused", "silent", "broken"]
)
async def test_after_trouble_the_same_place_is_asked_again(
    trouble: Exception, room: StoreRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station, "MAX_PAUSE", 0.01)
    gateway = Impatient(trouble, trouble, news("1", answer("a")))
    async with asking(room, gateway) as running:
        noted = [await running.streaks.notes.get() for _ in range(3)]
    assert noted == [(f"poll {GATEWAY}", good) for good in (False, False, True)]
    assert gateway.cursors[:3] == ["", "", ""]
    assert await ids(room) == ["a"]


async def test_a_provider_that_fails_makes_no_other_wait(room: StoreRoom) -> None:
    class Silent(Asked):
        async def read(self, cursor: str) -> Polled:
            await asked.wait()
            raise PollRefused("HTTP 500")

    asked = asyncio.Event()
    silent, other = Silent(), Asked(news("1", answer("a")))
    silent.name = "other"
    async with asking(room, silent, other) as running:
        assert await running.looked.get() == "1"
        asked.set()
    assert await ids(room) == ["a"]


async def test_a_provider_that_promises_more_and_stands_still_is_not_asked_without_end(room: StoreRoom) -> None:
    gateway = Asked(news("1", answer("a"), more=True), *[news("1", answer("a"), more=True)] * 50)
    async with asking(room, gateway) as running:
        assert [await running.looked.get() for _ in range(2)] == ["1", "1"]
        notes = [await running.streaks.notes.get() for _ in range(2)]
    assert [good for _, good in notes] == [True, True]
    assert len(gateway.cursors) == 2


async def test_only_the_node_that_leads_asks(room: StoreRoom) -> None:
    order: list[bool] = [False, True]
    was_asked = asyncio.Event()

    async def soon() -> bool:
        was_asked.set()
        return order.pop(0) if order else True

    gateway = Asked(news("1", answer("a")))
    async with asking(room, gateway, leads=soon) as running:
        await was_asked.wait()
        assert gateway.cursors == []
        running.poller.ring()
        await running.looked.get()
    assert await ids(room) == ["a"]


async def test_without_polls_there_is_nothing_to_do(room: StoreRoom) -> None:
    class Deaf(Asked):
        def polls(self) -> Sequence[Poll]:
            return ()

    async with asking(room, Deaf()):
        pass


async def test_skebby_is_asked_over_http_and_its_answers_become_mails(room: StoreRoom) -> None:
    async with run_provider() as provider:
        await _skebby(room, provider)
    assert await ids(room) == ["8", "9"]
    assert await read_cursor(room.store.engine, GATEWAY, "answers") == "9"
    assert any("Sì, grazie" in words(mail) for mail in await waiting(room))


async def _skebby(room: StoreRoom, provider: Provider) -> None:
    told = [
        {"id": 8, "phoneNumber": PHONE, "text": "Sì, grazie"},
        {"id": 9, "phoneNumber": PHONE, "text": "STOP"},
    ]
    provider.script.extend(
        [Play(200, "USER;SESSION"), Play(401), Play(200, "USER;FRESH"), Play(200, json.dumps({"messages": told}))]
    )
    gateway = build(
        "skebby",
        Settings(GATEWAY, provider.url, "clinic", "secret", options={"sim": room.mailbox.sender, "first_answer": "7"}),
    )
    async with asking(room, gateway) as running:
        assert await running.looked.get() == "9"
    await gateway.close()
