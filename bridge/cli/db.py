"""`bridge db`: migrate the database, copy it while the bridge runs, check it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.shared import Config, in_store, settings_of
from bridge.errors import NotFound, StoreUnavailable, UsageError

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.store.store import Store

app = typer.Typer(help="Migrate, copy and check the database.", no_args_is_help=True)


@app.command()
def upgrade(config: Config = None) -> None:
    """Bring the database to the version of this program. Doing it twice does no harm."""

    async def work(store: Store) -> None:
        return None

    in_store(config, work)
    print("The database has the version of this program.")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="File to write; it must not exist yet.")], config: Config = None
) -> None:
    """Copy the database while the bridge runs. The file secret.key of the data folder belongs to it: keep both."""
    source = _file(settings_of(config))
    if target.exists():
        raise UsageError(f"{target} exists already. Name a new file.")
    try:
        with closing(sqlite3.connect(source)) as running, closing(sqlite3.connect(target)) as copy:
            running.backup(copy)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The copy could not be made: {error}.") from error
    print(f"Copied to {target}. Keep {source.parent / 'secret.key'} with it.")


@app.command()
def verify(config: Config = None) -> None:
    """Check that the database is whole and has the version of this program."""
    settings = settings_of(config)
    source = _file(settings)
    try:
        with closing(sqlite3.connect(source)) as database:
            broken = [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The database cannot be read: {error}. Bring it back from a backup.") from error
    if broken or orphans:
        raise StoreUnavailable("The database is damaged. Bring it back from a backup.")
    if not asyncio.run(_is_current(settings)):
        raise StoreUnavailable("The database has another version than this program. Run `bridge db upgrade`.")
    print("The database is whole.")


async def _is_current(settings: Settings) -> bool:
    from bridge.store.engine import is_current, open_engine
    from bridge.store.store import database_url

    engine = open_engine(database_url(settings))
    try:
        return await is_current(engine)
    finally:
        await engine.dispose()


def _file(settings: Settings) -> Path:
    from sqlalchemy import make_url

    from bridge.store.store import database_url

    url = make_url(database_url(settings))
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise UsageError("This command is for SQLite. Use pg_dump for a PostgreSQL database.")
    if not Path(url.database).exists():
        raise NotFound(f"There is no database at {url.database} yet. `bridge serve` makes it.")
    return Path(url.database)
