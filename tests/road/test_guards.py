"""Guard rails that save a clinic: STOP binds, START lifts it, and a wish for no more texts waits for a decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.road.demo_process import DESK, DESK_PASSWORD, DOMAIN, LOGIN, PASSWORD, DemoProcess, eventually, status_blocks

ROME = ZoneInfo("Europe/Rome")
"""Where the demo's mailboxes are."""


def refusal(demo: DemoProcess, number: str, login: str = LOGIN, password: str = PASSWORD) -> tuple[int, str]:
    """What RCPT is answered for a phone."""
    with demo.smtp(login, password) as client:
        client.mail(login)
        code, sentence = client.rcpt(f"{number}@{DOMAIN}")
    return code, sentence.decode()


@pytest.mark.parametrize("word", ["STOP", "stop", " Stop. ", "STOP!"])
def test_stop_blocks_the_phone_for_this_number(demo: DemoProcess, phone: Callable[..., str], word: str) -> None:
    number, began = phone(), datetime.now(ROME).date()
    asked = demo.send(number, "Shall we remind you?")
    eventually(lambda: demo.phone(number))
    demo.texts_back(number, word)
    (told,) = eventually(lambda: demo.answers_to(asked))
    code, sentence = refusal(demo, number)
    assert (code, sentence.split()[0]) == (550, "5.7.1")
    days = {day.isoformat() for day in (began, datetime.now(ROME).date())}
    assert any(day in sentence for day in days), "the date it was asked"
    assert refusal(demo, number, DESK, DESK_PASSWORD)[0] == 550, "the same sender number, another mailbox"
    body = told.get_body(("plain",))
    assert body is not None
    assert len(str(body.get_content()).split()) > 5, "the mailbox is told what the word did"

    demo.texts_back(number, "START")
    eventually(lambda: refusal(demo, number)[0] == 250)


@pytest.mark.parametrize(
    "words", ["Please stop calling so early", "SI", "Non posso, stop and go", "basta così, grazie"]
)
def test_ordinary_answers_block_nothing(demo: DemoProcess, phone: Callable[..., str], words: str) -> None:
    number = phone()
    asked = demo.send(number, "Can you come on Monday?")
    eventually(lambda: demo.phone(number))
    demo.texts_back(number, words)
    eventually(lambda: demo.answers_to(asked))
    assert refusal(demo, number)[0] == 250


def test_what_was_queued_before_stop_is_not_sent_after_it(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone("910")  # unreachable at first, so the text waits
    asked = demo.send(number, "This one waits.")
    eventually(lambda: demo.states().get(number) == "queued")
    demo.texts_back(number, "STOP", to="+390200000001")
    (report,) = eventually(lambda: [mail for mail in demo.answers_to(asked) if mail["X-SMS-Status"] == "refused"])
    assert status_blocks(report)[1]["Status"] == "5.7.1"
    (confirmation,) = eventually(lambda: demo.phone(number))
    assert "no more texts" in confirmation["text"], "the one text that leaves for a phone that is blocked"


def test_a_text_waits_while_nobody_has_decided_about_a_phone_that_asked_to_be_left_alone(
    demo: DemoProcess, phone: Callable[..., str]
) -> None:
    number = phone("910")  # unreachable at first, so the text waits
    asked = demo.send(number, "Tomorrow at nine.")
    eventually(lambda: demo.states().get(number) == "queued")
    demo.texts_back(number, "Please stop texting me", to="+390200000001")
    (told,) = eventually(lambda: demo.answers_to(asked))
    body = told.get_body(("plain",))
    assert body is not None
    allow = f"{number}+allow@{DOMAIN}"
    assert allow in str(body.get_content()).split()
    code, sentence = refusal(demo, number)
    assert code == 550
    assert allow in sentence
    with demo.smtp() as client:
        client.mail(LOGIN)
        assert client.rcpt(allow)[0] == 250
        code, answer = client.data(b"")
    assert (code, answer.decode()[:15]) == (250, "2.0.0 Texts to ")
    assert answer.decode().endswith(" go out again.")
    assert refusal(demo, number)[0] == 250, "at once"
    (text,) = eventually(lambda: demo.phone(number))
    assert text["text"] == "Tomorrow at nine."
    (confirmation,) = eventually(lambda: demo.answers_to(str(told["Message-ID"])))
    assert confirmation["Subject"] == told["Subject"]
