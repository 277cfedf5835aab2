"""The road both ways: a mail becomes an SMS, the phone's answer comes back into the thread, and can be answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage

from tests.road.demo_process import (
    DESK,
    DESK_PASSWORD,
    DOMAIN,
    LOGIN,
    SENDER,
    DemoProcess,
    compose,
    eventually,
    status_blocks,
)


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_mail_becomes_a_text(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone()
    demo.send(number, "Gentile paziente, la visita è domani alle 10:30.\n\n-- \nStudio Rossi\nVia Roma 1")
    (sms,) = eventually(lambda: demo.phone(number))
    assert sms["text"] == "Gentile paziente, la visita è domani alle 10:30."
    assert (sms["from"], sms["to"]) == (SENDER, number)
    assert (sms["encoding"], sms["segments"]) == ("gsm7", 1)
    assert datetime.fromisoformat(sms["received_at"]).tzinfo is not None


def test_the_answer_comes_back_into_the_thread_and_can_be_answered(
    demo: DemoProcess, phone: Callable[..., str]
) -> None:
    number = phone()
    asked = demo.send(number, "Can you come tomorrow at 10:30?", subject="Your visit")
    eventually(lambda: demo.phone(number))
    demo.texts_back(number, "Sì, confermo 👍")

    (answer,) = eventually(lambda: demo.answers_to(asked))
    assert text_of(answer).startswith("Sì, confermo 👍")
    assert answer["Subject"] == "Re: Your visit"
    assert asked in answer["References"]
    assert answer["From"].addresses[0].addr_spec == f"{number}@{DOMAIN}"
    assert answer["X-SMS-From"] == number
    assert answer["X-SMS-To"] == SENDER
    assert answer["X-SMS-Match"] == "latest"
    assert "Auto-Submitted" not in answer

    back = compose(
        LOGIN,
        [f"{number}@{DOMAIN}"],
        "Thank you, see you tomorrow.\n\nOn Sat, 21 Nov 2026 at 10:00, +39 347 <a@b.example> wrote:\n> Sì, confermo",
        subject="Re: Your visit",
        headers={"In-Reply-To": answer["Message-ID"], "References": f"{asked} {answer['Message-ID']}"},
    )
    with demo.smtp() as client:
        client.send_message(back)
    texts = eventually(lambda: [sms["text"] for sms in demo.phone(number)][1:])
    assert texts == ["Thank you, see you tomorrow."]

    demo.texts_back(number, "Grazie")
    (second,) = eventually(lambda: demo.answers_to(str(back["Message-ID"])))
    assert asked in second["References"]
    assert str(back["Message-ID"]) in second["References"]


def test_a_delivery_report_comes_when_it_is_asked_for(demo: DemoProcess, phone: Callable[..., str]) -> None:
    number = phone()
    mail = demo.send(
        number,
        "Please call us.",
        rcpt_options=["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{number.replace('+', '+2B')}@{DOMAIN}"],
        mail_options=["RET=HDRS", "ENVID=Order-7+2Bx"],
    )
    (report,) = eventually(lambda: demo.answers_to(mail))
    assert report.get_content_type() == "multipart/report"
    assert report["X-SMS-Status"] == "delivered"
    assert report["Auto-Submitted"] == "auto-replied"
    assert [part.get_content_type() for part in report.iter_parts()][::2] == ["text/plain", "text/rfc822-headers"]
    about_mail, about_phone = status_blocks(report)
    assert about_mail["Original-Envelope-Id"] == "Order-7+x"
    assert about_phone["Action"] == "delivered"
    assert about_phone["Status"] == "2.1.5"
    assert about_phone["Final-Recipient"] == f"rfc822; {number}@{DOMAIN}"
    assert about_phone["Original-Recipient"] == f"rfc822; {number}@{DOMAIN}"


def test_two_departments_wrote_to_the_phone(demo: DemoProcess, phone: Callable[..., str]) -> None:
    """Both share a number: the one that wrote last gets the answer, and is told of the other."""
    number = phone()
    demo.send(number, "From the clinic.")
    eventually(lambda: demo.phone(number))
    mail = demo.send(number, "From the front desk.", login=DESK, password=DESK_PASSWORD)
    eventually(lambda: len(demo.phone(number)) == 2)
    demo.texts_back(number, "Which of you?")
    (answer,) = eventually(lambda: demo.answers_to(mail, DESK))
    assert answer["X-SMS-Match"] == "ambiguous"
    assert LOGIN in text_of(answer)


def test_a_phone_that_nobody_wrote_to_reaches_the_fallback_mailbox(
    demo: DemoProcess, phone: Callable[..., str]
) -> None:
    number = phone()
    demo.texts_back(number, "Is this the clinic?", to=SENDER)

    def heard() -> list[EmailMessage]:
        found = (demo.mail(entry["id"]) for entry in demo.mails() if number in entry["from"])
        return [mail for mail in found if mail["X-SMS-From"] == number]

    (first,) = eventually(heard)
    assert first["X-SMS-Match"] == "none"
    demo.texts_back(number, "Hello?", to=SENDER)
    second = eventually(lambda: heard()[1:])[0]
    assert second["In-Reply-To"] == first["Message-ID"], "what the phone writes next stays in one thread"
