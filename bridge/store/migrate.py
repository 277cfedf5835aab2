"""Brings a database to the newest schema with Alembic, which takes half a second to import: only when there is need."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from bridge.errors import StoreUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Run every migration that the database lacks, in the caller's transaction.

    Raises StoreUnavailable for a database that a newer program has written.
    """
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            "The database was written by a newer version of this program. Install that version.", detail=str(error)
        ) from error


def newest() -> str | None:
    """The revision that the newest migration leads to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
