"""What waits for what, on both databases."""

from __future__ import annotations

from dataclasses import replace

from bridge.store.backlog import Backlog, Waiting, WaitsFor, read_backlog
from bridge.types import MessageState, NewMail
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import finish, sending
from tests.store.test_mails import mail_of


def at_a_later_time(mail: NewMail, seconds: float) -> NewMail:
    return replace(mail, messages=tuple(replace(each, due_at=later(seconds)) for each in mail.messages))


async def waiting(room: StoreRoom, at: float = 60) -> tuple[Waiting, ...]:
    backlog = await read_backlog(room.store.engine, later(at))
    return tuple(sorted(backlog.messages, key=lambda each: each.waits_for))


async def test_nothing_waits(room: StoreRoom) -> None:
    assert await read_backlog(room.store.engine, later(0)) == Backlog((), 0, None, "")


async def test_messages_wait_for_their_turn_their_time_and_an_answer(room: StoreRoom) -> None:
    await sending(room)
    await room.outbox.take(new_mail(room.mailbox, ["+393331234561", "+393331234562"], message_id="<two@client.test>"))
    await room.outbox.take(at_a_later_time(new_mail(room.mailbox, message_id="<three@client.test>"), 3600))
    assert await waiting(room) == (
        Waiting(GATEWAY, WaitsFor.ANSWER, 1, None),
        Waiting(GATEWAY, WaitsFor.TIME, 1, None),
        Waiting(GATEWAY, WaitsFor.TURN, 2, later(0)),
    )


async def test_a_message_that_was_not_taken_waits_since_its_first_try(room: StoreRoom) -> None:
    message = await sending(room)
    await finish(room, message, MessageState.QUEUED, at=50)
    assert await waiting(room) == (Waiting(GATEWAY, WaitsFor.RETRY, 1, later(1)),)


async def test_a_paused_mailbox_is_not_late(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    await room.store.mailboxes.save(replace(room.mailbox, paused=True))
    backlog = await read_backlog(room.store.engine, later(60))
    assert backlog.messages == (Waiting(GATEWAY, WaitsFor.MAILBOX, 1, None),)
    assert backlog.late == ()


async def test_mails_wait_for_the_mail_server(room: StoreRoom) -> None:
    await mail_of(room, "1")
    backlog = await read_backlog(room.store.engine, later(60))
    assert backlog.mails == 1
    assert backlog.mails_since is not None
