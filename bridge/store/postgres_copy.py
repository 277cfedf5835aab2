"""Copies of a PostgreSQL database, taken while the bridge writes, and checked. Called by `bridge db`.

PostgreSQL's own programs do the work: `pg_dump` reads one snapshot of every row (custom format, compressed), and
`pg_restore` reads such a file from its first octet to its last without a server. A checksum ends every table's part
of it (zlib, RFC 1950), so a file that is read through is the one that was written. A trial restore would prove no more
about the file, and would need the right to make databases and room for all patients' texts a second time.

Who may log in and with what is said in the environment, never on a command line, which every user of a machine can
read.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, make_url

from bridge.errors import NotFound, StoreUnavailable
from bridge.store.engine import SCHEMA, open_engine, reading

MAGIC = b"PGDMP"
"""What a file in custom format begins with."""

PATIENCE = "10"
"""Seconds to wait for a connection."""

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "database": "PGDATABASE",
    "passfile": "PGPASSFILE",
    "ssl": "PGSSLMODE",
}
"""asyncpg's word for each part of an address, and libpq's variable for it (libpq-envars)."""

_OLDER = re.compile(r"server version: ([\d.]+).*? version: ([\d.]+)")
_TABLE = re.compile(r"^\d+; \d+ \d+ TABLE DATA \S+ (\S+) ", re.MULTILINE)
_REVISION = re.compile(r"^COPY \S*alembic_version .*\n(.*)\n\\\.$", re.MULTILINE)


def is_dump(file: Path) -> bool:
    """Whether `copy` wrote the file, by how it begins."""
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def copy(url: str, target: Path) -> None:
    """Write what is committed in the database at `url` into the empty file `target`.

    Raises StoreUnavailable, and NotFound when there is no database of a bridge.
    """
    _dump(url, target)
    if "alembic_version" not in _tables(target, "Take another backup."):
        raise NotFound(f"There is no database at {place(url)} yet. `bridge serve` makes it.")


def check_copy(file: Path) -> bool:
    """Whether the file, which is whole, has the version of this program.

    Raises StoreUnavailable when it is not whole.
    """
    remedy = "Take another backup."
    held = _tables(file, remedy)
    _restore(remedy, "--file", os.devnull, str(file))
    revision = _REVISION.search(_restore(remedy, "--data-only", "--table", "alembic_version", "--file", "-", str(file)))
    if revision is None or revision[1] != SCHEMA:
        return False
    if not _expected() <= held:
        raise StoreUnavailable(f"The file {file} does not hold every table. {remedy}")
    return True


async def check(url: str) -> bool:
    """Read every row of the database at `url`; whether it has the version of this program.

    Raises StoreUnavailable when a row cannot be read, and NotFound when there is no database of a bridge.
    """
    _dump(url, Path(os.devnull))
    engine = open_engine(url)
    try:
        async with reading(engine) as connection:
            tables = set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
            if "alembic_version" not in tables:
                raise NotFound(f"There is no database at {place(url)} yet. `bridge serve` makes it.")
            found = (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalars().all()
    finally:
        await engine.dispose()
    return found == [SCHEMA] and _expected() <= tables


def place(url: str) -> str:
    """Where a database is, for people: host and name, without login and password."""
    parts = make_url(url)
    return f"{parts.host or 'this machine'}/{parts.database or ''}"


def _expected() -> set[str]:
    from bridge.store.tables import messages

    return set(messages.metadata.tables)


def _dump(url: str, target: Path) -> None:
    remedy = "Is the database running, and database.url right?"
    # A dump that is thrown away is read as carefully, and need not be compressed.
    format_ = ("--format=plain",) if target == Path(os.devnull) else ("--format=custom",)
    _run("pg_dump", remedy, _environment(url), *format_, "--no-password", "--file", str(target))


def _tables(file: Path, remedy: str) -> set[str]:
    """The tables whose rows the file holds."""
    return set(_TABLE.findall(_restore(remedy, "--list", str(file))))


def _restore(remedy: str, *arguments: str) -> str:
    return _run("pg_restore", remedy, {}, *arguments)


def _run(program: str, remedy: str, environment: Mapping[str, str], *arguments: str) -> str:
    """What a program of PostgreSQL printed. Raises StoreUnavailable with what it complained of, and the remedy."""
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **environment, "LC_ALL": "C.UTF-8"},
            check=False,
        )
    except FileNotFoundError as error:
        raise StoreUnavailable(
            f"The program {program} is missing. Install PostgreSQL's client programs (Debian: postgresql-client)."
        ) from error
    if done.returncode == 0:
        return done.stdout.decode(errors="replace")
    said = done.stderr.decode(errors="replace")
    older = _OLDER.search(said)
    if older is not None:
        raise StoreUnavailable(
            f"The database is PostgreSQL {older[1]} and {program} is {older[2]}, which is older."
            f" Install the client programs of PostgreSQL {older[1].partition('.')[0]}."
        )
    if "unsupported version" in said:
        raise StoreUnavailable(
            f"The file was written by a newer PostgreSQL than {program} is."
            " Install its client programs, and check again."
        )
    first = re.sub(rf"^{program}: (error: )?", "", said.partition("\n")[0]).strip().rstrip(".")
    raise StoreUnavailable(f"{program} says: {first or f'exit code {done.returncode}'}. {remedy}")


def _environment(url: str) -> dict[str, str]:
    """How libpq's programs reach the database that asyncpg reaches by `url`."""
    parts = make_url(url)
    _, options = parts.get_dialect()().create_connect_args(parts)
    found = {variable: _joined(options[word]) for word, variable in _VARIABLES.items() if options.get(word)}
    return {"PGCONNECT_TIMEOUT": PATIENCE, "PGAPPNAME": "bridge db", **found}


def _joined(value: Any) -> str:
    """Several hosts or ports are one list with commas."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
