"""Where a text may be cut so that nothing which looks like one character is torn: extended grapheme clusters.

Source: Unicode Standard Annex #29 section 3.1.1, revision 45 (Unicode 17), rules GB3 to GB13. In doubt there is no
boundary: a rule here may bind more than the standard's, and never less. Python's own tables know the marks; those
that it lacks are named here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import IntEnum, auto
from functools import lru_cache

from bridge.sms.code_points import characters

_ALWAYS_APART = "\u0300"
"""Below it nothing binds, save a line end of two characters."""


class _Kind(IntEnum):
    """What a character is to its neighbours."""

    OTHER = 0
    CR = auto()
    LF = auto()
    MARK = auto()
    LINKER = auto()
    JOINER = auto()
    PREPENDED = auto()
    FLAG_HALF = auto()
    L = auto()
    """Leading consonant of a Hangul syllable; V the vowel, T the trailing consonant, LV and LVT whole ones."""
    V = auto()
    T = auto()
    LV = auto()
    LVT = auto()


_LINE_ENDS = (_Kind.CR, _Kind.LF)
_MARKS = (_Kind.MARK, _Kind.LINKER, _Kind.JOINER)

_MORE_MARKS = frozenset(
    characters(
        "05C8-05C9 0897 0B53-0B54 0CF3 0E33 0EB3 0ECE 1ACF-1AF0 200C-200D FF9E-FF9F 10D69-10D6D 10ECB-10ECF "
        "10EF0-10EFF 11241 113B8-113C0 113C2 113C5 113C7-113CA 113CC-113D0 113D2 113E1-113E2 11B60-11B67 11DF0 "
        "11F00-11F01 11F03 11F34-11F3A 11F3E-11F42 11F5A 13440 13447-13455 1611E-1612F 1D127-1D128 1D250-1D252 "
        "1D25B-1D25C 1D25F 1D280-1D281 1E08F 1E4EC-1E4EF 1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5 1F3FB-1F3FF "
        "E0020-E007F"
    )
)
"""What belongs to the character before it and is no mark by its category (joiners, skin tones, tags, vowels of Thai
and Lao), or is newer than the tables of Python 3.11 (Unicode 14)."""
_PREPENDED = frozenset(
    characters(
        "0600-0605 06DD 070F 0890-0891 08E2 0D4E 110BD 110CD 111C2-111C3 113D1 1193F 11941 11A84-11A89 11D46 11F02"
    )
)
"""What belongs to the character after it."""
_LINKERS = frozenset(
    characters(
        "094D 09CD 0ACD 0B4D 0C4D 0D4D 1039 17D2 1A60 1B44 1BAB 1CF5-1CF6 A9C0 AAF6 10A3F 11133 113D0 1193E 11A3A "
        "11A47 11A99 11F42"
    )
)
"""What binds two consonants of a script of India or its neighbours into one sign."""
_HANGUL = {
    _Kind.L: frozenset(characters("1100-115F A960-A97C")),
    _Kind.V: frozenset(characters("1160-11A7 D7B0-D7C6 16D63 16D67-16D6A")),
    _Kind.T: frozenset(characters("11A8-11FF D7CB-D7FB")),
}
_SYLLABLES: Mapping[_Kind, tuple[_Kind, ...]] = {
    _Kind.L: (_Kind.L, _Kind.V, _Kind.LV, _Kind.LVT),
    _Kind.V: (_Kind.V, _Kind.T),
    _Kind.LV: (_Kind.V, _Kind.T),
    _Kind.T: (_Kind.T,),
    _Kind.LVT: (_Kind.T,),
}
"""What goes on with a syllable of Hangul (GB6 to GB8)."""


def _rule(before: _Kind, after: _Kind) -> bool | None:
    """Whether a text may be cut between two characters; None where it depends on those further ahead."""
    if before in _LINE_ENDS or after in _LINE_ENDS:
        return not (before is _Kind.CR and after is _Kind.LF)
    if after in _MARKS or before in (_Kind.JOINER, _Kind.PREPENDED):
        return False
    if before in _MARKS or before is after is _Kind.FLAG_HALF:
        return None
    return after not in _SYLLABLES.get(before, ())


_RULES = [[_rule(before, after) for after in _Kind] for before in _Kind]


def last_boundary(text: str, start: int, end: int) -> int:
    """The last place in `text` where it may be cut, behind `start`, which is one, and not behind `end`.

    `end` itself where a cluster is longer than that. Takes time in proportion to `end - start`.
    """
    if end >= len(text):
        return end
    after = _kind(text[end])
    for index in range(end, start, -1):
        before = _kind(text[index - 1])
        rule = _RULES[before][after]
        if rule or (rule is None and _is_free(text, start, index)):
            return index
        after = before
    return end


def _is_free(text: str, start: int, index: int) -> bool:
    if _kind(text[index]) is _Kind.FLAG_HALF is _kind(text[index - 1]):
        return _run_of_flag_halves(text, start, index) % 2 == 0
    return not (text[index].isalpha() and _is_linked(text, start, index))


def _is_linked(text: str, start: int, index: int) -> bool:
    """GB9c: a letter, marks with a linker among them, and the letter at `index`."""
    linked = False
    while index > start and (kind := _kind(text[index - 1])) in _MARKS:
        index -= 1
        linked = linked or kind is _Kind.LINKER
    return linked


def _run_of_flag_halves(text: str, start: int, index: int) -> int:
    first = index
    while first > start and _kind(text[first - 1]) is _Kind.FLAG_HALF:
        first -= 1
    return index - first


@lru_cache(maxsize=16_384)
def _kind(char: str) -> _Kind:
    if char < _ALWAYS_APART:
        return _Kind.CR if char == "\r" else _Kind.LF if char == "\n" else _Kind.OTHER
    if char in _LINKERS:
        return _Kind.LINKER
    if char == "\N{ZERO WIDTH JOINER}":
        return _Kind.JOINER
    if unicodedata.category(char)[0] == "M" or char in _MORE_MARKS:
        return _Kind.MARK
    if char in _PREPENDED:
        return _Kind.PREPENDED
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return _Kind.FLAG_HALF
    if "\uac00" <= char <= "\ud7a3":
        return _Kind.LV if (ord(char) - 0xAC00) % 28 == 0 else _Kind.LVT
    return next((kind for kind, letters in _HANGUL.items() if char in letters), _Kind.OTHER)
