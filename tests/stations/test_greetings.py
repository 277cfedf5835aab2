"""What a mailbox texts by itself to phones that ask for nothing: while it is closed, and to who answers nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge import clock
from bridge.store.claims import Claim
from bridge.store.inbox import Inbox
from bridge.store.store import Store
from bridge.store.transitions import Change
from bridge.types import Greetings, MessageState, OpeningHours
from tests.stations.conftest import PHONE, waiting, words
from tests.stations.phone import Phone, keyword, set_mailbox
from tests.store.conftest import StoreRoom, new_mail

CLOSED = "Siamo chiusi: rispondiamo da lun a ven, 9-13 e 15-19."
UNPROMPTED = "Questo numero manda promemoria. Per appuntamenti: 02 0000001."
HOURS = "Lun-Ven 9-13 e 15-19."
STOPPED = "clinic@example.test: you will get no more texts from us. START lifts this."
STARTED = "clinic@example.test: you get texts from us again. STOP ends them."
HELP = "These texts come from clinic@example.test. Write to that address, or answer this text. STOP ends them."
TEXTED = "(the clinic texts the phone)"

GREETINGS = Greetings(UNPROMPTED, OpeningHours.parse("Mon-Fri 09:00-13:00 15:00-19:00"), CLOSED)
MONDAY = datetime(2026, 11, 23, tzinfo=ZoneInfo("Europe/Rome"))
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

SetClock = Callable[[str], None]
Step = tuple[str, str, str | None]
"""When, what the phone writes, and what it is texted."""


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the clock: `Mon 21:00`, or a later week's `Mon+1 21:00`."""

    def set_clock(moment: str) -> None:
        day, hour = moment.split()
        day, _, weeks = day.partition("+")
        hours, minutes = hour.split(":")
        date = MONDAY + timedelta(days=DAYS.index(day) + 7 * int(weeks or 0))
        now = date.replace(hour=int(hours), minute=int(minutes)).astimezone(UTC)
        monkeypatch.setattr(clock, "now", lambda: now)

    return set_clock


@pytest.fixture
async def phone(room: StoreRoom) -> Phone:
    """One that writes to a clinic with greetings and with two keywords."""
    await set_mailbox(room, greetings=GREETINGS, timezone="Europe/Rome")
    room.mailbox = room.store.directory.all()[0]
    await keyword(room, "Orari", reply=HOURS)
    await keyword(room, "Ricetta", forward=("pharmacy@example.org",))
    return Phone(room)


