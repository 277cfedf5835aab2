"""A bridge that is told to stop: the load balancer hears it first, and the mail that is under way is still taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.operation.served import Served
from tests.road.demo_process import DOMAIN, LOGIN, PATIENCE, compose, eventually

PHONE = "+393591000000"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A bridge that the test stops."""
    running = Served(tmp_path, tmp_path / "data")
    try:
        yield running.start()
    finally:
        running.stop()


def refuses(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # a listener that is just closing
        return False
    return False


def test_while_it_stops_it_is_not_ready_and_finishes_the_mail_in_hand(served: Served) -> None:
    assert served.bridge is not None
    assert served.ready()[0] == 200
    mail = compose(LOGIN, [f"{PHONE}@{DOMAIN}"], "Just before closing.").as_bytes()
    with closing(served.smtp()) as client:
        client.mail(LOGIN)
        client.rcpt(f"{PHONE}@{DOMAIN}")
        assert client.docmd("DATA")[0] == 354
        served.bridge.terminate()
        eventually(lambda: refuses(served.smtp_port))
        status, body = served.ready()
        assert (status, body["status"]) == (503, "not ready")
        assert body["parts"]["smtp"] == "The bridge is stopping and takes no new mail."
        client.send(mail + b"\r\n.\r\n")
        assert client.getreply()[0] == 250
    assert served.bridge.wait(PATIENCE) == 0
    served.start_bridge()
    eventually(lambda: served.states() == {PHONE: "delivered"})
    assert served.texts()[PHONE] == 1
