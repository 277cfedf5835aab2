"""What people say in each language, read once from `languages/*.toml`; a wrong file stops the bridge at its start.

A file is a language, named by its ISO 639-1 code. Its lists are explained at the top of `languages/en.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Any

from bridge.meaning.phrases import POLITE, Kind, Phrases
from bridge.meaning.spoken import folded

EVERYWHERE = "everywhere"
"""Name of the file with the orders that count whatever languages a mailbox uses."""


class Command(StrEnum):
    """What a phone can order with a message that says nothing else; the lists of the table `commands`."""

    STOP = "stop"
    """No more texts from this number."""
    START = "start"
    """Lift the block again."""
    HELP = "help"
    """Tell me who texts me and how to stop it."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One language."""

    code: str
    commands: Mapping[str, Command]
    """By the whole message, folded."""
    polite: Phrases
    """What a message may be made of that is a yes and nothing else."""
    telling: Phrases
    """What means something wherever it stands, and what only looks like it."""
    lasting: Phrases
    """What may follow a wish for no more texts; whatever else follows limits it ("don't text me the address")."""
    not_before: frozenset[str]
    """Words that deny what is said shortly after them ("non confermo")."""
    not_after: frozenset[str]
    """Words that deny what was said shortly before them ("ich komme nicht")."""
    if_before: frozenset[str]
    """Words that make a condition of what follows them ("se devo disdire vi chiamo"), or ask for its reason ("warum
    schreiben Sie mir nicht mehr?")."""
    turns: frozenset[str]
    """Words behind which something else begins ("but")."""
    limits: frozenset[str]
    """Words that limit what was said shortly before them ("don't text me before 9", "I can't come after 4")."""
    moments: frozenset[str]
    """Words of a time: before a wish for no more texts they make it one for then ("tomorrow please don't text me")."""
    since: frozenset[str]
    """Words that make a beginning of such a time shortly after them ("from today no more texts")."""
    ends: frozenset[str]
    """Words behind a wish for no more texts with which something else begins ("stop texting me or I will call you")."""
    requests: frozenset[str]
    """Words that make a wish of a question ("could you stop texting me?")."""
    elsewhere: frozenset[str]
    """Words of what is no appointment: beside one of them nothing is said of one ("I can't come for the results")."""


_WORD_SETS = (
    "not_before",
    "not_after",
    "if_before",
    "turns",
    "limits",
    "moments",
    "since",
    "ends",
    "requests",
    "elsewhere",
)
_TABLES = frozenset({"commands", "groups", *_WORD_SETS, *Kind})


def read(code: str, table: Mapping[str, Any]) -> Vocabulary:
    """The language that a file describes. Raises ValueError, which names what is wrong in it."""
    unknown = table.keys() - _TABLES
    if unknown:
        raise ValueError(f"{code}: there is no list {', '.join(sorted(unknown))}")
    sets = {}
    for name in _WORD_SETS:
        words = table.get(name, [])
        for word in words:
            if folded(word) != [word]:
                raise ValueError(f'{code}: "{word}" in {name} is not one word in lower case without accents')
        sets[name] = frozenset(words)
    groups = table.get("groups", {})
    lists = {kind: table[kind] for kind in Kind if kind in table}
    try:
        polite = Phrases({kind: phrases for kind, phrases in lists.items() if kind in POLITE}, groups)
        lasting = Phrases({Kind.LASTING: lists.pop(Kind.LASTING, ())}, groups)
        telling = Phrases({kind: phrases for kind, phrases in lists.items() if kind not in POLITE}, groups)
        return Vocabulary(code, commands(table), polite, telling, lasting, **sets)
    except ValueError as error:
        raise ValueError(f"{code}: {error}") from None


def commands(table: Mapping[str, Any]) -> Mapping[str, Command]:
    """The orders of a file, by the whole message. Raises ValueError for one that stands in it twice."""
    found: dict[str, Command] = {}
    for name, messages in table.get("commands", {}).items():
        for message in messages:
            phrase = " ".join(folded(message))
            if not phrase or phrase in found:
                raise ValueError(f'the order "{message}" is empty or stands there twice')
            found[phrase] = Command(name)
    return MappingProxyType(found)


def _tables() -> Iterator[tuple[str, Mapping[str, Any]]]:
    folder = resources.files("bridge").joinpath("meaning", "languages")
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        code, _, ending = file.name.partition(".")
        if ending == "toml":
            yield code, tomllib.loads(file.read_text(encoding="utf-8"))


def _load() -> tuple[Mapping[str, Command], Mapping[str, Vocabulary]]:
    tables = dict(_tables())
    everywhere = commands(tables.pop(EVERYWHERE))
    return everywhere, MappingProxyType({code: read(code, table) for code, table in tables.items()})


COMMANDS, VOCABULARIES = _load()
"""The orders of all languages, and every language by its code; in memory."""
