"""What waits for what, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bridge import clock
from bridge.disk import Disk
from bridge.gauges import gauges
from bridge.store.backlog import Backlog, Waiting, WaitingFilings, WaitsFor, read_backlog
from bridge.store.claims import Claim
from bridge.store.filings import FilingClaim, Filings
from bridge.store.mails import MailResult
from bridge.types import MessageState, NewMail, Rates
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import ME, finish, sending, start
from tests.store.test_filings import three
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


async def test_what_has_used_up_its_rate_waits_for_its_pace(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox, ["+393331234561", "+393331234562", "+393331234563"]))
    wish = Claim(ME, later(1), later(91), 10, rates={GATEWAY: Rates(sender=0.01)})
    (first,) = await room.store.queue.claim(wish)
    await start(room, first.sms.reference)
    answer, pace = Waiting(GATEWAY, WaitsFor.ANSWER, 1, None), Waiting(GATEWAY, WaitsFor.PACE, 2, later(0))
    assert await waiting(room, 2) == (answer, pace)
    turn = replace(pace, waits_for=WaitsFor.TURN)
    assert await waiting(room, 202) == (answer, turn), "its two segments are paid for"


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


async def filings(room: StoreRoom) -> tuple[WaitingFilings, ...]:
    return (await read_backlog(room.store.engine, later(60))).filings


async def samples(room: StoreRoom, at: datetime) -> dict[str, float]:
    """What is measured of filings."""

    async def backlog(now: datetime) -> Backlog:
        return await read_backlog(room.store.engine, at)

    return {
        f"{sample.name} {sample.labels['waits_for']}": sample.value
        for gauge in await gauges(backlog, Disk(Path("/"), 0))
        for sample in gauge.samples
        if sample.name.startswith("bridge_filings")
    }


async def test_what_is_to_be_filed_waits_for_its_turn_and_then_for_its_imap_server(room: StoreRoom) -> None:
    """One refused filing keeps those behind it waiting: all of them wait for the server."""
    await three(room)
    (waits,) = await filings(room)
    assert (waits.login, waits.count, waits.tries, waits.diagnostic) == (room.mailbox.login, 3, 0, "")
    assert abs(waits.since - clock.now()) < timedelta(seconds=60), "when the first of them was put aside"

    now = clock.now() + timedelta(seconds=1)
    claim = FilingClaim(room.mailbox.id, "me", now, now + timedelta(seconds=60), 10)
    queue = Filings(room.store.engine, room.store.committer)
    first, *behind = await queue.claim(claim)
    await room.mails.settle(MailResult(first.id, "queued", now, "imap.example:993: NO OVERQUOTA", now))
    await queue.release([each.id for each in behind])
    assert await filings(room) == (replace(waits, tries=1, diagnostic="imap.example:993: NO OVERQUOTA"),)
    measured = await samples(room, now)
    assert measured["bridge_filings_waiting retry"] == 3
    assert measured["bridge_filings_waiting turn"] == 0
    assert measured["bridge_filings_waiting_oldest_seconds retry"] >= 0

    await room.mails.settle(MailResult(first.id, "sent", now))
    (left,) = await filings(room)
    assert (left.count, left.tries) == (2, 0), "the server takes them again"
    for each in behind:
        await room.mails.settle(MailResult(each.id, "sent", now))
    assert await filings(room) == ()
