"""The digester: one digest a day and mailbox, whoever dies, whoever else makes them, and whatever cannot be made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bridge import clock
from bridge.app import Bridge
from bridge.digester import Digester
from bridge.postman import Postman
from bridge.settings import ReplySettings
from bridge.store.digests import Composed, Digests
from bridge.store.mails import MailKind, insert_mail
from bridge.store.store import Store
from bridge.types import DigestPlan, Keyword, Mailbox, OutgoingMail
from tests.digest.conftest import DAY, DOMAIN, HOUR, OTHER_PHONE, PHONE, Texts
from tests.notices.samples import parts, read, words
from tests.servers.ports import free_port
from tests.stations.conftest import waiting
from tests.store.conftest import Template, new_mail, open_room

DESK, MANAGER = "desk@example.test", "manager@example.test"


async def wants(texts: Texts, mailbox: Mailbox, *to: str, **changes: Any) -> Mailbox:
    """`mailbox` has had a digest since yesterday, and its hour was a minute ago."""
    at = (clock.now() - timedelta(minutes=1)).astimezone(ZoneInfo(mailbox.timezone)).time().replace(tzinfo=None)
    plan = DigestPlan(to=to, at=at.replace(second=0, microsecond=0), since=clock.now() - 2 * DAY)
    wanting = replace(mailbox, digest=plan, **changes)
    await texts.room.store.mailboxes.save(wanting)
    await texts.room.store.directory.refresh()
    return wanting


class Leading:
    """Says whether a node leads, and how often it was asked."""

    def __init__(self, leads: bool = True) -> None:
        self.leads = leads
        self.asked = asyncio.Queue[None]()

    async def __call__(self) -> bool:
        self.asked.put_nowait(None)
        return self.leads


@asynccontextmanager
async def at_work(
    store: Store, leading: Leading | None = None, mailed: asyncio.Event | None = None
) -> AsyncIterator[Digester]:
    station = Digester(
        Digests(store.engine, store.committer),
        store.directory,
        domain=DOMAIN,
        settings=ReplySettings(phones_may_mail=(PHONE,), phones_may_mail_to=("bob@example.com",)),
        leads=leading or Leading(),
        mailed=(mailed or asyncio.Event()).set,
        sign=lambda mail: mail,
    )
    running = asyncio.create_task(station.run())
    try:
        async with asyncio.timeout(60):
            yield station
    finally:
        station.stop()
        await running


async def rounds(station: Digester, leading: Leading, count: int = 2) -> None:
    """The station has looked again, and is done with what it found before."""
    for _ in range(count):
        station.ring()
        await leading.asked.get()


async def made(texts: Texts) -> None:
    """Wait until it is written down that the clinic's digest was made, or that there was nothing to tell."""
    for _ in range(3000):
        if await texts.digests.last([texts.room.mailbox.id]):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was written down")


def table_of(mail: OutgoingMail) -> str:
    return words(parts(read(mail))[1]).removeprefix("\ufeff")


async def test_it_is_made_once_for_each_address(texts: Texts) -> None:
    await texts.text(ago=2 * HOUR, subject="Your visit")
    await texts.answer("Sì, confermo. Grazie", ago=HOUR)
    await texts.answer("ORÀRI?", ago=HOUR / 2)
    await texts.answer("info", ago=HOUR / 3)
    await texts.answer("bob@example.com Sì, confermo", ago=HOUR / 4)
    for word in ("Orari", "Info"):
        await texts.room.store.keywords.save(texts.room.mailbox, Keyword(word, tag="hours"))
    await wants(texts, texts.room.mailbox, DESK, MANAGER)
    leading, mailed = Leading(), asyncio.Event()
    async with at_work(texts.room.store, leading, mailed) as station:
        await mailed.wait()
        mails = await waiting(texts.room)
        assert [mail.envelope_to for mail in mails] == [DESK, MANAGER]
        assert "Your visit" in table_of(mails[0])
        assert "Sì, confermo. Grazie" in table_of(mails[0])
        ends = [line.partition(",Answer,,")[2] for line in table_of(mails[0]).splitlines()[1:5]]
        assert ends == [
            '"bob@example.com Sì, confermo",,,',
            "info,,,",
            "ORÀRI?,,Orari,hours",
            '"Sì, confermo. Grazie",confirmed,,',
        ], "INFO is an order, and what a phone mails to others is no answer"
        await rounds(station, leading)
    assert await waiting(texts.room) == []
    async with at_work(texts.room.store, leading) as station:  # it is started again
        await rounds(station, leading)
    assert await waiting(texts.room) == []


