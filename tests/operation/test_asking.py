"""A provider that must be asked what phones answer: a bridge that is killed fetches everything, and nothing twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.operation.served import Served
from tests.road.demo_process import SENDER, eventually

PHONE = "+393331234567"


class Provider(ThreadingHTTPServer):
    """Skebby's history of answers: each request gets those after the id at the end of its path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.answers: list[dict[str, object]] = []

    def phone_writes(self, text: str) -> None:
        """One more answer of the phone."""
        self.answers.append({"id": len(self.answers) + 1, "phoneNumber": PHONE, "text": text})


class _Asked(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        after = int(self.path.partition("?")[0].rpartition("/")[2])
        body = json.dumps({"result": "OK", "messages": self.server.answers[after:]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """A test prints nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def served(tmp_path: Path, provider: Provider) -> Iterator[Served]:
    """A bridge with a second gateway, which must be asked."""
    sections = f"""
[gateways.asked]
kind = "skebby"
url = "http://127.0.0.1:{provider.server_address[1]}"
account = "key"
secret_file = "{tmp_path / "secret"}"
[gateways.asked.options]
login = "key"
sim = "{SENDER}"
first_answer = "0"
"""
    running = Served(tmp_path, tmp_path / "data", sections)
    try:
        yield running
    finally:
        running.stop()


def test_a_bridge_that_is_killed_fetches_what_was_written_meanwhile(served: Served, provider: Provider) -> None:
    provider.phone_writes("Yes, I will come.")
    provider.phone_writes("At which door?")
    served.start()
    assert served.bridge is not None
    eventually(lambda: len(served.mails()) == 2)
    served.bridge.kill()
    served.bridge.wait()
    provider.phone_writes("I found it.")
    served.start_bridge()
    # A mail that was under way at the kill may come twice.
    eventually(lambda: len({mail["message_id"] for mail in served.mails()}) == 3)
    assert served.rows("SELECT event_id FROM inbound ORDER BY event_id") == [("1",), ("2",), ("3",)]
    eventually(lambda: served.rows("SELECT gateway, name, value FROM poll_cursor") == [("asked", "answers", "3")])
    texts = [text for (text,) in served.rows("SELECT text FROM inbound_content ORDER BY inbound_id")]
    assert texts == [answer["text"] for answer in provider.answers]
    assert not any(PHONE[1:] in line for line in (served.folder / "log").read_text().splitlines())
