"""Taking mails in: durable, once each, many at a time, without one spoiling another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import Reason
from bridge.types import MessageState
from tests.store.conftest import StoreRoom, capped, later, new_mail


async def views(room: StoreRoom) -> list[tuple[str, MessageState]]:
    found = await room.store.ledger.messages(state=None, number=None, login=None, limit=1000)
    return [(view.number, view.state) for view in reversed(found)]


async def test_one_row_a_phone(room: StoreRoom) -> None:
    taken = await room.outbox.take(new_mail(room.mailbox, ["+393331234567", "+393337654321"]))
    assert taken.messages == 2
    assert await views(room) == [
        ("+393331234567", MessageState.QUEUED),
        ("+393337654321", MessageState.QUEUED),
    ]
    assert len(await room.store.ledger.submission_messages(taken.submission_id)) == 2


async def test_the_same_phone_twice_in_one_mail_is_one_message(room: StoreRoom) -> None:
    assert (await room.outbox.take(new_mail(room.mailbox, ["+393331234567"] * 2))).messages == 1


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        pytest.param({}, 0, id="the same mail again"),
        pytest.param({"at": later(86_399)}, 0, id="the same mail a day later, just inside the window"),
        pytest.param({"at": later(86_401)}, 1, id="the same mail after the window"),
        pytest.param({"message_id": "<two@client.test>"}, 1, id="another mail with the same text"),
        pytest.param({"text": "See you on Monday."}, 1, id="the same Message-ID with another text"),
        pytest.param({"numbers": ["+393337654321"]}, 1, id="the same mail to another phone"),
        pytest.param({"numbers": ["+393331234567", "+393337654321"]}, 1, id="the same mail with one phone more"),
    ],
)
async def test_resubmission(room: StoreRoom, change: dict[str, Any], messages: int) -> None:
    first = await room.outbox.take(new_mail(room.mailbox))
    again = await room.outbox.take(new_mail(room.mailbox, **change))
    assert again.messages == messages
    assert (again.submission_id == first.submission_id) == (messages == 0)


async def test_the_same_mail_is_known_although_its_text_is_made_otherwise_meanwhile(room: StoreRoom) -> None:
    """Another route spells it otherwise, or its signature was learned: what was written is the same."""
    first = await room.outbox.take(new_mail(room.mailbox))
    again = new_mail(room.mailbox)
    (message,) = again.messages
    again = replace(again, messages=(replace(message, encoded=replace(message.encoded, text="See you.")),))
    assert (await room.outbox.take(again)).submission_id == first.submission_id
    assert len(await views(room)) == 1


async def test_a_mail_resubmitted_while_the_first_is_being_committed(room: StoreRoom) -> None:
    results = await asyncio.gather(*(room.outbox.take(new_mail(room.mailbox)) for _ in range(20)))
    assert sum(taken.messages for taken in results) == 1
    assert len({taken.submission_id for taken in results}) == 1


async def test_the_daily_cap_stops_a_mail_whole_and_not_its_neighbours(room: StoreRoom) -> None:
    small = capped(room.mailbox, 3)
    mails = [
        new_mail(small, ["+393330000001", "+393330000002"], message_id="<a@x>"),
        new_mail(small, ["+393330000003", "+393330000004"], message_id="<b@x>"),
        new_mail(small, ["+393330000005"], message_id="<c@x>"),
    ]
    results = await asyncio.gather(*(room.outbox.take(mail) for mail in mails))
    assert [(taken.messages, taken.over_cap) for taken in results] == [(2, False), (0, True), (1, False)]
    assert room.outbox.used(small.id, "2026-11-21") == 3
    again = await room.outbox.take(new_mail(small, ["+393330000003"], message_id="<b@x>", day="2026-11-22"))
    assert again.messages == 1, "what was not taken over the cap may come again tomorrow"


async def test_a_piece_of_work_that_fails_does_not_fail_its_neighbours(room: StoreRoom) -> None:
    broken = new_mail(room.mailbox, message_id="<bad@x>")
    stranger = new_mail(capped(room.mailbox, 5), message_id="<alien@x>")
    object.__setattr__(stranger.mailbox, "id", "nobody")  # breaks the foreign key
    results = await asyncio.gather(room.outbox.take(broken), room.outbox.take(stranger), return_exceptions=True)
    assert not isinstance(results[0], BaseException)
    assert isinstance(results[1], Exception)
    assert len(await views(room)) == 1


async def test_a_recipient_refused_after_data_is_kept_as_refused(room: StoreRoom) -> None:
    mail = new_mail(room.mailbox)
    object.__setattr__(mail.messages[0], "refused", Reason.OPTED_OUT)
    await room.outbox.take(mail)
    assert await views(room) == [("+393331234567", MessageState.REFUSED)]
    (report,) = await room.reports.due(later(0), 10)
    assert report.lines[0].reason is Reason.OPTED_OUT


async def test_a_client_that_hangs_up_does_not_undo_the_commit(room: StoreRoom) -> None:
    waiting = asyncio.ensure_future(room.outbox.take(new_mail(room.mailbox)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await room.outbox.take(new_mail(room.mailbox, message_id="<next@x>", text="Another."))
    assert len(await views(room)) == 2


async def test_a_twin_of_a_mail_beyond_the_cap_is_not_answered_as_taken(room: StoreRoom) -> None:
    """The same mail twice at the same moment, one message too many for the day: nobody may hear that it was taken."""
    small = capped(room.mailbox, 1)
    mail = new_mail(small, ["+393330000001", "+393330000002"])
    fewer = new_mail(small, ["+393330000001"])
    results = await asyncio.gather(*(room.outbox.take(one) for one in (mail, mail, fewer)))
    assert [taken.over_cap for taken in results] == [True, True, True]
    assert await views(room) == []
    assert (await room.outbox.take(fewer)).messages == 1, "nothing of it is remembered"


async def test_a_mail_to_very_many_phones(room: StoreRoom) -> None:
    """More than one statement of SQLite can hold (32,766 values), also when it is taken again and over the cap."""
    numbers = [f"+39333{index:07}" for index in range(1500)]
    many = [new_mail(room.mailbox, numbers, message_id=f"<{index}@x>") for index in range(2)]
    assert [taken.messages for taken in await asyncio.gather(*map(room.outbox.take, many))] == [1500] * 2
    assert [taken.messages for taken in await asyncio.gather(*map(room.outbox.take, many))] == [0] * 2
    beyond = [new_mail(capped(room.mailbox, 10), numbers, message_id=f"<over{index}@x>") for index in range(25)]
    assert {taken.over_cap for taken in await asyncio.gather(*map(room.outbox.take, beyond))} == {True}
