"""Compares the names of contacts and groups as people write them; beside `addresses`, for the address book.

An address has no blanks and seldom accents: `jose.garcia@…`, `"José García"@…` and `JOSE_GARCIA@…` mean the same.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from heapq import nsmallest
from itertools import chain

from bridge.types import AddressBook

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


def near_names(name: str, book: AddressBook) -> tuple[str, ...]:
    """The names in the book most like `name`, the nearest first; at most `NEAR`, and none that is not like it. Asked at
    a RCPT: half a microsecond for each name in the book."""
    wanted = _pairs(name_key(name))
    if not wanted:
        return ()
    near: list[tuple[float, str]] = []
    for key in chain(book.contacts, book.groups):
        shared = sum(map(f" {key}".__contains__, wanted))
        likeness = 2 * shared / (len(wanted) + len(key))  # the coefficient of Sørensen and Dice
        if likeness >= _ENOUGH:
            near.append((-likeness, key))
    return tuple((book.contacts.get(key) or book.groups[key]).name for _, key in nsmallest(NEAR, near))


def _pairs(key: str) -> frozenset[str]:
    """Pairs of letters that follow one another, with the beginnings of words."""
    padded = f" {key}"
    return frozenset(padded[at : at + 2] for at in range(len(padded) - 1))
