"""The schema: migrations lead to it, and the questions that are asked all the time use its indexes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from bridge.store.claims import Claim, Claimed
from bridge.store.digests import Composed, Digests, Span
from bridge.store.engine import SCHEMA, is_current, open_engine, upgrade
from bridge.store.filings import FilingClaim, Filings
from bridge.store.history import earlier_texts
from bridge.store.mails import MailResult
from bridge.store.migrate import newest
from bridge.store.reports import Told
from bridge.store.signatures import ENOUGH
from bridge.store.store import sqlite_url
from bridge.store.transitions import Change
from bridge.store.watched import Watched
from bridge.types import Fate, InboundSms, MessageState, Notify, Place, Rates
from tests.store.conftest import GATEWAY, StoreRoom, Template, capped, later, new_mail, open_room
from tests.store.steps import ME, claim, finish, receipt, sending, start
from tests.store.test_receipts import nobody


def _differences(connection: Connection) -> list[Any]:
    differences: list[Any] = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    return differences


async def test_the_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "fresh.db"))
    try:
        assert not await is_current(engine)
        await upgrade(engine)
        assert await is_current(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(_differences) == []
    finally:
        await engine.dispose()
    assert newest() == SCHEMA


async def test_a_second_upgrade_does_nothing(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "fresh.db"))
    try:
        await asyncio.gather(upgrade(engine), upgrade(engine))
        before = await _schema_version(engine)
        await upgrade(engine)
        assert await _schema_version(engine) == before
    finally:
        await engine.dispose()


async def _schema_version(engine: AsyncEngine) -> object:
    """SQLite's own counter of changes of the schema."""
    async with engine.connect() as connection:
        return (await connection.exec_driver_sql("PRAGMA schema_version")).scalar_one()


Asks = Callable[[StoreRoom], Awaitable[object]]


async def _claim_with_slots(room: StoreRoom) -> list[Claimed]:
    rates = {GATEWAY: Rates(gateway=20, sender=1)}
    return await room.store.queue.claim(Claim(ME, later(1), later(91), 2, rates=rates))


async def _look_past_a_sender(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox, [f"+39333123456{digit}" for digit in range(5)]))
    assert len(await _claim_with_slots(room)) == 1


async def _receipts(room: StoreRoom) -> None:
    message_id = await sending(room)
    await room.inbox.receipt(receipt(message_id, MessageState.SENT, "1", "P"), later(2))
    await room.inbox.receipt(receipt(None, MessageState.SENT, "2", "P"), later(2))


async def _finish(room: StoreRoom) -> None:
    await finish(room, await sending(room), MessageState.SENT, provider_id="P")


async def _start(room: StoreRoom) -> None:
    await start(room, await sending(room))


async def _report(room: StoreRoom) -> None:
    message_id = await sending(room)
    await room.store.queue.change(Change(message_id, MessageState.FAILED, later(2)))
    (due,) = await room.reports.due(later(3), 10)
    await room.reports.told(Told(due, ()))
    await room.reports.next_due(later(3))


async def _take(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(capped(room.mailbox, 1), report_on=[Notify.FAILURE]))
    await room.outbox.take(new_mail(capped(room.mailbox, 1), message_id="<two@x>"))
    await room.outbox.take(new_mail(room.mailbox))
    await room.outbox.forget(later(9))


async def _watch(room: StoreRoom) -> None:
    watched, place = Watched(room.store.engine, room.store.committer), Place("sms@clinic.example INBOX", 1, 7, "digest")
    await watched.enter(place.watch, 1, 7)
    mail = new_mail(capped(room.mailbox, 0))
    await room.outbox.take(replace(mail, envelope=replace(mail.envelope, place=place)))
    await watched.keep(place, Fate.REFUSED)
    await watched.keep(replace(place, uid=8), Fate.TAKEN)
    await watched.fate(place)
    await watched.fates(place.watch, 1, [7, 8])
    await watched.passed(place.watch, 1, 9)


