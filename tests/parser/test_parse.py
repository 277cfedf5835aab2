"""A mail becomes a submission, or a refusal that says why."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from bridge.errors import MailRefusal, Reason
from bridge.parser import parse
from bridge.types import NO_HABITS, Confirm, Cut, CutRule, Habits, SubjectUse, Submission
from tests.road.away import AWAY, away

HEAD = b"From: Clinica <clinic@example.test>\r\nMessage-ID: <1@example.test>\r\nSubject: Visita\r\n"

ANSWERED = "<mo.01m81ffkkypqmktt5g03bbe08b@sms.example.test>"
"""The mail with a phone's answer."""


def read(*fields: str, body: str = "Ciao", head: bytes = HEAD) -> Submission:
    return parse(head + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + body.encode())


def test_an_ordinary_mail() -> None:
    raw = (
        b'From: "Rossi, Anna" <clinic@example.test>\r\n'
        b"To: +393331234567@sms.example.test\r\n"
        b"Subject: =?utf-8?q?Visita_di_luned=C3=AC?=\r\n"
        b"Message-ID: <2@example.test>\r\n"
        b"In-Reply-To: <1@example.test>\r\n"
        b"References: <0@example.test>\r\n <1@example.test>\r\n"
        b"Return-Receipt-To: clinic@example.test\r\n"
        b"X-SMS-Confirm: all\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"Luned=C3=AC alle 10.\r\n"
        b"\r\n"
        b"-- \r\n"
        b"Clinica\r\n"
    )
    submission = parse(raw)
    assert submission.text == "Lunedì alle 10."
    assert submission.cuts == (Cut(CutRule.SIGNATURE, "-- \nClinica"),)
    assert submission.subject == "Visita di lunedì"
    assert submission.header_from == "clinic@example.test"
    assert submission.message_id == "<2@example.test>"
    assert submission.references == ("<0@example.test>", "<1@example.test>")
    assert submission.options.confirm is Confirm.ALL
    assert submission.wants_receipt
    assert submission.warnings == ()
    assert submission.headers == raw[: raw.index(b"\r\n\r\n") + 2]


@pytest.mark.parametrize(
    ("fields", "body", "reason", "reply"),
    [
        pytest.param([], "", Reason.EMPTY_TEXT, "550 5.6.0 The mail holds no text", id="no body"),
        pytest.param(
            [], " \r\n\u200b\r\n", Reason.EMPTY_TEXT, "550 5.6.0 The mail holds no text", id="nothing visible"
        ),
        pytest.param(
            [], "-- \r\nClinica", Reason.EMPTY_TEXT, "550 5.6.0 The mail holds nothing but", id="signature only"
        ),
        pytest.param(["Content-Type: image/gif"], "x", Reason.EMPTY_TEXT, "550 5.6.0 ", id="picture only"),
        pytest.param(
            ["Content-Type: multipart/encrypted; boundary=b"], "x", Reason.ENCRYPTED, "550 5.6.1 ", id="sealed"
        ),
        pytest.param(["X-SMS-Colour: red"], "x", Reason.BAD_HEADER, "550 5.6.0 X-SMS-Colour", id="unknown option"),
        pytest.param(["X-A: b"] * 1_001, "x", Reason.BAD_HEADER, "550 5.6.0 ", id="too many fields"),
    ],
)
def test_refused(fields: list[str], body: str, reason: Reason, reply: str) -> None:
    with pytest.raises(MailRefusal) as caught:
        read(*fields, body=body)
    assert caught.value.reason is reason
    assert caught.value.reply.startswith(reply)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(["Auto-Submitted: auto-replied"], id="vacation answer"),
        pytest.param(["Auto-Submitted: Auto-Replied (vacation)"], id="with a comment"),
        pytest.param(["Auto-Submitted: auto-replied; owner-email=x"], id="with a parameter"),
        pytest.param(["Content-Type: multipart/report; report-type=delivery-status; boundary=b"], id="bounce"),
        pytest.param(["Content-Type: multipart/report; report-type=disposition-notification"], id="read receipt"),
        pytest.param(["X-Autoreply: yes"], id="X-Autoreply"),
        pytest.param(["X-Autorespond: yes"], id="X-Autorespond"),
        pytest.param(["Precedence: auto_reply"], id="Precedence"),
        pytest.param(["X-Auto-Response-Suppress: All", "X-SMS-Match: latest"], id="a reply of ours"),
        pytest.param(["X-Auto-Response-Suppress: All", "X-SMS-Status: sent"], id="a report of ours"),
    ],
)
def test_no_text_is_made_from_an_automatic_answer(fields: list[str]) -> None:
    with pytest.raises(MailRefusal) as caught:
        read(*fields)
    assert caught.value.reason is Reason.AUTOMATIC_MAIL


