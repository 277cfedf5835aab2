"""Compares the names of contacts and groups as people write them; beside `addresses`, for the address book.

An address has no blanks and seldom accents: `jose.garcia@…`, `"José García"@…` and `JOSE_GARCIA@…` mean the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

MAX_NAME = 64
"""Characters of a name: a local part has no more (RFC 5321 section 4.5.3.1.1)."""
NEAR = 3
"""Names that are proposed for one that is unknown."""

_ENOUGH = 0.34
"""Share of pairs of letters that two names must have in common for one to be proposed for the other."""
_APART = str.maketrans(
    dict.fromkeys("._-'`\u00b4\u02bc\u2010\u2011\u2012\u2013\u2014\u2018\u2019", " ")
    | {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Marks between words, and the letters of Europe that Unicode does not take for another one with an accent."""


@lru_cache(maxsize=16_384)
def name_key(name: str) -> str:
    """What is equal for two spellings of one name: without case, accents and marks between the words."""
    plain = name[: MAX_NAME * 4].casefold().translate(_APART)
    if not plain.isascii():
        # Folded once more, since what is made of one letter may be a capital.
        plain = unicodedata.normalize("NFKD", plain).casefold()
        plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(plain.split())


def typed(name: str) -> str:
    """The name as it is easily written in an address: `jose.garcia` for José García."""
    return name_key(name).replace(" ", ".")


def near_names(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names most like `name`, the nearest first; at most `NEAR`, and none that is not like it."""
    wanted = _pairs(name_key(name))
    if not wanted:
        return ()
    scored = ((_likeness(wanted, _pairs(name_key(each))), each) for each in names)
    near = sorted((-score, each) for score, each in scored if score >= _ENOUGH)
    return tuple(each for _, each in near[:NEAR])


@lru_cache(maxsize=16_384)
def _pairs(key: str) -> frozenset[str]:
    """Pairs of letters that follow one another, with the beginnings of words."""
    padded = f" {key}"
    return frozenset(padded[at : at + 2] for at in range(len(padded) - 1))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The coefficient of Sørensen and Dice."""
    return 2 * len(one & other) / (len(one) + len(other)) if other else 0.0
