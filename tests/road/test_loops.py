"""Machines that answer each other: they come to an end, and the mailbox is told once."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.road.demo_process import LOGIN, SENDER, DemoProcess, eventually

HERE, THERE = "+393331110000", "+393332220000"
QUIET = 3.0
"""Seconds in which two machines that have stopped text nothing more."""


def bodies(demo: DemoProcess, number: str) -> list[str]:
    """The words of the mails that a phone's SMS have become so far."""
    found = []
    for entry in demo.mails():
        mail = demo.mail(entry["id"])
        body = mail.get_body(("plain",))
        assert body is not None
        if mail["X-SMS-From"] == number:
            found.append(" ".join(str(body.get_content()).split()))
    return found


@contextmanager
def carried(one: DemoProcess, other: DemoProcess) -> Iterator[list[str]]:
    """A network between two bridges: what one texts to the number of the other, the other hears. The texts so far."""
    texts: list[str] = []
    stop = threading.Event()

    def carry() -> None:
        taken: set[str] = set()
        while not stop.is_set():
            for sender, hearer, number in ((one, other, THERE), (other, one, HERE)):
                for text in sender.phone(number):
                    if text["id"] not in taken:
                        taken.add(text["id"])
                        texts.append(text["text"])
                        hearer.texts_back(text["from"], text["text"], to=number)
            time.sleep(0.02)

    carrier = threading.Thread(target=carry)
    carrier.start()
    try:
        yield texts
    finally:
        stop.set()
        carrier.join()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[DemoProcess, DemoProcess]]:
    """Two bridges, each with a number of its own and a word that the other's answer begins with."""
    demos = []
    with ExitStack() as stack:
        for number, word, reply in ((HERE, "Ping", "Pong, says the clinic."), (THERE, "Pong", "Ping, says the other.")):
            folder = tmp_path / number.lstrip("+")
            folder.mkdir()
            demo = DemoProcess(folder).start()
            stack.callback(demo.stop)
            demos.append(demo)
            assert demo.command("mailbox", "set", LOGIN, "--sender", number).returncode == 0
            assert demo.command("keywords", "add", LOGIN, word, "--reply", reply).returncode == 0
            knows(demo, word, number)
        yield demos[0], demos[1]


def knows(demo: DemoProcess, word: str, to: str) -> None:
    """Wait until a bridge answers a keyword: it notices what was added while it runs."""
    strangers = (f"+39349{n:04}000" for n in itertools.count())

    def answered() -> bool:
        stranger = next(strangers)
        demo.texts_back(stranger, word, to=to)
        with suppress(AssertionError):
            return bool(eventually(lambda: demo.phone(stranger), patience=1))
        return False

    eventually(answered)


def told(demo: DemoProcess, number: str) -> list[str]:
    """The mails about a phone that say that it gets no more texts for now."""
    return [body for body in bodies(demo, number) if "within 24 hours" in body]


def test_two_bridges_that_answer_each_other_fall_silent(two: tuple[DemoProcess, DemoProcess]) -> None:
    one, other = two
    with carried(one, other) as texts:
        one.texts_back(THERE, "Ping", to=HERE)
        eventually(lambda: told(one, THERE), patience=60)  # after that nobody has anything to answer
        time.sleep(QUIET)
        assert len(texts) == 6, "three each way"
    eventually(lambda: (len(bodies(one, THERE)), len(bodies(other, HERE))) == (4, 3))
    assert (len(told(one, THERE)), len(told(other, HERE))) == (1, 0), "whoever falls silent first is told, once"


def test_a_phone_that_answers_every_text_gets_three_and_a_mail_says_so(
    demo: DemoProcess, phone: Callable[..., str]
) -> None:
    number = phone()
    answered = 0
    demo.texts_back(number, "HELP", to=SENDER)
    sent = 1
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and sent < 4:
        for _ in demo.phone(number)[answered:]:
            answered += 1
            sent += 1
            demo.texts_back(number, "Help", to=SENDER)
        time.sleep(0.05)
    for _ in range(5):
        demo.texts_back(number, "Help", to=SENDER)
    told = eventually(lambda: found if len(found := bodies(demo, number)) == 9 else None)
    assert len(demo.phone(number)) == 3
    assert sum("within 24 hours" in body for body in told) == 1


def test_every_stop_is_confirmed_once_over_kills(own_demo: DemoProcess, long: bool) -> None:
    """The network delivers a callback again until it is answered; a bridge may die before, or after it has filed."""
    numbers = [f"+39348{n:04}000" for n in range(40)]

    def write() -> None:
        for number in numbers:
            while True:
                with suppress(httpx.TransportError, AssertionError):
                    own_demo.texts_back(number, "STOP", to=SENDER)
                    break
                time.sleep(0.05)

    def knows(count: int) -> bool:
        return len(own_demo.states()) >= count

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for reached in (5, 15, 25, 39) if long else (5, 25):
            eventually(partial(knows, reached), patience=60)
            own_demo.kill()
            own_demo.start()
    finally:
        writer.join(timeout=120)
    eventually(
        lambda: len(own_demo.states()) == 40 and not {"queued", "sending", "sent"} & set(own_demo.states().values()),
        patience=60,
    )
    states = own_demo.states()
    texts = {number: len(own_demo.phone(number)) for number in numbers}
    assert [number for number, count in texts.items() if count > 1] == []
    assert [number for number, count in texts.items() if count == 0 and states[number] != "unknown"] == []
    assert "refused" not in states.values()