@pytest.mark.parametrize("form", AWAY)
def test_absence_notes_as_they_really_look(form: str) -> None:
    with pytest.raises(MailRefusal) as caught:
        parse(away(form, "clinic@example.test", "+393331234567@sms.example.test", ANSWERED, "Re: Visita"))
    assert caught.value.reason is Reason.AUTOMATIC_MAIL


@pytest.mark.parametrize(
    "subject", ["Automatic reply: Visita", "Risposta automatica: Visita", "Automatisch antwoord: x"]
)
def test_exchange_calls_its_absence_notes_auto_generated(subject: str) -> None:
    with pytest.raises(MailRefusal) as caught:
        read(f"Subject: {subject}", "Auto-Submitted: auto-generated", head=b"")
    assert caught.value.reason is Reason.AUTOMATIC_MAIL


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(["Auto-Submitted: auto-generated"], id="a machine's own mail"),
        pytest.param(["Auto-Submitted: no"], id="a person's mail"),
        pytest.param(["Precedence: bulk"], id="bulk"),
        pytest.param(["X-Auto-Response-Suppress: All"], id="a program that wants no answers"),
        pytest.param(["X-SMS-Status: delivered"], id="a field of ours in a mail sent on"),
        pytest.param(
            ["X-MS-Exchange-Inbox-Rules-Loop: a@b.test", "In-Reply-To: <alarm@mon.test>"],
            id="a mail that a rule passes on",
        ),
        pytest.param(
            ["Subject: I: Re: Visita", "X-MS-Exchange-Inbox-Rules-Loop: a@b.test", f"In-Reply-To: {ANSWERED}"],
            id="a phone's answer that a rule forwards",
        ),
        pytest.param([f"In-Reply-To: {ANSWERED}"], id="a person's answer to a phone's answer"),
        pytest.param(["Subject: Out of office: closed on Monday"], id="a person who is away and says so"),
        pytest.param(["Subject: Fuori sede"], id="the same in Italian"),
        pytest.param(["Subject: Re: Automatic reply: Visita"], id="a person's answer to an absence note"),
        pytest.param(["Subject: Risposta automatica: prenotato"], id="a practice program that answers a form"),
        *(
            pytest.param([f"Subject: {subject}", mark], id=f"{subject}: {mark}")
            for subject in ("AUTO: zone 4", "Out of office hours: door open", "Afwezigheid gemeld: Jan", "Auto: pronta")
            for mark in ("Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All")
        ),
    ],
)
def test_people_and_machines_that_are_let_in_are_welcome(fields: list[str]) -> None:
    assert read(*fields, head=b"").text == "Ciao"


