"""Two nodes on one PostgreSQL that take mails and hear phones at the same moment never get into each other's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Connection, Select, event, select, text

from bridge import clock
from bridge.answering import today
from bridge.store.inbox import Inbox
from bridge.store.store import Store
from bridge.store.tables import conversations, usages
from bridge.types import Mailbox
from tests.stations.conftest import waiting
from tests.stations.phone import Phone
from tests.store.conftest import StoreRoom, new_mail, open_outbox

FIRST, SECOND = "+393331234561", "+393331234562"
STRANGER = "+393331234563"


@dataclass
class Nodes:
    """Two nodes, and what the database refused them."""

    mine: StoreRoom
    theirs: StoreRoom
    mailboxes: list[Mailbox]
    """Two with numbers of their own, in the order in which their rows are locked."""
    refused: list[str] = field(default_factory=list)

    async def cap(self, messages: int | None) -> None:
        """Give both mailboxes this daily cap."""
        for each in self.mailboxes:
            await self.mine.store.mailboxes.save(replace(each, daily_cap=messages))
        for room in (self.mine, self.theirs):
            await room.store.directory.refresh()
        self.mailboxes = sorted(self.mine.store.directory.all(), key=lambda one: one.id)

    async def takes(self, room: StoreRoom, *mails: tuple[int, str]) -> None:
        """One transaction that takes a mail of each of these mailboxes to a phone."""
        now = clock.now()
        each = [(self.mailboxes[which], number) for which, number in mails]
        news = [
            replace(new_mail(one, [number], at=now, message_id=f"<{clock.new_id()}@x>"), day=today(one, now))
            for one, number in each
        ]
        await asyncio.gather(*map(room.outbox.take, news))

    async def hears(self, room: StoreRoom, *texts: tuple[str, int]) -> None:
        """What phones ask these mailboxes, heard at once."""
        phone = Phone(room)
        await phone.intake.hear(
            [
                replace(phone.sms("HELP", self.mailboxes[which].sender, number), event_id=clock.new_id())
                for number, which in texts
            ]
        )

    async def together(self, *doing: Coroutine[Any, Any, None]) -> None:
        """Have the other node do things in one transaction, as far as it does: it waits a little for as many pieces as
        it had in the last one."""
        committer = self.theirs.store.committer
        await asyncio.gather(*(committer.do(_nothing, None) for _ in range(4)))
        await asyncio.gather(*doing)

    async def waiting(self, count: int) -> None:
        """Until so many transactions wait for others."""
        waits = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        nap = text("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
        async with asyncio.timeout(20), self.mine.store.engine.connect() as connection:
            while (await connection.execute(waits)).scalar_one() < count:
                await connection.execute(nap)


@pytest.fixture
async def nodes(room: StoreRoom) -> AsyncIterator[Nodes]:
    """Two nodes and two mailboxes, each of which has texted one of two phones."""
    async with Store(room.store.settings) as store:
        other = replace(
            room, store=store, outbox=open_outbox(store), inbox=Inbox(store.committer, store.key, report_wait=60)
        )
        nodes = Nodes(room, other, [])
        await room.store.mailboxes.add(replace(room.mailbox, login="other@example.test", sender="+390200000002"))
        for each in (room, other):
            await each.store.directory.refresh()
            event.listen(
                each.store.engine.sync_engine,
                "handle_error",
                lambda context: nodes.refused.append(str(context.original_exception)),
            )
        nodes.mailboxes = sorted(room.store.directory.all(), key=lambda one: one.id)
        await nodes.takes(room, (0, FIRST), (1, SECOND))
        yield nodes


def _count(mailbox: Mailbox) -> Select[Any]:
    return select(usages).where(usages.c.mailbox_id == mailbox.id).with_for_update()


def _conversation(mailbox: Mailbox) -> Select[Any]:
    return select(conversations).where(conversations.c.mailbox_id == mailbox.id).with_for_update()


async def _hears_two(nodes: Nodes) -> None:
    await nodes.together(nodes.hears(nodes.theirs, (SECOND, 1), (FIRST, 0)))


async def _takes_and_hears(nodes: Nodes) -> None:
    await nodes.together(nodes.takes(nodes.theirs, (1, SECOND)), nodes.hears(nodes.theirs, (FIRST, 0)))


async def _hears_and_takes(nodes: Nodes) -> None:
    await nodes.together(nodes.hears(nodes.theirs, (SECOND, 1)), nodes.takes(nodes.theirs, (0, STRANGER)))


def _nothing(_: Connection, payloads: Sequence[None]) -> list[None]:
    return [None] * len(payloads)


@pytest.mark.parametrize("room", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("cap", "lock", "does"),
    [
        pytest.param(1000, _count, _hears_two, id="hears two phones"),
        pytest.param(1000, _count, _takes_and_hears, id="takes a mail and hears a phone"),
        pytest.param(1000, _count, _hears_and_takes, id="hears a phone and takes a mail"),
        pytest.param(None, _conversation, _hears_two, id="hears two phones of mailboxes without a cap"),
    ],
)
async def test_who_hears_phones_and_who_takes_mails_lock_in_one_order(
    nodes: Nodes,
    cap: int | None,
    lock: Callable[[Mailbox], Select[Any]],
    does: Callable[[Nodes], Coroutine[Any, Any, None]],
) -> None:
    """One node takes mails of both mailboxes, and waits at the first of them for a third transaction; the other begins
    with the second mailbox. If it holds that while it waits for the first, each node has what the other wants."""
    await nodes.cap(cap)
    async with nodes.mine.store.engine.connect() as third:
        await third.execute(lock(nodes.mailboxes[0]))
        taking = asyncio.create_task(nodes.takes(nodes.mine, (0, FIRST), (1, SECOND)))
        await nodes.waiting(1)
        doing = asyncio.create_task(does(nodes))
        await nodes.waiting(2)
    await asyncio.wait_for(asyncio.gather(taking, doing), 20)
    assert nodes.refused == []


@pytest.mark.parametrize("room", ["postgresql"], indirect=True)
async def test_an_sms_that_two_nodes_hear_at_the_same_moment_is_filed_once_and_refused_by_neither(nodes: Nodes) -> None:
    """A provider that is not answered in time calls again, and the other node answers."""
    mine, theirs = Phone(nodes.mine), Phone(nodes.theirs)
    for _ in range(5):
        sms = replace(mine.sms("Sì", nodes.mailboxes[0].sender, FIRST), event_id=clock.new_id())
        await asyncio.gather(mine.intake.hear([sms]), theirs.intake.hear([sms]))
    assert len(await waiting(nodes.mine)) == 5
