"""Backup and restore as docs/operation.md tells it: copy while it runs, lose everything, bring it back, go on."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.road.demo_process import LOGIN, DemoProcess, eventually

PAGE = Path(__file__).parents[2] / "docs" / "operation.md"
GOOD, WAITS, NEW = "+393478200000", "+393478200001", "+393478200002"


def steps(heading: str) -> list[list[str]]:
    """The commands of a section, split into words, without `sudo` and its user."""
    section = PAGE.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n### ")[0].split("\n## ")[0]
    lines = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    return [re.sub(r"^sudo (-u \S+ )?", "", line).split() for block in lines for line in block.strip().splitlines()]


def test_the_page_restores_what_was_taken(own_demo: DemoProcess, tmp_path: Path) -> None:
    demo, copies = own_demo, tmp_path / "copies"
    copies.mkdir()
    places = {
        "/var/backups/bridge": str(copies),
        "/var/lib/smtp-sms-bridge": str(demo.data_dir),
        "/etc/smtp-sms-bridge": str(demo.data_dir),
    }

    def follow(heading: str) -> None:
        for words in steps(heading):
            for place, here in places.items():
                words = [word.replace(place, here) for word in words]
            if words[0] == "systemctl":
                demo.kill() if words[1] == "stop" else demo.start()
            elif words[0] == "bridge":
                done = demo.command(*words[1:])
                assert done.returncode == 0, done.stderr
            elif words[0] == "rm":
                for name in words[2:]:
                    Path(name).unlink(missing_ok=True)
            else:
                assert words[0] == "install", words
                shutil.copy(words[-2], words[-1])

    demo.send(GOOD, "Your visit is tomorrow at 10:30.")
    eventually(lambda: demo.states().get(GOOD) == "delivered")
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    demo.send(WAITS, "And yours is at eleven.", headers={"X-SMS-Send-At": in_an_hour})
    follow("Back up")
    taken = dict(demo.states())
    demo.kill()
    configuration = demo.data_dir / "bridge.toml"
    for file in demo.data_dir.iterdir():  # the disk is gone; the phones' world and the configuration are not
        if file.name.startswith("bridge.db") or file.name == "secret.key":
            file.unlink()
    demo.start()  # somebody starts it before the restore, and it makes an empty database
    assert demo.states() == {}
    assert configuration.exists()
    follow("Restore")
    assert demo.states() == taken == {GOOD: "delivered", WAITS: "queued"}
    assert demo.command("messages", "--number", GOOD, "--mailbox", LOGIN).stdout.count("delivered") == 1
    demo.send(NEW, "And yours at twelve.")
    eventually(lambda: demo.states().get(NEW) == "delivered")
    assert [len(demo.phone(number)) for number in (GOOD, WAITS, NEW)] == [1, 0, 1]
    with closing(sqlite3.connect(demo.data_dir / "bridge.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
