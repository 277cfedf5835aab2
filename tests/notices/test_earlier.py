"""Below a phone's answer stand the small print and the conversation so far, and none of it comes back as a text."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.notices.earlier import MAX_CHARACTERS, MAX_LINES, shortened
from bridge.parser import parse
from bridge.reading import html
from bridge.reading.trim import trim
from bridge.types import EarlierText, Language, Match, Objection
from tests.notices.answering import PROGRAMS, Program
from tests.notices.samples import SENT, parts, read_below, reply, words

QUESTION = EarlierText("Domani alle 9 in via Roma 1. Può venire?", SENT, from_phone=False)
HELLO = EarlierText("Buongiorno, vorrei un appuntamento", SENT - timedelta(days=1), from_phone=True)
HOSTILE = EarlierText(
    "-- \nOn 1 May 2026, 09:00, you wrote:\n> x\n-----Original Message-----\nFrom: a@b.c\n</blockquote></div>ciao",
    SENT - timedelta(days=2),
    from_phone=True,
)


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        (
            Language.ENGLISH,
            "On 12 November 2026, 09:14, clinic@example.test wrote:",
            "On 11 November 2026, 09:14, Mario Rossi (+39 333 123 4567) wrote:",
        ),
        (
            Language.ITALIAN,
            "Il giorno 12 novembre 2026, ore 09:14, clinic@example.test ha scritto:",
            "Il giorno 11 novembre 2026, ore 09:14, Mario Rossi (+39 333 123 4567) ha scritto:",
        ),
        (
            Language.SPANISH,
            "El 12 de noviembre de 2026, 09:14, clinic@example.test escribió:",
            "El 11 de noviembre de 2026, 09:14, Mario Rossi (+39 333 123 4567) escribió:",
        ),
        (
            Language.DUTCH,
            "Op 12 november 2026, 09:14 uur schreef clinic@example.test:",
            "Op 11 november 2026, 09:14 uur schreef Mario Rossi (+39 333 123 4567):",
        ),
    ],
)
def test_the_conversation_stands_below_the_newest_first(language: Language, question: str, answer: str) -> None:
    mail = reply(language=language, contact="Mario Rossi", earlier=(QUESTION, HELLO))
    plain, rich = (words(part) for part in parts(mail))
    _, below = read_below(plain)
    assert below.split("\n\n")[1:] == [f"{question}\n> {QUESTION.text}", f"{answer}\n> {HELLO.text}\n"]
    places = [rich.index(each) for each in ("Yes, thank you", question, QUESTION.text, answer, HELLO.text)]
    assert places == sorted(places)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("for_all", [False, True], ids=["one gets it", "all get it"])
@pytest.mark.parametrize("match", list(Match))
def test_one_small_line_says_when_it_came_and_why_to_this_mailbox(
    match: Match, language: Language, *, for_all: bool
) -> None:
    plain, rich = (words(part) for part in parts(reply(match=match, language=language, for_all=for_all)))
    _, line = read_below(plain)
    assert "+39 02 0000 0001" in line, "the number that the phone wrote to"
    assert "2026" in line
    assert "09:15" in line, "the hour in the zone of the mailbox"
    assert rich.count(line.strip()[:40]) == 1
    others = [each for each in Match if each is not match]
    told = [read_below(words(parts(reply(match=each, language=language))[0]))[1] for each in others]
    assert line not in told, "every way of deciding has its own sentence"


def test_the_fallback_mailbox_is_not_told_why_another_was_chosen() -> None:
    plain = words(parts(reply(meant_for="dr.rossi@example.test", match=Match.LATEST))[0])
    assert read_below(plain)[1] == "Received 12 November 2026, 09:15, at +39 02 0000 0001.\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Sì", "Sì", id="a short one"),
        pytest.param(" \n ", "", id="nothing"),
        pytest.param("a" * MAX_CHARACTERS, "a" * MAX_CHARACTERS, id="just short enough"),
        pytest.param("a" * (MAX_CHARACTERS + 1), "a" * MAX_CHARACTERS + " […]", id="one long word"),
        pytest.param("word " * 100, f"{('word ' * 64).rstrip()} […]", id="between words"),
        pytest.param("x " + "a" * 900, f"x {'a' * (MAX_CHARACTERS - 2)} […]", id="no word ends near"),
        pytest.param("a" * (MAX_CHARACTERS - 1) + "👩‍👩‍👧", "a" * (MAX_CHARACTERS - 1) + " […]", id="no emoji is torn"),
        pytest.param("\n".join("1234567890"), "\n".join("12345678") + " […]", id="many lines"),
        pytest.param("\n".join("12345678"), "\n".join("12345678"), id="lines enough"),
    ],
)
def test_a_long_text_is_cut(text: str, shown: str) -> None:
    assert shortened(text) == shown
    assert shown.count("\n") < MAX_LINES


MAILS = {
    "the words alone": {},
    "with its conversation": {"earlier": (QUESTION, HELLO)},
    "with all remarks": {
        "earlier": (QUESTION,),
        "match": Match.AMBIGUOUS,
        "candidates": ("clinic@example.test", "desk@example.test"),
        "stopped": True,
        "objection": Objection.YOURS,
    },
    "with a phone that writes like a mail program": {"earlier": (HOSTILE, QUESTION), "text": HOSTILE.text},
    "from a name with signs": {"contact": 'O\'Neill, "Bob" (mamma) 👍', "earlier": (QUESTION,)},
    "from right to left": {"contact": "משה כהן", "text": "מחר בשמונה", "earlier": (QUESTION,)},
    "from a number alone": {"contact": "", "earlier": (QUESTION, HELLO)},
}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("changes", [pytest.param(changes, id=name) for name, changes in MAILS.items()])
@pytest.mark.parametrize("program", [pytest.param(program, id=name) for name, program in PROGRAMS.items()])
def test_of_an_answer_to_it_the_new_words_alone_are_texted(
    program: Program, changes: dict[str, Any], language: Language
) -> None:
    new = "Perfetto, la aspettiamo. Porti la tessera sanitaria."
    answered = reply(**({"contact": "Mario Rossi"} | changes), language=language)
    submission = parse(program(new, answered).as_bytes())
    assert submission.text == new
    assert submission.cuts


@pytest.mark.parametrize("language", list(Language))
def test_a_program_that_cuts_quotations_finds_the_phone_s_words(language: Language) -> None:
    """Read by rules for mails that answer: those of help desks are of the same kind."""
    plain, rich = (words(part) for part in parts(reply(language=language, earlier=(QUESTION, HELLO), text="Sì, vengo")))
    assert trim(plain)[0] == "Sì, vengo"
    own, (quoted,) = html.to_text(rich)
    assert own.startswith("Sì, vengo\n")
    assert QUESTION.text not in own
    assert HELLO.text not in own
    assert QUESTION.text in quoted.text
    assert HELLO.text in quoted.text
