"""An opened store in a folder of its own, and the means to put messages into it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from bridge import notices
from bridge.clock import new_id
from bridge.settings import DatabaseSettings, Settings, demo_settings
from bridge.store.inbox import Inbox
from bridge.store.mails import Mails
from bridge.store.outbox import Outbox
from bridge.store.reports import Reports
from bridge.store.store import Store
from bridge.types import (
    Encoded,
    Encoding,
    Envelope,
    Mailbox,
    MessageClass,
    NewMail,
    NewMessage,
    Notify,
    Options,
    Recipient,
    Submission,
)
from tests.clinic import CLINIC
from tests.servers.postgres import PostgresServer

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
GATEWAY = "simulator"
DOMAIN = "sms.example.test"


@dataclass
class StoreRoom:
    """The store with every door of it open."""

    store: Store
    outbox: Outbox
    inbox: Inbox
    reports: Reports
    mails: Mails
    mailbox: Mailbox


DATABASES = ("sqlite", "postgresql")
LARGE = 32 * 1024 * 1024
"""Octets of a database that is not emptied for another test."""


@dataclass(frozen=True)
class Template:
    """A store with one mailbox, migrated once per session and copied for every test."""

    folder: Path
    server: PostgresServer
    database: str
    """Name of the PostgreSQL database that copies are made from."""
    rows: Mapping[str, Sequence[asyncpg.Record]]
    """What its tables hold."""
    lent_before: list[str] = field(default_factory=list)
    """Copies that a test is done with, as they were when they were made."""

    def copy(self, folder: Path, database: str) -> Settings:
        """A copy of the template in `folder`, as settings to open it with."""
        settings = self._copy_folder(folder)
        return settings if database == "sqlite" else self._on_postgres(settings, self._new())

    @asynccontextmanager
    async def lend(self, folder: Path, database: str) -> AsyncIterator[Settings]:
        """The same for as long as it is needed: making a database takes three times as long as emptying one."""
        settings = self._copy_folder(folder)
        if database == "sqlite":
            yield settings
            return
        name = self.lent_before.pop() if self.lent_before else self._new()
        yield self._on_postgres(settings, name)
        if await self._restored(name):
            self.lent_before.append(name)

    def _copy_folder(self, folder: Path) -> Settings:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return demo_settings(folder, 2525, 8025, 2526, "a-shared-secret")

    def _on_postgres(self, settings: Settings, name: str) -> Settings:
        return on_postgres(settings, self.server.url(name))

    def _new(self) -> str:
        name = f"test_{new_id()}"
        self.server.sql(f"CREATE DATABASE {name} TEMPLATE {self.database}")
        return name

    async def _restored(self, name: str) -> bool:
        """Whether a copy is as it was; one that a test left in use, or grew large, is not worth the while."""
        connection = await asyncpg.connect(self.server.dsn(name))
        try:
            if await connection.fetchval("SELECT pg_database_size(current_database())") > LARGE:
                return False
            connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            if await connection.fetchval(connected) > 1:
                return False
            await connection.execute("SET session_replication_role = replica")  # whoever refers to whom
            await connection.execute("; ".join(f'DELETE FROM "{table}"' for table in self.rows))
            for table, rows in self.rows.items():
                if rows:
                    await connection.copy_records_to_table(table, records=rows)
            return True
        finally:
            await connection.close()


def on_postgres(settings: Settings, url: str) -> Settings:
    """The same settings with a PostgreSQL database."""
    return settings.model_copy(update={"database": DatabaseSettings(url=SecretStr(url))})


_made: list[Template] = []
"""The one of this process: each room that borrows the fixture would migrate one of its own."""


@pytest.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Template:
    """The store that every test begins with."""
    if not _made:
        _made.append(await make_template(tmp_path_factory.mktemp("template"), postgres))
    return _made[0]


async def make_template(folder: Path, postgres: PostgresServer) -> Template:
    """Migrate a store on each database, with one mailbox in it."""
    database = f"template_{new_id()}"
    postgres.sql(f"CREATE DATABASE {database}")
    settings = demo_settings(folder, 2525, 8025, 2526, "a-shared-secret")
    for each in (settings, on_postgres(settings, postgres.url(database))):
        async with Store(each) as store:
            await store.mailboxes.add(CLINIC)
    connection = await asyncpg.connect(postgres.dsn(database))
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = {table: await connection.fetch(f'SELECT * FROM "{table}"') for (table,) in tables}
    await connection.close()
    return Template(folder, postgres, database, rows)


@pytest.fixture(params=DATABASES)
async def room(tmp_path: Path, template: Template, request: pytest.FixtureRequest) -> AsyncIterator[StoreRoom]:
    """A fresh store with one mailbox, on each database."""
    async with open_room(tmp_path, template, request.param) as opened:
        yield opened


@pytest.fixture
async def sqlite_room(tmp_path: Path, template: Template) -> AsyncIterator[StoreRoom]:
    """A fresh store on SQLite, for what only SQLite can be asked."""
    async with open_room(tmp_path, template) as opened:
        yield opened


@asynccontextmanager
async def open_room(folder: Path, template: Template, database: str = "sqlite") -> AsyncIterator[StoreRoom]:
    """A copy of the template, opened in `folder`."""
    async with template.lend(folder, database) as settings, Store(settings) as store:
        yield StoreRoom(
            store=store,
            outbox=open_outbox(store),
            inbox=Inbox(store.committer, store.key, report_wait=60),
            reports=Reports(store.engine, store.committer, report_wait=60, give_up_after=86_400),
            mails=Mails(store.engine, store.committer),
            mailbox=store.directory.all()[0],
        )


def open_outbox(store: Store, mailed: Callable[[], None] = lambda: None) -> Outbox:
    """The way into a store, with the resubmission window that is the default."""
    return Outbox(
        store.committer,
        store.key,
        resubmission_window=86_400,
        conversation_window=timedelta(days=14),
        late_after=timedelta(hours=1),
        tell=lambda mail, signature_id: notices.learned(mail, signature_id, DOMAIN),
        mailed=mailed,
    )


def new_mail(
    mailbox: Mailbox,
    numbers: Sequence[str] = ("+393331234567",),
    *,
    message_id: str = "<one@client.test>",
    text: str = "See you tomorrow.",
    at: datetime = NOW,
    report_on: Sequence[Notify] = (Notify.SUCCESS, Notify.FAILURE, Notify.DELAY),
    day: str = "2026-11-21",
) -> NewMail:
    """A mail as admission hands it over."""
    recipients = tuple(Recipient(f"{number}@sms.example.test") for number in numbers)
    encoded = Encoded(text, Encoding.GSM7, len(text), (text[:10], text[10:]), 160 - len(text))
    return NewMail(
        mailbox=mailbox,
        envelope=Envelope(mailbox.login, at),
        submission=Submission(
            message_id=message_id,
            fingerprint=f"{message_id} {text}",
            header_from=mailbox.login,
            subject="Your visit",
            references=(),
            text=text,
            cuts=(),
            warnings=(),
            options=Options(),
            headers=b"Subject: Your visit\r\n",
        ),
        report_to=mailbox.login,
        reply_to=mailbox.login,
        day=day,
        messages=tuple(
            NewMessage(
                recipient=recipient,
                number=number,
                sender=mailbox.sender,
                gateway=GATEWAY,
                message_class=MessageClass.TRANSACTIONAL,
                encoded=encoded,
                due_at=at,
                expires_at=None,
                report_on=frozenset(report_on),
            )
            for recipient, number in zip(recipients, numbers, strict=True)
        ),
        at=at,
    )


def later(seconds: float) -> datetime:
    """Seconds after the moment at which every test begins."""
    return NOW + timedelta(seconds=seconds)


def capped(mailbox: Mailbox, cap: int) -> Mailbox:
    """The same mailbox with a daily cap."""
    return replace(mailbox, daily_cap=cap)
