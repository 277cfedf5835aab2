"""A pool over weeks: whoever writes, to whom and when, no phone hears from two mailboxes through one number for long.

The same stories are told to the pure choice and to a store, with the intake that hears the phones: a number is shared
only while none is free, a conversation keeps its number, and an answer reaches the mailbox that wrote last.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select
from sqlalchemy.engine import ExceptionContext

from bridge.replies import NEVER, Candidate, Facts, choose
from bridge.store.engine import reading
from bridge.store.outbox import Outbox
from bridge.store.pool import Use, give
from bridge.store.store import Store
from bridge.store.tables import conversations, inbounds, mailboxes, messages
from bridge.types import InboundSms, Mailbox, Match, NewMail
from tests.clinic import CLINIC
from tests.replies.phone import WINDOW, Phone
from tests.stations.conftest import intake_of
from tests.store.conftest import GATEWAY, NOW, StoreRoom, Template, new_mail, open_outbox

NUMBERS = tuple(f"+39020000000{n}" for n in (1, 2, 3))
DEPARTMENTS = [f"department{place}@example.test" for place in range(5)]
"""They share the three numbers."""
OWN = CLINIC.login
"""A mailbox without a pool: it always writes through the first of them. It is the fallback too."""

_ids = itertools.count(1)


@dataclass(frozen=True)
class Text:
    """Departments text the phone, one after the other and at the same moment."""

    departments: tuple[str, ...]


@dataclass(frozen=True)
class TextByHand:
    """Somebody texts the phone from a number that is not chosen: the mailbox without a pool, or one that names it."""

    mailbox: str
    number: str


@dataclass(frozen=True)
class Answer:
    """The phone writes to a number."""

    number: str


@dataclass(frozen=True)
class Days:
    """Time passes."""

    days: float


Step = Text | TextByHand | Answer | Days

STORIES: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.lists(st.sampled_from(DEPARTMENTS), min_size=1, max_size=5, unique=True).map(lambda who: Text(tuple(who))),
        st.sampled_from(DEPARTMENTS).map(lambda who: Text((who,))),
        st.just(TextByHand(OWN, NUMBERS[0])),
        st.builds(TextByHand, st.sampled_from(DEPARTMENTS), st.sampled_from(NUMBERS)),
        st.sampled_from(NUMBERS).map(Answer),
        st.sampled_from([0.01, 1, 5, 13, 14, 14.01, 20, 60]).map(Days),
    ),
    min_size=3,
    max_size=24,
)


class Office(Protocol):
    """What is told the stories; each with a phone of its own."""

    async def texts(self, logins: Sequence[str], number: str | None, at: datetime) -> list[str]:
        """Mailboxes text the phone at one moment, through `number` or what the pool gives; the numbers they used."""
        ...

    async def hears(self, number: str, at: datetime) -> tuple[str, Match]:
        """The phone writes to a number: whose it is."""
        ...


async def live(office: Office, story: Sequence[Step]) -> Phone:
    """Live through a story; the phone has judged every step of it."""
    phone, now = Phone(NUMBERS, OWN), NOW
    for step in story:
        match step:
            case Days(days):
                now += timedelta(days=days)
            case Answer(number):
                now += timedelta(minutes=1)
                whose, match_ = await office.hears(number, now)
                phone.answered(number, now, whose, match_)
            case TextByHand(mailbox, number):
                now += timedelta(minutes=1)
                assert await office.texts([mailbox], number, now) == [number]
                phone.texted(mailbox, number, now, chosen=False)
            case Text(departments):
                now += timedelta(minutes=1)
                numbers = await office.texts(departments, None, now)
                for login, number in zip(departments, numbers, strict=True):
                    phone.texted(login, number, now, chosen=True)
    return phone


@dataclass
class Paper:
    """The pure choices, and what a store would keep of them."""

    uses: dict[tuple[str, str], Use] = field(default_factory=dict)

    async def texts(self, logins: Sequence[str], number: str | None, at: datetime) -> list[str]:
        return [self._text(login, number, at) for login in logins]

    def _text(self, login: str, number: str | None, at: datetime) -> str:
        held = None
        if number is None:
            number, held = (chosen := give(login, NUMBERS, self.uses.values(), at, WINDOW)).sender, chosen.held_at
        if held is not None:
            for place, use in self.uses.items():
                self.uses[place] = replace(use, held_at=None) if use.sender == number else use
        before = self.uses.get((login, number))
        held = held or (before.held_at if before is not None else None)
        self.uses[login, number] = Use(login, number, at, at, held)
        assert sum(use.held_at is not None for use in self.uses.values() if use.sender == number) <= 1
        return number

    async def hears(self, number: str, at: datetime) -> tuple[str, Match]:
        through = [use for use in self.uses.values() if use.sender == number]
        candidates = tuple(
            Candidate(use.mailbox_id, use.mailbox_id, use.mailbox_id, use.written_at, use.alive_at, use.held_at)
            for use in through
        )
        owners = (*DEPARTMENTS, *([OWN] if number == NUMBERS[0] else []))
        verdict = choose(Facts(owners, candidates, OWN, at, WINDOW))
        assert verdict.mailbox_id is not None
        use = self.uses.get((verdict.mailbox_id, number)) or Use(verdict.mailbox_id, number, NEVER, NEVER, None)
        self.uses[use.mailbox_id, number] = replace(use, alive_at=max(at, use.alive_at))
        return verdict.mailbox_id, verdict.match


@settings(max_examples=400)
@example([Text((DEPARTMENTS[0],)), TextByHand(OWN, NUMBERS[0]), Days(20), Text((DEPARTMENTS[0],)), Answer(NUMBERS[0])])
@given(STORIES)
async def test_the_choice_over_weeks(story: list[Step]) -> None:
    await live(Paper(), story)


@dataclass
class Real:
    """A store and an intake, and a phone that nobody else uses."""

    room: StoreRoom
    phone: str = field(default_factory=lambda: f"+39333{next(_ids):07}")

    async def texts(self, logins: Sequence[str], number: str | None, at: datetime) -> list[str]:
        mails = []
        for login in logins:
            mailbox = self.room.store.directory.by_login(login)
            assert mailbox is not None
            mails.append(mail_to(mailbox, [self.phone], at, number))
        taken = await asyncio.gather(*(self.room.outbox.take(mail) for mail in mails))
        return [(await senders(self.room.store, each.submission_id))[self.phone] for each in taken]

    async def hears(self, number: str, at: datetime) -> tuple[str, Match]:
        intake = intake_of(self.room)
        event_id = str(next(_ids))
        await intake.hear([InboundSms(GATEWAY, event_id, self.phone, number, "Va bene", at)])
        query = select(mailboxes.c.login, inbounds.c.match).join(mailboxes, mailboxes.c.id == inbounds.c.mailbox_id)
        async with reading(self.room.store.engine) as connection:
            row = (await connection.execute(query.where(inbounds.c.event_id == event_id))).one()
        return row.login, Match(row.match)


def mail_to(mailbox: Mailbox, phones: Sequence[str], at: datetime, number: str | None = None) -> NewMail:
    """A mail to phones, from a number that it names or one that the pool gives."""
    mail = replace(new_mail(mailbox, phones, message_id=f"<{next(_ids)}@client.test>"), at=at)
    chosen = {"pool": mailbox.pool} if number is None else {"sender": number}
    return replace(mail, messages=tuple(replace(message, **chosen) for message in mail.messages))


async def senders(store: Store, submission_id: str) -> dict[str, str]:
    """The number that each phone was texted from."""
    query = select(messages.c.number, messages.c.sender).where(messages.c.submission_id == submission_id)
    async with reading(store.engine) as connection:
        return {row.number: row.sender for row in await connection.execute(query)}


async def add_departments(store: Store) -> None:
    """The mailboxes that share the numbers."""
    for login in DEPARTMENTS:
        await store.mailboxes.add(replace(CLINIC, login=login, sender=NUMBERS[0], pool=NUMBERS[1:]))
    await store.directory.refresh()


@pytest.fixture
def refused() -> Iterator[list[str]]:
    """Every error of a database from now on: a mail that is taken at the second try leaves one, too."""
    errors: list[str] = []

    def note(context: ExceptionContext) -> None:
        errors.append(str(context.original_exception))

    event.listen(Engine, "handle_error", note)
    yield errors
    event.remove(Engine, "handle_error", note)


@pytest.fixture
async def departments(room: StoreRoom, refused: list[str]) -> AsyncIterator[StoreRoom]:
    """A store with the departments; its database has refused nothing when the test is over."""
    await add_departments(room.store)
    yield room
    assert refused == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(story=STORIES)
async def test_the_store_over_weeks(departments: StoreRoom, story: list[Step]) -> None:
    await live(Real(departments), story)


async def test_the_stories_reach_the_rare_cases() -> None:
    """Five share three, one writes by hand through a number that is held, and everybody comes back after weeks."""
    story: list[Step] = [Text(tuple(DEPARTMENTS)), Answer(NUMBERS[0]), Days(5), TextByHand(OWN, NUMBERS[0])]
    story += [Answer(NUMBERS[0]), Text((DEPARTMENTS[0],)), Days(20)]
    story += [Text(tuple(reversed(DEPARTMENTS))), Answer(NUMBERS[2])]
    phone = await live(Paper(), story)
    assert phone.shared == 5


@pytest.fixture
async def nodes(tmp_path: Path, template: Template, refused: list[str]) -> AsyncIterator[list[tuple[Store, Outbox]]]:
    """Two bridges on one PostgreSQL, with the departments; the database has refused nothing in the end."""
    async with AsyncExitStack() as stack:
        copied = template.copy(tmp_path, "postgresql")
        stores = [await stack.enter_async_context(Store(copied)) for _ in range(2)]
        await add_departments(stores[0])
        await stores[1].directory.refresh()
        yield [(store, open_outbox(store)) for store in stores]
    assert refused == []


async def test_two_nodes_that_write_to_one_phone_at_the_same_moment(
    nodes: list[tuple[Store, Outbox]], long: bool
) -> None:
    """Round after round: three departments, each on either node; all at once, each gets a number of its own."""
    for turn in range(400 if long else 30):
        phone, at = f"+39334{turn:07}", NOW
        for who in (DEPARTMENTS[:3], DEPARTMENTS[2:], DEPARTMENTS[1:4]):
            placed = [(login, nodes[(turn + place) % 2]) for place, login in enumerate(who)]
            given_now = await at_once(placed, [phone], at)
            assert sorted(given_now[login][phone] for login in who) == sorted(NUMBERS)
            at += timedelta(days=15)


async def test_two_nodes_that_write_to_many_phones_in_different_orders(
    nodes: list[tuple[Store, Outbox]], long: bool
) -> None:
    """Mails to twenty phones each, that two nodes take at the same moment, wait for nobody for ever."""
    for turn in range(60 if long else 8):
        phones = [f"+39335{turn:04}{n:03}" for n in range(20)]
        for days in (0, 1, 16):
            who = DEPARTMENTS[:3] if days < 16 else DEPARTMENTS[2:]
            placed = [(login, nodes[place % 2]) for place, login in enumerate(who)]
            given_now = await at_once(placed, phones, NOW + timedelta(days=days), turn_round=True)
            for phone in phones:
                assert sorted(given_now[login][phone] for login in who) == sorted(NUMBERS)
        assert await holders(nodes[0][0], phones) == {(phone, number): 1 for phone in phones for number in NUMBERS}


async def at_once(
    placed: Sequence[tuple[str, tuple[Store, Outbox]]],
    phones: Sequence[str],
    at: datetime,
    *,
    turn_round: bool = False,
) -> dict[str, dict[str, str]]:
    """Departments text the same phones, each at its node; the number that each phone was texted from, by department."""
    mails = []
    for place, (login, (store, _)) in enumerate(placed):
        mailbox = store.directory.by_login(login)
        assert mailbox is not None
        mails.append(mail_to(mailbox, phones[::-1] if turn_round and place % 2 else phones, at))
    taken = await asyncio.gather(*(outbox.take(mail) for (_, (_, outbox)), mail in zip(placed, mails, strict=True)))
    pairs = zip(placed, taken, strict=True)
    return {login: await senders(store, each.submission_id) for (login, (store, _)), each in pairs}


async def holders(store: Store, phones: Sequence[str]) -> dict[tuple[str, str], int]:
    """How many conversations hold a number for a phone."""
    query = select(conversations.c.number, conversations.c.sender)
    found: dict[tuple[str, str], int] = {}
    async with reading(store.engine) as connection:
        held = query.where(conversations.c.held_at.is_not(None), conversations.c.number.in_(phones))
        for row in await connection.execute(held):
            found[row.number, row.sender] = found.get((row.number, row.sender), 0) + 1
    return found