@pytest.mark.parametrize("room", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "story",
    [
        pytest.param([("Mon 21:00", "Buonasera!", CLOSED)], id="at night"),
        pytest.param([("Mon 14:00", "Siete aperti?", CLOSED)], id="at noon"),
        pytest.param([("Sun 10:00", "Siete aperti?", CLOSED)], id="on Sunday"),
        pytest.param([("Mon 10:00", "Buongiorno!", UNPROMPTED)], id="by day"),
        pytest.param(
            [("Mon 21:00", "Buonasera!", CLOSED), ("Mon 21:01", "Ci siete?", None), ("Tue 08:59", "Allora?", None)],
            id="all night long",
        ),
        pytest.param(
            [("Mon 21:00", "Buonasera!", CLOSED), ("Tue 20:59", "Allora?", None), ("Tue 21:01", "Ehi", CLOSED)],
            id="a day later",
        ),
        pytest.param(
            [
                ("Mon 21:00", "Buonasera!", CLOSED),
                ("Tue 09:30", "Buongiorno!", UNPROMPTED),
                ("Tue 09:31", "Pronto?", None),
                ("Tue 19:30", "Pronto?", None),
                ("Wed 10:00", "Pronto?", UNPROMPTED),
            ],
            id="at night and then by day",
        ),
        pytest.param([("Mon 18:00", TEXTED, None), ("Mon 18:30", "Posso spostarlo?", None)], id="answers by day"),
        pytest.param([("Mon 18:00", TEXTED, None), ("Mon 21:00", "Posso spostarlo?", CLOSED)], id="answers at night"),
        pytest.param([("Mon 18:00", TEXTED, None), ("Mon 21:00", "Sì, confermo", None)], id="confirms at night"),
        pytest.param([("Mon 18:00", TEXTED, None), ("Mon+2 17:00", "Posso spostarlo?", None)], id="answers late"),
        pytest.param([("Mon 18:00", TEXTED, None), ("Mon+2 18:01", "Buongiorno!", UNPROMPTED)], id="answers too late"),
        pytest.param(
            [("Mon 10:00", "Buongiorno!", UNPROMPTED), ("Mon 11:00", TEXTED, None), ("Tue 12:00", "Bene", None)],
            id="is answered by a person",
        ),
        pytest.param(
            [("Mon 21:00", "STOP", STOPPED), ("Mon 21:01", "Buonasera!", None), ("Tue 10:00", "Buongiorno!", None)],
            id="STOP at night",
        ),
        pytest.param(
            [
                ("Mon 21:00", "STOP", STOPPED),
                ("Mon 21:05", "START", STARTED),
                ("Mon 21:10", "Mi sono sbagliato", CLOSED),
            ],
            id="STOP and START at night",
        ),
        pytest.param([("Mon 21:00", "HELP", HELP), ("Mon 21:01", "Chi siete?", CLOSED)], id="HELP at night"),
        pytest.param([("Mon 21:00", "Orari?", HOURS), ("Mon 21:01", "Grazie", CLOSED)], id="a keyword at night"),
        pytest.param([("Mon 21:00", "Ricetta Rossi", CLOSED)], id="a keyword without an answer, at night"),
        pytest.param([("Mon 10:00", "Ricetta Rossi", None)], id="a keyword without an answer, by day"),
        pytest.param([("Mon 21:00", "Please stop texting me", None)], id="objects at night"),
        pytest.param([("Mon 10:00", "Please stop texting me", None)], id="objects by day"),
        pytest.param(
            [
                ("Mon 10:00", "HELP", HELP),
                ("Mon 10:01", "Orari", HOURS),
                ("Mon 10:02", "Buongiorno!", UNPROMPTED),
                ("Mon 21:00", "Buonasera!", None),
            ],
            id="three a day are enough",
        ),
    ],
)
async def test_a_phone_that_writes(room: StoreRoom, phone: Phone, at: SetClock, story: list[Step]) -> None:
    for moment, said, expected in story:
        at(moment)
        if said == TEXTED:
            await room.outbox.take(replace(new_mail(room.mailbox, at=clock.now()), day=moment))
            continue
        assert await phone.writes(said) == ([expected] if expected else []), f"{moment} {said}"


async def test_the_mail_says_what_the_phone_is_texted(room: StoreRoom, phone: Phone, at: SetClock) -> None:
    at("Mon 21:00")
    await phone.writes("Buonasera!", "Ci siete?")
    first, second = await waiting(room)
    assert f"The bridge answers +39 333 123 4567 by itself: “{CLOSED}”" in words(first)
    assert "by itself" not in words(second)
    (message,) = await phone.messages()
    trace = await room.store.ledger.trace(message.id)
    assert trace is not None
    assert "by the bridge itself, in answer to an SMS outside opening hours" in trace.steps[0].detail


async def test_what_repeats_our_own_words_is_not_answered(phone: Phone, at: SetClock) -> None:
    at("Mon 10:00")
    assert await phone.writes("Buongiorno!") == [UNPROMPTED]
    at("Mon 21:00")
    assert await phone.writes(UNPROMPTED) == []
    assert await phone.writes("Buonasera!") == [CLOSED]


async def test_each_phone_and_each_number_is_told(room: StoreRoom, phone: Phone, at: SetClock) -> None:
    await set_mailbox(room, pool=("+390200000002",))
    at("Mon 21:00")
    assert await phone.writes("Buonasera!") == [CLOSED]
    assert await phone.writes("Buonasera!", number="+393331234568") == [CLOSED]
    assert await phone.writes("Buonasera!", to="+390200000002") == [CLOSED]


@pytest.mark.parametrize(
    ("written", "heard", "expected"),
    [
        ("Mon 18:59", "Mon 19:01", [CLOSED]),
        ("Mon 21:00", "Tue 09:01", [UNPROMPTED]),
        ("Mon 21:00", "Tue 20:59", [CLOSED]),
        ("Mon 21:00", "Tue 21:01", []),
    ],
)
async def test_what_counts_is_when_the_bridge_hears_of_it_within_a_day(
    phone: Phone, at: SetClock, written: str, heard: str, expected: list[str]
) -> None:
    at(written)
    sms = phone.sms("Buonasera!")
    at(heard)
    await phone.intake.hear([sms])
    assert [await phone.words(each) for each in await phone.messages()] == expected


