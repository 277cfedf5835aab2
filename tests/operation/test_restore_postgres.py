"""Backup and restore of PostgreSQL as docs/operation.md tells it: copy under load, lose the database, bring it back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.clock import new_id
from tests.nodes.cluster import Cluster
from tests.operation.test_restore import GOOD, NEW, WAITS, steps
from tests.road.client import Client
from tests.road.demo_process import DOMAIN, LOGIN, compose, eventually
from tests.servers.postgres import USER, PostgresServer


@pytest.fixture
def cluster(tmp_path: Path, postgres: PostgresServer) -> Iterator[Cluster]:
    """A phone network and a database; the test adds nodes."""
    running = Cluster(tmp_path, postgres, f"restored_{new_id().lower()}").start()
    yield running
    running.stop()


@pytest.mark.timeout(240)
def test_the_page_restores_what_was_taken(cluster: Cluster, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    server = f"{USER}@127.0.0.1:{cluster.postgres.port}/{cluster.database}"
    places = {
        "/var/backups/bridge": str(copies),
        "/var/lib/smtp-sms-bridge": str(cluster.folder / "data"),
        "/etc/smtp-sms-bridge": str(cluster.folder),
        "bridge@db.example.com/bridge": server,
    }

    def follow(heading: str) -> None:
        for words in steps(heading):
            for place, here in places.items():
                words = [word.replace(place, here) for word in words]
            if words[0] == "systemctl":
                cluster.kill(cluster.nodes[0]) if words[1] == "stop" else cluster.add_node()
            elif words[0] == "bridge":
                cluster.command(*words[1 : words.index("--config")])
            elif words[0] == "pg_restore":
                done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
                assert done.returncode == 0, done.stderr
            else:
                assert words[0] == "install", words
                shutil.copy(words[-2], words[-1])

    cluster.add_node()
    _send(cluster, GOOD, "Your visit is tomorrow at 10:30.")
    eventually(lambda: cluster.states().get(GOOD) == "delivered")
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    _send(cluster, WAITS, "And yours is at eleven.", in_an_hour)
    load = Client(cluster.smtp, [f"+39347821{n:04}" for n in range(10_000)])
    load.start()
    eventually(lambda: len(load.taken) >= 20)
    answered = set(load.taken)
    follow("Back up")
    load.stop = True
    load.join(timeout=30)
    cluster.kill(cluster.nodes[0])
    cluster.postgres.sql(f"DROP DATABASE {cluster.database} WITH (FORCE)")
    cluster.postgres.sql(f"CREATE DATABASE {cluster.database}")
    (cluster.folder / "data" / "secret.key").unlink()
    cluster.add_node()  # somebody starts it before the restore, and it makes an empty database
    assert cluster.states() == {}
    follow("Restore PostgreSQL")
    states = cluster.states()
    assert (states[GOOD], states[WAITS]) == ("delivered", "queued")
    assert answered <= set(states), "what was answered 250 before the copy is in it"
    _send(cluster, NEW, "And yours at twelve.")
    eventually(lambda: cluster.states().get(NEW) == "delivered")
    texts = cluster.texts()
    assert [texts[number] for number in (GOOD, WAITS, NEW)] == [1, 0, 1]


def _send(cluster: Cluster, number: str, text: str, send_at: str = "") -> None:
    address = f"{number}@{DOMAIN}"
    with cluster.smtp() as client:
        client.send_message(compose(LOGIN, [address], text, headers={"X-SMS-Send-At": send_at} if send_at else None))
