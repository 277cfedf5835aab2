"""`sms@…`: the phones stand in the subject, or alone in the first line; and what the mail calls its recipients."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import MailRefusal
from bridge.reading.subjects import number_list
from bridge.types import NO_HABITS, Priority, SubjectUse
from tests.addressing.house import ANNA, DOMAIN, GONE, JOSE, LANDLINE, MARIO, decided
from tests.clinic import CLINIC


def mail(subject: str, body: str, to: str = f"sms@{DOMAIN}") -> str:
    return f"From: clinic@example.test\nTo: {to}\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}"


TEXT = "Domani alle 9.\n"


@pytest.mark.parametrize(
    ("subject", "body", "numbers"),
    [
        (MARIO, TEXT, [MARIO]),
        ("00393331234567", TEXT, [MARIO]),
        ("333 1234567", TEXT, [MARIO]),
        ("333/1234567", TEXT, [MARIO]),
        ("(+39) 333-123.4567", TEXT, [MARIO]),
        (f"Re: {MARIO}", TEXT, [MARIO]),
        (f"R: I: Fwd: {MARIO}", TEXT, [MARIO]),
        (f"{MARIO};{JOSE}", TEXT, [MARIO, JOSE]),
        (f"{MARIO}, {JOSE} ; {ANNA},", TEXT, [MARIO, JOSE, ANNA]),
        (f"{MARIO} {JOSE}", TEXT, [MARIO, JOSE]),
        ("0039 333 1234567 0039 347 1234567", TEXT, [MARIO, JOSE]),
        ("333 1234567, 347 1234567", TEXT, [MARIO, JOSE]),
        (f"{MARIO}; 333 1234567; 0039 333 123 4567", TEXT, [MARIO]),
        ("+39 333 001 2345", TEXT, ["+393330012345"]),
        ("+39 3330 012345", TEXT, ["+393330012345"]),
        ("=?utf-8?q?=2B39333=C2=A01234567?=", TEXT, [MARIO]),
        ("", f"{MARIO}\n{TEXT}", [MARIO]),
        ("Appuntamento", f"{MARIO}; {JOSE}\n\n{TEXT}", [MARIO, JOSE]),
        ("Appuntamento", f"333 1234567\n{TEXT}", [MARIO]),
        ("12345", f"{MARIO}\n{TEXT}", [MARIO]),
        ("Visita del 21/11/2026", f"\n\n{MARIO}\n\n{TEXT}", [MARIO]),
        ("2026-11-21", f"{MARIO}\n{TEXT}", [MARIO]),
        ("2026 2027", f"{MARIO}\n{TEXT}", [MARIO]),
        (f"{MARIO}, call me", f"{JOSE}\n{TEXT}", [JOSE]),
        ("", f"{MARIO};{JOSE},\n{ANNA};\n{TEXT}", [MARIO, JOSE, ANNA]),
        ("", f"{MARIO};\n\n{TEXT}", [MARIO]),
    ],
)
def test_where_the_numbers_stand(subject: str, body: str, numbers: list[str]) -> None:
    found = decided(mail(subject, body), "sms")
    assert found.submission.text == "Domani alle 9."
    assert list(dict.fromkeys(message.number for message in found.messages)) == numbers
    assert all(message.refused is None for message in found.messages)


def test_a_number_below_the_first_line_is_text() -> None:
    found = decided(mail("", f"{MARIO}\n123456\n"), "sms")
    assert (found.submission.text, [message.number for message in found.messages]) == ("123456", [MARIO])


def test_numbers_in_the_subject_leave_the_first_line_to_the_text() -> None:
    found = decided(mail(MARIO, f"{JOSE}\nis my new number.\n"), "sms")
    assert found.submission.text == f"{JOSE}\nis my new number."
    assert [message.number for message in found.messages] == [MARIO]


@pytest.mark.parametrize(
    ("use", "subject", "body", "text"),
    [
        (SubjectUse.TEXT, "Domani alle 9.", f"{MARIO}\nwords that are not sent\n", "Domani alle 9."),
        (SubjectUse.TEXT, MARIO, TEXT, "Domani alle 9."),
        (SubjectUse.BEFORE, MARIO, TEXT, "Domani alle 9."),
        (SubjectUse.BEFORE, "Re: Visita", f"{MARIO}\n{TEXT}", "Visita\nDomani alle 9."),
    ],
)
def test_a_subject_that_is_texted(use: SubjectUse, subject: str, body: str, text: str) -> None:
    mailbox = replace(CLINIC, habits=replace(NO_HABITS, subject=use))
    found = decided(mail(subject, body), "sms", mailbox=mailbox)
    assert (found.submission.text, [message.number for message in found.messages]) == (text, [MARIO])


def test_who_may_not_be_texted_stands_beside_the_others_and_says_why() -> None:
    found = decided(mail(f"{MARIO}; 12 34 56; 02 12345678; {GONE}", TEXT), "sms")
    assert [(each.recipient.address, each.number, each.refused) for each in found.messages] == [
        (f"{MARIO}@{DOMAIN}", MARIO, None),
        (f'"12 34 56"@{DOMAIN}', "", "malformed_number"),
        (f"{LANDLINE}@{DOMAIN}", LANDLINE, "landline"),
        (f"{GONE}@{DOMAIN}", GONE, "opted_out"),
    ]
    assert found.messages[1].sentence.startswith('"12 34 56" is too short for a telephone number')
    assert {each.recipient.orcpt for each in found.messages} == {f"rfc822;sms@{DOMAIN}"}


@pytest.mark.parametrize(
    ("subject", "body", "reply"),
    [
        ("Visita", TEXT, "553 5.1.3 The mail names no phone: "),
        ("", TEXT, "553 5.1.3 The mail names no phone: "),
        (f"Mario {MARIO}", TEXT, "553 5.1.3 The mail names no phone: "),
        ("21/11", TEXT, "553 5.1.3 The mail names no phone: "),
        ("02 12345678", TEXT, "550 5.7.1 +39 02 1234 5678 is a landline"),
        ("123456", TEXT, '553 5.1.3 "123456" is too short for a telephone number'),
        (MARIO, "", "550 5.6.0 The mail holds no text"),
        ("", f"{MARIO}\n", "550 5.6.0 The mail holds no text"),
        ("", f"21/11/2026\n{TEXT}", "553 5.1.3 The mail names no phone: "),
        ("; \n ".join([MARIO] * 700), TEXT, "553 5.1.3 The subject is too long to be read whole, and numbers may be "),
        (
            "",
            f"{';'.join(f'33{at:08}' for at in range(1_001))}\n{TEXT}",
            "553 5.1.3 The mail names more than 1,000 phones",
        ),
    ],
)
def test_a_mail_that_names_nobody_or_says_nothing(subject: str, body: str, reply: str) -> None:
    with pytest.raises(MailRefusal) as caught:
        decided(mail(subject, body), "sms")
    assert caught.value.reply.startswith(reply)


def test_options_of_the_fixed_address_hold_for_each_number() -> None:
    found = decided(mail(f"{MARIO};{JOSE}", TEXT), "sms+flash+p=high+ref=A1+v=60")
    for message in found.messages:
        assert (message.flash, message.priority, message.reference) == (True, Priority.HIGH, "A1")
        assert message.expires_at is not None
        assert (message.expires_at - message.due_at).total_seconds() == 60


def test_a_fixed_address_beside_a_name_and_a_group() -> None:
    found = decided(mail(ANNA, TEXT), "sms", "mario.rossi", "today")
    assert [message.number for message in found.messages] == [ANNA, MARIO, JOSE]


@pytest.mark.parametrize(
    ("header", "local", "contact"),
    [
        ('"Signora Verdi" <{}>', "+393351234567", "Signora Verdi"),
        ("Signora Verdi <{}>", "335.1234567", "Signora Verdi"),
        ("=?utf-8?q?Se=C3=B1or_Verdi?= <{}>", "+393351234567", "Señor Verdi"),
        ('"Verdi, Ada" <{}>', "+393351234567", "Verdi, Ada"),
        ('x@example.test, "Ada" <{}>', "+393351234567", "Ada"),
        ('"+39 335 1234567" <{}>', "+393351234567", ""),
        ('"335@sms.example.test" <{}>', "+393351234567", ""),
        ("{}", "+393351234567", ""),
        ('"Ada" <+393350000000@sms.example.test>', "+393351234567", ""),
        ('"Papà" <{}>', MARIO, "Mario Rossi"),
        ('"Papà" <{}>', "mario.rossi", "Mario Rossi"),
    ],
)
def test_what_the_mail_calls_a_phone_that_the_book_does_not_name(header: str, local: str, contact: str) -> None:
    found = decided(mail("", TEXT, to=header.format(f"{local}@{DOMAIN}")), local)
    assert [message.contact for message in found.messages] == [contact]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("12345", ()),
        ("123456", ("123456",)),
        ("21 11 2026", ()),
        ("2026-11-21", ()),
        ("21/11/2026", ()),
        ("2026 2027", ()),
        ("2025-2026", ()),
        (f"{MARIO}; 21.11.2026", ()),
        ("20 26 20 27", ("20 26 20 27",)),
        ("2026 20 27", ("2026 20 27",)),
        ("call 3331234567", ()),
        ("3331234567 please", ()),
        ("3331234567;;3471234567;", ("3331234567", "3471234567")),
        ("3331234567\n3471234567", ("3331234567", "3471234567")),
        ("+39 3471 00 1234", ("+39 3471 00 1234",)),
        ("3331234567;" * 2_000, ("3331234567",)),
        (";".join(f"33{number:08}" for number in range(1_001)) + ";x", ()),
        ("1 " * 30_000, ()),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_a_list_of_numbers(text: str, numbers: tuple[str, ...]) -> None:
    assert number_list(text) == numbers