async def _learn(room: StoreRoom) -> None:
    for number in range(ENOUGH):
        mail = new_mail(room.mailbox, text=f"Words {number}.", message_id=f"<{number}@x>")
        await room.outbox.take(replace(mail, signature="Studio Rossi\nTel. 02 1234567"))
    (signature,) = await room.store.signatures.all(room.mailbox.id)
    await room.store.signatures.forget(signature.id)


async def _inbound(room: StoreRoom) -> None:
    await room.inbox.inbound(InboundSms(GATEWAY, "1", "+393331234567", room.mailbox.sender, "SI", later(0)), nobody)


async def _recall(room: StoreRoom) -> None:
    conversation = SimpleNamespace(id="01", number_hash="hash", sender=room.mailbox.sender)
    async with room.store.engine.connect() as connection:
        await connection.run_sync(earlier_texts, conversation, 6)


async def _digest(room: StoreRoom) -> None:
    digests = Digests(room.store.engine, room.store.committer)
    span = Span(room.mailbox.id, date(2026, 11, 21), later(-86_400), later(60))
    await digests.last([room.mailbox.id])
    await digests.read(span, None, {})
    await finish(room, await sending(room), MessageState.SENT)
    await digests.read(span, later(30), {})
    assert await digests.read(span, None, {}) is not None
    await digests.keep(Composed(room.mailbox, span.day, span.at))


async def _bounce(room: StoreRoom) -> None:
    await room.mails.reply("mo.01")
    await room.mails.settle(MailResult("mo.01", "bounced", later(2)))


@pytest.mark.parametrize(
    "asks",
    [
        pytest.param(lambda room: claim(room), id="claiming"),
        pytest.param(_look_past_a_sender, id="claiming with slots"),
        pytest.param(_start, id="starting"),
        pytest.param(_finish, id="settling"),
        pytest.param(_receipts, id="receipts"),
        pytest.param(_report, id="reports"),
        pytest.param(_take, id="taking mails in"),
        pytest.param(_learn, id="learning a signature"),
        pytest.param(_watch, id="a watched mailbox"),
        pytest.param(_inbound, id="an inbound SMS"),
        pytest.param(_digest, id="a digest"),
        pytest.param(lambda room: room.store.queue.next_due(later(0)), id="when the next message is due"),
        pytest.param(lambda room: room.mails.next_due(later(0)), id="when the next mail is due"),
        pytest.param(_recall, id="the last texts of a conversation"),
        pytest.param(_bounce, id="a bounce"),
        pytest.param(lambda room: room.store.ledger.trace("01"), id="the trace of a message"),
        pytest.param(
            lambda room: room.store.ledger.messages(state=None, number="+393331234567", login=None, limit=10),
            id="the messages of a phone",
        ),
    ],
)
async def test_no_table_that_grows_is_read_from_end_to_end(sqlite_room: StoreRoom, asks: Asks) -> None:
    """Every statement of a step is explained by SQLite: it searches by an index, or walks one in order."""
    for statement, steps in await _plans(sqlite_room, asks):
        scans = [step for step in steps if re.match(r"SCAN (?!(?:due|waiting|newest)\b|CONSTANT|\(|mailbox\b)", step)]
        walked = [step for step in scans if "USING" in step and "ix_" in step]
        assert scans == walked, (statement, steps)


async def _claim_filings(room: StoreRoom) -> None:
    filings = Filings(room.store.engine, room.store.committer)
    await filings.claim(FilingClaim(room.mailbox.id, ME, later(1), later(90), 10))


async def _claim_mails(room: StoreRoom) -> None:
    await room.mails.claim(Claim(ME, later(1), later(90), 10))


