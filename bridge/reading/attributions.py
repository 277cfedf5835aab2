"""Finds the line above a quotation that says who wrote it and when; used by `quotes`.

Programs wrap it at 76 characters, set it before or behind words of one's own on the line, and word it as they like.
What a person may have written is an attribution only if quoted lines follow.
"""

from __future__ import annotations

import re

from bridge.reading.layouts import (
    ADDRESS,
    BRACKETED,
    DATED,
    DAY,
    MARKED_WORDS,
    NO_WORDS,
    OPENING,
    OPENING_WITHIN,
    SENDER_AT_END,
    TIME,
    WROTE,
    WROTE_AT_END,
    ends_attribution,
)

ATTRIBUTION_LINES = 6
_ATTRIBUTION_LENGTH = 400
_DATED_WORDS = 16
_NO_PERSON = (" het volgende:", " a következőt írta:")
"""How programs that give no address end it, and hardly anybody who writes by hand."""
_LINE_GOES_ON = re.compile(r":[ \N{NO-BREAK SPACE}]{2,}(?=\S)")
"""Where Yahoo's app goes on with the quoted words on the line of its attribution."""


def attribution_length(lines: list[str], index: int, below_of: list[int]) -> int:
    """How many lines the attribution at `index` takes, 0 when there is none; programs wrap it at 76 characters."""
    parts: list[str] = []
    length = 0
    for at in range(index, min(index + ATTRIBUTION_LINES, len(lines))):
        line = lines[at].lstrip("> ").rstrip()
        if not line:
            # A program that has lost its HTML puts an address into lines of its own.
            if below_of[at] >= len(lines) or not lines[below_of[at]].startswith("<"):
                return 0
            continue
        parts.append(line)
        length += len(line) + 1
        if length > _ATTRIBUTION_LENGTH:
            return 0
        if ends_attribution(line) and (at == index or not line[:4].isdigit() or line.endswith(":")):
            if _is_attribution(" ".join(parts)) and not _begins_later(parts):
                return at - index + 1
            # In a language without a row, the colon over a quotation and an address or time still tell.
            told = at == index and (ADDRESS.search(line) or (TIME.search(line) and not OPENING.match(line)))
            below = below_of[at + 1]
            if told and line.endswith(":"):
                if below < len(lines) and MARKED_WORDS.match(lines[below]):
                    return 1
                if below == len(lines) and BRACKETED.search(line) and TIME.search(line) and DAY.search(line):
                    return 1
            if line.endswith((":", "\N{FULLWIDTH COLON}", "-")):
                return 0  # nothing of an attribution stands below its end
    return 0


def _begins_later(parts: list[str]) -> bool:
    """Whether the first of these lines is the last of the words above an attribution."""
    opens = OPENING.match(parts[0])
    for start in range(1, len(parts)):
        rest = " ".join(parts[start:])
        if (not opens or OPENING.match(rest)) and _is_attribution(rest):
            return True
    return False


def _is_attribution(joined: str) -> bool:
    if len(joined) > 2 * _ATTRIBUTION_LENGTH:
        return False
    if (
        NO_WORDS.fullmatch(joined)
        or _is_dated_sender(joined)
        or (joined.startswith("---") and joined.endswith("---") and WROTE.search(joined))
    ):
        return True
    day, who = DAY.search(joined), ADDRESS.search(joined)
    if not WROTE.search(joined) or not (day or who or TIME.search(joined)):
        return False
    if joined.endswith("---") and not joined.startswith("---"):
        return False
    if joined[-1].isalpha():  # Zoho's app sets no colon
        return bool(OPENING.match(joined) and day and TIME.search(joined) and BRACKETED.search(joined))
    if OPENING.match(joined.lstrip("- ")):
        return True
    at_end = WROTE_AT_END.fullmatch(joined)
    return bool((at_end and (day or BRACKETED.search(joined))) or (day and (who or TIME.search(joined))))


def is_beyond_doubt(attribution: list[str]) -> bool:
    """Whether it names an address, or has day, time and the comma that programs set; else a person may have written
    it, and what is below are his words.
    """
    joined = " ".join(attribution).lstrip("> -")
    if ADDRESS.search(joined) or NO_WORDS.fullmatch(joined):
        return True
    if joined.endswith(_NO_PERSON):
        return bool(TIME.search(joined) and DAY.search(joined))
    return bool("," in joined and OPENING.match(joined) and TIME.search(joined) and DAY.search(joined))


def parted(lines: list[str]) -> list[str]:
    """The same lines, but own or quoted words on the line of an attribution on lines of their own."""
    parted: list[str] = []
    for line in lines:
        within = OPENING_WITHIN.search(line, 0, _ATTRIBUTION_LENGTH) if ends_attribution(line.rstrip()) else None
        named = within is not None and line[: within.start()].rstrip().endswith(">")
        if (
            within is not None
            and not named
            and not OPENING.match(line.lstrip("> -"))
            and _is_attribution(line[within.start() :])
        ):
            own = len(line[: within.start()].rstrip(" -"))
            parted += [line[:own], line[own:]]
            continue
        goes_on = _LINE_GOES_ON.search(line, 0, _ATTRIBUTION_LENGTH) if ":  " in line else None
        above = line[: goes_on.start() + 1].strip() if goes_on is not None else ""
        if goes_on is not None and BRACKETED.search(above) and _is_attribution(above):
            parted += [above, line[goes_on.end() :]]
        else:
            parted.append(line)
    return parted


def _is_dated_sender(joined: str) -> bool:
    """Whether this is a day, a time and a name with its address and a colon, which needs no word for writing."""
    if not (DATED.match(joined) and SENDER_AT_END.search(joined)) or len(joined.split()) > _DATED_WORDS:
        return False
    return bool(DAY.search(joined) and TIME.search(joined))
