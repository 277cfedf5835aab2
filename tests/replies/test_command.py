"""STOP, START and HELP: the whole message only, however it is typed, and never an ordinary answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.meaning import Command, meaning
from bridge.meaning.spoken import folded
from bridge.meaning.vocabulary import COMMANDS, VOCABULARIES
from bridge.types import Language

EN, IT, ES, NL = Language.ENGLISH, Language.ITALIAN, Language.SPANISH, Language.DUTCH
ALL = (*Language, "fr", "de", "pt")


def command(text: str, languages: Collection[str]) -> Command | None:
    return meaning(text, languages).command


@pytest.mark.parametrize("language", ALL)
@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        "Stop.",
        " stop \r\n",
        "«Stop!»",
        "STOP 🛑",
        "\uff33\uff34\uff2f\uff30",
        "stóp",
        "stop stop STOP!",
        "Stop all",
        "STOPP",
        "Stop SMS",
    ],
)
def test_stop_is_understood_in_every_language_however_it_is_typed(text: str, language: str) -> None:
    assert command(text, {language}) is Command.STOP


@pytest.mark.parametrize("language", ALL)
@pytest.mark.parametrize("text", ["START", "start!", "Unstop"])
def test_start_is_understood_in_every_language(text: str, language: str) -> None:
    assert command(text, {language}) is Command.START


@pytest.mark.parametrize("language", ALL)
@pytest.mark.parametrize("text", ["HELP", "help!", "Info?"])
def test_help_is_understood_in_every_language(text: str, language: str) -> None:
    assert command(text, {language}) is Command.HELP


@pytest.mark.parametrize(
    ("text", "language", "meant"),
    [
        *((word, EN, Command.STOP) for word in ("quit", "END", "revoke", "Opt-Out", "optout", "cancel")),
        *((word, IT, Command.STOP) for word in ("CANCELLA", "cancellami", "Disiscrivimi")),
        *((word, ES, Command.STOP) for word in ("BAJA", "alto", "parar", "Cancelar suscripción")),
        *((word, NL, Command.STOP) for word in ("AFMELDEN", "uitschrijven")),
        ("INIZIA", IT, Command.START),
        ("Alta", ES, Command.START),
        ("aanmelden", NL, Command.START),
        ("Aiuto", IT, Command.HELP),
        ("¡Ayuda!", ES, Command.HELP),
        ("hulp", NL, Command.HELP),
        ("ARRÊT", "fr", Command.STOP),
        ("désinscription", "fr", Command.STOP),
        ("aide", "fr", Command.HELP),
        ("Abmelden", "de", Command.STOP),
        ("Hilfe", "de", Command.HELP),
        ("SAIR", "pt", Command.STOP),
        ("ajuda", "pt", Command.HELP),
    ],
)
def test_other_words_are_commands_in_their_own_language_only(text: str, language: str, meant: Command) -> None:
    assert command(text, {language}) is meant
    assert command(text, ALL) is meant
    assert command(text, set(ALL) - {language}) is None


@pytest.mark.parametrize(
    "text",
    [
        *("SI", "Sì", "sí", "Yes", "YES!", "ok", "No", "1"),
        *("Basta", "FIN", "einde", "klaar", "finito"),
        *("Please stop calling before 9", "Don't stop", "non stop", "stop?no", "I will cancel tomorrow"),
        *("The bus stop", "stop start", "S T O P", "stopping", "🛑", "", "  ", "?!", "\0"),
    ],
)
def test_ordinary_answers_are_no_commands_in_any_language(text: str) -> None:
    assert command(text, ALL) is None


def test_without_languages_only_the_words_of_all_languages_count() -> None:
    assert command("STOP", ()) is Command.STOP
    assert command("baja", ()) is None


@given(st.text(max_size=2_000))
def test_any_text_at_all_is_answered(text: str) -> None:
    assert command(text, ALL) in {None, *Command}


@given(before=st.sampled_from(["", " ", "\n", "«", "🛑 "]), word=st.sampled_from(["stop", "STOP", "sToP"]))
def test_dressing_does_not_hide_a_stop(before: str, word: str) -> None:
    assert command(f"{before}{word}{before}", {IT}) is Command.STOP


def test_the_page_names_all_words_of_all_languages() -> None:
    page = (Path(__file__).parents[2] / "docs" / "notices.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (always|[A-Z][a-z]+ `([a-z]{2})`) \|(.*)\|(.*)\|(.*)\|$", page, flags=re.MULTILINE)
    kinds = (Command.STOP, Command.START, Command.HELP)
    shown = {
        code: {
            " ".join(folded(word)): kind
            for kind, cell in zip(kinds, cells, strict=True)
            for word in cell.split(",")
            if word.strip()
        }
        for _, code, *cells in rows
    }
    known = {"": COMMANDS, **{code: each.commands for code, each in VOCABULARIES.items()}}
    assert {code: _joined(words) for code, words in shown.items()} == {
        code: _joined(words) for code, words in known.items()
    }


def _joined(words: Mapping[str, Command]) -> dict[str, Command]:
    """The words as if they were written without spaces: the page has `OPT OUT` and not `OPTOUT` beside it."""
    return {word.replace(" ", ""): command for word, command in words.items()}
