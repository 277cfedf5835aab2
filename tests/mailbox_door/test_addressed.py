"""Whom a mail in a watched mailbox is for."""

from __future__ import annotations

import time

import pytest

from bridge.mailbox_door.addressed import addressed
from bridge.reading import headers

WATCHED, DOMAIN = "sms@clinic.example", "sms.example.test"
MARIO, LUCIA = "sms+393331234567@clinic.example", "sms+393477654321@clinic.example"

OPENLY: dict[str, tuple[str, list[str]]] = {
    "a number": (f"To: {MARIO}", ["sms+393331234567"]),
    "with a plus of its own": ("To: sms++393331234567@clinic.example", ["sms++393331234567"]),
    "with two zeros": ("To: sms+00393331234567@clinic.example", ["sms+00393331234567"]),
    "with an option": ("To: sms+393331234567+flash@clinic.example", ["sms+393331234567+flash"]),
    "a decision about a phone": ("To: sms+393331234567+allow@clinic.example", ["sms+393331234567+allow"]),
    "a name": ("To: sms+mario.rossi@clinic.example", ["mario.rossi"]),
    "what it would send": ("To: sms+preview+393331234567@clinic.example", ["preview+393331234567"]),
    "in brackets, behind a name": (f'To: "Rossi, Mario" <{MARIO}>', ["sms+393331234567"]),
    "in capitals": ("To: SMS+393331234567@Clinic.EXAMPLE", ["sms+393331234567"]),
    "several": (f"To: {MARIO}, {LUCIA}", ["sms+393331234567", "sms+393477654321"]),
    "folded": (f"To: {MARIO},\r\n {LUCIA}", ["sms+393331234567", "sms+393477654321"]),
    "in To and Cc": (f"To: {MARIO}\r\nCc: {LUCIA}", ["sms+393331234567", "sms+393477654321"]),
    "twice": (f"To: {MARIO}\r\nCc: {MARIO.upper()}", ["sms+393331234567"]),
    "in a group": (f"To: phones: {MARIO}, {LUCIA};", ["sms+393331234567", "sms+393477654321"]),
    "beside others": (f"To: bob@clinic.example, {MARIO}, sms@clinic.example", ["sms+393331234567"]),
    "two fields": (f"To: {MARIO}\r\nTo: {LUCIA}", ["sms+393331234567", "sms+393477654321"]),
}

NOBODY = {
    "the bare address": "To: sms@clinic.example",
    "another mailbox": "To: info+393331234567@clinic.example",
    "another domain": "To: sms+393331234567@clinic.example.evil.test",
    "a longer mailbox": "To: newsms+393331234567@clinic.example",
    "nothing behind the plus": "To: sms+@clinic.example",
    "in a name": f'To: "{MARIO}" <bob@clinic.example>',
    "in a name without quotes": f"To: {MARIO} <bob@clinic.example>",
    "in a comment": f"To: bob@clinic.example ({MARIO})",
    "in another field": f"Reply-To: {MARIO}\r\nSubject: {MARIO}",
}

SUBJECTS = {
    "+39 333 1234567: Your visit": "+393331234567",
    "+39 333 1234567 : Your visit": "+393331234567",
    "+393331234567": "+393331234567",
    "SMS +39 (333) 123-4567": "+393331234567",
    "sms: +39 333.123.4567: Your visit": "+393331234567",
    "=?utf-8?q?+39_333_1234567=3A_Perch=C3=A9?=": "+393331234567",
    "Re: +39 333 1234567: Your visit": None,
    "Fwd: SMS +39 333 1234567": None,
    "+39 333 1234567 Your visit": None,
    "SMS to +39 333 1234567": None,
    "333 1234567: Your visit": None,
    "Your visit, +39 333 1234567": None,
    "+39: Your visit": None,
    "+39 333 1234567, +39 347 7654321: all": None,
    "": None,
}


def found(header: str, *, subject_numbers: bool = False) -> tuple[list[str], list[str]]:
    """The local parts that are meant: those that stand openly, and those of the envelope alone."""
    raw = f"{header}\r\n\r\n".encode()
    fields, _, _ = headers.split(raw, 0, len(raw))
    to = addressed(fields, WATCHED, DOMAIN, subject_numbers=subject_numbers)
    assert all(each.address.endswith(f"@{DOMAIN}") for each in (*to.openly, *to.hidden))
    openly, hidden = ([each.address.rpartition("@")[0] for each in group] for group in (to.openly, to.hidden))
    return openly, hidden


@pytest.mark.parametrize(("header", "expected"), OPENLY.values(), ids=OPENLY)
def test_whom_a_mail_is_for(header: str, expected: list[str]) -> None:
    assert [each.lower() for each in found(header)[0]] == expected


@pytest.mark.parametrize("header", NOBODY.values(), ids=NOBODY)
def test_a_mail_that_is_for_no_phone(header: str) -> None:
    assert found(header, subject_numbers=True) == ([], [])


@pytest.mark.parametrize("name", ["Delivered-To", "X-Original-To", "Envelope-To"])
def test_a_recipient_of_bcc_stands_in_what_the_server_writes_down(name: str) -> None:
    assert found(f"{name}: {MARIO}\r\nTo: undisclosed-recipients:;") == ([], ["sms+393331234567"])
    assert found(f"{name}: {MARIO}\r\nTo: {MARIO}, {LUCIA}") == (["sms+393331234567", "sms+393477654321"], [])


@pytest.mark.parametrize(("subject", "number"), SUBJECTS.items(), ids=list(SUBJECTS))
def test_the_number_in_the_subject(subject: str, number: str | None) -> None:
    header = f"To: sms@clinic.example\r\nSubject: {subject}"
    assert found(header, subject_numbers=True)[0] == ([number] if number else [])
    assert found(header) == ([], []), "only where the operator wants it"


def test_the_address_goes_before_the_subject() -> None:
    header = f"To: {LUCIA}\r\nSubject: +39 333 1234567: Your visit"
    assert found(header, subject_numbers=True)[0] == ["sms+393477654321"]


def test_a_report_names_the_address_as_it_was_written() -> None:
    raw = f"To: Mario <{MARIO}>\r\n\r\n".encode()
    fields, _, _ = headers.split(raw, 0, len(raw))
    (recipient,) = addressed(fields, WATCHED, DOMAIN, subject_numbers=False).openly
    assert recipient.orcpt == f"rfc822;{MARIO}"


@pytest.mark.parametrize(
    "value",
    [
        "sms+" * 20_000,
        '"' * 60_000,
        '\\"' * 30_000,
        "(" * 60_000,
        f"{MARIO}, " * 2_000,
        "a@b," * 20_000,
        "<" * 60_000,
        "sms+1@" * 9_000,
    ],
    ids=["plusses", "quotes", "escaped quotes", "parentheses", "one phone often", "many others", "brackets", "halves"],
)
def test_a_hostile_field_takes_no_time(value: str) -> None:
    began = time.process_time()
    found(f"To: {value}")
    assert time.process_time() - began < 1
