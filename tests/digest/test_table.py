"""The table of a digest: what a spreadsheet shows, and that it computes nothing of it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.notices import sheet as sheets
from bridge.notices.sheet import harmless, sheet
from bridge.notices.wording import WORDINGS
from bridge.types import Digest, DigestAnswer, DigestText, Intent, Language, MessageState

NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def text(state: MessageState = MessageState.DELIVERED, **changes: Any) -> DigestText:
    values: dict[str, Any] = {
        "at": NOON,
        "number": "+393331234567",
        "contact": "Mario Rossi",
        "subject": "Your visit",
        "reference": "case 7",
        "state": state,
        "answered": False,
    }
    return DigestText(**(values | changes))


def answer(words: str = "Sì, confermo", **changes: Any) -> DigestAnswer:
    values: dict[str, Any] = {
        "at": NOON,
        "number": "+393331234567",
        "sender": "+390200000001",
        "contact": "Mario Rossi",
        "subject": "Your visit",
        "text": words,
    }
    return DigestAnswer(**(values | changes))


def digest(*lines: DigestText | DigestAnswer, **changes: Any) -> Digest:
    """A digest of these texts and answers."""
    texts = tuple(line for line in lines if isinstance(line, DigestText))
    answers = tuple(line for line in lines if isinstance(line, DigestAnswer))
    states: dict[MessageState, int] = {}
    for each in texts:
        states[each.state] = states.get(each.state, 0) + 1
    values: dict[str, Any] = {
        "day": date(2026, 11, 22),
        "since": NOON - timedelta(days=10),
        "at": NOON,
        "states": states,
        "answered": 0,
        "unanswered": 0,
        "silent": (),
        "silent_phones": 0,
        "lost": (),
        "answers": len(answers),
        "texts_listed": texts,
        "answers_listed": answers,
    }
    return Digest(**(values | changes))


def rows(told: Digest, language: Language = Language.ENGLISH, timezone: str = "Europe/Rome") -> list[list[str]]:
    """The table as a spreadsheet of that language reads it."""
    data = sheet(told, WORDINGS[language], timezone).data
    assert data.startswith(b"\xef\xbb\xbf"), "without it Excel reads something else than UTF-8"
    words = data[3:].decode("utf-8")
    return list(csv.reader(io.StringIO(words, newline=""), delimiter="," if language is Language.ENGLISH else ";"))


def test_a_line_for_each_text_and_answer_the_newest_first() -> None:
    told = digest(
        text(at=NOON - 3 * HOUR, answered=True),
        text(MessageState.FAILED, at=NOON - HOUR, contact="", reference="", subject="Results; all"),
        answer(at=NOON - 2 * HOUR, intent=Intent.CONFIRM),
        answer("Refill, please", at=NOON - 4 * HOUR, keyword="REFILL", tag="=prescriptions"),
    )
    assert rows(told) == [
        ["Time", "Phone", "Name", "Subject", "Reference", "State", "Answered (1 = yes)", "Answer", "Appointment",
         "Keyword", "Tag"],
        ["2026-11-22 11:00", "'+393331234567", "", "Results; all", "", "Not sent", "", "", "", "", ""],
        ["2026-11-22 10:00", "'+393331234567", "Mario Rossi", "Your visit", "", "Answer", "", "Sì, confermo",
         "confirmed", "", ""],
        ["2026-11-22 09:00", "'+393331234567", "Mario Rossi", "Your visit", "case 7", "Delivered", "1", "", "", "", ""],
        ["2026-11-22 08:00", "'+393331234567", "Mario Rossi", "Your visit", "", "Answer", "", "Refill, please", "",
         "REFILL", "'=prescriptions"],
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "separator"), [("en", ","), ("it", ";"), ("es", ";"), ("nl", ";")])
def test_the_separator_is_that_of_the_language(language: str, separator: str) -> None:
    data = sheet(digest(text()), WORDINGS[Language(language)], "Europe/Rome").data.decode("utf-8-sig")
    assert [line.count(separator) for line in data.split("\r\n")] == [10, 10, 0]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("state", list(MessageState))
def test_every_state_has_a_word_in_every_language(language: Language, state: MessageState) -> None:
    (_, line) = rows(digest(text(state)), language)
    assert line[5]
    assert line[6] == ("0" if state in {"sent", "delivered", "unknown"} else "")


def test_times_are_those_of_the_mailbox() -> None:
    assert rows(digest(text()), timezone="Asia/Kolkata")[1][0] == "2026-11-22 16:30"


@pytest.mark.parametrize(
    ("words", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'=1+1"),
        ("\r=1+1", "'=1+1"),
        ("\n\n=1+1", "'=1+1"),
        (" =1+1", "'=1+1"),
        ("\x00=1+1", "'=1+1"),
        ("\u202e=1+1", "'=1+1"),
        ("＝1＋1", "'＝1＋1"),
        ("Sì;=1+1", "Sì;'=1+1"),
        ('Sì, "=1+1', "Sì, \"'=1+1"),
        ("Sì,-1", "Sì,'-1"),
        ("a,\t@b", "a, '@b"),
        ("Sì, grazie ;-)", "Sì, grazie ;-)"),
        ("10:30 - va bene", "10:30 - va bene"),
        ("Sì\r\na domani", "Sì a domani"),
        ("", ""),
    ],
    ids=repr,
)  # fmt: skip
def test_no_words_become_a_formula(words: str, cell: str) -> None:
    assert harmless(words) == cell
    for language in (Language.ENGLISH, Language.ITALIAN):
        (_, line) = rows(digest(text(subject=words, contact=words, reference=words)), language)
        assert line[2:5] == [cell, cell, cell]
        (_, line) = rows(digest(answer(words)), language)
        assert line[7] == cell


@pytest.mark.parametrize(
    ("number", "cell"),
    [
        ("+393331234567", "'+393331234567"),
        ("0039333", "'0039333"),
        ("4321", "'4321"),
        ("=1+1@sms.example.test", "'=1+1@sms.example.test"),
        ("", ""),
    ],
)
def test_a_number_keeps_its_plus_sign_and_zeros(number: str, cell: str) -> None:
    assert rows(digest(text(number=number)))[1][1] == cell


@given(words=st.text(st.one_of(st.characters(), st.sampled_from("=+-@\t\r\n;,'\"\u202e\x00＝")), max_size=60))
def test_whatever_phones_write_stays_in_its_cell(words: str) -> None:
    for language in (Language.ENGLISH, Language.DUTCH):
        lines = rows(
            digest(text(subject=words, contact=words, reference=words), answer(words, keyword=words, tag=words)),
            language,
        )
        assert [len(line) for line in lines] == [11, 11, 11]
        assert not [cell for line in lines for cell in line if cell.startswith(FORMULAS)]
    # And with a spreadsheet that splits at the other separator, and at quotation marks as it likes.
    data = sheet(digest(answer(words)), WORDINGS[Language.ENGLISH], "Europe/Rome").data.decode("utf-8-sig")
    for piece in data.replace(",", ";").replace('"', "").replace("\r\n", ";").split(";"):
        assert not piece.strip().startswith(("=", "@"))


def test_the_table_ends_where_it_becomes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    told = digest(*(text(at=NOON - place * HOUR, subject=f"Text {place}") for place in range(10)))
    monkeypatch.setattr(sheets, "MOST_LINES", 4)
    made = sheet(told, WORDINGS[Language.ENGLISH], "Europe/Rome")
    assert made.lines == 4
    assert [line[3] for line in rows(told)[1:]] == ["Text 0", "Text 1", "Text 2", "Text 3"], "the newest stay"


def test_the_table_ends_where_it_becomes_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    told = digest(*(answer("è" * 500, at=NOON - place * HOUR) for place in range(10)))
    monkeypatch.setattr(sheets, "MOST_BYTES", 5000)
    made = sheet(told, WORDINGS[Language.ENGLISH], "Europe/Rome")
    assert made.lines == 4
    assert len(made.data) <= 5000
