"""What a subject says without the marks of mail programs, and the numbers it may hold; part of the parser."""

from __future__ import annotations

import re

from bridge.reading.layouts import ANSWER_SUBJECT, FORWARD_SUBJECT

MAX_NUMBERS = 1_000
"""Telephone numbers that one mail may name; as many recipients a mail may have."""

_BETWEEN = re.compile(r"[;,\n]|(?<=[0-9)])[ \t]+(?=\+|00[1-9](?:[ ._()/-]?[0-9]){7})")
_NUMBER = re.compile(r"\(?\+?[0-9 ._()/-]{5,40}")
_DIGITS = 6
"""The fewest digits of what is taken for a telephone number where words could stand."""
_LONGEST = 40_000
"""Characters of a list of numbers; more is none."""


def bare_subject(subject: str) -> str:
    """The subject on one line, without `Re:`, `Fwd:` and their like in any language, however many there are."""
    bare = " ".join(subject.split())
    while True:
        mark = ANSWER_SUBJECT.match(bare) or FORWARD_SUBJECT.match(bare)
        if mark is None or not mark.end():
            return bare
        bare = bare[mark.end() :].lstrip()


def number_list(text: str) -> tuple[str, ...]:
    """The telephone numbers that `text` is a list of, as written; empty when it is anything else.

    Between them stand semicolons, commas, line ends, or blanks before a plus or two zeros.
    """
    if len(text) > _LONGEST:
        return ()
    tokens = tuple(dict.fromkeys(token for each in _BETWEEN.split(text) if (token := each.strip())))
    return tokens if len(tokens) <= MAX_NUMBERS and all(map(_is_number, tokens)) else ()


def _is_number(token: str) -> bool:
    return _NUMBER.fullmatch(token) is not None and sum(char.isdigit() for char in token) >= _DIGITS
