"""The words of a language: how phrases are written, what takes them back, and what a wrong file says."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.meaning import Command, meaning
from bridge.meaning.phrases import Kind, Phrases
from bridge.meaning.spoken import clauses
from bridge.meaning.vocabulary import COMMANDS, VOCABULARIES, read
from bridge.types import Intent, Language


def found(phrase: str, text: str, **groups: str) -> list[str]:
    """What a phrase finds in a text."""
    phrases = Phrases({Kind.CANCEL: [phrase]}, groups)
    return [
        " ".join(clause.words[one.start : one.end]) for clause in clauses(text) for one in phrases.all(clause.words)
    ]


@pytest.mark.parametrize(
    ("phrase", "text", "finds"),
    [
        pytest.param("devo disdire", "Buongiorno, DEVO  Disdire!", ["devo disdire"], id="case and spaces"),
        pytest.param("je ne peux pas", "Je n'ai... je ne peux pas", ["je ne peux pas"], id="in its clause"),
        pytest.param("can't come", "I can't come", ["can t come"], id="an apostrophe divides, here and there"),
        pytest.param("disd*", "disdico o disdetta", ["disdico", "disdetta"], id="how a word begins"),
        pytest.param("can (not|never) come", "can never come", ["can never come"], id="one of these"),
        pytest.param("not (really|) coming", "not coming", ["not coming"], id="or nothing"),
        pytest.param(
            "kan ... niet komen", "kan morgen helaas niet komen", ["kan morgen helaas niet komen"], id="a gap"
        ),
        pytest.param("kan ... niet komen", "kan een twee drie vier vijf niet komen", [], id="a gap has four words"),
        pytest.param("kan ... niet", "kan. Niet", [], id="no gap goes over a full stop"),
        pytest.param("no {day}", "no monday, no friday", ["no monday"], id="a group"),
        pytest.param("no ({day}|sun)", "no sun no tue", ["no sun", "no tue"], id="a group among others"),
        pytest.param("bestätige", "bestaetige ich", ["bestaetige"], id="an umlaut in two letters"),
        pytest.param("confermo (la disdetta|)", "confermo la disdetta", ["confermo la disdetta"], id="the longest"),
        pytest.param("sì", "siiiiii", ["si"], id="letters drawn out"),
    ],
)
def test_a_phrase_is_found_as_it_is_written(phrase: str, text: str, finds: list[str]) -> None:
    assert found(phrase, text, day="monday|tue") == finds


@pytest.mark.parametrize(
    ("table", "says"),
    [
        pytest.param({"confrim": ["x"]}, "there is no list confrim", id="a list that is none"),
        pytest.param({"cancel": ["a (b|c"]}, "without its other half", id="half a bracket"),
        pytest.param({"cancel": ["a b)"]}, "without its other half", id="the other half"),
        pytest.param({"cancel": ["{nobody} comes"]}, "is no group of this language", id="a group that is none"),
        pytest.param(
            {"cancel": ["(x|y {day})"], "groups": {"day": "a|b"}}, "among other words", id="words and a group"
        ),
        pytest.param({"cancel": ["(a|) (b|)"]}, "no words", id="a phrase that says nothing"),
        pytest.param({"cancel": ["... a"]}, "begins or ends with a gap", id="a gap first"),
        pytest.param({"cancel": ["a ..."]}, "begins or ends with a gap", id="a gap last"),
        pytest.param({"not_before": ["Non"]}, "not one word in lower case", id="a word that could never match"),
        pytest.param({"commands": {"stop": ["x"], "start": ["X!"]}}, "stands there twice", id="two orders in one word"),
        pytest.param({"commands": {"stop": ["🛑"]}}, "is empty", id="an order without letters"),
        pytest.param({"commands": {"pause": ["x"]}}, "pause", id="an order that is none"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match="xx: ") as caught:
        read("xx", table)
    assert says in str(caught.value)


def test_every_language_of_the_bridge_has_words_of_every_kind() -> None:
    assert {*Language} <= VOCABULARIES.keys() == {"it", "en", "es", "nl", "fr", "de", "pt"}
    for code, vocabulary in VOCABULARIES.items():
        assert {Command.STOP, Command.HELP} <= {*vocabulary.commands.values(), *COMMANDS.values()}, code
        assert vocabulary.not_before, code
        assert not vocabulary.commands.keys() & COMMANDS.keys(), f"{code}: these count everywhere"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        pytest.param("Confermo", Intent.CONFIRM, id="said"),
        pytest.param("Non confermo", None, id="denied"),
        pytest.param("No, non confermo", None, id="denied twice"),
        pytest.param("Confermo?", None, id="asked"),
        pytest.param("Confermo se è alle 10", None, id="on a condition"),
        pytest.param("Sì", Intent.CONFIRM, id="a yes"),
        pytest.param("Sì?", None, id="a question"),
        pytest.param("Sì ho mal di denti", None, id="a yes to something else"),
        pytest.param("Sì ma posso spostare?", Intent.MOVE, id="a yes that is taken back"),
        pytest.param("Posso disdire?", Intent.CANCEL, id="a polite wish"),
        pytest.param("Non posso venire, si può rimandare?", Intent.MOVE, id="not now but another day"),
        pytest.param("Confermo lunedì, disdico martedì", None, id="two things about two days"),
        pytest.param("Non confermo, disdico", Intent.CANCEL, id="one denied, one said"),
        pytest.param("Se devo disdire chiamo", None, id="supposed"),
        pytest.param("CANCELLA", Intent.CANCEL, id="an order that may mean the appointment"),
        pytest.param("Sì grazie. Anna De Luca", Intent.CONFIRM, id="with a name below it"),
        pytest.param("Sì Anna De Luca", None, id="a name that may be the answer"),
        pytest.param("no confirmo", None, id="denied in one of two languages that share the word"),
    ],
)
def test_an_intent_is_what_is_said_and_not_taken_back(text: str, intent: Intent | None) -> None:
    assert meaning(text, {"it"}).intent is intent


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("Please stop texting me", True),
        ("Could you stop texting me?", True),
        ("Did you stop texting me?", False),
        ("Don't stop texting me", False),
        ("Don't text me any more", True),
        ("Don't text me before 9", False),
        ("Don't text me on Sundays", False),
        ("If you stop texting me I'll forget", False),
        ("STOP", False),
    ],
)
def test_a_wish_for_no_more_texts_is_one_that_has_no_limits(text: str, objects: bool) -> None:
    """An order needs no owner to be asked: STOP alone is no objection."""
    assert meaning(text, {"en"}).objection is objects


def test_a_letter_is_no_order_however_it_begins() -> None:
    assert meaning("stop " * 500, {"en"}).command is Command.STOP
    assert meaning("stop " * 2_000 + "by at 5", {"en"}).command is None


LONG = 100_000


@pytest.mark.parametrize(
    "piece",
    [
        "non posso ",
        "kan ",
        "kan niet ",
        "muss ich ",
        "stop ",
        "don't ",
        "if ",
        "ok ",
        "a? ",
        "?",
        "\u0301",
        "ﷺ",
        "x",
        "xx ",
        "\n",
        "1.1,",
    ],
)
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    """100 KB of anything: no more than its beginning is read, and that in one walk."""
    text = piece * (LONG // len(piece))
    before = time.process_time()
    meaning(text, VOCABULARIES)
    assert time.process_time() - before < 0.5


@given(
    st.text(max_size=500)
    | st.lists(st.sampled_from(["non", "kan", "ok", "cancel", "?", ",", "my", "niet", "9"])).map(" ".join)
)
def test_any_text_has_a_meaning_or_none(text: str) -> None:
    assert meaning(text, VOCABULARIES) == meaning(text, [*VOCABULARIES])
