"""The tables that the bridge shares with gammu-smsd, and the connections to them.

"SMSD Database Structure" and "SMSD Configuration File" of Gammu's manual, schema version 17; what they leave open, by
the source of gammu-smsd 1.42 (smsd/services/sql.c). gammu-smsd commits every statement by itself. What the bridge
writes, it writes under one lock, so that its rows become visible in the order of their ids.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy import Connection as Wire
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator, TypeEngine

from bridge.errors import SettingsError
from bridge.gateways.connection import Connection
from bridge.settings.forms import is_loopback

_LOCK = 0x67616D6D75
"""The advisory lock of every transaction of ours on PostgreSQL, whichever bridge it is of."""
_WRITES = "gammu_writes"
_BUSY = 10.0
"""Seconds that SQLite waits for gammu-smsd to let go of the file, at most."""
_CONNECTIONS = 3
_SILENCE = "30s"
"""After so long within a transaction PostgreSQL gives up one of ours that says nothing: else a bridge that vanished
would keep the lock from all others until TCP notices, which takes hours."""

_REMEDY = 'write "postgresql://HOST/DATABASE" or "sqlite:////PATH/TO/smsd.db", as gammu-smsd is set'
_PARAMETERS = frozenset({"ssl", "host"})
_STRANGE = 'after the question mark only "ssl" and "host" are known; for sslmode write ssl'
_NO_MYSQL = (
    "the bridge does not speak MySQL; let gammu-smsd use PostgreSQL (Driver = native_pgsql) "
    "or SQLite (Driver = sqlite3)"
)

_READABLE = (
    "texts might travel readable; add ?ssl=verify-full to it, or ?ssl=disable where they go through a VPN or the like"
)


class Flag(TypeDecorator[bool]):
    """Yes or no: a boolean in PostgreSQL, a word in SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Boolean() if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else str(value).lower()


LONG_AGO = text("'2000-01-01 00:00:00'")
"""Over by whatever clock: the schema of SQLite has defaults in UTC, which gammu-smsd compares with local time."""

_tables = MetaData()
_body = ("Text", "Coding", "UDH", "TextDecoded", "Status")

outbox = Table(
    "outbox",
    _tables,
    Column("ID", Integer, key="id", primary_key=True),
    *(Column(name, Text) for name in (*_body, "DestinationNumber", "SenderID", "CreatorID", "DeliveryReport")),
    Column("Class", Integer),
    Column("MultiPart", Flag),
    Column("RelativeValidity", Integer),
    Column("SendingDateTime", Text, default=LONG_AGO),
    Column("SendingTimeOut", Text, default=LONG_AGO),
)
outbox_multipart = Table(
    "outbox_multipart",
    _tables,
    Column("ID", Integer, key="id", primary_key=True),
    Column("SequencePosition", Integer, primary_key=True),
    *(Column(name, Text) for name in _body),
    Column("Class", Integer),
)
sentitems = Table(
    "sentitems",
    _tables,
    Column("ID", Integer, key="id", primary_key=True),
    Column("SequencePosition", Integer, primary_key=True),
    *(Column(name, Text) for name in (*_body, "CreatorID", "SendingDateTime", "DeliveryDateTime")),
    Column("StatusError", Integer),
    Column("StatusCode", Integer),
)
inbox = Table(
    "inbox",
    _tables,
    Column("ID", Integer, key="id", primary_key=True),
    *(Column(name, Text) for name in (*_body, "SenderNumber", "RecipientID", "ReceivingDateTime")),
    Column("Class", Integer),
    Column("Processed", Flag),
)
version = Table("gammu", _tables, Column("Version", Integer, primary_key=True))
phones = Table(
    "phones",
    _tables,
    Column("IMEI", Text, primary_key=True),
    Column("ID", Text, key="id"),
    Column("UpdatedInDB", Text),
    Column("Send", Text),
)


