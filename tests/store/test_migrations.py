"""What an older version wrote is there after the upgrade, waits as before, and is there when somebody goes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

import bridge.store.migrations
from bridge.clock import new_id
from bridge.settings import Settings, demo_settings
from bridge.store.claims import Claim
from bridge.store.engine import WRITES, is_current, open_engine, upgrade
from bridge.store.store import Store, database_url
from bridge.types import NO_HABITS
from tests.servers.postgres import PostgresServer
from tests.store.conftest import DATABASES, NOW, new_mail, on_postgres, open_outbox

R = TypeVar("R")

BEFORE = "0004"
"""The version before names, learned signatures and priorities."""

ROWS: dict[str, dict[str, Any]] = {
    "organisation": {"id": "main", "name": "", "created_at": NOW},
    "mailbox": {
        "id": "01mailbox",
        "organisation_id": "main",
        "login": "clinic@example.test",
        "password_hash": "",
        "addresses": ["@example.test"],
        "networks": [],
        "region": "IT",
        "countries": ["IT"],
        "language": "en",
        "timezone": "Europe/Rome",
        "sender": "+390200000001",
        "confirm": "failures",
        "unicode": "allow",
        "max_segments": 6,
        "daily_cap": None,
        "paused": False,
        "created_at": NOW,
    },
    "submission": {
        "id": "01submission",
        "organisation_id": "main",
        "mailbox_id": "01mailbox",
        "door": "submission",
        "message_id": "<old@client.test>",
        "mail_from": "clinic@example.test",
        "report_to": "clinic@example.test",
        "envid": None,
        "ret": None,
        "reference": "case 7",
        "received_at": NOW,
        "report_due_at": None,
        "report_count": 0,
    },
    "conversation": {
        "id": "01conversation",
        "organisation_id": "main",
        "mailbox_id": "01mailbox",
        "number": "+393331234567",
        "number_hash": "hash",
        "sender": "+390200000001",
        "reply_to": "clinic@example.test",
        "subject": "Your visit",
        "message_id": "<old@client.test>",
        "references": [],
        "last_written_at": NOW,
    },
    "message": {
        "id": "01message",
        "organisation_id": "main",
        "submission_id": "01submission",
        "mailbox_id": "01mailbox",
        "conversation_id": "01conversation",
        "address": "+393331234567@sms.example.test",
        "orcpt": None,
        "number": "+393331234567",
        "number_hash": "hash",
        "sender": "+390200000001",
        "gateway": "simulator",
        "stand_ins": "",
        "message_class": "transactional",
        "encoding": "gsm7",
        "segments": 1,
        "units": 5,
        "state": "queued",
        "version": 1,
        "due_at": NOW,
        "expires_at": None,
        "lease_owner": None,
        "lease_until": None,
        "attempts": 0,
        "provider_id": None,
        "reason": None,
        "diagnostic": "",
        "report_on": "FAILURE",
        "report_at": None,
        "reported": None,
        "created_at": NOW,
        "settled_at": None,
    },
    "message_content": {"message_id": "01message", "text": "Hello", "lengths": [5]},
}


@pytest.fixture(params=DATABASES)
def settings(tmp_path: Path, postgres: PostgresServer, request: pytest.FixtureRequest) -> Settings:
    """Those of a bridge with an empty database."""
    settings = demo_settings(tmp_path, 2525, 8025, 2526, "a-shared-secret")
    if request.param == "sqlite":
        return settings
    name = f"old_{new_id()}"
    postgres.sql(f"CREATE DATABASE {name}")
    return on_postgres(settings, postgres.url(name))


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database of an older version, with a mail in it that waits."""
    engine = open_engine(database_url(settings))
    await _write(engine, lambda connection: _go(connection, command.upgrade, BEFORE))
    await _write(engine, _fill)
    yield engine
    await engine.dispose()


async def _write(engine: AsyncEngine, work: Callable[[Connection], R]) -> R:
    async with engine.connect() as connection:
        await connection.execution_options(**WRITES)
        async with connection.begin():
            return await connection.run_sync(work)


def _go(connection: Connection, step: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.store.migrations.__file__).parent))
    config.attributes["connection"] = connection
    step(config, revision)


def _tables(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection)
    return found


def _fill(connection: Connection) -> None:
    tables = _tables(connection).tables
    for name, row in ROWS.items():
        connection.execute(insert(tables[name]).values(row))


def _rows(connection: Connection) -> dict[str, dict[str, Any]]:
    """The one row of each table, without what newer versions know of it."""
    tables = _tables(connection).tables
    rows = {name: connection.execute(select(tables[name])).one()._mapping for name in ROWS}
    return {name: {column: row[column] for column in ROWS[name]} for name, row in rows.items()}


def _columns(connection: Connection) -> dict[str, set[str]]:
    found = inspect(connection)
    return {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}


def _indexes(connection: Connection) -> set[str | None]:
    found = inspect(connection)
    return {index["name"] for name in found.get_table_names() for index in found.get_indexes(name)}


async def test_what_waited_before_the_upgrade_leaves_after_it(settings: Settings, engine: AsyncEngine) -> None:
    assert not await is_current(engine)
    before = await _write(engine, _rows)
    await upgrade(engine)
    assert await is_current(engine)
    assert await _write(engine, _rows) == before
    async with Store(settings) as store:
        (mailbox,) = store.directory.all()
        assert (mailbox.habits, mailbox.grammar, mailbox.order_password_hash) == (NO_HABITS, None, "")
        assert not store.directory.book("main").contacts
        assert await store.signatures.all(mailbox.id) == []
        mail = new_mail(mailbox, ["+393337654321"], message_id="<new@client.test>", at=NOW + timedelta(seconds=1))
        await open_outbox(store).take(mail)
        now = NOW + timedelta(seconds=1)
        first, second = await store.queue.claim(Claim("me", now, now + timedelta(seconds=90), 10))
        assert (first.sms.reference, first.sms.text, first.sms.flash, first.sms.shift) == (
            "01message",
            "Hello",
            False,
            None,
        )
        assert second.sms.number == "+393337654321"
        (view,) = await store.ledger.submission_messages("01submission")
        assert (view.priority, view.reference) == ("normal", "case 7")


async def test_the_upgrade_leads_to_the_tables_on_every_database(engine: AsyncEngine) -> None:
    await upgrade(engine)
    differences = await _write(
        engine, lambda connection: compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    )
    assert differences == []


async def test_the_way_back_leaves_what_was_there(engine: AsyncEngine) -> None:
    columns, indexes, rows = [await _write(engine, look) for look in (_columns, _indexes, _rows)]
    for _ in range(2):
        await upgrade(engine)
        assert {"contact", "membership", "signature"} <= (await _write(engine, _columns)).keys()
        await _write(engine, lambda connection: _go(connection, command.downgrade, BEFORE))
        assert await _write(engine, _columns) == columns
        assert await _write(engine, _indexes) == indexes
        assert await _write(engine, _rows) == rows
