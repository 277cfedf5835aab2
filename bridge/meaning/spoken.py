"""The words of a message as they compare: folded, clause by clause; where the meaning of an answer begins.

Case, accents, punctuation, emoji and letters that are drawn out ("siiiii") do not count. Apostrophes divide words
(`can't` is `can` and `t`), in messages and in our own phrases alike.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

LONGEST = 4_000
"""Characters that are read, 26 segments: who writes more has written a letter, and a person reads it to its end."""

_LETTERS = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ø": "o", "Ø": "o", "ł": "l", "ß": "ss"})
_SIGNS = str.maketrans(
    dict.fromkeys("👍👌🆗✅✔☑", " ok ")
    | dict.fromkeys("👎❌🚫✖", " no ")
    | dict.fromkeys("\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}🏼🏽🏾🏿", "")
)
"""What people say with one sign; other emoji are mood and say nothing."""
_PIECE = re.compile(r"\d+[.,:]\d+|[^\W_]+|[^\w\s'\-]|\n")
_DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")
_ENDS = frozenset(".,;:!?\n()…¿¡")


@dataclass(frozen=True, slots=True)
class Clause:
    """The words between two marks of punctuation."""

    words: tuple[str, ...]
    asked: bool
    """The sentence that it belongs to ends in a question mark."""
    titled: tuple[bool, ...]
    """Of each word whether it was written with a capital first letter, as names are."""
    begins: bool
    """It is the first of its sentence."""


def folded(text: str) -> list[str]:
    """The words of `text` in lower case, without accents and without anything that is neither letter nor digit."""
    return "".join(char if char.isalnum() else " " for char in _bare(text).casefold()).split()


def clauses(text: str) -> list[Clause]:
    """The clauses of a message that have words, in order."""
    found: list[Clause] = []
    open_from = 0
    words: list[str] = []
    titled: list[bool] = []

    def close() -> None:
        if words:
            found.append(Clause(tuple(words), False, tuple(titled), len(found) == open_from))
            words.clear()
            titled.clear()

    for match in _PIECE.finditer(_bare(text[:LONGEST].translate(_SIGNS))):
        piece = match[0]
        if piece[0].isalnum():
            words.append(_DRAWN_OUT.sub(r"\1", piece.casefold()))
            titled.append(piece[0].isupper())
            continue
        if piece not in _ENDS:
            continue
        close()
        if piece == "?":
            found[open_from:] = [replace(one, asked=True) for one in found[open_from:]]
        if piece in "?!.\n…":
            open_from = len(found)
    close()
    return found


def _bare(text: str) -> str:
    """Letters without accents, in one of the forms that Unicode has for them."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))
