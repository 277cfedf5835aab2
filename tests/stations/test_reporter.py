"""The reporter: one mail that cannot be reported keeps nobody else from it, and the station lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from bridge import clock
from bridge.reporter import Reporter
from bridge.store.claims import Claim
from bridge.store.transitions import Change
from bridge.types import MessageState, Options, Receipt
from tests.notices import grammar
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail


async def failed(room: StoreRoom, message_id: str, mailbox_id: str) -> str:
    """A message that failed; the id of its submission."""
    mailbox = room.store.directory.by_id(mailbox_id)
    assert mailbox is not None
    taken = await room.outbox.take(new_mail(mailbox, message_id=message_id))
    (view,) = await room.store.ledger.submission_messages(taken.submission_id)
    for state in (MessageState.SENDING, MessageState.FAILED):
        await room.store.queue.change(Change(view.id, state, later(1)))
    return taken.submission_id


@asynccontextmanager
async def reporting(room: StoreRoom) -> AsyncIterator[tuple[Reporter, asyncio.Event]]:
    """The station at work, and an event for what it has queued."""
    queued = asyncio.Event()
    reporter = Reporter(
        room.reports,
        room.store.directory,
        hostname="localhost",
        domain="example.test",
        mailed=queued.set,
        sign=lambda mail: mail,
    )
    running = asyncio.create_task(reporter.run())
    async with asyncio.timeout(30):
        yield reporter, queued
    reporter.stop()
    await running


async def test_a_report_that_cannot_be_composed_waits_and_the_others_go(room: StoreRoom) -> None:
    good = room.mailbox
    await room.store.mailboxes.add(replace(good, login="bad@example.test", timezone="Nowhere/At-All"))
    await room.store.directory.refresh()
    bad = room.store.directory.by_login("bad@example.test")
    assert bad is not None
    broken = await failed(room, "<broken@x>", bad.id)
    whole = await failed(room, "<whole@x>", good.id)
    async with reporting(room) as (_, queued):
        await queued.wait()
    now = clock.now()
    mails = await room.mails.claim(Claim("test", now, later(9), 10))
    assert [mail.id for mail in mails] == [f"report.{whole}.1"]
    assert await room.reports.due(now, 10) == []
    (waiting,) = await room.reports.due(now + timedelta(days=366), 10)
    assert waiting.submission_id == broken


async def test_a_text_that_is_late_is_told_when_its_time_has_come_and_again_when_it_arrived(room: StoreRoom) -> None:
    mail, now = new_mail(room.mailbox), clock.now()
    moment = now + timedelta(seconds=0.5)
    options = Options(deliver_by=moment, late_at=moment, release="for;60")
    mail = replace(mail, envelope=replace(mail.envelope, options=options))
    (view,) = await room.store.ledger.submission_messages((await room.outbox.take(mail)).submission_id)
    async with reporting(room) as (reporter, queued):
        await queued.wait()
        assert clock.now() >= moment
        queued.clear()
        await room.inbox.receipt(Receipt(GATEWAY, None, view.id, MessageState.DELIVERED, "1"), clock.now())
        reporter.ring()
        await queued.wait()
    late, arrived = sorted(await room.mails.claim(Claim("test", clock.now(), later(9), 10)), key=lambda each: each.id)
    message, (recipient,) = grammar.delivery_status(late.raw)
    assert (recipient["action"], recipient["status"]) == ("delayed", "4.4.7")
    assert "deliver-by-date" in message
    assert message["future-release-request"] == "for;60"
    message, (recipient,) = grammar.delivery_status(arrived.raw)
    assert (recipient["action"], recipient["status"]) == ("delivered", "2.1.5")
    assert message["dsn-gateway"] == "dns; localhost"
    assert (late.envelope_from, arrived.envelope_from) == ("", "")
