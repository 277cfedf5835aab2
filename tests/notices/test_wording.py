"""Every language says everything, with the same blanks."""

from __future__ import annotations

import string

import pytest

from bridge.errors import Reason
from bridge.notices.status_part import Fate
from bridge.notices.wording import WORDINGS
from bridge.types import Hindrance, Language, MessageState
from tests.notices.samples import line, parts, report, words

REPORTED = [
    state for state in MessageState if state not in {MessageState.HELD, MessageState.QUEUED, MessageState.SENDING}
]


def blanks(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


@pytest.mark.parametrize("language", list(Language))
def test_every_language_has_the_same_sentences_with_the_same_blanks(language: Language) -> None:
    english = WORDINGS[Language.ENGLISH].sentences
    other = WORDINGS[language].sentences
    assert other.keys() == english.keys()
    assert {key: blanks(sentence) for key, sentence in other.items()} == {
        key: blanks(sentence) for key, sentence in english.items()
    }


@pytest.mark.parametrize("language", list(Language))
def test_every_language_has_twelve_months_and_no_empty_sentence(language: Language) -> None:
    wording = WORDINGS[language]
    assert len(set(wording.months)) == 12
    assert all(sentence.strip() == sentence != "" for sentence in wording.sentences.values())


@pytest.mark.parametrize("language", list(Language))
def test_a_language_is_not_a_copy_of_english(language: Language) -> None:
    english = WORDINGS[Language.ENGLISH].sentences
    same = {key for key, sentence in WORDINGS[language].sentences.items() if sentence == english[key]}
    assert language is Language.ENGLISH or same <= {"heading", "invitation.day", "file.video"}


def test_there_is_a_sentence_for_every_reason_and_none_too_many() -> None:
    keys = WORDINGS[Language.ENGLISH].sentences.keys()
    assert {key.split(".")[1] for key in keys if key.startswith("reason.")} == set(Reason)
    assert {key.split(".")[1] for key in keys if key.startswith("state.")} == set(Fate)
    late = {key.split(".")[1] for key in keys if key.startswith("late.")}
    assert late == {*Hindrance, "nothing", "not_again", "until", "open"}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("state", REPORTED)
def test_every_state_and_reason_make_a_letter_without_open_blanks(language: Language, state: MessageState) -> None:
    for reason in (None, *Reason):
        for lines in ((line(state, reason=reason),), (line(state, reason=reason), line(number="+393331234568"))):
            letter = words(parts(report(*lines, language=language))[0])
            assert "+39 333 123 4567" in letter
            assert "{" not in letter
