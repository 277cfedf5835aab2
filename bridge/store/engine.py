"""Opening the database: one schema, two sizes (SQLite embedded, PostgreSQL for several nodes).

SQLite runs in WAL mode with `synchronous=FULL`: a commit that returned is on disk. A transaction that means to
write says so from its first statement (`BEGIN IMMEDIATE`), since a reader that turns writer halfway can only fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bridge.errors import StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

WRITES = {"bridge_writes": True}
"""Execution options of a connection that will write."""

BUSY = 10.0
"""Seconds that SQLite waits for another process which holds the database, before it gives up."""

_FAULTS = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
"""Errors that lie in what was asked, not in the state of the database."""

SCHEMA = "0009"
"""The revision of the schema that this program reads and writes: that of the newest migration."""


def open_engine(url: str) -> AsyncEngine:
    """The engine for `url` (`sqlite+aiosqlite:///…`, `postgresql+asyncpg://…`); no connection is made yet."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
    # Without `hide_parameters` the text of every error would hold the numbers and words of the failed statement.
    engine = create_async_engine(url, connect_args={"timeout": BUSY}, hide_parameters=True)
    _set_up(engine.sync_engine)
    return engine


def open_writing_engine(url: str) -> Engine:
    """The engine with which the one writer of a SQLite database works, in a thread of its own."""
    file = make_url(url).set(drivername="sqlite+pysqlite")
    engine = create_engine(file, connect_args={"timeout": BUSY}, pool_size=1, max_overflow=0, hide_parameters=True)
    _set_up(engine)
    return engine


def _set_up(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late, see `_begin`
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("bridge_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def upsert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of that name."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # a tenth of a second for every command, and most databases are SQLite

    return postgresql.insert(table)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection to read with. Raises StoreUnavailable for whatever keeps the database from being read."""
    try:
        async with engine.connect() as connection:
            yield connection
    except (DBAPIError, PoolTimeout, OSError) as error:
        raise StoreUnavailable("The database cannot be read at the moment.", detail=type(error).__name__) from error


def is_gone(error: Exception) -> bool:
    """Whether an error says that the database takes nothing from anybody now: locked, full, damaged, out of reach."""
    if isinstance(error, OSError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError) or isinstance(error, _FAULTS):
        return False
    if error.connection_invalidated:
        return True
    # SQLite calls a statement that makes no sense an operational error too. A bare DBAPIError is how asyncpg's other
    # errors arrive, deadlocks among them: those concern one piece of work.
    return type(error) is not DBAPIError and getattr(error.orig, "sqlite_errorname", "") != "SQLITE_ERROR"


def is_fault(error: Exception) -> bool:
    """Whether an error lies in what was asked: trying the same again cannot help."""
    if not isinstance(error, DBAPIError):
        return not isinstance(error, PoolTimeout | OSError)
    if type(error) is DBAPIError:  # of asyncpg's, those of SQLSTATE class 22 are about a value, a NUL among them
        return str(getattr(error.orig, "sqlstate", "")).startswith("22")
    return not is_gone(error)


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the schema to the newest version; a database that is there already is only read.

    Raises StoreUnavailable when the database cannot be opened, or is newer than this program.
    """
    try:
        async with engine.connect() as connection:
            if await connection.run_sync(_is_current):
                return
        async with engine.connect() as connection:
            await connection.execution_options(**WRITES)
            async with connection.begin():
                await connection.run_sync(_upgrade)
    except (DBAPIError, OSError) as error:
        raise StoreUnavailable(
            "The database cannot be opened. Check database.url and data_dir.", detail=type(error).__name__
        ) from error


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the schema has the version this program wants. Raises StoreUnavailable."""
    async with reading(engine) as connection:
        return await connection.run_sync(_is_current)


def _upgrade(connection: Connection) -> None:
    from bridge.store.migrate import migrate  # most commands find the schema current, and answer sooner without Alembic

    migrate(connection)


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [SCHEMA]
