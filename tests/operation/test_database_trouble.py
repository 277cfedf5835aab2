"""SQLite locked by another program, and a full disk: mail is taken later, and nothing is lost or doubled."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.operation.served import Served
from tests.road.demo_process import LOGIN, eventually

IN_FLIGHT, WAITS, RETRIED = "+393561000909", "+393561001000", "+393561002910"
"""Phones of messages that were taken before the trouble: the gateway takes 5 s to answer; it takes the text at once; it
cannot be reached for the first tries."""
SECOND = "+393561003909"
"""As `IN_FLIGHT`."""
LATE = [f"+39356200{n}000" for n in range(6)]
"""Phones of mails that come in the midst of it."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A bridge with its data on the disk of every other test."""
    running = Served(tmp_path, tmp_path / "data")
    try:
        yield running.start()
    finally:
        running.stop()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process has begun to write, and does not end. (In WAL mode EXCLUSIVE is the same as IMMEDIATE.)"""
    program = (
        "import sqlite3, sys; other = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "other.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield
        assert other.stdin is not None
        other.stdin.close()
        assert other.wait(10) == 0


def hold(served: Served) -> None:
    """Bring messages on their way: one is with the gateway, which has not answered, one waits for its next try."""
    served.send([IN_FLIGHT, RETRIED], "Your visit is tomorrow at 10:30.")
    eventually(lambda: served.states().get(IN_FLIGHT) == "sending")


def knock(served: Served) -> list[tuple[int, str]]:
    """What mail clients are answered who come at the same time."""
    with ThreadPoolExecutor(len(LATE)) as clients:
        return list(clients.map(lambda number: served.answer(number, "Your visit is on Monday."), LATE))


def turned_away(served: Served) -> bool:
    """Whether no mail is begun."""
    with served.smtp() as client:
        return client.mail(LOGIN)[0] == 452


def all_flows(served: Served, *others: str) -> None:
    """The clients try again, as they do by themselves; every message comes to its end, once."""
    eventually(lambda: not turned_away(served))
    assert {code for code, _ in knock(served)} == {250}
    numbers = {IN_FLIGHT, RETRIED, *others, *LATE}
    eventually(lambda: all(served.states().get(number) == "delivered" for number in numbers), patience=60)
    assert served.texts() == dict.fromkeys(numbers, 1)
    assert served.rows("SELECT count(*) FROM submission") == [(1 + len(others) + len(LATE),)]
    assert served.rows("PRAGMA integrity_check") == [("ok",)]
    assert served.rows("PRAGMA foreign_key_check") == []
    assert served.rows("SELECT message_id FROM attempt WHERE outcome = 'accepted' GROUP BY 1 HAVING count(*) > 1") == []
    eventually(lambda: served.ready()[1]["status"] == "ok")


def outcome_waits(served: Served) -> None:
    """The gateway has answered and has texted the phone, the receipt has come, and neither can be written."""
    eventually(lambda: served.logged("dispatcher.outcome_waits"))
    eventually(lambda: served.texts()[IN_FLIGHT] == 1)
    assert served.states()[IN_FLIGHT] == "sending"


@pytest.mark.timeout(300)
def test_another_program_holds_the_database(served: Served) -> None:
    hold(served)
    with locked(served.data_dir / "bridge.db"):
        before = served.states()
        answers = knock(served)  # each waits for as long as the bridge waits for the lock
        assert {(code, said.split()[0]) for code, said in answers} == {(452, "4.3.1")}, "doubt is 4xx"
        outcome_waits(served)
        assert served.states() == before
        assert served.rows("SELECT count(*) FROM submission") == [(1,)], "nothing is half stored"
    all_flows(served)


@pytest.mark.timeout(300)
def test_files_may_not_grow(served: Served) -> None:
    """As on a full disk, SQLite cannot append to its log; a limit does that without root (setrlimit(2))."""
    hold(served)
    assert served.bridge is not None
    size = (served.data_dir / "bridge.db-wal").stat().st_size
    _, hard = resource.prlimit(served.bridge.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(served.bridge.pid, resource.RLIMIT_FSIZE, (size, hard))
    before = served.states()
    assert {(code, said.split()[0]) for code, said in knock(served)} == {(452, "4.3.1")}
    outcome_waits(served)
    assert served.states() == before
    resource.prlimit(served.bridge.pid, resource.RLIMIT_FSIZE, (hard, hard))
    all_flows(served)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight megabytes, which only root may make."""
    assert os.geteuid() == 0, "only root may make a disk: run this as root"
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@contextmanager
def filled(disk: Path, leave: int) -> Iterator[None]:
    """Somebody else needs all room but `leave` bytes."""
    found = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(found.f_bavail * found.f_frsize - leave))
    yield
    ballast.unlink()


@pytest.mark.timeout(300)
def test_the_disk_is_nearly_full_and_then_full(small_disk: Path, tmp_path: Path) -> None:
    served = Served(tmp_path, small_disk)
    try:
        served.start()
        hold(served)
        with filled(small_disk, leave=900_000):  # smtp.disk_reserve is a million
            eventually(lambda: turned_away(served))
            assert served.ready()[0] == 503, "another node may have room"
            assert "0 MB are free" in served.ready()[1]["parts"]["disk"]
            answers = {said for _, said in knock(served)}
            assert answers == {"4.3.1 The bridge's disk is nearly full. Try again later; the operator must make room."}
            assert "wrong  disk: " in served.check()[1]
            eventually(lambda: served.states() == {IN_FLIGHT: "delivered", RETRIED: "delivered"})
            eventually(lambda: served.logged("alert.begins", kind="disk"))
        eventually(lambda: not turned_away(served))
        assert served.ready()[0] == 200
        served.send(SECOND, "Your visit is tomorrow at eleven.")
        eventually(lambda: served.states().get(SECOND) == "sending")
        with filled(small_disk, leave=0):
            eventually(lambda: served.logged("dispatcher.outcome_waits"))
            assert {code for code, _ in knock(served)} == {452}
            assert served.states()[SECOND] == "sending"
        all_flows(served, SECOND)
    finally:
        served.stop()
