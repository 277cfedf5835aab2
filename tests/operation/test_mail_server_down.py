"""The mail server is away: reports and replies wait, texts go on, everybody is told, and then everything flows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operation.served import Served
from tests.road.demo_process import LOGIN, eventually
from tests.servers.mail_server import MailServer, listening, silent


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A bridge whose mail server does not run yet."""
    running = Served(tmp_path, tmp_path / "data", own_relay=True)
    try:
        yield running.start()
    finally:
        running.stop()


def waits(served: Served) -> int:
    """Mails that no mail server has taken."""
    ((count,),) = served.rows("SELECT count(*) FROM mail WHERE state = 'queued'")
    return int(count)


def one_of_each(served: Served, series: int) -> None:
    """A report and a reply become due while texts go on as ever."""
    good, bad = f"+3935500{series}1000", f"+3935500{series}1903"
    served.send([good, bad], "Your visit is tomorrow at 10:30.")
    eventually(lambda: served.states().get(good) == "delivered")
    eventually(lambda: served.states().get(bad) == "undelivered")
    before = waits(served)
    served.texts_back(good, "I shall come.")
    eventually(lambda: waits(served) > before)


def refused(served: Served) -> int:
    """How often the log says that a mail had to wait."""
    return len(served.logged("mail.refused"))


def told(served: Served, count: int) -> str:
    """What `bridge check` says; it says how many mails wait, and for what."""
    _, said = served.check()
    assert f"mails: {count} reports and replies wait for the mail server" in said, said
    return said


@pytest.mark.timeout(300)
def test_down_then_silent_then_refusing_then_back(served: Served) -> None:
    server, port = MailServer(), served.relay_port

    one_of_each(served, 1)  # nothing listens
    eventually(lambda: waits(served) == 2 and refused(served) >= 3)
    said = told(served, 2)
    assert f"last answer: 127.0.0.1:{port}: SMTPConnectError" in said
    assert f"wrong  relay 127.0.0.1: The mail server 127.0.0.1:{port} does not answer: check relay.host" in said
    eventually(lambda: served.logged("alert.begins", kind="relay", level="error"))
    status, body = served.ready()
    assert (status, body["status"]) == (200, "degraded"), "mail is still taken, so clients may come"
    assert body["parts"]["relay"].startswith("Every try to hand a mail to the mail server has failed")
    assert "bridge_mails_waiting 2.0" in served.metrics()

    with silent(port):  # it takes the connection, and that is all
        served.later()
        eventually(lambda: served.rows("SELECT 1 FROM mail WHERE lease_owner IS NOT NULL"))
        one_of_each(served, 2)
        assert f"wrong  relay 127.0.0.1: The mail server 127.0.0.1:{port} does not answer" in told(served, 4)
    eventually(lambda: not served.rows("SELECT 1 FROM mail WHERE lease_owner IS NOT NULL"))

    server.refuses = True
    with listening(server, port):
        before = refused(served)
        served.later()
        one_of_each(served, 3)
        eventually(lambda: refused(served) >= before + 6)
        said = told(served, 6)
        assert "last answer: The mail server does not take the mail for now (451 4.3.0);" in said
        assert "ok     relay 127.0.0.1" in said, "it answers, and may have its reasons"
        assert served.bridge is not None
        served.bridge.kill()  # and while they wait, the power fails
        served.bridge.wait()
        served.start_bridge()
        assert (waits(served), server.mails) == (6, [])

        server.refuses = False
        served.later()
        eventually(lambda: waits(served) == 0)
        assert len(server.mails) == 6
        assert len({mail["Message-ID"] for mail in server.mails}) == 6, "nothing is doubled"
        assert all(mail["To"] == LOGIN for mail in server.mails)
        assert sorted(mail["X-SMS-Status"] or "reply" for mail in server.mails) == ["reply"] * 3 + ["undelivered"] * 3
        code, said = served.check()
        assert code == 0, said
        assert served.ready()[1]["status"] == "ok"
    assert max(served.texts().values()) == 1, "no phone was texted twice"
