"""What a subject says without the marks of mail programs, and the numbers it may hold; part of the parser."""

from __future__ import annotations

import re

from bridge.errors import MailRefusal, Reason
from bridge.reading.layouts import ANSWER_SUBJECT, FORWARD_SUBJECT

MAX_NUMBERS = 1_000
"""Telephone numbers that one mail may name; as many recipients a mail may have."""

_BETWEEN = re.compile(r"[;,\n]|(?<=[0-9)])[ \t]+(?=\+|00[1-9](?:[ ._()/-]?[0-9]){7})")
_NUMBER = re.compile(r"\(?\+?[0-9 ._()/-]{5,40}")
_YEAR, _DAY = "(?:19|20)[0-9]{2}", "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(rf"{_YEAR}([-._/ ])(?:0?[1-9]|1[0-2])\1{_DAY}|{_DAY}([-._/ ]){_DAY}\2{_YEAR}|{_YEAR}[-/ ]{_YEAR}")
"""A day, or two years: digits that are somebody's phone where numbers have eight."""
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

    Between them stand semicolons, commas, line ends, or blanks before a plus or two zeros. Raises MailRefusal for more
    than `MAX_NUMBERS`.
    """
    if len(text) > _LONGEST:
        return ()
    tokens = tuple(dict.fromkeys(token for each in _BETWEEN.split(text) if (token := each.strip())))
    if not all(map(_is_number, tokens)):
        return ()
    if len(tokens) > MAX_NUMBERS:
        raise MailRefusal(
            Reason.MALFORMED_NUMBER, f"The mail names more than {MAX_NUMBERS:,} phones: write several mails."
        )
    return tokens


def numbers_above(text: str) -> tuple[tuple[str, ...], str]:
    """The numbers that stand alone in the first line of `text`, and what follows them; none, and all of it, when the
    line is anything else. Below a comma or a semicolon the list goes on, since mail programs break long lines."""
    end = _line_end(text, 0)
    line = text[:end]
    while line.rstrip().endswith((",", ";")) and end < len(text):
        below = _line_end(text, end + 1)
        line = text[end + 1 : below]
        if not number_list(line):
            break
        end = below
    numbers = number_list(text[:end])
    return (numbers, text[end:].lstrip("\n")) if numbers else ((), text)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)


def _is_number(token: str) -> bool:
    if _NUMBER.fullmatch(token) is None or _DATE.fullmatch(token) is not None:
        return False
    return sum(char.isdigit() for char in token) >= _DIGITS
