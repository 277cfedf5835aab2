"""What hundreds of answers mean, as patients write them; `pytest -s` shows how many of each kind were understood."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bridge.meaning import meaning
from bridge.meaning.vocabulary import VOCABULARIES
from bridge.types import Language

HERE = Path(__file__).parent
KINDS = ("stop", "start", "help", "objection", "confirm", "cancel", "move")


def answers(name: str) -> Iterator[tuple[str, frozenset[str], str]]:
    """Language, meanings and text of each answer in a file."""
    for language, lists in tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8")).items():
        for kind, texts in lists.items():
            for text in texts:
                yield language, frozenset(kind.split("_")) - {"nothing"}, text


def meanings(text: str, *languages: str) -> frozenset[str]:
    """What an answer is taken to mean by a mailbox that uses these languages."""
    meant = meaning(text, languages)
    said = (meant.command, "objection" if meant.objection else None, meant.intent)
    return frozenset(str(one) for one in said if one is not None)


TUNED, HELD_OUT, MISLEADING = (list(answers(name)) for name in ("answers", "held_out", "misleading"))


def within(language: str, *found: tuple[str, frozenset[str], str]) -> list[tuple[frozenset[str], str]]:
    """Meanings and text of those answers that are in a language."""
    return [(meant, text) for code, meant, text in found if code == language]


class Figures(NamedTuple):
    """How many answers of one kind were understood, taken for it wrongly, and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def meant(self) -> int:
        return self.right + self.missed

    @property
    def precision(self) -> float:
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        return self.right / self.meant


def counted(name: str, found: list[tuple[str, frozenset[str], str]]) -> dict[str, Figures]:
    """The figures of each kind, which are printed too."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for language, meant, text in found:
        taken = meanings(text, language)
        right.update(taken & meant)
        wrong.update(taken - meant)
        missed.update(meant - taken)
    print(f"\n{name}: {len(found)} answers, {sum(not meant for _, meant, _ in found)} of them mean nothing")
    figures = {}
    for kind in KINDS:
        if right[kind] + missed[kind]:
            figures[kind] = each = Figures(right[kind], wrong[kind], missed[kind])
            print(
                f"  {kind:9} {each.meant:3} meant, {each.right:3} understood, {each.wrong} wrongly: "
                f"precision {each.precision:.3f}, recall {each.recall:.3f}"
            )
    return figures


def test_there_are_answers_of_every_kind_in_every_language() -> None:
    assert len(TUNED) >= 300
    assert len({text for _, _, text in TUNED}) >= 300
    assert len(HELD_OUT) >= 100
    assert {language for language, _, _ in TUNED} == set(VOCABULARIES) >= set(Language)
    for code in VOCABULARIES:
        kinds = Counter(kind for language, meant, _ in TUNED if language == code for kind in meant or {"nothing"})
        assert min(kinds[kind] for kind in ("confirm", "cancel", "move", "objection", "nothing")) >= 7, (code, kinds)


@pytest.mark.parametrize("language", VOCABULARIES)
def test_nobody_is_unsubscribed_who_did_not_ask_for_it(language: str) -> None:
    """Neither in a mailbox of the answer's language nor in one of another."""
    for meant, text in within(language, *TUNED, *HELD_OUT, *MISLEADING):
        stopped_in = [code for code in VOCABULARIES if "stop" in meanings(text, code)]
        assert (language in stopped_in) == ("stop" in meant), text
        assert "stop" in meant or stopped_in in ([], NOT_FOREIGN.get(text, [])), text


NOT_FOREIGN = {"alto": ["es"], "baja": ["es"]}
"""Orders in the language they are written in, ordinary words in the one they stand under."""


@pytest.mark.parametrize("language", VOCABULARIES)
def test_no_answer_is_taken_for_what_it_does_not_mean(language: str) -> None:
    assert [text for meant, text in within(language, *TUNED) if not meanings(text, language) <= meant] == []


def test_nearly_every_answer_that_the_words_were_chosen_for_is_understood() -> None:
    for kind, figures in counted("answers", TUNED).items():
        assert figures.missed <= 1, kind


def test_of_answers_never_seen_before_few_are_misunderstood() -> None:
    """What is missed is read by a person all the same; what is misread misleads one."""
    figures = counted("held out", HELD_OUT)
    assert min(each.precision for each in figures.values()) >= 0.9
    assert min(each.recall for each in figures.values()) >= 0.5


def test_messages_made_to_mislead_get_a_wrong_tag_at_most() -> None:
    """A tag is a hint beside the words; an objection would be a question to the owner, and none of these is one."""
    taken = [meanings(text, language) for language, _, text in MISLEADING]
    print(f"\nmisleading: {len(taken)} messages, {sum(map(bool, taken))} of them tagged")
    assert all(meant <= {"confirm", "cancel", "move"} for meant in taken)
    assert sum(map(bool, taken)) <= len(taken) / 4


def test_the_page_for_users_tells_these_figures() -> None:
    page = " ".join((HERE.parents[1] / "docs" / "notices.md").read_text(encoding="utf-8").split())
    held_out = {kind: f"{each.right} of {each.meant}" for kind, each in counted("held out", HELD_OUT).items()}
    tagged = sum(bool(meanings(text, language)) for language, _, text in MISLEADING)
    assert f"holds {len(TUNED)} answers" in page
    assert f"Of {len(HELD_OUT)} answers written when the words stood none was misread either" in page
    assert not any(each.wrong for each in counted("held out", HELD_OUT).values())
    for kind, name in (("confirm", "confirm"), ("cancel", "cancel"), ("move", "move"), ("objection", "no more texts")):
        assert f"{name} {held_out[kind]}" in page
    assert f"Of {len(MISLEADING)} messages made to mislead" in page
    assert f'taxi") {tagged} get a wrong one' in page


def test_a_stranger_s_language_is_understood_too() -> None:
    """Sentences count in every language, single words only where they cannot mislead."""
    assert meanings("Ich kann morgen leider nicht kommen", "it") == {"cancel"}
    assert meanings("ne m'envoyez plus de SMS", "it") == {"objection"}
    assert meanings("Sim, obrigado", "it") == {"confirm"}
    assert meanings("Fine", "en") == {"confirm"}
    assert meanings("Fine", "it") == set()
    assert meanings("BAJA", "it") == set()