@pytest.mark.parametrize(("moment", "until"), [("Tue 08:40", "Tue 09:00"), ("Mon 21:00", "Mon 22:00")])
async def test_nobody_is_told_that_it_is_closed_when_it_is_open_again(
    room: StoreRoom, phone: Phone, at: SetClock, moment: str, until: str
) -> None:
    at(moment)
    await phone.writes("Buonasera!")
    now = clock.now()
    (message,) = await room.store.queue.claim(Claim("me", now, now + timedelta(seconds=90), 10))
    at(until)
    assert message.sms.expires_at == clock.now()


async def test_it_counts_in_the_daily_cap_and_ends_with_it(room: StoreRoom, phone: Phone, at: SetClock) -> None:
    await set_mailbox(room, daily_cap=2)
    at("Mon 21:00")
    for number, expected in (("7", [CLOSED]), ("8", [CLOSED]), ("9", [])):
        assert await phone.writes("Buonasera!", number=f"+39333123456{number}") == expected
    assert await phone.writes("STOP") == [STOPPED]


async def test_a_paused_mailbox_texts_nothing_and_does_not_say_that_it_does(
    room: StoreRoom, phone: Phone, at: SetClock
) -> None:
    await set_mailbox(room, paused=True)
    at("Mon 21:00")
    assert await phone.writes("Buonasera!", "HELP", "Orari", "STOP") == []
    assert not any("by itself" in words(mail) for mail in await waiting(room))
    assert room.store.directory.block("main", room.mailbox.sender, PHONE) is not None, "an order is carried out"


async def test_what_the_bridge_said_makes_no_conversation(room: StoreRoom, phone: Phone, at: SetClock) -> None:
    """On a number that two share, the next SMS still answers nobody, and a day later it is answered again."""
    await room.store.mailboxes.add(replace(room.mailbox, login="radiology@example.test", greetings=Greetings()))
    await room.store.directory.refresh()
    at("Mon 10:00")
    assert await phone.writes("Buongiorno!") == [UNPROMPTED]
    (message,) = await phone.messages()
    for state in (MessageState.SENDING, MessageState.SENT):
        await room.store.queue.change(Change(message.id, state, clock.now()))
    at("Tue 10:01")
    assert await phone.writes("Buongiorno!") == [UNPROMPTED]
    assert all(b"X-SMS-Match: none" in mail.raw for mail in await waiting(room))


async def test_who_answers_an_old_text_as_its_provider_says_is_prompted(
    room: StoreRoom, phone: Phone, at: SetClock
) -> None:
    at("Mon 10:00")
    await room.outbox.take(new_mail(room.mailbox, at=clock.now()))
    (message,) = await phone.messages()
    at("Mon+4 10:00")
    await phone.intake.hear([replace(phone.sms("Grazie di tutto"), answers=message.id)])
    assert len(await phone.messages()) == 1


@pytest.mark.parametrize("greetings", [Greetings(), replace(GREETINGS, closed="", unprompted="")])
async def test_without_texts_nothing_is_texted(
    room: StoreRoom, phone: Phone, at: SetClock, greetings: Greetings
) -> None:
    await set_mailbox(room, greetings=greetings)
    for moment in ("Mon 10:00", "Mon 21:00"):
        at(moment)
        assert await phone.writes("Buongiorno!") == []


@pytest.mark.parametrize("room", ["postgresql"], indirect=True)
async def test_two_nodes_that_hear_a_phone_at_the_same_moment_tell_it_once(
    room: StoreRoom, phone: Phone, at: SetClock
) -> None:
    at("Mon 21:00")
    async with Store(room.store.settings) as other:
        inbox = Inbox(other.committer, other.key, report_wait=60)
        there = Phone(replace(room, store=other, inbox=inbox))
        numbers = [f"+3933312345{each:02}" for each in range(20)]
        await asyncio.gather(
            *(phone.intake.hear([phone.sms("Buonasera!", number=number)]) for number in numbers),
            *(there.intake.hear([phone.sms("Ci siete?", number=number)]) for number in reversed(numbers)),
        )
    for number in numbers:
        assert [await phone.words(each) for each in await phone.messages(number)] == [CLOSED]
