"""The mail that confirms a decision about a phone: in the thread in which that asked, and nothing a machine answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given

from bridge import notices
from bridge.notices.ruling import RulingNotice
from bridge.types import Language, OutgoingMail, Ruling, RulingOutcome
from tests.clinic import CLINIC
from tests.notices.grammar import check_lines, header_fields
from tests.notices.samples import DOMAIN, read, subject_of, words
from tests.notices.test_notice_properties import POISON

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ASKED = "01kahxxh4x9g4v5d0y3p9r7s6t"
WISH = Ruling(RulingOutcome.ALLOWED, "+393331234567", ASKED, "Visit", ("<visit@example.test>",), "Mario Rossi")


def confirmed(ruling: Ruling = WISH, language: Language = Language.ENGLISH) -> OutgoingMail:
    mailbox = replace(CLINIC, language=language)
    return notices.ruling(RulingNotice("ruling.1", "clinic@example.test", mailbox, ruling, NOW), DOMAIN)


@pytest.mark.parametrize("outcome", [RulingOutcome.ALLOWED, RulingOutcome.BLOCKED])
@pytest.mark.parametrize("language", list(Language))
def test_it_says_in_the_mailboxs_language_what_was_done_and_how_it_ends(
    language: Language, outcome: RulingOutcome
) -> None:
    made = confirmed(replace(WISH, outcome=outcome), language)
    check_lines(made.raw)
    mail = read(made)
    assert subject_of(mail) == "Re: Visit"
    assert mail["In-Reply-To"] == f"<mo.{ASKED}@{DOMAIN}>"
    assert mail["References"].split() == ["<visit@example.test>", f"<mo.{ASKED}@{DOMAIN}>"]
    assert (made.envelope_from, made.envelope_to) == ("", "clinic@example.test")
    assert mail["Auto-Submitted"] == "auto-replied"
    said = words(mail)
    assert "Mario Rossi (+39 333 123 4567)" in said
    assert ("START" in said) is (outcome is RulingOutcome.BLOCKED)


def test_without_an_sms_there_is_no_thread_to_stand_in() -> None:
    mail = read(confirmed(Ruling(RulingOutcome.BLOCKED, "+393331234567")))
    assert (mail["In-Reply-To"], mail["References"]) == (None, None)
    assert subject_of(mail) == "SMS from +39 333 123 4567"


@given(subject=POISON, contact=POISON, reference=POISON)
def test_what_others_wrote_starts_no_header(subject: str, contact: str, reference: str) -> None:
    made = confirmed(replace(WISH, subject=subject, contact=contact, references=(reference,)))
    check_lines(made.raw)
    names = [name for name, _ in header_fields(made.raw)]
    assert sorted(names) == sorted(set(names))
