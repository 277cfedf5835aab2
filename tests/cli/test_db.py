"""`bridge db` with SQLite: migrate, copy while the bridge works, and notice when a disk did not keep its word."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from bridge.store.engine import SCHEMA
from bridge.store.migrate import newest
from tests.cli.commands import run
from tests.road.demo_process import DemoProcess


@pytest.fixture
def installed(config: Path) -> Path:
    """The configuration of an installation that has a database."""
    assert run("db", "upgrade", "-c", config).code == 0
    return config


def database(config: Path) -> Path:
    return config.parent / "data" / "bridge.db"


def test_the_program_wants_the_newest_schema() -> None:
    """It is compared without Alembic, so it stands in the program too."""
    assert newest() == SCHEMA


def test_upgrade_makes_the_database_and_does_no_harm_twice(config: Path) -> None:
    for _ in range(2):
        done = run("db", "upgrade", "--config", config)
        assert (done.code, done.out) == (0, "The database has the version of this program.\n")
    assert run("db", "verify", "--config", config).code == 0


@pytest.mark.parametrize("command", [["verify"], ["backup", "copy.db"]], ids=["verify", "backup"])
def test_there_is_no_database_yet(config: Path, command: list[str]) -> None:
    done = run("db", *command, "--config", config)
    assert done.code == 1
    assert done.sentence == f"There is no database at {database(config)} yet. `bridge serve` makes it."
    assert not Path("copy.db").exists()


def test_a_database_of_a_newer_program_is_left_alone(installed: Path) -> None:
    with contextlib.closing(sqlite3.connect(database(installed))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert run("messages", "-c", installed).sentence == (
        "The database was written by a newer version of this program. Install that version."
    )
    verified = run("db", "verify", "-c", installed)
    assert verified.code == 1
    assert verified.sentence == (
        f"The file {database(installed)} has another version than this program. Run `bridge db upgrade`."
    )


def test_a_damaged_database_is_noticed(installed: Path) -> None:
    """A page in the middle was overwritten, as by a failing disk."""
    file = database(installed)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as disk:
        disk.seek((root - 1) * size)
        disk.write(b"\xff" * size)
    done = run("db", "verify", "-c", installed)
    assert done.code == 1
    assert done.sentence.startswith(f"The file {file} ")
    assert done.sentence.endswith(" Bring it back from a backup.")


@pytest.mark.parametrize("command", [["db", "verify"], ["messages"]], ids=" ".join)
def test_a_file_that_is_no_database(installed: Path, command: list[str]) -> None:
    database(installed).write_bytes(b"Dear diary, " * 1000)
    for companion in ("-wal", "-shm"):
        database(installed).with_name(f"bridge.db{companion}").unlink(missing_ok=True)
    done = run(*command, "-c", installed)
    assert done.code == 1
    assert "database" in done.sentence


def test_a_backup_is_never_written_over_anything(installed: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep me")
    done = run("db", "backup", target, "-c", installed)
    assert (done.code, done.sentence) == (2, f"{target} exists already. Name a new file.")
    assert target.read_text() == "keep me"
    done = run("db", "backup", tmp_path / "no" / "such" / "folder", "-c", installed)
    assert done.code == 2
    assert done.sentence.endswith("cannot be written: No such file or directory. Name another file.")


def test_a_copy_made_under_load_is_whole(demo: DemoProcess, tmp_path: Path) -> None:
    """Mails come in without a pause while it is made; every one that was answered before is in it."""
    enough, stop = threading.Event(), threading.Event()
    taken: list[int] = []

    def load() -> None:
        with demo.smtp() as client:
            while not stop.is_set():
                number = 393330010000 + len(taken)
                client.sendmail(
                    "clinic@example.test", f"+{number}@sms.example.test", f"Subject: x\r\n\r\nLoad {number}\r\n"
                )
                taken.append(number)
                if len(taken) >= 20:
                    enough.set()

    sender = threading.Thread(target=load)
    sender.start()
    try:
        assert enough.wait(30)
        before = len(taken)
        environ = {"BRIDGE_DATA_DIR": str(demo.data_dir)}
        target = tmp_path / "copy.db"
        done = run("db", "backup", target, environ=environ)
        assert (done.code, done.err) == (0, "")
        assert done.out == f"Copied to {target}. Keep {demo.data_dir / 'secret.key'} with it.\n"
    finally:
        stop.set()
        sender.join()
    assert run("db", "verify", target).out == f"The file {target} is whole.\n"
    assert run("db", "verify", environ=environ).code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(target)) as copy:
        found = {row[0] for row in copy.execute("SELECT number FROM message")}
    assert {f"+{number}" for number in taken[:before]} <= found
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db"]


def test_a_backup_that_is_not_there(tmp_path: Path) -> None:
    done = run("db", "verify", tmp_path / "copy.db")
    assert done.code == 1
    assert done.sentence == (f"There is no file {tmp_path / 'copy.db'}. Name a backup that `bridge db backup` wrote.")
