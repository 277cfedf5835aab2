"""The reporter: one mail that cannot be reported keeps nobody else from it, and the station lives."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from bridge import clock
from bridge.reporter import Reporter
from bridge.store.claims import Claim
from bridge.store.transitions import Change
from bridge.types import MessageState
from tests.store.conftest import StoreRoom, later, new_mail


async def failed(room: StoreRoom, message_id: str, mailbox_id: str) -> str:
    """A message that failed; the id of its submission."""
    mailbox = room.store.directory.by_id(mailbox_id)
    assert mailbox is not None
    taken = await room.outbox.take(new_mail(mailbox, message_id=message_id))
    (view,) = await room.store.ledger.submission_messages(taken.submission_id)
    for state in (MessageState.SENDING, MessageState.FAILED):
        await room.store.queue.change(Change(view.id, state, later(1)))
    return taken.submission_id


async def test_a_report_that_cannot_be_composed_waits_and_the_others_go(room: StoreRoom) -> None:
    good = room.mailbox
    await room.store.mailboxes.add(replace(good, login="bad@example.test", timezone="Nowhere/At-All"))
    await room.store.directory.refresh()
    bad = room.store.directory.by_login("bad@example.test")
    assert bad is not None
    broken = await failed(room, "<broken@x>", bad.id)
    whole = await failed(room, "<whole@x>", good.id)
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
        await queued.wait()
    reporter.stop()
    await running
    now = clock.now()
    mails = await room.mails.claim(Claim("test", now, later(9), 10))
    assert [mail.id for mail in mails] == [f"report.{whole}.1"]
    assert await room.reports.due(now, 10) == []
    (waiting,) = await room.reports.due(now + timedelta(days=366), 10)
    assert waiting.submission_id == broken
