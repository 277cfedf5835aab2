"""`bridge db`: migrate the database, copy it while the bridge runs, check it. SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.shared import Config, in_store, settings_of
from bridge.errors import NotFound, StoreUnavailable

if TYPE_CHECKING:
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
    from bridge.store import postgres_copy, sqlite_copy
    from bridge.store.store import database_file, database_url

    settings = settings_of(config)
    file = database_file(settings)
    if file is not None:
        _must_exist(file)
    sqlite_copy.new_file(target)
    whole = False
    try:
        if file is not None:
            sqlite_copy.copy(file, target)
        else:
            postgres_copy.copy(database_url(settings), target)
        whole = True
    finally:
        if not whole:
            target.unlink(missing_ok=True)
    print(f"Copied to {target}. Keep {settings.data_dir / 'secret.key'} with it.")


@app.command()
def verify(
    copy: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A backup to check instead of the database itself.")
    ] = None,
    config: Config = None,
) -> None:
    """Check that the database, or a backup, is whole."""
    if copy is not None:
        _verify_copy(copy)
    else:
        _verify_database(config)


def _verify_copy(file: Path) -> None:
    from bridge.store import postgres_copy, sqlite_copy

    if not file.is_file():
        raise NotFound(f"There is no file {file}. Name a backup that `bridge db backup` wrote.")
    if postgres_copy.is_dump(file):
        current = postgres_copy.check_copy(file)
    else:
        current = sqlite_copy.check(file, "Take another backup.")
    if not current:
        raise StoreUnavailable(
            f"The file {file} has another version than this program. After a restore, run `bridge db upgrade`."
        )
    print(f"The file {file} is whole.")


def _verify_database(config: Path | None) -> None:
    from bridge.store import postgres_copy, sqlite_copy
    from bridge.store.store import database_file, database_url

    settings = settings_of(config)
    file = database_file(settings)
    if file is not None:
        _must_exist(file)
        what = f"file {file}"
        current = sqlite_copy.check(file, "Bring it back from a backup.")
    else:
        url = database_url(settings)
        what = f"database {postgres_copy.place(url)}"
        current = asyncio.run(postgres_copy.check(url))
    if not current:
        raise StoreUnavailable(f"The {what} has another version than this program. Run `bridge db upgrade`.")
    print(f"The {what} is whole.")


def _must_exist(file: Path) -> None:
    if not file.exists():
        raise NotFound(f"There is no database at {file} yet. `bridge serve` makes it.")
