"""The digest as a mail: whom it goes to, what people read in it, and that it stays one well-formed mail."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import time, timedelta
from email.message import Message
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import notices
from bridge.errors import MailRefusal, Reason
from bridge.parser import parse
from bridge.types import Digest, DigestPlan, Intent, Language, Mailbox, MessageState, OutgoingMail
from tests.clinic import CLINIC
from tests.digest.test_table import HOUR, NOON, answer, digest, text
from tests.notices.grammar import check_lines, header_fields
from tests.notices.samples import parts, read, subject_of, words
from tests.notices.test_notice_properties import POISON

DOMAIN = "sms.example.test"
PLAN = DigestPlan(to=("desk@example.test", "manager@example.test"))
S = MessageState


def mailbox(language: Language = Language.ENGLISH, **changes: Any) -> Mailbox:
    return replace(CLINIC, language=language, digest=PLAN, **changes)


def a_digest(**changes: Any) -> Digest:
    """Of a clinic with a bit of everything."""
    silent = (text(subject="Your visit", at=NOON - HOUR), text(number="+393337654321", contact="", subject="", at=NOON))
    lost = (text(S.FAILED, number="+393330000903", contact="", subject="Results", at=NOON - 2 * HOUR),)
    values: dict[str, Any] = {
        "states": {S.DELIVERED: 5, S.SENT: 2, S.UNKNOWN: 1, S.FAILED: 1, S.EXPIRED: 1, S.QUEUED: 3, S.CANCELLED: 1},
        "answered": 6,
        "unanswered": 2,
        "silent": silent,
        "silent_phones": 2,
        "lost": lost,
        "answers": 3,
    }
    lines = (answer(intent=Intent.CONFIRM), answer(intent=Intent.CONFIRM), answer("Hours?", keyword="HOURS"))
    return digest(*(text() for _ in range(14)), *lines, **(values | changes))


def first(told: Digest, to: Mailbox | None = None) -> OutgoingMail:
    return notices.digest(to or mailbox(), told, DOMAIN)[0]


def letters(mail: OutgoingMail) -> list[Message]:
    """The plain and the HTML part, and the table."""
    said, table = parts(read(mail))
    return [*parts(said), table]


def plain(mail: OutgoingMail) -> str:
    return words(letters(mail)[0])


def test_each_address_gets_a_mail_of_its_own_that_no_machine_answers() -> None:
    one, other = notices.digest(mailbox(), a_digest(), DOMAIN)
    assert (one.envelope_from, one.envelope_to, other.envelope_to) == ("", "desk@example.test", "manager@example.test")
    for mail, place, to in ((one, 1, "desk@example.test"), (other, 2, "manager@example.test")):
        check_lines(mail.raw)
        found = {name.lower(): value for name, value in header_fields(mail.raw)}
        assert found.pop("content-type").startswith("multipart/mixed;")
        assert found == {
            "from": f"SMS digest <postmaster@{DOMAIN}>",
            "to": to,
            "subject": "Text messages of clinic@example.test: 22 November 2026",
            "date": "Sun, 22 Nov 2026 12:00:00 +0100",
            "message-id": f"<digest.clinic.2026-11-22.{place}@{DOMAIN}>",
            "auto-submitted": "auto-generated",
            "x-auto-response-suppress": "All",
            "mime-version": "1.0",
        }


def test_no_text_is_made_of_one() -> None:
    """It may be sent on by a rule, or to the phone of somebody who wants it there: each would be news for the next."""
    mail = first(a_digest(), mailbox(id="01m81ffkkypqmktt5g03bbe08b"))
    with pytest.raises(MailRefusal) as caught:
        parse(mail.raw)
    assert caught.value.reason is Reason.AUTOMATIC_MAIL


def test_the_same_values_give_the_same_bytes() -> None:
    assert notices.digest(mailbox(), a_digest(), DOMAIN) == notices.digest(mailbox(), a_digest(), DOMAIN)


def test_what_people_read() -> None:
    assert plain(first(a_digest())) == (
        "This is what became of the text messages that clinic@example.test has sent since 12 November 2026, 12:00.\n"
        "\n"
        "Text messages: 14\n"
        "Delivered: 5\n"
        "Sent, without proof of delivery: 2\n"
        "Uncertain: 1\n"
        "Not delivered: 2\n"
        "Not sent yet: 3\n"
        "Cancelled: 1\n"
        "Answered: 6\n"
        "Not answered: 2\n"
        "Answers from phones: 3\n"
        "of these, confirmed: 2\n"
        "of these, with the keyword HOURS: 1\n"
        "\n"
        "Phones that have not answered: 2\n"
        "- Mario Rossi (+39 333 123 4567) · Your visit · 22 November 2026, 11:00\n"
        "- +39 333 765 4321 · 22 November 2026, 12:00\n"
        "\n"
        "Not delivered, or uncertain: 3\n"
        "- +39 333 000 0903 · Results · 22 November 2026, 10:00 · Not sent\n"
        "- and 2 more\n"
        "\n"
        "The attached table lists every text message and every answer of this time.\n"
        "\n"
        "You get this mail because the digest is sent to desk@example.test: daily at 18:00, when there is something "
        "new to tell. The operator of the bridge can change that.\n"
    )


def test_keywords_are_counted_the_most_frequent_first_and_not_without_end() -> None:
    told = digest(*(answer(keyword=f"WORD{word:02}") for word in range(25) for _ in range(word + 1)))
    counted = [line for line in plain(first(told)).split("\n") if "WORD" in line]
    assert counted[0] == "of these, with the keyword WORD24: 25"
    assert counted[-1] == "of these, with the keyword WORD05: 6"
    assert len(counted) == 20


def test_what_is_not_there_is_not_spoken_of() -> None:
    calm = digest(text(answered=True), answered=1)
    assert plain(first(calm)).split("\n\n")[1].split("\n") == [
        "Text messages: 1",
        "Delivered: 1",
        "Not delivered: 0",
        "Answered: 1",
        "Not answered: 0",
        "Answers from phones: 0",
    ]
    assert "have not answered" not in plain(first(calm))


def test_the_html_part_says_the_same() -> None:
    html = words(letters(first(a_digest()))[1])
    assert '<html lang="en">' in html
    for line in plain(first(a_digest())).replace("- ", "").split("\n"):
        name, _, count = line.rpartition(": ")
        assert line in html or f'>{name}</th><td style="text-align:right">{count}</td>' in html


def test_the_table_is_attached() -> None:
    table = letters(first(a_digest()))[2]
    assert (table.get_content_type(), table.get_filename(), table.get_content_disposition()) == (
        "text/csv", "sms-2026-11-22.csv", "attachment",
    )  # fmt: skip
    payload = table.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode("utf-8-sig").startswith("Time,Phone,Name,")
    assert payload.count(b"\r\n") == 18


def test_a_table_that_is_cut_is_said_to_be() -> None:
    cut = digest(text(), answer(), states={S.DELIVERED: 100_000}, answers=20_000)
    said = plain(first(cut))
    assert (
        "The attached table lists the newest 2 of 120000 text messages and answers. "
        "The numbers above count all of them."
    ) in said
    assert "What answers say about an appointment, and their keywords, were looked up in the newest 1 of them." in said


@pytest.mark.parametrize(
    ("language", "name", "subject", "words_of_it"),
    [
        (Language.ENGLISH, "SMS digest", "Text messages of clinic@example.test: 22 November 2026", "Not answered: "),
        (Language.ITALIAN, "Riepilogo SMS", "SMS di clinic@example.test: 22 novembre 2026", "Senza risposta: "),
        (Language.SPANISH, "Resumen de SMS", "SMS de clinic@example.test: 22 de noviembre de 2026", "Sin respuesta: "),
        (Language.DUTCH, "Sms-overzicht", "Sms van clinic@example.test: 22 november 2026", "Niet beantwoord: "),
    ],
)
def test_it_speaks_the_language_of_the_mailbox(language: Language, name: str, subject: str, words_of_it: str) -> None:
    cut = a_digest(states={S.DELIVERED: 100_000}, answers=20_000)
    mail = first(cut, mailbox(language))
    assert read(mail)["From"] == f"{name} <postmaster@{DOMAIN}>"
    assert subject_of(read(mail)) == subject
    assert words_of_it in plain(mail)
    assert not [part for part in letters(mail) if "{" in words(part)]


def test_hours_are_those_of_the_mailbox() -> None:
    there = replace(mailbox(), timezone="Asia/Kolkata", digest=replace(PLAN, at=time(7, 30)))
    mail = first(a_digest(), there)
    assert read(mail)["Date"] == "Sun, 22 Nov 2026 16:30:00 +0530"
    assert "Results · 22 November 2026, 14:30 ·" in plain(mail)
    assert "daily at 07:30" in plain(mail)


def test_a_long_subject_is_cut() -> None:
    told = a_digest(silent=(text(subject="x" * 300),))
    assert f" · {'x' * 79}… · " in plain(first(told))


@settings(max_examples=60, deadline=None)
@given(poison=POISON, login=POISON, to=POISON, language=st.sampled_from(Language))
def test_whatever_stands_in_texts_it_stays_one_mail(poison: str, login: str, to: str, language: Language) -> None:
    line = text(S.UNKNOWN, subject=poison, contact=poison, number=poison, reference=poison)
    told = digest(line, answer(poison, subject=poison, number=poison), silent=(line,), silent_phones=1, lost=(line,))
    box = replace(mailbox(language), login=login, digest=replace(PLAN, to=(to,)))
    (mail,) = notices.digest(box, told, DOMAIN)
    check_lines(mail.raw)
    known = {"from", "to", "subject", "date", "message-id", "auto-submitted", "x-auto-response-suppress"}
    assert {name.lower() for name, _ in header_fields(mail.raw)} <= known | {"mime-version", "content-type"}
    assert [part.get_content_type() for part in letters(mail)] == ["text/plain", "text/html", "text/csv"]
    assert "\u202e" not in plain(mail)
    parsed = email.message_from_bytes(mail.raw)
    assert not [part for part in parsed.walk() if part.defects]


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '<img src="https://example.test/x">', "</li></ul>"])
def test_words_of_others_are_no_html(hostile: str) -> None:
    html = words(letters(first(a_digest(silent=(text(subject=hostile, contact=hostile),))))[1])
    assert hostile not in html
    assert html.count("<li") == 4


def test_a_mail_of_the_most_lines_is_bounded() -> None:
    """Ten thousand texts, each with the longest subject that is kept."""
    long = digest(*(text(subject="è" * 2000, at=NOON - place * timedelta(seconds=1)) for place in range(10_000)))
    mail = first(long)
    assert len(mail.raw) < 4_500_000
    assert "The attached table lists the newest " in plain(mail)
