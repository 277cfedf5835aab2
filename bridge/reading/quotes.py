"""Finds what a mail quotes line by line, marked or under an attribution; used by `trim`.

Words below or between quoted lines are the person's own. Quoted lines that a person wrote around are kept, since they
may be what is being answered; those of a mail that begins with them (an answer below, or point by point) are cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.reading.attributions import ATTRIBUTION_LINES, attribution_length, is_beyond_doubt, parted
from bridge.reading.layouts import (
    ANNOUNCES_FORWARD,
    EMOJI_NAME,
    LEADS_OVER,
    MARKED_WORDS,
    WROTE,
    ends_attribution,
    takes_leave,
)

Found = tuple[list[str], list[str]] | None
"""The lines that are kept and those that are cut; None when nothing is to cut."""

MARK = re.compile(r" ?(?:>|\|(?= |$))")
"""What a quoted line begins with."""
_CLOSING_LINES = 4


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some lines of a mail, from `start` to before `end`."""

    start: int
    end: int
    quoted: bool = False
    attribution: bool = False


def quotation(lines: list[str]) -> Found:
    """Attributions and the quotations under them, and quoted lines that end the mail."""
    if not any(line.startswith(">") or ends_attribution(line.rstrip()) or ":  " in line for line in lines):
        return None
    lines = parted(lines)
    pieces = _pieces(lines)
    if not any(piece.quoted or piece.attribution for piece in pieces):
        return None
    kept: list[str] = []
    cut: list[str] = []
    begins_with_it = pieces[0].attribution and len(pieces) > 1 and pieces[1].quoted
    own = [index for index, piece in enumerate(pieces) if not (piece.quoted or piece.attribution)]
    if len(own) > 1 and own[0] == 0 and _closes(lines, pieces, own[-1]):
        own.pop()
    last_own = own[-1] if own else -1
    for index, piece in enumerate(pieces):
        here = lines[piece.start : piece.end]
        if piece.attribution or (piece.quoted and (begins_with_it or index > last_own)):
            follows = index > 0 and pieces[index - 1].attribution
            enough = piece.attribution or follows or begins_with_it or sum(bool(line.strip()) for line in here) > 1
            (cut if enough and (kept or cut or len(pieces) > 1) else kept).extend(here)
        else:
            kept += here
    return (kept, cut) if cut else None


def _closes(lines: list[str], pieces: list[_Piece], index: int) -> bool:
    """Whether a piece is no more than a greeting and a name under what a program quotes: nothing is answered there."""
    said = [line.strip() for line in lines[pieces[index].start : pieces[index].end] if line.strip()]
    programs = any(piece.attribution for piece in pieces[:index])
    return programs and 0 < len(said) <= _CLOSING_LINES and takes_leave(said[0])


def is_quotation(lines: list[str]) -> bool:
    """Whether every line is marked as quoted."""
    return all(not line.strip() or MARK.match(line) for line in lines) and any(map(MARKED_WORDS.match, lines))


def _pieces(lines: list[str]) -> list[_Piece]:
    """A mail as attributions, quotations and words; blank lines belong to what stands above them."""
    below_of = _next_lines(lines)
    end_of = _next_ends(lines)
    pieces: list[_Piece] = []
    index = begin = below_of[0]
    while index < len(lines):
        is_near = end_of[index] < index + ATTRIBUTION_LINES
        attribution = attribution_length(lines, index, below_of) if is_near else 0
        below = below_of[index + attribution]
        end = quoted_end(lines, below, any_mark=bool(attribution))
        marked = end > below and (bool(attribution) or _is_marked(lines, below, end))
        if end > below and not marked:
            index = end
            continue
        if attribution and not marked and below < len(lines):
            # The program that wrote this did not mark the quotation: only what is above is the person's own for sure.
            if not is_beyond_doubt(lines[index : index + attribution]):
                attribution = 0
            elif index > begin or pieces:
                return [*pieces, *_words(begin, index), _Piece(index, len(lines), attribution=True)]
            elif not any(map(WROTE.search, lines[index : index + attribution])):
                attribution = 0  # nothing but a day and a name, above all the words: a heading
        if attribution or marked:
            pieces += _words(begin, index)
            if attribution:
                pieces.append(_Piece(index, below, attribution=True))
            if marked:
                pieces.append(_Piece(below, end, quoted=True))
                below = end
            index = begin = below
        else:
            index = below_of[index + 1]
    return pieces + _words(begin, len(lines))


def _next_ends(lines: list[str]) -> list[int]:
    """For each line, the next one from it on with which an attribution may end; the number of lines without one."""
    found = [len(lines)] * (len(lines) + 1)
    for index in range(len(lines) - 1, -1, -1):
        found[index] = index if ends_attribution(lines[index].lstrip("> ").rstrip()) else found[index + 1]
    return found


def _words(start: int, end: int) -> list[_Piece]:
    return [_Piece(start, end)] if end > start else []


def _next_lines(lines: list[str]) -> list[int]:
    """For each line, and the end, the next one from it on that is not blank."""
    found = [len(lines)] * (len(lines) + 1)
    for index in range(len(lines) - 1, -1, -1):
        found[index] = index if lines[index].strip() else found[index + 1]
    return found


def _is_marked(lines: list[str], start: int, end: int) -> bool:
    """Whether these lines without an attribution are quoted, not a list or a comparison."""
    return any(map(MARKED_WORDS.match, lines[start:end])) and not is_announced(lines, start)


def is_quoted(line: str) -> bool:
    return line.startswith(">")


def quoted_end(lines: list[str], start: int, *, any_mark: bool) -> int:
    """The end of the run of quoted lines at `start`; blank lines inside and below it belong to it."""
    index = start
    while index < len(lines):
        quoted = MARK.match(lines[index]) if any_mark else is_quoted(lines[index])
        if lines[index].strip() and not quoted:
            break
        index += 1
    return index


def is_announced(lines: list[str], index: int) -> bool:
    """Whether the words above lead over to what is here, as to a list or to what a form holds."""
    above = next((lines[at].strip() for at in range(index - 1, max(index - 3, -1), -1) if lines[at].strip()), "")
    if LEADS_OVER.search(above):
        return True
    return (
        above.endswith(":")
        and not (EMOJI_NAME.search(above) or WROTE.search(above))
        and (not ANNOUNCES_FORWARD.fullmatch(above))
    )
