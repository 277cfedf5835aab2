"""`kill -9` at random moments: what was answered 250 is texted exactly once, or says that nobody knows."""

from __future__ import annotations

import random
import time
from collections import Counter
from functools import partial

import pytest

from tests.road.client import Client
from tests.road.demo_process import DemoProcess, eventually
from tests.servers.web import web

CLIENTS = 4
ON_THE_WAY = {"queued", "sending", "sent"}


@pytest.mark.timeout(1800)
def test_kill_at_random_moments(own_demo: DemoProcess, long: bool) -> None:
    mails, kills = (2000, 25) if long else (240, 4)
    chance = random.Random(20261121)
    # every tenth gateway call takes seconds, so that some kill finds messages on their way
    numbers = [f"+39349{n:04}{'909' if n % 10 == 0 else '000'}" for n in range(mails)]
    clients = [Client(own_demo.smtp, numbers[part::CLIENTS]) for part in range(CLIENTS)]

    def taken(count: int) -> bool:
        return sum(len(client.taken) for client in clients) >= count

    for client in clients:
        client.start()
    try:
        for kill in range(kills):
            eventually(partial(taken, (kill + 1) * mails // (kills + 1)), patience=120)
            time.sleep(chance.uniform(0, 0.05))  # at any moment, not just after an answer
            own_demo.kill()
            own_demo.start()
        for client in clients:
            client.join(timeout=300)
            assert not client.is_alive()
    finally:
        for client in clients:
            client.stop = True

    def settled() -> dict[str, str] | None:
        states = own_demo.states()
        return None if ON_THE_WAY & set(states.values()) else states

    states = eventually(settled, patience=120)
    phones = web.get(f"{own_demo.url}/simulator/api/phones", timeout=30).json()
    texts = Counter({entry["number"]: entry["messages"] for entry in phones})
    answered = [number for client in clients for number in client.taken]
    assert sorted(answered) == numbers
    twice = [number for number in answered if texts[number] > 1]
    missing = [number for number in answered if texts[number] == 0 and states.get(number) != "unknown"]
    assert (twice, missing) == ([], [])
    unknown = sum(state == "unknown" for state in states.values())
    print(f"{mails} mails, {kills} kills: {unknown} unknown, {sum(texts.values())} texts")


def test_what_waits_survives_a_kill_and_what_is_held_is_finished_at_a_stop(own_demo: DemoProcess) -> None:
    numbers = ["+393451234910", "+393451234000"]  # the first is unreachable at first, so its text waits
    reports = [
        own_demo.send(number, "Still on its way.", rcpt_options=["NOTIFY=SUCCESS,FAILURE"]) for number in numbers
    ]
    own_demo.kill()
    own_demo.start()

    def settled(number: str) -> bool:
        return own_demo.states().get(number) in ("delivered", "unknown")

    for number, report in zip(numbers, reports, strict=True):
        eventually(partial(settled, number), patience=60)
        assert len(own_demo.phone(number)) == (own_demo.states()[number] == "delivered")
        eventually(partial(own_demo.answers_to, report), patience=60)

    number = "+393451235909"  # the gateway takes five seconds to answer
    own_demo.send(number, "Just before closing.")
    eventually(lambda: own_demo.states().get(number) == "sending")
    assert own_demo.stop() == 0
    own_demo.start()
    eventually(lambda: own_demo.states()[number] == "delivered")
    assert len(own_demo.phone(number)) == 1
