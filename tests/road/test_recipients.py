"""Who gets a text: every phone of the envelope once, and nobody learns of the others."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from functools import partial

import pytest

from tests.road.demo_process import DOMAIN, LOGIN, DemoProcess, compose, eventually
from tests.servers.web import web


def test_two_mails_on_one_connection(demo: DemoProcess, phone: Callable[..., str]) -> None:
    numbers = [phone(), phone()]
    with demo.smtp() as client:
        for number in numbers:
            client.send_message(compose(LOGIN, [f"{number}@{DOMAIN}"], "One of two."))
    for number in numbers:
        eventually(partial(demo.phone, number))


def test_two_hundred_phones_in_one_mail(demo: DemoProcess) -> None:
    numbers = [f"+39351{n:04}000" for n in range(200)]
    demo.send(numbers, "To all of you.")

    def texted() -> dict[str, int] | None:
        phones = web.get(f"{demo.url}/simulator/api/phones", timeout=30).json()
        found = {entry["number"]: entry["messages"] for entry in phones if entry["number"] in numbers}
        return found if len(found) == 200 and all(found.values()) else None

    assert eventually(texted) == dict.fromkeys(numbers, 1)


def test_to_cc_and_bcc_are_all_recipients_and_stay_private(demo: DemoProcess, phone: Callable[..., str]) -> None:
    to, cc, bcc = phone("901"), phone("903"), phone("904")
    addresses = [f"{number}@{DOMAIN}" for number in (to, cc, bcc)]
    mail = compose(LOGIN, addresses[:1], "The practice is closed on Monday.", headers={"Cc": addresses[1]})
    with demo.smtp() as client:
        client.send_message(mail, LOGIN, addresses)
    texted = compose(LOGIN, [f"{phone()}@{DOMAIN}"], "Only the envelope counts.", headers={"Cc": f"{phone()}@{DOMAIN}"})
    alone = phone()
    with demo.smtp() as client:
        client.send_message(texted, LOGIN, [f"{alone}@{DOMAIN}"])
    (sms,) = eventually(lambda: demo.phone(alone))
    assert sms["text"] == "Only the envelope counts."
    assert "@" not in sms["text"]
    for header in ("To", "Cc"):
        assert demo.phone(str(texted[header]).partition("@")[0]) == []
    eventually(lambda: demo.states().get(bcc) == "expired")


def test_the_same_phone_in_two_spellings_gets_one_text(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone()
    spellings = [number, number.replace("+", "00"), number.removeprefix("+39"), f"{number[:6]}.{number[6:]}"]
    demo.send(spellings, "Once is enough.")
    eventually(lambda: demo.states().get(number) == "delivered")
    assert len(demo.phone(number)) == 1


def test_a_mail_that_is_sent_again_is_not_texted_again(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone()
    mail = compose(LOGIN, [f"{number}@{DOMAIN}"], "Only once.")
    another = compose(LOGIN, [f"{number}@{DOMAIN}"], "Only once.")
    answers = []
    with demo.smtp() as client:
        for each in (mail, mail, another):
            client.mail(LOGIN)
            client.rcpt(f"{number}@{DOMAIN}")
            answers.append(client.data(each.as_bytes()))
    assert [code for code, _ in answers] == [250, 250, 250]
    assert answers[0] == answers[1] != answers[2]
    eventually(lambda: len(demo.phone(number)) == 2)
    assert [sms["text"] for sms in demo.phone(number)] == ["Only once."] * 2, "two Message-IDs are two messages"


REFUSED = [
    pytest.param("12", 553, b"5.1.3", id="too short to be a number"),
    pytest.param("+39333123456789012", 553, b"5.1.3", id="too long"),
    pytest.param("nobody.of.this.name", 550, b"5.1.1", id="a name"),
    pytest.param("+390612345678", 550, b"5.7.1", id="a landline"),
    pytest.param("+39899123456", 550, b"5.7.1", id="a premium number"),
    pytest.param("+34612345678", 550, b"5.7.1", id="another country"),
    pytest.param("+881612345678", 550, b"5.7.1", id="a satellite phone"),
]


@pytest.mark.parametrize(("local", "code", "status"), REFUSED)
def test_what_cannot_be_texted_is_refused_at_rcpt(demo: DemoProcess, local: str, code: int, status: bytes) -> None:
    with demo.smtp() as client:
        client.mail(LOGIN)
        answer, sentence = client.rcpt(f"{local}@{DOMAIN}")
    assert (answer, sentence.split()[0]) == (code, status)
    assert sentence.endswith(b"."), "one sentence that says what to change"


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        pytest.param(b"Subject: Hello\r\n\r\n   \r\n", 550, b"5.6.0", id="no text"),
        pytest.param(b"Subject: Hello\r\n\r\n-- \r\nStudio Rossi\r\n", 550, b"5.6.0", id="nothing but a signature"),
        pytest.param(b"Subject: a\r\n\r\n" + b"word " * 250 + b"\r\n", 552, b"5.3.4", id="nine segments"),
        pytest.param(bytes(range(256)) * 4, 550, b"5.6.0", id="binary junk"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\xff\xfe\xfd" * 99, 550, b"5.6.0", id="a picture"),
        pytest.param(b"X-SMS-Colour: red\r\n\r\nHello\r\n", 550, b"5.6.0", id="a header nobody knows"),
    ],
)
def test_what_has_nothing_to_text_is_refused_after_data(
    demo: DemoProcess, phone: Callable[..., str], content: bytes, code: int, status: bytes
) -> None:
    number = phone()
    with demo.smtp() as client:
        client.mail(LOGIN)
        client.rcpt(f"{number}@{DOMAIN}")
        answer, sentence = client.data(content)
    assert (answer, sentence.split()[0]) == (code, status), sentence
    assert number not in demo.states()


def test_a_foreign_sender_and_a_wrong_password(demo: DemoProcess) -> None:
    with demo.smtp() as client:
        assert client.mail("someone@elsewhere.test")[:1] == (550,)
    with smtplib.SMTP("127.0.0.1", demo.smtp_port) as client:
        client.ehlo()
        assert client.mail(LOGIN)[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
            client.login(LOGIN, "guess")
        assert wrong.value.smtp_code == 535
