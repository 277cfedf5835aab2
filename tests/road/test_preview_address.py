"""`preview@…`: the mail comes back as what it would send, and nobody is texted."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial

import pytest

from tests.road.demo_process import DOMAIN, LOGIN, DemoProcess, compose, eventually

TRIAL = f"preview@{DOMAIN}"


def send(demo: DemoProcess, mail: EmailMessage, *addresses: str) -> tuple[int, str]:
    """Hand a mail in; the reply to its last dot."""
    with demo.smtp() as client:
        client.mail(LOGIN)
        for address in addresses or (TRIAL,):
            code, said = client.rcpt(address)
            assert code == 250, said
        code, said = client.data(mail.as_bytes())
    return code, said.decode()


def answer(demo: DemoProcess, mail: EmailMessage) -> EmailMessage:
    """The one mail that answers it."""
    (found,) = eventually(lambda: demo.answers_to(str(mail["Message-ID"])))
    return found


def words(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def test_a_mail_to_preview_is_answered_with_what_it_would_send(demo: DemoProcess) -> None:
    mail = compose(LOGIN, [TRIAL], "Your visit is on Tuesday.\n\n-- \nThe clinic\nVia Roma 1")
    code, said = send(demo, mail)
    assert (code, said[:15]) == (250, "2.0.0 Taken as ")
    told = answer(demo, mail)
    assert told["Message-ID"] == f"<{said[15:]}@{DOMAIN}>"
    assert (told["Subject"], told["References"]) == ("Re: Appointment", mail["Message-ID"])
    assert (told["Auto-Submitted"], told["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert words(told).startswith("This mail would be 1 SMS; no phone was named.\n\nThis was only a trial:")
    assert "│Your visit is on Tuesday.│" in words(told)
    assert "Signature:\n  - --\n  - The clinic\n  - Via Roma 1\n" in words(told)


def test_with_a_number_it_says_what_that_phone_would_get(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone()
    mail = compose(LOGIN, [TRIAL], "Your visit is on Tuesday at 10:30 👋")
    send(demo, mail, f"preview+{number.removeprefix('+')}@{DOMAIN}")
    told = words(answer(demo, mail))
    assert told.startswith("This mail would send 1 SMS to +39 347 ")
    assert "Not in the basic alphabet: “👋” (character 35)\n" in told
    assert demo.phone(number) == []


def test_beside_phones_it_keeps_them_from_being_texted(demo: DemoProcess, phone: Callable[..., str]) -> None:
    first, second = phone(), phone()
    mail = compose(LOGIN, [TRIAL], "Nobody shall get this.")
    send(demo, mail, f"{first}@{DOMAIN}", TRIAL, f"{second}@{DOMAIN}")
    assert words(answer(demo, mail)).startswith("This mail would send 2 SMS in all, to 2 phones.\n")
    assert not {first, second} & demo.states().keys()
    demo.send(first, "This one leaves.")
    eventually(lambda: demo.phone(first))
    assert [sms["text"] for sms in demo.phone(first)] == ["This one leaves."]
    assert demo.phone(second) == []


def test_a_text_that_is_too_long_is_taken_and_told_why(demo: DemoProcess) -> None:
    mail = compose(LOGIN, [TRIAL], "a" * 900 + "\n" + "b" * 900)
    assert send(demo, mail)[0] == 250
    told = words(answer(demo, mail))
    assert told.startswith("This mail would not be texted to anybody.\n")
    assert "\n  552 5.3.4 This text needs 12 SMS and the limit is 6" in told


@pytest.mark.parametrize("header", [{"Auto-Submitted": "auto-replied"}, {"X-Autoreply": "yes"}])
def test_automatic_mail_is_refused(demo: DemoProcess, header: dict[str, str]) -> None:
    mail = compose(LOGIN, [TRIAL], "I am away until Monday.", headers=header)
    code, said = send(demo, mail)
    assert (code, said[:5]) == (550, "5.7.1")
    marker = compose(LOGIN, [TRIAL], "After it.")
    send(demo, marker)
    answer(demo, marker)
    assert demo.answers_to(str(mail["Message-ID"])) == []


def test_the_same_mail_twice_is_answered_once(demo: DemoProcess) -> None:
    mail = compose(LOGIN, [TRIAL], "Once is enough.")
    first, second = send(demo, mail), send(demo, mail)
    assert first == second
    assert first[0] == 250
    marker = compose(LOGIN, [TRIAL], "After it.")
    send(demo, marker)
    answer(demo, marker)
    answer(demo, mail)


def test_a_recipient_that_is_refused_is_refused_as_ever(demo: DemoProcess) -> None:
    with demo.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.send_message(compose(LOGIN, [TRIAL], "Hello"), LOGIN, [f"12@{DOMAIN}"])
    assert refused.value.recipients[f"12@{DOMAIN}"][0] == 553


def test_the_answer_survives_a_kill_right_after_the_mail_was_taken(own_demo: DemoProcess) -> None:
    mails = [compose(LOGIN, [TRIAL], f"Trial number {number}.") for number in range(5)]
    for mail in mails:
        assert send(own_demo, mail)[0] == 250
    own_demo.kill()
    own_demo.start()
    for number, mail in enumerate(mails):
        told = eventually(partial(own_demo.answers_to, str(mail["Message-ID"])))
        assert {each["Message-ID"] for each in told} == {told[0]["Message-ID"]}  # perhaps twice, but the same
        assert f"│Trial number {number}.│" in words(told[0])
    assert own_demo.states() == {}
