"""Which of several numbers a phone is texted from: one that no other mailbox uses with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bridge.store.engine import reading
from bridge.store.pool import Given, Use, give
from bridge.store.tables import conversations, messages
from bridge.types import Mailbox
from tests.clinic import CLINIC
from tests.store.conftest import NOW, StoreRoom, new_mail

ONE, TWO, THREE = (f"+39020000000{n}" for n in (1, 2, 3))
NUMBERS = (ONE, TWO, THREE)
WINDOW = timedelta(days=14)
PHONE = "+393331234567"


def use(mailbox: str, sender: str, days_ago: float, *, heard: float | None = None, held: float | None = None) -> Use:
    """`mailbox` last texted the phone from `sender` so many days ago, heard from it, and has held the number since."""
    written = NOW - timedelta(days=days_ago)
    alive = written if heard is None else max(written, NOW - timedelta(days=heard))
    return Use(mailbox, sender, written, alive, None if held is None else NOW - timedelta(days=held))


def given(sender: str, since: float = 0) -> Given:
    return Given(sender, NOW - timedelta(days=since))


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        pytest.param([], given(ONE), id="a phone that nobody ever texted gets the first"),
        pytest.param([use("a", TWO, 3, held=9)], given(TWO, 9), id="the same again"),
        pytest.param([use("a", TWO, 90, held=99)], given(TWO, 99), id="the same again after months, if it is free"),
        pytest.param([use("b", ONE, 3, held=3)], given(TWO), id="not the one that another uses with the phone"),
        pytest.param([use("b", ONE, 14, held=20)], given(TWO), id="the last moment of the window belongs to it"),
        pytest.param(
            [use("b", ONE, 15, held=20), use("c", TWO, 1), use("d", THREE, 1)],
            given(ONE),
            id="given back after the window",
        ),
        pytest.param(
            [use("b", ONE, 30, heard=2, held=40), use("c", TWO, 1), use("d", THREE, 30)],
            given(THREE),
            id="not while the phone still writes to it",
        ),
        pytest.param(
            [use("b", ONE, 20), use("b", TWO, 40), use("b", THREE, 30)],
            given(TWO),
            id="of those given back, the one the phone has not heard from for longest",
        ),
        pytest.param(
            [use("b", ONE, 20), use("b", THREE, 40)], given(TWO), id="before those, the one it never heard from"
        ),
        pytest.param(
            [use("a", ONE, 30, held=40), use("b", ONE, 20, held=20)],
            given(ONE),
            id="one's own again, if it was another's and he gave it back: alone from now on",
        ),
        pytest.param(
            [use("a", ONE, 3, held=9), use("b", ONE, 1)],
            given(TWO),
            id="another one, if somebody without a pool has texted the phone from it since",
        ),
        pytest.param(
            [use("a", ONE, 3, held=9), use("b", ONE, 10)], given(TWO), id="and if somebody wrote shortly before, too"
        ),
        pytest.param([use("a", TWO, 3), use("a", ONE, 9)], given(TWO), id="the last one that it used"),
        pytest.param(
            [use("b", ONE, 5, held=5), use("c", TWO, 6, held=6), use("d", THREE, 4, held=4)],
            Given(TWO, None),
            id="with none free, the one not used for longest, and nobody holds it alone",
        ),
        pytest.param(
            [use("a", THREE, 2), use("b", ONE, 5), use("c", TWO, 6), use("d", THREE, 4)],
            Given(THREE, None),
            id="with none free, one's own",
        ),
        pytest.param([use("b", "+39029999999", 1)], given(ONE), id="numbers of others do not count"),
    ],
)
def test_the_number_that_a_conversation_gets(uses: list[Use], expected: Given) -> None:
    assert give("a", NUMBERS, uses, NOW, WINDOW) == expected
    assert give("a", NUMBERS, reversed(uses), NOW, WINDOW) == expected


async def departments(room: StoreRoom, count: int) -> list[Mailbox]:
    """Mailboxes that share three numbers."""
    for place in range(count):
        shared = replace(CLINIC, login=f"department{place}@example.test", sender=ONE, pool=(TWO, THREE))
        await room.store.mailboxes.add(shared)
    await room.store.directory.refresh()
    return [each for each in room.store.directory.all() if each.pool]


async def texted(room: StoreRoom, mailbox: Mailbox, phone: str, days: float = 0) -> str:
    """The number that a text of a mailbox leaves from, so many days from now."""
    at = NOW + timedelta(days=days)
    mail = replace(new_mail(mailbox, [phone], message_id=f"<{mailbox.login}.{phone}.{days}>"), at=at)
    message = replace(mail.messages[0], pool=mailbox.pool)
    taken = await room.outbox.take(replace(mail, messages=(message,)))
    async with reading(room.store.engine) as connection:
        query = select(messages.c.sender).where(messages.c.submission_id == taken.submission_id)
        sender: str = (await connection.execute(query)).scalar_one()
    return sender


async def test_three_departments_text_a_phone_from_three_numbers(room: StoreRoom) -> None:
    first, second, third, fourth = await departments(room, 4)
    numbers = [await texted(room, each, PHONE) for each in (first, second, third)]
    assert sorted(numbers) == sorted(NUMBERS)
    assert [await texted(room, each, PHONE, 1) for each in (first, second, third)] == numbers
    assert await texted(room, fourth, PHONE, 2) in NUMBERS
    assert await texted(room, second, PHONE, 16) == numbers[1]
    assert await texted(room, fourth, PHONE, 17) != numbers[1]


async def test_a_number_that_a_reminder_is_to_leave_from_is_not_given_away_before(room: StoreRoom) -> None:
    first, second = await departments(room, 2)
    mail = new_mail(first, [PHONE], message_id="<reminder>")
    message = replace(mail.messages[0], pool=first.pool, due_at=NOW + timedelta(days=20))
    await room.outbox.take(replace(mail, messages=(message,)))
    numbers = [await texted(room, second, PHONE, days) for days in (16, 30)]
    assert numbers == [TWO, TWO]
    assert await texted(room, first, PHONE, 31) == ONE


async def test_departments_that_text_a_phone_at_the_same_moment_get_different_numbers(room: StoreRoom) -> None:
    mailboxes = await departments(room, 3)
    for phone in (f"+3933312345{n:02}" for n in range(20)):
        numbers = await asyncio.gather(*(texted(room, each, phone) for each in mailboxes))
        assert sorted(numbers) == sorted(NUMBERS)


async def test_a_mail_that_names_the_number_takes_nothing_from_the_one_that_the_pool_gave_it_to(
    room: StoreRoom,
) -> None:
    """Both are taken in one transaction."""
    (mailbox,) = await departments(room, 1)
    chosen, named = (new_mail(mailbox, [PHONE], message_id=f"<{each}@x>") for each in ("chosen", "named"))
    chosen = replace(chosen, messages=(replace(chosen.messages[0], pool=mailbox.pool),))
    await asyncio.gather(room.outbox.take(chosen), room.outbox.take(named))
    async with reading(room.store.engine) as connection:
        held = (await connection.execute(select(conversations.c.sender, conversations.c.held_at))).all()
    assert [tuple(row) for row in held] == [(ONE, NOW)]
