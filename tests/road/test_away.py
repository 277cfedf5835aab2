"""Somebody is away, and his mail program answers the phone's answer: nobody is texted, nobody is mailed."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path

from tests.road.away import AWAY, away
from tests.road.demo_process import DOMAIN, LOGIN, DemoProcess, eventually
from tests.road.mail_server import OPERATOR, Relay, clinic

NUMBER = "+393331270002"


def refusal(demo: DemoProcess, sender: str, address: str, mail: bytes) -> tuple[int, str]:
    """What such an answer is told, as soon as it is told anything but 250."""
    with demo.smtp() as client:
        for code, said in (client.mail(sender), client.rcpt(address)):
            if code != 250:
                return code, said.decode().split()[0]
        code, said = client.data(mail)
        return code, said.decode().split()[0]


def test_an_answer_to_the_phones_address_is_refused(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone()
    asked = demo.send(number, "Can you come?")
    eventually(lambda: demo.phone(number))
    demo.texts_back(number, "Sì")
    (answer,) = eventually(lambda: demo.answers_to(asked))
    address = parseaddr(answer["From"])[1]
    assert address == f"{number}@{DOMAIN}"
    before = len(demo.mails())
    for form in AWAY:
        mail = away(form, LOGIN, address, answer["Message-ID"], str(answer["Subject"]))
        for sender in (LOGIN, ""):
            assert refusal(demo, sender, address, mail) == (550, "5.7.1"), form
    # A person answers in the end: what came before it has been dealt with.
    demo.send(number, "See you then.", subject=str(answer["Subject"]), headers={"In-Reply-To": answer["Message-ID"]})
    eventually(lambda: len(demo.phone(number)) > 1)
    assert [text["text"] for text in demo.phone(number)] == ["Can you come?", "See you then."]
    assert len(demo.mails()) == before, "no report, no answer"


async def test_an_answer_to_the_envelope_sender_is_taken_and_means_nothing(relay: Relay, tmp_path: Path) -> None:
    """That is where RFC 3834 section 4 has it sent, from the null sender, as bounces are."""
    async with clinic(relay, tmp_path, fallback=LOGIN) as running:
        await running.asks(NUMBER)
        await running.texts_back(NUMBER, "Sì")
        await running.until(lambda: running.outgoing())
        await running.quiet()
        (answer,) = await running.mails(LOGIN)
        bounces_to, _ = running.envelope("reply")

        def hand_in() -> None:
            with smtplib.SMTP("127.0.0.1", running.postfix.port, timeout=30) as client:
                for form in AWAY:
                    mail = away(form, LOGIN, bounces_to, answer["Message-ID"], str(answer["Subject"]))
                    client.sendmail("<>", bounces_to, mail)

        def taken() -> int:
            lines = relay.postfix.log().splitlines()
            return sum(f"to=<{bounces_to}>" in line and "250 2.0.0 Bounce taken" in line for line in lines)

        await asyncio.to_thread(hand_in)
        await running.until(lambda: taken() == len(AWAY))
        await running.quiet()
        assert running.outgoing() == [("reply", LOGIN, "sent")], "nobody thinks that it bounced"
        assert await running.mails(OPERATOR) == []
        assert await running.phones() == [NUMBER]
