"""Finds what a mail quotes: whole mails under a header block, and marked lines under an attribution; used by `trim`.

Words below or between quoted lines are the person's own. Quoted lines that a person wrote around are kept, since they
may be what is being answered; those of a mail that begins with them (an answer below, or point by point) are cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.reading.layouts import (
    ADDRESS,
    ATTRIBUTION_END,
    BRACKETED,
    DAY,
    FORWARD,
    LABEL,
    NO_WORDS,
    OPENING,
    RULE,
    SENDER_LABEL,
    SEPARATOR,
    TIME,
    WROTE,
    WROTE_AT_END,
)

Found = tuple[list[str], list[str]] | None
"""The lines that are kept and those that are cut; None when nothing is to cut."""

_ATTRIBUTION_LINES = 6
_ATTRIBUTION_LENGTH = 400
_HEADER_BLOCK_LINES = 10
_MARK = re.compile(r" ?(?:>|\|(?= |$))")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some lines of a mail, from `start` to before `end`."""

    start: int
    end: int
    quoted: bool = False
    attribution: bool = False


def quoted_mail(lines: list[str]) -> Found:
    """A quoted or forwarded mail under a header block or a line that announces it, down to the end."""
    for index, line in enumerate(lines):
        if ":" not in line and "\N{FULLWIDTH COLON}" not in line and not re.search(r"--|__|\*\*|==", line):
            continue
        bare = line.strip()
        if SEPARATOR.fullmatch(bare) or _starts_header_block(lines, index):
            start = index
            while start and (not lines[start - 1].strip() or RULE.fullmatch(lines[start - 1].strip())):
                start -= 1
            return lines[:start], lines[start:]
    return None


def passed_on(cut: list[str]) -> Found:
    """The words of a forwarded mail and the block above them, for a mail that holds nothing else."""
    lines = iter(enumerate(cut))
    if not any(FORWARD.fullmatch(line.strip()) for _, line in lines if line.strip()):
        return None
    labels, below = 0, len(cut)
    for index, line in lines:
        if SENDER_LABEL.fullmatch(line.strip()) or LABEL.fullmatch(line.strip()):
            labels += 1
        elif not line.strip() and labels:
            below = index
            break
    return (cut[below:], cut[:below]) if labels >= 2 and below < len(cut) else None


def _starts_header_block(lines: list[str], index: int) -> bool:
    """A sender label and at least two different other ones close below: one or two labels may be a person's own."""
    if not SENDER_LABEL.fullmatch(lines[index].strip()):
        return False
    following = (LABEL.fullmatch(line.strip()) for line in lines[index + 1 : index + _HEADER_BLOCK_LINES])
    return len({match[1] for match in following if match}) >= 2


def quotation(lines: list[str]) -> Found:
    """Attributions and the quotations under them, and quoted lines that end the mail."""
    if not any(line.startswith(">") or ATTRIBUTION_END.search(line.rstrip()) for line in lines):
        return None
    pieces = _pieces(lines)
    if not any(piece.quoted or piece.attribution for piece in pieces):
        return None
    kept: list[str] = []
    cut: list[str] = []
    begins_with_it = pieces[0].attribution and len(pieces) > 1 and pieces[1].quoted
    for index, piece in enumerate(pieces):
        here = lines[piece.start : piece.end]
        if piece.attribution or (piece.quoted and (begins_with_it or _ends_the_mail(pieces[index:]))):
            follows = index > 0 and pieces[index - 1].attribution
            enough = piece.attribution or follows or begins_with_it or piece.end - piece.start > 1
            (cut if enough and (kept or cut or len(pieces) > 1) else kept).extend(here)
        else:
            kept += here
    return (kept, cut) if cut else None


def _ends_the_mail(pieces: list[_Piece]) -> bool:
    """Whether no word of the person's own is in these pieces."""
    return all(piece.quoted or piece.attribution for piece in pieces)


def _pieces(lines: list[str]) -> list[_Piece]:
    """A mail as attributions, quotations and words; blank lines belong to what stands above them."""
    below_of = _next_lines(lines)
    pieces: list[_Piece] = []
    index = begin = below_of[0]
    while index < len(lines):
        attribution = _attribution_length(lines, index, below_of)
        below = below_of[index + attribution]
        marked = below < len(lines) and bool(_MARK.match(lines[below])) if attribution else _is_quoted(lines[index])
        if attribution and not marked and below < len(lines):
            # The program that wrote this did not mark the quotation: only what is above is the person's own for sure.
            if not _is_beyond_doubt(lines[index : index + attribution]):
                attribution = 0
            elif index > begin or pieces:
                return [*pieces, *_words(begin, index), _Piece(index, len(lines), attribution=True)]
        if attribution or marked:
            pieces += _words(begin, index)
            if attribution:
                pieces.append(_Piece(index, below, attribution=True))
            if marked:
                end = _quoted_end(lines, below, any_mark=bool(attribution))
                pieces.append(_Piece(below, end, quoted=True))
                below = end
            index = begin = below
        else:
            index = below_of[index + 1]
    return pieces + _words(begin, len(lines))


def _words(start: int, end: int) -> list[_Piece]:
    return [_Piece(start, end)] if end > start else []


def _next_lines(lines: list[str]) -> list[int]:
    """For each line, and the end, the next one from it on that is not blank."""
    found = [len(lines)] * (len(lines) + 1)
    for index in range(len(lines) - 1, -1, -1):
        found[index] = index if lines[index].strip() else found[index + 1]
    return found


def _attribution_length(lines: list[str], index: int, below_of: list[int]) -> int:
    """How many lines the attribution at `index` takes, 0 when there is none; programs wrap it at 76 characters."""
    parts: list[str] = []
    length = 0
    for at in range(index, min(index + _ATTRIBUTION_LINES, len(lines))):
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
        if ATTRIBUTION_END.search(line):
            if _is_attribution(" ".join(parts)) and not _begins_later(parts):
                return at - index + 1
            # In a language without a row, the colon over a quotation and an address or time still tell.
            told = at == index and (ADDRESS.search(line) or TIME.search(line))
            if told and line.endswith(":") and at + 1 < len(lines) and _is_quoted(lines[at + 1]):
                return 1
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
    if NO_WORDS.fullmatch(joined):
        return True
    day, who = DAY.search(joined), ADDRESS.search(joined)
    if not WROTE.search(joined) or not (day or who or TIME.search(joined)):
        return False
    if joined.endswith("---") and not joined.startswith("---"):
        return False
    if OPENING.match(joined.lstrip("- ")):
        return True
    at_end = WROTE_AT_END.fullmatch(joined)
    return bool((at_end and (day or BRACKETED.search(joined))) or (day and (who or TIME.search(joined))))


def _is_beyond_doubt(attribution: list[str]) -> bool:
    """Whether it names an address, or begins as one and has both day and time; else it may be a person's own line."""
    joined = " ".join(attribution).lstrip("> -")
    if ADDRESS.search(joined) or NO_WORDS.fullmatch(joined):
        return True
    return bool(OPENING.match(joined) and TIME.search(joined) and DAY.search(joined))


def _is_quoted(line: str) -> bool:
    return line.startswith(">")


def _quoted_end(lines: list[str], start: int, *, any_mark: bool) -> int:
    """The end of the run of quoted lines at `start`; blank lines inside and below it belong to it."""
    index = start
    while index < len(lines):
        quoted = _MARK.match(lines[index]) if any_mark else _is_quoted(lines[index])
        if lines[index].strip() and not quoted:
            break
        index += 1
    return index
