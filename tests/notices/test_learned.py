"""The mail that says which lines are no longer texted: nobody's words disappear silently."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import notices
from bridge.types import CutRule, Envelope, Habits, Language, NewMail, Options, OutgoingMail, Submission
from tests.clinic import CLINIC
from tests.notices.grammar import check_lines, header_fields
from tests.notices.samples import DOMAIN, read, subject_of, words
from tests.notices.test_notice_properties import POISON

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BLOCK = "Studio Rossi\nVia Roma 1, Milano\nTel. 02 1234567"


def fifth(language: Language = Language.ENGLISH, *, habits: Habits = CLINIC.habits, **changes: Any) -> NewMail:
    """The mail by which an ending was learned."""
    read_in_it: dict[str, Any] = {
        "message_id": "<visit@example.test>",
        "fingerprint": "<visit@example.test>",
        "header_from": "doctor@example.test",
        "subject": "Visit",
        "references": ("<first@example.test>",),
        "text": f"Your visit is on Tuesday.\n\n{BLOCK}",
        "cuts": (),
        "warnings": (),
        "options": Options(),
        "headers": b"",
    }
    values: dict[str, Any] = {
        "mailbox": replace(CLINIC, language=language, habits=habits),
        "envelope": Envelope("clinic@example.test", NOW),
        "report_to": "clinic@example.test",
        "reply_to": "doctor@example.test",
        "day": "2026-11-22",
        "messages": (),
        "at": NOW,
        "signature": BLOCK,
    }
    read_in_it |= {name: changes.pop(name) for name in read_in_it.keys() & changes.keys()}
    return NewMail(submission=Submission(**read_in_it), **(values | changes))


def notice(mail: NewMail) -> OutgoingMail:
    return notices.learned(mail, "01signature", DOMAIN)


def letter(mail: NewMail) -> str:
    """Its words."""
    return words(read(notice(mail)))


def commands(mail: NewMail) -> list[list[str]]:
    """What the operator is to type, as a shell reads it."""
    return [shlex.split(line) for line in letter(mail).split("\n") if line.startswith("  bridge ")]


def test_it_stands_in_the_thread_of_the_mail_and_no_machine_answers_it() -> None:
    made = notice(fifth())
    assert (made.id, made.envelope_from, made.envelope_to) == ("learned.01signature", "", "doctor@example.test")
    check_lines(made.raw)
    assert {name.lower(): value for name, value in header_fields(made.raw)} == {
        "from": f"SMS signature <postmaster@{DOMAIN}>",
        "to": "doctor@example.test",
        "subject": "Re: Visit",
        "date": "Sun, 22 Nov 2026 09:00:00 +0100",
        "message-id": f"<learned.01signature@{DOMAIN}>",
        "in-reply-to": "<visit@example.test>",
        "references": "<first@example.test> <visit@example.test>",
        "auto-submitted": "auto-replied",
        "x-auto-response-suppress": "All",
        "mime-version": "1.0",
        "content-type": "text/plain; charset=utf-8",
        "content-transfer-encoding": "quoted-printable",
    }


def test_the_same_mail_gives_the_same_bytes() -> None:
    assert notice(fifth()) == notice(fifth())


def test_it_says_which_lines_from_when_on_and_how_to_keep_them() -> None:
    assert letter(fifth()) == (
        "These lines ended several mails of clinic@example.test, each time below different words. "
        "They are now taken for its signature:\n"
        "\n"
        "  Studio Rossi\n"
        "  Via Roma 1, Milano\n"
        "  Tel. 02 1234567\n"
        "\n"
        "The mail that this one answers was still texted with them. From the next one on they are left out of every "
        "text that ends with them, and you are not told again.\n"
        "\n"
        "If the phones do not need them, you need not do anything. If they are meant to arrive, because they say for "
        "instance where to come or whom to call, please pass this mail on to the operator of the bridge, who can have "
        "them texted again. Until then, a text with other words below them keeps them.\n"
        "\n"
        "For the operator. What was learned, each with its number:\n"
        "  bridge mailbox signatures clinic@example.test\n"
        "To have it texted again, and never learned again:\n"
        "  bridge mailbox forget clinic@example.test NUMBER\n"
        "To learn nothing of this mailbox, and to text all that was learned:\n"
        "  bridge mailbox set clinic@example.test --keep-cut learned-signature\n"
    )


@pytest.mark.parametrize(
    ("language", "name", "subject", "first"),
    [
        (Language.ENGLISH, "SMS signature", "What is no longer texted", "These lines ended several mails of clinic@"),
        (Language.ITALIAN, "Firma negli SMS", "Che cosa non si invia più", "Queste righe chiudevano diverse email di "),
        (Language.SPANISH, "Firma en los SMS", "Qué ya no se envía", "Estas líneas cerraban varios correos de clinic@"),
        (Language.DUTCH, "Handtekening in sms", "Wat niet meer wordt verzonden", "Deze regels stonden onder meerdere "),
    ],
)
def test_it_speaks_the_language_of_the_mailbox(language: Language, name: str, subject: str, first: str) -> None:
    mail = fifth(language, subject="")
    assert read(notice(mail))["From"] == f"{name} <postmaster@{DOMAIN}>"
    assert subject_of(read(notice(mail))) == subject
    said = letter(mail)
    assert said.startswith(first)
    assert "\n\n  Studio Rossi\n  Via Roma 1, Milano\n  Tel. 02 1234567\n\n" in said
    assert commands(mail) == commands(fifth())
    assert "{" not in said


@pytest.mark.parametrize(
    ("kept", "switches"),
    [
        pytest.param((), ["learned-signature"], id="none yet"),
        pytest.param(
            (CutRule.SIGNATURE, CutRule.CONTACT_DETAILS),
            ["contact-details", "learned-signature", "signature"],
            id="two, which the command would undo if it did not name them",
        ),
    ],
)
def test_the_command_keeps_the_rules_that_are_switched_off(kept: tuple[CutRule, ...], switches: list[str]) -> None:
    *_, last = commands(fifth(habits=Habits(kept=frozenset(kept))))
    named = [word for switch in switches for word in ("--keep-cut", switch)]
    assert last == ["bridge", "mailbox", "set", "clinic@example.test", *named]


def test_a_login_that_a_shell_would_read_otherwise_is_quoted() -> None:
    mail = fifth()
    odd = replace(mail, mailbox=replace(mail.mailbox, login="o'hara;id@example.test"))
    assert [words[3] for words in commands(odd)] == ["o'hara;id@example.test"] * 3


def test_a_mail_without_message_id_begins_a_thread() -> None:
    names = [name.lower() for name, _ in header_fields(notice(fifth(message_id="", references=())).raw)]
    assert not {"in-reply-to", "references"} & set(names)


@settings(max_examples=150, deadline=None)
@given(
    signature=POISON, subject=POISON, message_id=POISON, reference=POISON, login=POISON, to=POISON,
    language=st.sampled_from(Language),
)  # fmt: skip
def test_nothing_that_a_mail_holds_begins_a_header_or_breaks_a_line(
    signature: str, subject: str, message_id: str, reference: str, login: str, to: str, language: Language
) -> None:
    mail = fifth(
        language,
        signature=signature,
        subject=subject,
        message_id=message_id,
        references=(reference, "<a@b>"),
        reply_to=to,
    )
    raw = notice(replace(mail, mailbox=replace(mail.mailbox, login=login))).raw
    check_lines(raw)
    known = {"from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted"}
    more = {"x-auto-response-suppress", "mime-version", "content-type", "content-transfer-encoding"}
    assert {name.lower() for name, _ in header_fields(raw)} <= known | more


@pytest.mark.parametrize(
    "line",
    ["\rBcc: all@example.test", "\u2028Subject: Won", "{login}", "=?utf-8?q?Won?=", "\u202eTel. 765", "--=_01"],
)
def test_a_hostile_line_stays_a_line_of_the_letter(line: str) -> None:
    mail = fifth(signature=f"Studio Rossi\n{line}\nTel. 02 1234567")
    shown = letter(mail).split("\n\n")[1].split("\n")
    assert shown[0] == "  Studio Rossi"
    assert shown[-1] == "  Tel. 02 1234567"
    assert all(each.startswith("  ") for each in shown)
    assert "\u202e" not in letter(mail)