async def test_nothing_to_say_is_no_mail_and_is_written_down(texts: Texts) -> None:
    await texts.text(ago=30 * DAY)
    await wants(texts, texts.room.mailbox, DESK)
    async with at_work(texts.room.store):
        await made(texts)
    assert await waiting(texts.room) == []


async def test_it_wakes_when_a_mailbox_changes(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Digester, "pause", 3600.0)
    await texts.text()
    await wants(texts, await texts.other_mailbox(), MANAGER)  # and there is nothing to tell
    leading, mailed = Leading(), asyncio.Event()
    async with at_work(texts.room.store, leading, mailed) as station:
        await leading.asked.get()
        await wants(texts, texts.room.mailbox, DESK)
        station.ring()
        await mailed.wait()
    assert [mail.envelope_to for mail in await waiting(texts.room)] == [DESK]


async def test_other_nodes_work_does_not_wake_it_and_a_changed_mailbox_does(
    tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They leave work many times a second, and each look asks for the last digests of all mailboxes."""
    rung = asyncio.Queue[str]()
    for station in (Digester, Postman):
        monkeypatch.setattr(station, "ring", lambda self: rung.put_nowait(self.name))
    async with open_room(tmp_path, template, "postgresql") as room, asyncio.timeout(60):
        settings = room.store.settings
        smtp = settings.smtp.model_copy(update={"port": free_port()})
        http = settings.http.model_copy(update={"port": free_port()})
        bridge = Bridge(settings.model_copy(update={"smtp": smtp, "http": http}))
        await bridge.start()
        try:
            await room.outbox.take(new_mail(room.mailbox))
            assert await rung.get() == "postman"
            await room.store.mailboxes.save(replace(room.mailbox, max_segments=2))
            while await rung.get() != "digester":
                pass
        finally:
            await bridge.stop()


async def test_only_the_node_that_leads_makes_them(texts: Texts) -> None:
    await texts.text()
    await wants(texts, texts.room.mailbox, DESK)
    leading = Leading(False)
    async with at_work(texts.room.store, leading) as station:
        await rounds(station, leading)
    assert await texts.digests.last([texts.room.mailbox.id]) == {}
    assert await waiting(texts.room) == []


async def test_two_that_believe_to_lead_make_one(texts: Texts) -> None:
    await texts.text()
    await wants(texts, texts.room.mailbox, DESK)
    async with Store(texts.room.store.settings) as other:  # on SQLite as if its folder had not kept it out
        one, two = Leading(), Leading()
        async with at_work(texts.room.store, one) as first, at_work(other, two) as second:
            await asyncio.gather(made(texts), rounds(first, one), rounds(second, two))
    assert len(await waiting(texts.room)) == 1


async def test_of_two_at_the_same_moment_the_store_takes_one(texts: Texts) -> None:
    mail = OutgoingMail("digest.x", "", DESK, b"From: x\r\n\r\n")
    async with Store(texts.room.store.settings) as other:
        stores = [texts.digests, Digests(other.engine, other.committer)] * 3
        for day in (0, 1, 2):
            attempts = [
                Composed(texts.room.mailbox, texts.today - day * DAY, texts.now, (replace(mail, id=f"{day}.{place}"),))
                for place in range(6)
            ]
            kept = await asyncio.gather(*(each.keep(one) for each, one in zip(stores, attempts, strict=True)))
            assert sorted(kept) == [False] * 5 + [True]
    assert len(await waiting(texts.room)) == 3


async def test_a_bridge_that_dies_in_between_has_made_none(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the row that says that it was made and the second of two mails."""
    await texts.text()
    mailbox = await wants(texts, texts.room.mailbox, DESK, MANAGER)
    inserted: list[str] = []

    def dies(connection: Connection, mail: OutgoingMail, **where: Any) -> None:
        insert_mail(connection, mail, **where)
        inserted.append(mail.envelope_to)
        if len(inserted) == 2:
            raise MemoryError

    monkeypatch.setattr("bridge.store.digests.insert_mail", dies)
    leading = Leading()
    with capture_logs() as logs:
        async with at_work(texts.room.store, leading) as station:
            await rounds(station, leading, 3)
    assert [line["event"] for line in logs] == ["digest.failed"], "and it is not tried again at once"
    assert inserted[:2] == [DESK, MANAGER]
    assert (await texts.digests.last([mailbox.id]), await waiting(texts.room)) == ({}, [])
    monkeypatch.undo()
    mailed = asyncio.Event()
    async with at_work(texts.room.store, mailed=mailed):
        await mailed.wait()
    assert [mail.envelope_to for mail in await waiting(texts.room)] == [DESK, MANAGER]


async def test_one_that_cannot_be_made_keeps_nobody_else_from_theirs(texts: Texts) -> None:
    other = await texts.other_mailbox()
    await texts.text()
    await texts.text(mailbox=other)
    await wants(texts, texts.room.mailbox, DESK)
    broken = texts.room.store.directory.by_id(texts.room.mailbox.id)
    assert broken is not None
    await texts.room.store.mailboxes.save(replace(broken, timezone="Nowhere/At-All"))
    await wants(texts, other, MANAGER)
    mailed = asyncio.Event()
    async with at_work(texts.room.store, mailed=mailed):
        await mailed.wait()
    assert [mail.envelope_to for mail in await waiting(texts.room)] == [MANAGER]


async def test_the_mail_is_the_mailboxs_and_of_its_own_kind(texts: Texts) -> None:
    await texts.text()
    await wants(texts, texts.room.mailbox, DESK)
    mailed = asyncio.Event()
    async with at_work(texts.room.store, mailed=mailed):
        await mailed.wait()
    async with texts.room.store.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT kind, mailbox_id, envelope_from FROM mail")).all()
    assert [tuple(row) for row in rows] == [(MailKind.DIGEST.value, texts.room.mailbox.id, "")]


async def test_no_number_and_no_word_of_it_is_logged(texts: Texts) -> None:
    await texts.text(PHONE, subject="Biopsy results", contact="Mario Rossi")
    await texts.answer("I am ill", OTHER_PHONE)
    await wants(texts, texts.room.mailbox, DESK)
    mailed = asyncio.Event()
    with capture_logs() as logs:
        async with at_work(texts.room.store, mailed=mailed):
            await mailed.wait()
    assert [line["event"] for line in logs] == ["digest.queued"]
    said = str(logs)
    assert not [word for word in ("Biopsy", "Rossi", "ill", PHONE[1:], OTHER_PHONE[1:], DESK) if word in said]


async def test_a_mailbox_that_is_removed_takes_its_digests_along(texts: Texts) -> None:
    desk = await texts.other_mailbox()
    assert await texts.digests.keep(Composed(desk, texts.today, texts.now))
    await texts.room.store.mailboxes.remove(desk.login)
    assert await texts.digests.last([desk.id]) == {}


async def test_what_was_made_is_known_for_weeks_and_not_for_ever(texts: Texts) -> None:
    for ago in (60, 41, 40, 1, 0):
        assert await texts.digests.keep(Composed(texts.room.mailbox, texts.today - ago * DAY, texts.now - ago * DAY))
    (last,) = (await texts.digests.last([texts.room.mailbox.id])).values()
    assert (last.day, last.at) == (texts.today, texts.now)
    async with texts.room.store.engine.connect() as connection:
        ((days,),) = (await connection.exec_driver_sql("SELECT count(*) FROM digest")).all()
    assert days == 3
