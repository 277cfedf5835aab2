"""Copies of the embedded database: taken while the bridge writes, and checked. Called by `bridge db`."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.errors import StoreUnavailable, UsageError
from bridge.store.engine import is_current, open_engine


def new_file(target: Path) -> None:
    """Make an empty file that only its owner may read: a copy holds texts and telephone numbers.

    Raises UsageError when it cannot be made or is there already.
    """
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise UsageError(f"{target} exists already. Name a new file.") from error
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}. Name another file.") from error


def copy(source: Path, target: Path) -> None:
    """Write what is committed in `source` into the empty file `target`. Raises StoreUnavailable."""
    try:
        with closing(_read_only(source)) as running, closing(sqlite3.connect(target)) as database:
            running.backup(database)
            database.execute("PRAGMA journal_mode=DELETE")  # one file, without companions
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The copy could not be made: {error}.") from error


def check(file: Path, remedy: str) -> bool:
    """Whether the database, which is whole, has the version of this program.

    Raises StoreUnavailable with `remedy`, a sentence, when it is not whole.
    """
    try:
        with closing(_read_only(file)) as database:
            whole = database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"The file {file} cannot be read: {error}. {remedy}") from error
    if not whole or orphans:
        raise StoreUnavailable(f"The file {file} is damaged. {remedy}")
    return asyncio.run(_is_current(file))


async def _is_current(file: Path) -> bool:
    engine = open_engine(f"sqlite+aiosqlite:///{file}")
    try:
        return await is_current(engine)
    finally:
        await engine.dispose()


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
