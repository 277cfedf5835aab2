"""A database that is locked, full or gone: everybody is told, nobody waits for ever, nothing is half done."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, insert, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from bridge.errors import StoreUnavailable
from bridge.store import engine as engine_module
from bridge.store.directory import Directory
from bridge.store.engine import is_current, open_engine
from bridge.store.keys import NumberKey
from bridge.store.ledger import Ledger
from bridge.store.mails import Mails
from bridge.store.queue import Queue
from bridge.store.reports import Reports
from bridge.store.store import sqlite_url
from bridge.store.tables import mailboxes, usages
from bridge.types import MessageState
from tests.store.conftest import StoreRoom, Template, capped, later, new_mail, open_room
from tests.store.steps import claim, finish, receipt, sending, start, state

PATIENCE = 0.3


@pytest.fixture
async def hasty(tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StoreRoom]:
    """A store that waits for a lock only a moment."""
    monkeypatch.setattr(engine_module, "BUSY", PATIENCE)
    async with open_room(tmp_path, template) as opened:
        yield opened


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process writes, and does not end."""
    with closing(sqlite3.connect(folder / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def test_a_locked_database_is_told_to_everybody_at_once(hasty: StoreRoom, tmp_path: Path) -> None:
    """Not one after the other, each after a wait of his own: the mail clients would have gone by then."""
    mails = [new_mail(hasty.mailbox, message_id=f"<{index}@x>") for index in range(30)]
    with locked(tmp_path):
        began = time.monotonic()
        results = await asyncio.gather(*(hasty.outbox.take(mail) for mail in mails), return_exceptions=True)
        assert time.monotonic() - began < PATIENCE * 10
    assert {type(result) for result in results} == {StoreUnavailable}
    assert [taken.messages for taken in await asyncio.gather(*map(hasty.outbox.take, mails))] == [1] * 30


async def test_a_lock_that_ends_in_time_delays_only(sqlite_room: StoreRoom, tmp_path: Path) -> None:
    with locked(tmp_path):
        waiting = asyncio.create_task(sqlite_room.outbox.take(new_mail(sqlite_room.mailbox)))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    assert (await waiting).messages == 1


async def test_a_full_disk_and_then_a_free_one(sqlite_room: StoreRoom, request: pytest.FixtureRequest) -> None:
    limit = 1  # SQLite takes the present size for a limit below it

    @event.listens_for(Engine, "begin")
    def shrink(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    request.addfinalizer(lambda: event.remove(Engine, "begin", shrink))
    message_id = await sending(sqlite_room)
    big = new_mail(sqlite_room.mailbox, message_id="<big@x>", text="x" * 100_000)
    with pytest.raises(StoreUnavailable):
        await sqlite_room.outbox.take(big)
    limit = 1_000_000
    assert (await sqlite_room.outbox.take(big)).messages == 1
    assert await state(sqlite_room, message_id) is MessageState.SENDING


async def test_a_mail_that_was_not_stored_does_not_count_for_the_daily_cap(hasty: StoreRoom, tmp_path: Path) -> None:
    small = capped(hasty.mailbox, 1)
    with locked(tmp_path), pytest.raises(StoreUnavailable):
        await hasty.outbox.take(new_mail(small))
    broken = capped(hasty.mailbox, 1)
    object.__setattr__(broken, "id", "nobody")
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await hasty.outbox.take(new_mail(broken))
    assert hasty.outbox.used(small.id, "2026-11-21") == 0
    assert hasty.outbox.used("nobody", "2026-11-21") == 0
    assert (await hasty.outbox.take(new_mail(small))).messages == 1
    assert hasty.outbox.used(small.id, "2026-11-21") == 1


async def test_every_step_says_that_the_database_is_locked(hasty: StoreRoom, tmp_path: Path) -> None:
    message_id = await sending(hasty)
    with locked(tmp_path):
        for step in (
            claim(hasty),
            start(hasty, message_id),
            finish(hasty, message_id, MessageState.SENT),
            hasty.inbox.receipt(receipt(message_id, MessageState.DELIVERED, "1"), later(2)),
            hasty.store.leases.recover(later(2), all_leases=True, told_after=15),
            hasty.outbox.forget(later(2)),
        ):
            with pytest.raises(StoreUnavailable):
                await step
    assert await state(hasty, message_id) is MessageState.SENDING


Read = Callable[[], Awaitable[object]]


async def test_every_reading_says_that_the_database_is_gone(tmp_path: Path) -> None:
    engine, key = open_engine(sqlite_url(tmp_path)), NumberKey(b"k")  # a folder is no database
    ledger, nothing = Ledger(engine, key), None
    reads: list[Read] = [
        Directory(engine, key).refresh,
        lambda: is_current(engine),
        lambda: ledger.messages(state=None, number=None, login=None, limit=1),
        lambda: ledger.trace("x"),
        lambda: ledger.submission_messages("x"),
        ledger.counts,
        lambda: Queue(engine, nothing, 60).next_due(later(0)),  # type: ignore[arg-type]
        lambda: Mails(engine, nothing).next_due(later(0)),  # type: ignore[arg-type]
        lambda: Reports(engine, nothing, 60, 60).next_due(later(0)),  # type: ignore[arg-type]
        lambda: Reports(engine, nothing, 60, 60).due(later(0), 10),  # type: ignore[arg-type]
    ]
    for read in reads:
        with pytest.raises(StoreUnavailable):
            await read()
    await engine.dispose()


async def test_an_error_holds_neither_number_nor_text(room: StoreRoom) -> None:
    mail = new_mail(room.mailbox, text="Your test was positive.")
    object.__setattr__(mail.mailbox, "id", "nobody")
    with pytest.raises(Exception, match=r"(?i)foreign key") as caught:
        await room.outbox.take(mail)
    assert "393331234567" not in str(caught.value)
    assert "positive" not in str(caught.value)


async def test_closing_commits_what_waits_and_takes_no_more(tmp_path: Path, template: Template) -> None:
    async with open_room(tmp_path, template) as opened:
        waiting = [
            asyncio.ensure_future(opened.outbox.take(new_mail(opened.mailbox, message_id=f"<{index}@x>")))
            for index in range(600)
        ]
        await asyncio.sleep(0)
        await opened.store.committer.close()
        assert sum([(await taken).messages for taken in waiting]) == 600
        with pytest.raises(StoreUnavailable):
            await opened.outbox.take(new_mail(opened.mailbox))


async def test_when_the_writer_is_cancelled_nobody_waits_for_ever(tmp_path: Path, template: Template) -> None:
    async with open_room(tmp_path, template) as opened:
        waiting = asyncio.ensure_future(opened.outbox.take(new_mail(opened.mailbox)))
        await asyncio.sleep(0)
        (writer,) = (task for task in asyncio.all_tasks() if task.get_name() == "committer")
        writer.cancel()
        with pytest.raises(StoreUnavailable):
            await waiting
        with pytest.raises(StoreUnavailable):
            await opened.outbox.take(new_mail(opened.mailbox))


def runs_out(connection: Connection, payloads: Sequence[int]) -> list[int]:
    """Work with a mistake that no future can hold."""
    return [next(iter(())) for _ in payloads]


def breaks_at_the_commit(connection: Connection, payloads: Sequence[int]) -> list[int]:
    """Work that only the commit refuses; SQLite leaves the transaction open then."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.execute(insert(usages).values(mailbox_id="nobody", day="2026-11-21", messages=1))
    else:
        connection.exec_driver_sql("CREATE TEMP TABLE twice (one int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        connection.exec_driver_sql("INSERT INTO twice VALUES (1), (1)")
    return list(payloads)


@pytest.mark.parametrize(
    ("work", "error"), [pytest.param(runs_out, RuntimeError), pytest.param(breaks_at_the_commit, IntegrityError)]
)
async def test_work_that_fails_is_told_and_the_next_is_done(
    room: StoreRoom, work: Callable[[Connection, Sequence[int]], list[int]], error: type[Exception]
) -> None:
    for _ in range(2):
        with pytest.raises(error):
            await asyncio.wait_for(room.store.committer.do(work, 1), 30)
    assert (await asyncio.wait_for(room.outbox.take(new_mail(room.mailbox)), 30)).messages == 1
    assert (await room.store.ledger.counts())["messages"] == {"queued": 1}


async def test_a_value_that_postgresql_does_not_take_is_no_reason_to_wait(tmp_path: Path, template: Template) -> None:
    """Told that the database is away, whoever wrote it would try the same again for ever."""

    def writes_nul(connection: Connection, payloads: Sequence[int]) -> list[int]:
        connection.execute(update(mailboxes).values(login="a\0b"))
        return list(payloads)

    async with open_room(tmp_path, template, "postgresql") as room:
        with pytest.raises(DBAPIError):
            await room.store.committer.do(writes_nul, 1)
