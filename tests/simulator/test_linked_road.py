"""The whole road, two mailboxes on one number: an answer goes to the mail whose text the network says it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.road.demo_process import DESK, DESK_PASSWORD, LOGIN, DemoProcess, eventually

PHONE = "+393479990000"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoProcess]:
    running = DemoProcess(tmp_path).start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()
    assert running.leaks() == []


def answer(demo: DemoProcess, text: str, answers: str | None = None) -> None:
    """The phone writes, and the network says which text it answers."""
    demo.secrets.add(text)
    body = {"text": text} | ({} if answers is None else {"answers": answers})
    said = httpx.post(f"{demo.url}/simulator/api/phones/{PHONE}/replies", json=body, timeout=10.0, trust_env=False)
    assert said.status_code == 201, said.text


def test_an_answer_that_is_linked_goes_to_the_mail_that_asked(demo: DemoProcess) -> None:
    asked = demo.send(PHONE, "Can you come tomorrow at 10:30?")
    (first,) = eventually(lambda: demo.phone(PHONE))
    other = demo.send(PHONE, "Your glasses are ready to be fetched.", login=DESK, password=DESK_PASSWORD)
    eventually(lambda: demo.phone(PHONE)[1:])

    answer(demo, "I fetch them on Monday")
    (guessed,) = eventually(lambda: demo.answers_to(other, DESK))
    assert guessed["X-SMS-Match"] == "ambiguous"

    answer(demo, "I shall be there at half past ten", str(first["id"]))
    (linked,) = eventually(lambda: demo.answers_to(asked, LOGIN))
    assert linked["X-SMS-Match"] == "provider"
    part = linked.get_body(("plain",))
    assert part is not None
    assert part.get_content().startswith("I shall be there at half past ten")
    assert len(demo.answers_to(other, DESK)) == 1
