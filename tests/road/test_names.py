"""Mails to names and groups, and to the one address whose numbers stand in the mail: each phone gets its text once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.road.demo_process import DOMAIN, LOGIN, DemoProcess, compose, eventually, status_blocks

Phone = Callable[..., str]


def contacts(demo: DemoProcess, *arguments: str) -> None:
    done = demo.command("contacts", *arguments)
    assert (done.returncode, done.stderr) == (0, "")


def rcpt(demo: DemoProcess, local: str) -> str:
    """The reply to RCPT, without a mail after it."""
    with demo.smtp() as client:
        assert client.mail(LOGIN)[0] == 250
        code, text = client.rcpt(f"{local}@{DOMAIN}")
    return f"{code} {text.decode()}"


def send(demo: DemoProcess, text: str, *locals_: str, subject: str = "Appointment") -> str:
    """Send a mail to these recipients; its Message-ID. Every one of them must be taken."""
    addresses = [f"{local}@{DOMAIN}" for local in locals_]
    mail = compose(LOGIN, addresses, text, subject=subject)
    with demo.smtp() as client:
        assert client.send_message(mail, LOGIN, addresses) == {}
    return str(mail["Message-ID"])


def texts(demo: DemoProcess, number: str) -> list[str]:
    return [sms["text"] for sms in demo.phone(number)]


@pytest.fixture(scope="module")
def ward(demo: DemoProcess) -> dict[str, str]:
    """A group of four, one of whom is not in a country that the demo may text."""
    people = {
        "Mario Rossi": "+393460001000",
        "José García": "+393460002000",
        "Anna D'Angelo": "+393460003000",
        "Piet de Vries": "+31612345678",
    }
    for name, number in people.items():
        contacts(demo, "add", name, number)
    contacts(demo, "group", "Ward 3", *(word for name in people for word in ("--add", name)))
    contacts(demo, "group", "Abroad", "--add", "Piet de Vries")
    eventually(lambda: rcpt(demo, "abroad").startswith("550 5.7.1"))
    return people


def test_a_mail_to_a_group_texts_each_member_once_and_reports_who_could_not_be(
    demo: DemoProcess, ward: dict[str, str]
) -> None:
    mail = send(demo, "The round is at nine.", "ward.3")
    (report,) = eventually(lambda: demo.answers_to(mail))
    (block,) = status_blocks(report)[1:]
    assert block["Final-Recipient"] == f"rfc822; {ward['Piet de Vries']}@{DOMAIN}"
    assert block["Original-Recipient"] == f"rfc822; ward.3@{DOMAIN}"
    assert block["Status"] == "5.7.1"
    for name in ("Mario Rossi", "José García", "Anna D'Angelo"):
        assert texts(demo, ward[name]).count("The round is at nine.") == 1
    assert texts(demo, ward["Piet de Vries"]) == []


def test_a_phone_that_is_named_and_in_the_group_gets_one_text(demo: DemoProcess, ward: dict[str, str]) -> None:
    number = ward["Mario Rossi"]
    mail = send(demo, "Bring the charts.", "mario.rossi", number, "ward.3", f"0039{number[3:]}")
    eventually(lambda: demo.answers_to(mail))
    assert [texts(demo, ward[name]).count("Bring the charts.") for name in ("Mario Rossi", "José García")] == [1, 1]


def test_the_answer_of_a_member_comes_back_into_the_thread(demo: DemoProcess, ward: dict[str, str]) -> None:
    mail = send(demo, "Who can take the night?", "anna.d.angelo")
    eventually(lambda: "Who can take the night?" in texts(demo, ward["Anna D'Angelo"]))
    demo.texts_back(ward["Anna D'Angelo"], "I can.")
    (answer,) = eventually(lambda: demo.answers_to(mail))
    assert answer["X-SMS-From"] == ward["Anna D'Angelo"]


def test_a_name_with_accents_is_reported_as_it_was_written(demo: DemoProcess, ward: dict[str, str]) -> None:
    contacts(demo, "group", "Città", "--add", "José García", "--add", "Piet de Vries")
    mail = compose(LOGIN, [f"ward.3@{DOMAIN}"], "The lift is out of order.")

    def taken() -> bool:
        with demo.smtp() as client:
            client.mail(LOGIN, ["SMTPUTF8"])
            if client.docmd("RCPT", f"TO:<città@{DOMAIN}>")[0] != 250:
                return False
            return client.data(mail.as_bytes())[0] == 250

    eventually(taken)
    (report,) = eventually(lambda: demo.answers_to(str(mail["Message-ID"])))
    assert status_blocks(report)[1]["Original-Recipient"] == rf"utf-8; citt\x{{E0}}@{DOMAIN}"


@pytest.mark.parametrize(
    ("local", "reply"),
    [
        ("mario.rosi", '550 5.1.1 "mario.rosi" is no contact and no group here. Did you mean mario.rossi?'),
        ("rossi.mario", '550 5.1.1 "rossi.mario" is no contact and no group here. Did you mean mario.rossi?'),
        ("jose.garzia", '550 5.1.1 "jose.garzia" is no contact and no group here. Did you mean jose.garcia?'),
        ("ward.4", '550 5.1.1 "ward.4" is no contact and no group here. Did you mean ward.3?'),
        ("xyzzy", '550 5.1.1 "xyzzy" is not a telephone number and no name is known here that is like it: '),
        ("abroad", "550 5.7.1 +31 6 12345678 is a number in NL"),
    ],
)
def test_who_is_refused_at_once(demo: DemoProcess, ward: dict[str, str], local: str, reply: str) -> None:
    assert rcpt(demo, local).startswith(reply)


def test_the_numbers_stand_in_the_subject(demo: DemoProcess, phone: Phone) -> None:
    numbers = [phone(), phone(), phone()]
    first, second, third = numbers
    subject = f"{first}; 0039{second[3:]}, {third[3:6]} {third[6:]}; {first}"
    send(demo, "The scanner is warm.", "sms", subject=subject)
    for number in numbers:
        eventually(partial(texts, demo, number))
    assert [texts(demo, number) for number in numbers] == [["The scanner is warm."]] * 3


def test_the_numbers_stand_in_the_first_line(demo: DemoProcess, phone: Phone) -> None:
    number = phone()
    send(demo, f"{number}\n\nThe vaccine fridge is at 9 degrees.", "sms", subject="Alarm")
    eventually(lambda: texts(demo, number) == ["The vaccine fridge is at 9 degrees."])


def test_a_bad_number_among_three_keeps_no_other_back_and_is_told_by_a_report(demo: DemoProcess, phone: Phone) -> None:
    one, two = phone(), phone()
    mail = send(demo, "Closed on Monday.", "sms", subject=f"{one}; 12 34 56; {two}")
    (report,) = eventually(lambda: demo.answers_to(mail))
    assert report["X-SMS-Status"] == "refused"
    (block,) = status_blocks(report)[1:]
    assert block["Final-Recipient"] == f'rfc822; "12 34 56"@{DOMAIN}'
    assert block["Original-Recipient"] == f"rfc822; sms@{DOMAIN}"
    assert (block["Action"], block["Status"]) == ("failed", "5.1.3")
    assert block["X-SMS-Number"] is None
    letter = report.get_body(("plain",))
    assert letter is not None
    assert "12 34 56" in letter.get_content()
    assert [texts(demo, number) for number in (one, two)] == [["Closed on Monday."]] * 2
    assert "  no number  refused (malformed_number)  " in demo.command("messages", "--state", "refused").stdout


@pytest.mark.parametrize(
    ("subject", "text", "code", "says"),
    [
        ("Alarm", "No number anywhere.", 553, "names no phone"),
        ("+390212345678", "To a landline alone.", 550, "is a landline"),
        ("12 34 56", "To nobody.", 553, '"12 34 56" is too short'),
    ],
)
def test_a_mail_that_reaches_nobody_is_refused_as_a_whole(
    demo: DemoProcess, subject: str, text: str, code: int, says: str
) -> None:
    mail = compose(LOGIN, [f"sms@{DOMAIN}"], text, subject=subject)
    with demo.smtp() as client:
        client.mail(LOGIN)
        client.rcpt(f"sms@{DOMAIN}")
        answer = client.data(mail.as_bytes())
    assert answer[0] == code
    assert says in answer[1].decode()