@pytest.mark.parametrize(
    ("field", "message_id"),
    [
        ("Message-ID: <a.b+c@example.test>", "<a.b+c@example.test>"),
        ("Message-ID:\r\n <folded@example.test>", "<folded@example.test>"),
        ("Message-ID: <a@b> (comment)", "<a@b>"),
        ("Message-ID: bare@example.test", "<bare@example.test>"),
        ("Message-ID: <a b@example.test>", ""),
        ("Message-ID: <à@example.test>", ""),
        ("Message-ID: <" + "x" * 1_000 + "@b>", ""),
        ("Message-ID:", ""),
        ("X-Other: 1", ""),
    ],
)
def test_the_message_id_is_kept_as_given_or_not_at_all(field: str, message_id: str) -> None:
    raw = f"{field}\r\n\r\nCiao".encode()
    submission = parse(raw)
    assert submission.message_id == message_id
    same = b"Ciao" if message_id else raw
    assert submission.fingerprint == f"{message_id}sha256:{hashlib.sha256(same).hexdigest()}"


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        pytest.param({}, True, id="handed in again"),
        pytest.param(
            {"habits": Habits(signatures=("Anna\nTel. 02 1234567",))}, True, id="a signature learned meanwhile"
        ),
        pytest.param({"head": "Received: from x\r\n"}, True, id="by another way"),
        pytest.param({"head": "Subject: [checked] Visita\r\n"}, True, id="a subject that is not texted"),
        pytest.param({"words": "Domani  alle 9. "}, True, id="other blanks between the words"),
        pytest.param({"words": "Domani alle 10."}, False, id="other words under the same Message-ID"),
        pytest.param({"message_id": "<2@example.test>"}, False, id="another mail of the same words"),
        pytest.param({"message_id": "none"}, False, id="without Message-ID"),
    ],
)
def test_what_makes_two_mails_one(changed: dict[str, Any], same: bool) -> None:
    def read(
        habits: Habits = NO_HABITS, head: str = "", words: str = "Domani alle 9.", message_id: str = "<1@example.test>"
    ) -> Submission:
        raw = f"{head}Message-ID: {message_id}\r\n\r\n{words}\r\n\r\nAnna\r\nTel. 02 1234567\r\n"
        return parse(raw.encode(), habits)

    assert read().text.endswith("1234567")
    assert (read(**changed).fingerprint == read().fingerprint) == same


@pytest.mark.parametrize("numbers_within", [False, True])
def test_a_subject_before_the_text_does_not_take_the_place_of_an_invitation(numbers_within: bool) -> None:
    event = "BEGIN:VEVENT\r\nDTSTART:20260303T091500Z\r\nSUMMARY:Visita\r\nLOCATION:Via Roma 1\r\nEND:VEVENT\r\n"
    subject = "+393331234567" if numbers_within else "Visita"
    raw = f"Subject: {subject}\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n"
    found = parse(raw.encode(), Habits(subject=SubjectUse.BEFORE), numbers_within=numbers_within)
    assert found.text == ""
    assert found.invitation is not None
    assert (found.invitation.title, found.invitation.place) == ("Visita", "Via Roma 1")


def test_a_subject_that_is_texted_is_part_of_what_makes_a_mail() -> None:
    for use in (SubjectUse.BEFORE, SubjectUse.TEXT):
        one, other = (
            parse(f"Message-ID: <1@x>\r\nSubject: {at}\r\n\r\nCiao".encode(), Habits(subject=use))
            for at in ("9:00", "10:00")
        )
        assert one.fingerprint != other.fingerprint


def test_a_long_thread_keeps_its_first_mail_and_the_last_ten() -> None:
    thread = [f"<{n}@example.test>" for n in range(40)]
    assert read("References: " + "\r\n ".join(thread)).references == (thread[0], *thread[-10:])


@pytest.mark.parametrize(
    ("fields", "references"),
    [
        (["In-Reply-To: <1@b>"], ("<1@b>",)),
        (["References: nothing useful", "In-Reply-To: <1@b>"], ("<1@b>",)),
        (["References: <a@b>\t<c@d>"], ("<a@b>", "<c@d>")),
        ([], ()),
    ],
)
def test_the_thread(fields: list[str], references: tuple[str, ...]) -> None:
    assert read(*fields).references == references


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("clinic@example.test", "clinic@example.test"),
        ("<clinic@example.test>", "clinic@example.test"),
        ("Clinica <clinic@example.test>", "clinic@example.test"),
        ('"Rossi, Anna" <clinic@example.test>', "clinic@example.test"),
        ('"<other@evil.test>" <clinic@example.test>', "clinic@example.test"),
        ("=?utf-8?q?other=40evil.test?= <clinic@example.test>", "clinic@example.test"),
        ("clinic@example.test (Clinica)", "clinic@example.test"),
        ("clinic@example.test, second@example.test", "clinic@example.test"),
        ("Clinica", ""),
        ("", ""),
        ("<" * 5_000, ""),
    ],
)
def test_the_first_author(value: str, address: str) -> None:
    assert read(f"From: {value}", head=b"").header_from == address


def test_a_subject_stays_on_one_line() -> None:
    submission = read("Subject: =?utf-8?q?a=0D=0ABcc:_x@evil.test?=", head=b"")
    assert submission.subject == "a Bcc: x@evil.test"
