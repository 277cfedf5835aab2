"""Words of a mailbox's own with which an SMS begins; case, accents and punctuation do not count."""

from __future__ import annotations

from bridge.meaning.spoken import folded
from bridge.meaning.vocabulary import COMMANDS, VOCABULARIES

_READ = 200
"""Characters at the beginning of an SMS among which its first word is looked for."""

LONGEST_KEYWORD = 30
"""Characters."""

_ORDERS = frozenset(COMMANDS) | {phrase for one in VOCABULARIES.values() for phrase in one.commands}


def first_word(text: str) -> str:
    """The first word of an SMS as keywords are compared; empty when it has none."""
    return next(iter(folded(text[:_READ])), "")


def why_no_keyword(word: str) -> str | None:
    """What is wrong with a keyword, as the end of a sentence that begins with it; None when nothing is."""
    words = folded(word)
    if len(word) > LONGEST_KEYWORD:
        return f"is longer than {LONGEST_KEYWORD} characters"
    if len(words) != 1:
        return "is not one word of letters and digits"
    if words[0] in _ORDERS:
        return "stops or starts texts, or asks for help, in one of the languages that the bridge knows"
    return None
