"""Three bridges on one PostgreSQL: killed, stopped and woken, they keep the promise that one alone keeps."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from bridge.clock import new_id
from bridge.dispatcher import LATE
from tests.nodes.cluster import Cluster
from tests.road.client import Client
from tests.road.demo_process import DOMAIN, LOGIN, compose, eventually
from tests.servers.postgres import PostgresServer
from tests.servers.web import web

CLIENTS = 4
ON_THE_WAY = {"queued", "sending", "sent"}


@pytest.fixture(scope="module")
def without_nodes(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Cluster]:
    """A phone network and a database."""
    running = Cluster(tmp_path_factory.mktemp("cluster"), postgres, f"cluster_{new_id()}").start()
    yield running
    running.stop()


@pytest.fixture
def cluster(without_nodes: Cluster) -> Iterator[Cluster]:
    """The same for one test, which adds nodes and has phones of its own."""
    yield without_nodes
    without_nodes.stop_nodes()


@pytest.mark.timeout(900)
def test_one_of_three_is_killed_every_second(cluster: Cluster, long: bool) -> None:
    """Another begins to start the moment one is killed; there are as many starting as that takes seconds."""
    mails, seconds, starting = (2000, 60, 3) if long else (200, 4, 1)
    chance = random.Random(20261121)
    for _ in range(3 + starting):
        cluster.begin_node()
    eventually(lambda: len(cluster.ready()) >= 3)
    numbers = [f"+39352{n:04}{'909' if n % 10 == 0 else '000'}" for n in range(mails)]
    clients = [Client(cluster.smtp, numbers[part::CLIENTS]) for part in range(CLIENTS)]
    for client in clients:
        client.start()
    began, serving = time.monotonic(), []
    for kill in range(1, seconds + 1):
        time.sleep(max(0.0, began + kill - time.monotonic()))
        serving.append(len(eventually(cluster.ready)))
        cluster.kill(chance.choice(cluster.ready()))
        cluster.begin_node()
    lasted = time.monotonic() - began
    for client in clients:
        client.join(timeout=300)
        assert not client.is_alive()

    def settled() -> dict[str, str] | None:
        states = cluster.states()
        return None if ON_THE_WAY & set(states.values()) else states

    states, texts = eventually(settled, patience=120), cluster.texts()
    answered = [number for client in clients for number in client.taken]
    assert sorted(answered) == numbers
    twice = [number for number in answered if texts[number] > 1]
    missing = [number for number in answered if texts[number] == 0 and states[number] != "unknown"]
    assert (twice, missing) == ([], [])
    tries = cluster.postgres.sql(
        "SELECT count(*) FROM attempt GROUP BY message_id HAVING count(*) > 1", cluster.database
    )
    assert tries == "", "no message was claimed and sent by two"
    unknown = sum(state == "unknown" for state in states.values())
    print(
        f"{mails} mails, {seconds} kills in {lasted:.0f} s, {sum(serving) / seconds:.1f} nodes served at a kill:"
        f" {unknown} unknown, {sum(texts.values())} texts, {len(twice)} twice, {len(missing)} missing"
    )


def test_a_dead_nodes_work_goes_to_the_others_at_once(cluster: Cluster) -> None:
    """The lease lasts a minute and a half; the death is noticed in seconds."""
    dying = cluster.add_node()
    slow = "+393521111909"  # the gateway takes five seconds to answer
    _send(cluster, slow)
    eventually(lambda: cluster.states().get(slow) == "sending")
    cluster.kill(dying)
    cluster.add_node()
    eventually(lambda: cluster.states()[slow] in ("unknown", "delivered"), patience=20)
    assert cluster.texts()[slow] <= 1


@pytest.mark.timeout(300)
def test_nodes_keep_to_one_rate_and_one_is_killed(tmp_path: Path, postgres: PostgresServer) -> None:
    """Twenty a second for all three together; who dies wastes its slots, and nobody makes up for them."""
    rate, phones = 20, [f"+39353{n:04}000" for n in range(100)]
    cluster = Cluster(tmp_path, postgres, f"cluster_{new_id()}", gateway=f"rate = {rate}").start()
    try:
        nodes = [cluster.begin_node() for _ in range(3)]
        eventually(lambda: len(cluster.ready()) == 3)
        with cluster.smtp() as client:
            recipients = [f"{phone}@{DOMAIN}" for phone in phones]
            client.send_message(compose(LOGIN, recipients[:1], "A text."), LOGIN, recipients)
        eventually(lambda: cluster.texts().total() >= len(phones) // 4)
        cluster.kill(nodes[0])
        eventually(lambda: set(cluster.states().values()) <= {"delivered", "unknown"}, patience=60)
    finally:
        cluster.stop()
    rows = cluster.postgres.sql("SELECT extract(epoch FROM started_at) FROM attempt ORDER BY 1", cluster.database)
    began = [float(row) for row in rows.split()]
    assert len(began) == len(phones)
    for first, last in combinations(range(len(began)), 2):
        assert last - first <= rate * (began[last] - began[first] + LATE) + 1
    print(f"{len(began)} texts in {began[-1] - began[0]:.2f} s at {rate} a second")


def test_workers_are_kept_running_on_the_same_ports(cluster: Cluster) -> None:
    parent = cluster.start_workers(2)
    first, _ = cluster.workers()
    os.kill(first, signal.SIGKILL)
    cluster.wait_for_starts(3)
    assert len(cluster.workers()) == 3, "the one that died has a successor"
    number = "+393521114000"
    _send(cluster, number)
    eventually(lambda: cluster.states().get(number) == "delivered")
    counted = web.get(f"http://127.0.0.1:{cluster.http_port}/metrics", timeout=10)
    assert counted.status_code == 200
    parent.terminate()
    assert parent.wait(60) == 0
    cluster.nodes.remove(parent)


def test_the_database_restarts_under_a_running_node(cluster: Cluster) -> None:
    cluster.add_node()
    before, after = "+393521112000", "+393521113000"
    _send(cluster, before)
    eventually(lambda: cluster.states().get(before) == "delivered")
    cluster.postgres.stop("immediate")
    with cluster.smtp() as client:
        client.mail(LOGIN)
        client.rcpt(f"{after}@{DOMAIN}")
        code, _ = client.data(compose(LOGIN, [f"{after}@{DOMAIN}"], "While the database is away.").as_bytes())
    assert code == 452, "doubt is 4xx"
    cluster.postgres.start()
    eventually(lambda: _taken(cluster, after))
    eventually(lambda: cluster.states().get(after) == "delivered")
    assert cluster.texts()[after] == 1


def _send(cluster: Cluster, number: str) -> None:
    with cluster.smtp() as client:
        client.send_message(compose(LOGIN, [f"{number}@{DOMAIN}"], "A text."))


def _taken(cluster: Cluster, number: str) -> bool:
    with cluster.smtp() as client:
        client.mail(LOGIN)
        client.rcpt(f"{number}@{DOMAIN}")
        return client.data(compose(LOGIN, [f"{number}@{DOMAIN}"], "Once it is back.").as_bytes())[0] == 250
