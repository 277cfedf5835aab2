"""`bridge db` with PostgreSQL: the same commands and words as with SQLite, PostgreSQL's own programs behind them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bridge.clock import new_id
from tests.cli.commands import Done, run
from tests.servers.postgres import PostgresServer

PASSWORD = "only for the database"


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The name of a new, empty database."""
    name = f"copied_{new_id().lower()}"
    postgres.sql(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def config(config: Path, postgres: PostgresServer, database: str) -> Path:
    """The configuration of a bridge on that database; nothing runs on it."""
    url = postgres.url(database).replace("@", f":{PASSWORD.replace(' ', '%20')}@")
    config.write_text(f'{config.read_text()}[database]\nurl = "{url}"\n')
    return config


@pytest.fixture
def installed(config: Path, postgres: PostgresServer, database: str) -> Path:
    """The same with every table, and rows enough for a page or two."""
    assert run("db", "upgrade", "-c", config).code == 0
    rows = "SELECT md5(n::text), md5((-n)::text), now() FROM generate_series(1, 5000) n"
    postgres.sql(f"INSERT INTO organisation (id, name, created_at) {rows}", database)
    return config


def verified(what: str) -> tuple[int, str, str]:
    return 0, f"The {what} is whole.\n", ""


def told(done: Done) -> tuple[int, str, str]:
    return done.code, done.out, done.err


def test_a_copy_is_whole_and_its_owners_alone(installed: Path, database: str, tmp_path: Path) -> None:
    target = tmp_path / "copy.dump"
    done = run("db", "backup", target, "-c", installed)
    key = installed.parent / "data" / "secret.key"
    assert told(done) == (0, f"Copied to {target}. Keep {key} with it.\n", "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert told(run("db", "verify", target)) == verified(f"file {target}")
    assert told(run("db", "verify", "-c", installed)) == verified(f"database 127.0.0.1/{database}")


def test_the_password_stands_on_no_command_line(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of a machine can read the command lines of all programs on it."""
    seen = tmp_path / "seen"
    spied = tmp_path / "bin"
    spied.mkdir()
    real = os.environ["PATH"]
    for program in ("pg_dump", "pg_restore"):
        script = spied / program
        script.write_text(f'#!/bin/sh\necho "$0" "$@" >> "{seen}"\nPATH="{real}" exec {program} "$@"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spied}:{real}")
    target = tmp_path / "copy.dump"
    for words in (["backup", target], ["verify"], ["verify", target]):
        assert run("db", *words, "-c", installed).code == 0
    lines = seen.read_text().splitlines()
    assert {Path(line.split()[0]).name for line in lines} == {"pg_dump", "pg_restore"}
    assert not any(PASSWORD in line or "postgresql" in line for line in lines)


def test_a_file_that_is_there_stays(installed: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep me")
    done = run("db", "backup", target, "-c", installed)
    assert (done.code, done.sentence) == (2, f"{target} exists already. Name a new file.")
    assert target.read_text() == "keep me"


@pytest.mark.parametrize("command", [["verify"], ["backup", "copy.dump"]], ids=["verify", "backup"])
def test_there_is_no_database_yet(config: Path, database: str, command: list[str]) -> None:
    done = run("db", *command, "--config", config)
    assert done.code == 1
    assert done.sentence == f"There is no database at 127.0.0.1/{database} yet. `bridge serve` makes it."
    assert not Path("copy.dump").exists()


def test_a_database_that_cannot_be_reached(config: Path, database: str, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace(database, "no_such_database"))
    done = run("db", "backup", tmp_path / "copy.dump", "--config", config)
    assert done.code == 1
    assert done.sentence.startswith("pg_dump says: ")
    assert 'database "no_such_database" does not exist. Is the database running, and' in done.sentence
    assert not (tmp_path / "copy.dump").exists()


def test_one_of_a_newer_program(installed: Path, postgres: PostgresServer, database: str, tmp_path: Path) -> None:
    postgres.sql("UPDATE alembic_version SET version_num = '9999'", database)
    target = tmp_path / "copy.dump"
    assert run("db", "backup", target, "-c", installed).code == 0, "one that is to be upgraded is copied before"
    assert run("db", "verify", target).sentence == (
        f"The file {target} has another version than this program. After a restore, run `bridge db upgrade`."
    )
    assert run("db", "verify", "-c", installed).sentence == (
        f"The database 127.0.0.1/{database} has another version than this program. Run `bridge db upgrade`."
    )


@pytest.fixture
def copy(installed: Path, tmp_path: Path) -> Path:
    """A whole copy."""
    target = tmp_path / "copy.dump"
    assert run("db", "backup", target, "-c", installed).code == 0
    return target


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_copy_that_broke_off(copy: Path, kept: float) -> None:
    copy.write_bytes(copy.read_bytes()[: int(copy.stat().st_size * kept)])
    done = run("db", "verify", copy)
    assert done.code == 1
    assert done.sentence.startswith("pg_restore says: ")
    assert done.sentence.endswith(" Take another backup.")


@pytest.mark.parametrize("place", [0.4, 0.6, 0.8])
def test_a_copy_with_one_wrong_bit(copy: Path, place: float) -> None:
    """The list of its tables is whole: what is wrong lies in the rows."""
    octets = bytearray(copy.read_bytes())
    octets[int(len(octets) * place)] ^= 0x10
    copy.write_bytes(octets)
    done = run("db", "verify", copy)
    assert done.code == 1
    assert done.sentence.endswith(" Take another backup.")


@pytest.mark.parametrize("table", ["attempt", "membership", "signature"])
def test_a_copy_of_another_database(
    postgres: PostgresServer, config: Path, tmp_path: Path, database: str, table: str
) -> None:
    """It calls itself a bridge's, of this version, and lacks one of its tables."""
    assert run("db", "upgrade", "-c", config).code == 0
    postgres.sql(f"DROP TABLE {table}", database)
    target = tmp_path / "copy.dump"
    assert run("db", "backup", target, "-c", config).code == 0
    assert run("db", "verify", target).sentence == (
        f"The file {target} does not hold every table. Take another backup."
    )


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs, and no other one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize("command", [["verify"], ["backup", "copy.dump"]], ids=["verify", "backup"])
def test_the_programs_are_not_installed(installed: Path, empty_path: Path, command: list[str]) -> None:
    done = run("db", *command, "-c", installed)
    assert done.code == 1
    assert done.sentence == (
        "The program pg_dump is missing. Install PostgreSQL's client programs (Debian: postgresql-client)."
    )


@pytest.mark.parametrize(
    ("server", "own"),
    [
        pytest.param("17.2", "14.20", id="built from source"),
        pytest.param("17.2 (Debian 17.2-1.pgdg120+1)", "14.20 (Debian 14.20-0+deb12u1)", id="a distribution's"),
    ],
)
def test_the_programs_are_older_than_the_server(
    installed: Path, empty_path: Path, tmp_path: Path, server: str, own: str
) -> None:
    """In the words of a pg_dump 14 before a server 17; no older one is at hand."""
    script = empty_path / "pg_dump"
    script.write_text(
        "#!/bin/sh\n"
        'echo "pg_dump: error: aborting because of server version mismatch" >&2\n'
        f'echo "pg_dump: detail: server version: {server}; pg_dump version: {own}" >&2\n'
        "exit 1\n"
    )
    script.chmod(0o755)
    done = run("db", "backup", tmp_path / "copy.dump", "-c", installed)
    assert done.code == 1
    assert done.sentence == (
        "The database is PostgreSQL 17.2 and pg_dump is 14.20, which is older."
        " Install the client programs of PostgreSQL 17."
    )
    assert not (tmp_path / "copy.dump").exists()


def test_a_copy_in_a_newer_format(copy: Path) -> None:
    """The second octet of the version that follows the first five."""
    octets = bytearray(copy.read_bytes())
    octets[6] = 200
    copy.write_bytes(octets)
    assert run("db", "verify", copy).sentence == (
        "The file was written by a newer PostgreSQL than pg_restore is. Install its client programs, and check again."
    )