@pytest.mark.parametrize(
    ("asks", "index"),
    [
        pytest.param(lambda room: claim(room), "ix_message_urgent ix_message_queue", id="claiming messages"),
        pytest.param(_claim_with_slots, "ix_message_urgent ix_message_queue", id="claiming messages with slots"),
        pytest.param(_claim_mails, "ix_mail_queue", id="claiming mails"),
        pytest.param(_claim_filings, "ix_mail_filing", id="claiming filings"),
        pytest.param(lambda room: room.store.queue.next_due(later(0)), "ix_message_queue", id="the next message"),
        pytest.param(lambda room: room.mails.next_due(later(0)), "ix_mail_queue", id="the next mail"),
        pytest.param(
            lambda room: room.store.leases.recover(later(0), all_leases=False, told_after=15),
            "ix_message_lease",
            id="leases that ran out",
        ),
        pytest.param(_recall, "ix_message_number ix_inbound_conversation", id="the last texts of a conversation"),
    ],
)
async def test_what_is_done_is_not_read_again(sqlite_room: StoreRoom, asks: Asks, index: str) -> None:
    """The queues are found by indexes that hold only what waits, however much has been sent before."""
    plans = [" ".join(steps) for statement, steps in await _plans(sqlite_room, asks) if _seeks(statement)]
    for place, name in enumerate(index.split()):
        assert name in plans[place]


@pytest.mark.parametrize(
    ("asks", "index"),
    [
        pytest.param(lambda room: claim(room), "ix_message_urgent ix_message_queue", id="claiming messages"),
        pytest.param(_claim_with_slots, "ix_message_urgent ix_message_queue", id="claiming messages with slots"),
        pytest.param(_claim_mails, "ix_mail_queue", id="claiming mails"),
        pytest.param(lambda room: room.store.queue.next_due(later(0)), "ix_message_queue", id="the next message"),
        pytest.param(_recall, "ix_message_number ix_inbound_conversation", id="the last texts of a conversation"),
    ],
)
async def test_postgresql_finds_what_waits_by_the_same_indexes(
    tmp_path: Path, template: Template, asks: Asks, index: str
) -> None:
    """Also with the plan that it keeps for a prepared statement, in which no value is known."""
    async with open_room(tmp_path, template, "postgresql") as room:
        await room.outbox.take(new_mail(room.mailbox, [f"+39333{number:07}" for number in range(500)]))
        statements = [statement for statement, _ in await _statements(room, asks) if _seeks(statement)]
        plans = [await _kept_plan(room, statement) for statement in statements]
        for place, name in enumerate(index.split()):
            assert name in plans[place]


async def _kept_plan(room: StoreRoom, statement: str) -> str:
    count = max((int(number) for number in re.findall(r"\$(\d+)", statement)), default=0)
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    async with room.store.engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE message")
        await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql(f"PREPARE kept AS {statement}")
        found = (await connection.exec_driver_sql(f"EXPLAIN EXECUTE kept{values}")).scalars().all()
        await connection.exec_driver_sql("DEALLOCATE kept")
        await connection.exec_driver_sql("RESET plan_cache_mode")
    return " ".join(found)


def _seeks(statement: str) -> bool:
    """Whether a statement looks for what waits, and not for what is due to a pace."""
    return not statement.startswith("SELECT pace.")


async def _plans(room: StoreRoom, asks: Asks) -> list[tuple[str, list[str]]]:
    """The statements of a step, each with SQLite's plan for it."""
    plans = []
    statements = await _statements(room, asks)
    async with room.store.engine.connect() as connection:
        for statement, parameters in statements:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append((statement, [row.detail for row in plan]))
    return plans


async def _statements(room: StoreRoom, asks: Asks) -> list[tuple[str, Any]]:
    """The statements of a step that look for something, with their values."""
    statements: list[tuple[str, Any]] = []

    @event.listens_for(Engine, "before_cursor_execute")  # both the reading and the writing one
    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            statements.append((statement, parameters[0] if many else parameters))

    await asks(room)
    event.remove(Engine, "before_cursor_execute", note)
    assert statements
    return statements
