"""PostgreSQL crashes and comes back while mail clients are at work: what was answered 250 is texted, once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bridge.clock import new_id
from tests.nodes.cluster import Cluster
from tests.road.client import Client
from tests.road.demo_process import eventually
from tests.servers.postgres import PostgresServer

CLIENTS = 4
ON_THE_WAY = {"queued", "sending", "sent"}


@pytest.fixture
def cluster(tmp_path: Path, postgres: PostgresServer) -> Iterator[Cluster]:
    """Two bridges on one PostgreSQL, and a phone network."""
    running = Cluster(tmp_path, postgres, f"restart_{new_id()}").start()
    try:
        running.add_node()
        running.add_node()
        yield running
    finally:
        running.stop()


def missed(cluster: Cluster) -> int:
    """How often a station has found that the database is away."""
    return sum(log.read_text().count("store_unavailable") for log in cluster.folder.glob("node-*.log"))


def misses_more(cluster: Cluster, than: int) -> bool:
    """Whether another station has found it since."""
    return missed(cluster) > than


def taken(clients: list[Client], mails: int) -> bool:
    """Whether so many mails were answered 250 by now."""
    return sum(len(client.taken) for client in clients) >= mails


@pytest.mark.timeout(600)
def test_restarts_under_load_lose_nothing_and_double_nothing(cluster: Cluster, long: bool) -> None:
    mails, restarts = (2000, 12) if long else (200, 3)
    numbers = [f"+39357{n:04}{'909' if n % 10 == 0 else '000'}" for n in range(mails)]
    clients = [Client(cluster.smtp, numbers[part::CLIENTS]) for part in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for restart in range(restarts):
            reached = (restart + 1) * mails // (restarts + 2)
            eventually(partial(taken, clients, reached), patience=120)
            noticed = missed(cluster)
            cluster.postgres.stop("immediate" if restart % 2 == 0 else "fast")
            eventually(partial(misses_more, cluster, noticed))
            cluster.postgres.start()
        for client in clients:
            client.join(timeout=300)
            assert not client.is_alive()
    finally:
        for client in clients:
            client.stop = True

    # What was claimed when the database went away leaves when it is back, and does not wait for its lease.
    def settled() -> dict[str, str] | None:
        states = cluster.states()
        return None if ON_THE_WAY & set(states.values()) else states

    states, texts = eventually(settled, patience=60), cluster.texts()
    answered = [number for client in clients for number in client.taken]
    assert sorted(answered) == numbers
    assert [number for number in answered if texts[number] > 1] == []
    missing = [number for number in answered if texts[number] == 0 and states[number] != "unknown"]
    assert missing == []
    twice = cluster.postgres.sql(
        "SELECT count(*) FROM attempt WHERE outcome = 'accepted' GROUP BY message_id HAVING count(*) > 1",
        cluster.database,
    )
    assert twice == ""
    unknown = sum(state == "unknown" for state in states.values())
    print(f"{mails} mails, {restarts} restarts of PostgreSQL: {unknown} unknown, {sum(texts.values())} texts")
