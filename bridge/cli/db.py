"""`bridge db`: migrate the database, copy it while the bridge runs, check it."""

from __future__ import annotations

import asyncio
import os
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
    """Bring the database to the version of this program.

    Doing it twice does no harm.
    """

    async def work(store: Store) -> None:
        return None

    in_store(config, work)
    print("The database has the version of this program.")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; it must not exist yet.")],
    config: Config = None,
) -> None:
    """Copy the database while the bridge runs.

    The file secret.key of the data folder belongs to it: keep both.
    """
    settings = settings_of(config)
    source = _file(settings)
    _make(target)
    try:
        with closing(_read_only(source)) as running, closing(sqlite3.connect(target)) as copy:
            running.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without companions
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StoreUnavailable(f"The copy could not be made: {error}.") from error
    print(f"Copied to {target}. Keep {settings.data_dir / 'secret.key'} with it.")


@app.command()
def verify(
    copy: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A backup to check instead of the database itself.")
    ] = None,
    config: Config = None,
) -> None:
    """Check that the database, or a backup, is whole."""
    source = _file(settings_of(config)) if copy is None else copy
    if not source.is_file():
        raise NotFound(f"There is no file {source}. Name a backup that `bridge db backup` wrote.")
    remedy = "Bring it back from a backup." if copy is None else "Take another backup."
    try:
        with closing(_read_only(source)) as database:
            whole = database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"The file {source} cannot be read: {error}. {remedy}") from error
    if not whole or orphans:
        raise StoreUnavailable(f"The file {source} is damaged. {remedy}")
    if not asyncio.run(_is_current(source)):
        raise StoreUnavailable(f"The file {source} has another version than this program. Run `bridge db upgrade`.")
    print(f"The file {source} is whole.")


async def _is_current(file: Path) -> bool:
    from bridge.store.engine import is_current, open_engine
    from bridge.store.store import sqlite_url

    engine = open_engine(sqlite_url(file))
    try:
        return await is_current(engine)
    finally:
        await engine.dispose()


def _make(target: Path) -> None:
    """An empty file that only its owner may read: the copy holds texts and telephone numbers."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise UsageError(f"{target} exists already. Name a new file.") from error
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}. Name another file.") from error


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _file(settings: Settings) -> Path:
    from bridge.store.store import database_file

    file = database_file(settings)
    if file is None:
        raise UsageError("This command is for SQLite. Use pg_dump for a PostgreSQL database.")
    if not file.exists():
        raise NotFound(f"There is no database at {file} yet. `bridge serve` makes it.")
    return file
