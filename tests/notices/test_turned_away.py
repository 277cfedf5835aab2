"""The mail that says that a mail in a watched mailbox was not texted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from bridge import notices
from bridge.errors import Reason
from bridge.types import Language, Turned, TurnedAway
from tests.clinic import CLINIC

NOTICE = TurnedAway(
    notice_id="refusal.1",
    to="anna@clinic.example",
    mailbox=CLINIC,
    turned=Turned.REFUSED,
    reason=Reason.LANDLINE,
    reply="550 5.7.1 This is a landline.",
    sentence="This is a landline.",
    watched="sms@clinic.example",
    author="anna@clinic.example",
    message_id="<1@clinic.example>",
    references=("<0@clinic.example>",),
    subject="AW: Visit",
    created_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
)

SAID = {
    (Language.ENGLISH, Turned.REFUSED): "Your mail to sms@clinic.example was not texted.",
    (Language.ITALIAN, Turned.STRANGER): "anna@clinic.example non è un indirizzo da cui si possono inviare SMS.",
    (Language.SPANISH, Turned.UNVERIFIED): "Dice ser de anna@clinic.example, pero su proveedor de correo",
    (Language.DUTCH, Turned.UNVERIFIED): "Volgens de e-mail is anna@clinic.example de afzender",
}


def read(notice: TurnedAway) -> tuple[dict[str, str], str]:
    """The header, and what a person reads on one line."""
    mail = message_from_bytes(notices.turned_away(notice, "sms.example.test").raw, policy=policy.default)
    part = mail.get_body(("plain",))
    assert part is not None
    return dict(mail.items()), " ".join(str(part.get_content()).split())


@pytest.mark.parametrize(("language", "turned"), SAID, ids=lambda each: each.value)
def test_what_it_says(language: Language, turned: Turned) -> None:
    _, words = read(replace(NOTICE, mailbox=replace(CLINIC, language=language), turned=turned))
    assert SAID[language, turned] in words
    assert words.endswith("550 5.7.1 This is a landline.")


def test_only_a_mailbox_is_told_what_to_do() -> None:
    assert "Please use the recipient's mobile number" in read(NOTICE)[1]
    assert "Please use the recipient's mobile number" not in read(replace(NOTICE, turned=Turned.STRANGER))[1]


def test_it_stands_in_the_thread_and_no_program_answers_it() -> None:
    fields, _ = read(NOTICE)
    assert fields["Subject"] == "Re: Visit"
    assert (fields["In-Reply-To"], fields["To"]) == ("<1@clinic.example>", "anna@clinic.example")
    assert fields["References"].split() == ["<0@clinic.example>", "<1@clinic.example>"]
    assert (fields["Auto-Submitted"], fields["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert notices.turned_away(NOTICE, "sms.example.test").envelope_from == ""


def test_what_a_stranger_wrote_begins_no_field_and_no_line() -> None:
    hostile = replace(
        NOTICE,
        turned=Turned.UNVERIFIED,
        subject="x\r\nBcc: eve@evil.example",
        author="eve@evil.example\r\n\r\nCall +39 899 000000",
        message_id="<a b>\r\nX-Evil: 1",
    )
    fields, words = read(hostile)
    assert not {"Bcc", "X-Evil", "In-Reply-To"} & set(fields)
    assert "It says that it is from eve@evil.example Call +39 899 000000, but" in words


def test_a_mail_that_names_nobody() -> None:
    fields, words = read(replace(NOTICE, turned=Turned.UNVERIFIED, author="", subject="", message_id=""))
    assert fields["Subject"] == "Your mail was not texted"
    assert "It says that it is from ?, but" in words
