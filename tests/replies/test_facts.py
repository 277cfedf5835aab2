"""What the intake makes of a store before anybody is chosen: the fallback, and mailboxes that lose what they had."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bridge.errors import NotPossible
from bridge.store.engine import reading
from bridge.store.tables import inbounds
from bridge.types import InboundSms, Match
from tests.stations.conftest import intake_of
from tests.store.conftest import GATEWAY, NOW, StoreRoom, new_mail, room, template

__all__ = ["room", "template"]

PHONE = "+393331234567"
SHARED = "+390200000001"
"""The number of every mailbox here."""

_events = itertools.count(1)


async def add(room: StoreRoom, *logins: str) -> None:
    """More mailboxes with the number of the clinic."""
    for login in logins:
        await room.store.mailboxes.add(replace(room.mailbox, login=login))
    await room.store.directory.refresh()


async def text(room: StoreRoom, login: str, at: datetime) -> None:
    """A mailbox texts the phone."""
    mailbox = room.store.directory.by_login(login)
    assert mailbox is not None
    await room.outbox.take(replace(new_mail(mailbox, [PHONE], message_id=f"<{at}@client.test>"), at=at))


async def heard(room: StoreRoom, fallback: str, at: datetime) -> tuple[str, Match, str]:
    """The phone writes: the login that gets it, the match, and the conversation."""
    intake = intake_of(room, fallback=fallback)
    event_id = str(next(_events))
    await intake.hear([InboundSms(GATEWAY, event_id, PHONE, SHARED, "Va bene", at)])
    async with reading(room.store.engine) as connection:
        row = (await connection.execute(select(inbounds).where(inbounds.c.event_id == event_id))).one()
    mailbox = room.store.directory.by_id(row.mailbox_id)
    assert mailbox is not None
    return mailbox.login, Match(row.match), row.conversation_id


CLINIC, DESK, WARD = "clinic@example.test", "desk@example.test", "ward@example.test"


@pytest.mark.parametrize(
    ("fallback", "whose"),
    [
        pytest.param(DESK, DESK, id="that of the settings"),
        pytest.param("Desk@Example.Test", DESK, id="however it is written"),
        pytest.param("", CLINIC, id="without one the oldest mailbox"),
        pytest.param("gone@example.test", CLINIC, id="and so where it is there no more"),
    ],
)
async def test_the_fallback(room: StoreRoom, fallback: str, whose: str) -> None:
    await add(room, DESK)
    assert (await heard(room, fallback, NOW))[:2] == (whose, Match.NONE)


async def test_who_only_had_words_of_the_phone_is_never_in_doubt_with_who_asked(room: StoreRoom) -> None:
    """The phone writes by itself, twice; then the ward asks, and gets the answer without any doubt."""
    await add(room, DESK, WARD)
    first = await heard(room, DESK, NOW)
    assert first[:2] == (DESK, Match.NONE)
    assert await heard(room, DESK, NOW + timedelta(days=1)) == first, "it goes on where it began"
    await text(room, WARD, NOW + timedelta(days=2))
    assert (await heard(room, DESK, NOW + timedelta(days=3)))[:2] == (WARD, Match.LATEST)


async def test_a_new_fallback_gets_what_the_former_one_had(room: StoreRoom) -> None:
    await add(room, DESK, WARD)
    former = await heard(room, DESK, NOW)
    now = await heard(room, WARD, NOW + timedelta(days=1))
    assert now[:2] == (WARD, Match.NONE)
    assert now[2] != former[2]
    assert await heard(room, DESK, NOW + timedelta(days=2)) == former


async def test_a_mailbox_that_loses_the_number_is_still_answered(room: StoreRoom) -> None:
    await add(room, DESK, WARD)
    await text(room, WARD, NOW)
    ward = room.store.directory.by_login(WARD)
    assert ward is not None
    await room.store.mailboxes.save(replace(ward, sender="+390299999999"))
    await room.store.directory.refresh()
    assert (await heard(room, DESK, NOW + timedelta(days=1)))[:2] == (WARD, Match.LATEST)


async def test_a_mailbox_that_had_words_of_a_phone_is_not_removed(room: StoreRoom) -> None:
    """Its record stays, as that of one that sent something; another one may go, and is never chosen."""
    await add(room, DESK, WARD)
    assert (await heard(room, WARD, NOW))[:2] == (WARD, Match.NONE)
    with pytest.raises(NotPossible, match=r"ward@example\.test has had mails of the bridge"):
        await room.store.mailboxes.remove(WARD)
    await room.store.mailboxes.remove(DESK)
    await room.store.directory.refresh()
    assert (await heard(room, DESK, NOW + timedelta(days=1)))[:2] == (CLINIC, Match.NONE)
