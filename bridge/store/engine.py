"""Opening the database: one schema, two sizes (SQLite embedded, PostgreSQL for several nodes).

SQLite runs in WAL mode with `synchronous=FULL`: a commit that returned is on disk. A transaction that means to
write says so from its first statement (`BEGIN IMMEDIATE`), since a reader that turns writer halfway can only fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bridge.errors import StoreUnavailable

WRITES = {"bridge_writes": True}
"""Execution options of a connection that will write."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> AsyncEngine:
    """The engine for `url` (`sqlite+aiosqlite:///…`, `postgresql+asyncpg://…`); no connection is made yet."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True)
    engine = create_async_engine(url, connect_args={"timeout": 10.0})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late, see `_begin`
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("bridge_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def upsert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of `connection`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the schema to the newest version; a database that is there already does nothing.

    Raises StoreUnavailable when the database cannot be opened.
    """
    try:
        async with engine.connect() as connection:
            await connection.execution_options(**WRITES)
            async with connection.begin():
                await connection.run_sync(_upgrade)
    except (DBAPIError, OSError) as error:
        raise StoreUnavailable(
            "The database cannot be opened. Check database.url and data_dir.", detail=type(error).__name__
        ) from error


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the schema has the version this program wants."""
    async with engine.connect() as connection:
        return await connection.run_sync(_is_current)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_current(connection: Connection) -> bool:
    heads = ScriptDirectory.from_config(_config()).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)