class Database:
    """gammu-smsd's database. Its methods raise one of `faults` for whatever keeps it from being read or written."""

    def __init__(self, connection: Connection) -> None:
        """Raises SettingsError for an address that cannot be used. No connection is made yet."""
        url, arguments = _address(connection)
        self.is_postgres = url.get_backend_name() == "postgresql"
        self._engine = _engine(url, arguments, connection.timeout)
        self.faults: tuple[type[Exception], ...] = (SQLAlchemyError, OSError)
        if self.is_postgres:
            import asyncpg  # what keeps it from connecting, SQLAlchemy passes on as it is

            self.faults += (asyncpg.PostgresError, asyncpg.InterfaceError)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that no other of ours runs beside; nothing is kept unless it is committed.

        The lock is held until the transaction is over for good, also when it ended in doubt: who has it sees all that
        was ever committed.
        """
        async with self._engine.connect() as connection:
            await connection.execution_options(**{_WRITES: True})
            await connection.begin()
            if self.is_postgres:
                silence = func.set_config("idle_in_transaction_session_timeout", _SILENCE, True)
                await connection.execute(select(silence, func.pg_advisory_xact_lock(_LOCK)))
            try:
                yield connection
            except self.faults:
                await connection.invalidate()  # SQLite may have kept the file locked for a commit that it refused
                raise

    def ago(self, column: Column[str], minutes: int) -> Any:
        """Whether `column` is more than so many minutes old. `UpdatedInDB` is written by PostgreSQL's local clock, in
        SQLite in UTC; `SendingDateTime` by a local clock in both, so that in SQLite it is off by hours."""
        if self.is_postgres:
            return column < text(f"LOCALTIMESTAMP - interval '{minutes} minutes'")
        return column < text(f"datetime('now', '-{minutes} minutes')")

    async def close(self) -> None:
        """Give back the connections."""
        await self._engine.dispose()


def is_busy(error: Exception) -> bool:
    """Whether SQLite says that others held the file all the time: then a commit has changed nothing."""
    return getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_BUSY"


def _address(connection: Connection) -> tuple[URL, dict[str, Any]]:
    key = f"gateways.{connection.name}.url"
    try:
        url = make_url(connection.url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise SettingsError(key, "(not shown)", _REMEDY) from None
    if url.password:
        raise SettingsError(key, "(not shown)", "write the password into secret or secret_file")
    backend = url.get_backend_name()
    if backend in ("mysql", "mariadb"):
        raise SettingsError(key, "(not shown)", _NO_MYSQL)
    if backend in ("postgresql", "postgres") and url.database and 0 < (url.port or 5432) < 65536:
        if not _PARAMETERS.issuperset(url.query):
            raise SettingsError(key, "(not shown)", _STRANGE)
        if "ssl" not in url.query and not all(map(_is_here, _hosts(url))):
            raise SettingsError(key, "(not shown)", _READABLE)
        user = connection.account or url.username
        url = url.set(drivername="postgresql+asyncpg", username=user, password=connection.secret or None)
        arguments: dict[str, Any] = {"timeout": connection.timeout, "command_timeout": connection.timeout}
        if zone := connection.options.get("timezone"):
            arguments["server_settings"] = {"TimeZone": zone}  # its local times are then those of gammu-smsd
        return url, arguments
    if backend == "sqlite" and (url.database or "").startswith("/"):
        # A file that is not there is not made.
        file = f"file:{quote(url.database or '')}"
        return (
            URL.create("sqlite+aiosqlite", database=file, query={"mode": "rw", "uri": "true"}),
            {"timeout": min(connection.timeout, _BUSY)},
        )
    raise SettingsError(key, "(not shown)", _REMEDY)


def _hosts(url: URL) -> list[str]:
    """Every server that the address names: before the question mark, and behind it (`host`)."""
    named = [url.host or "", *url.normalized_query.get("host", ())]
    return [host for each in named for host in each.split(",") if host]


def _is_here(host: str) -> bool:
    return host.startswith("/") or is_loopback(host)


def _engine(url: URL, arguments: dict[str, Any], timeout: float) -> AsyncEngine:
    engine = create_async_engine(
        url,
        connect_args=arguments,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        hide_parameters=True,  # else every error would hold numbers and texts
    )
    if url.get_backend_name() == "sqlite":
        # As in the bridge's own database: a transaction that means to write says so from its first statement.
        @event.listens_for(engine.sync_engine, "connect")
        def _configure(connection: Any, _: Any) -> None:
            connection.isolation_level = None
            # gammu-smsd writes half a surrogate pair as three octets that are no UTF-8; the words stand in `Text` too.
            connection.driver_connection.text_factory = _text

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Wire) -> None:
            connection.exec_driver_sql(
                "BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN"
            )

    return engine


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
