"""Finds what a mail quotes: whole mails under a header block, and marked lines under an attribution; used by `trim`.

Words below or between quoted lines are the person's own. Quoted lines that a person wrote around are kept, since they
may be what is being answered; those of a mail that begins with them (an answer below, or point by point) are cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.reading.layouts import (
    ADDRESS,
    ANNOUNCES_FORWARD,
    ATTRIBUTION_END,
    BRACKETED,
    DAY,
    FORWARD,
    LABEL,
    NO_WORDS,
    OPENING,
    OPENING_WITHIN,
    RULE,
    RUN_TOGETHER,
    SENDER_LABEL,
    SEPARATOR,
    SUBJECT_LABELS,
    TIME,
    WROTE,
    WROTE_AT_END,
)

Found = tuple[list[str], list[str]] | None
"""The lines that are kept and those that are cut; None when nothing is to cut."""

_ATTRIBUTION_LINES = 6
_ATTRIBUTION_LENGTH = 400
_HEADER_BLOCK_LINES = 10
_LABELS_ABOVE = 4
"""Of a header block, lines that may stand above the sender's: old Hotmail began with the day."""
_MARK = re.compile(r" ?(?:>|\|(?= |$))")
_MARKED_WORDS = re.compile(r">(?: ?[^\s\d>=]|\s*$)")
"""A line that nothing but quoting explains: "> 126 mg/dl" compares, and ">>> ALARM" shouts."""
_ROW = re.compile(r"[^\s:*][^:]{0,40}: .*")
"""A line of a form, such as "Duration: 12 s"."""
_LINE_GOES_ON = re.compile(r":[ \N{NO-BREAK SPACE}]{2,}(?=\S)")
"""Where Yahoo's app goes on with the quoted words on the line of its attribution."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some lines of a mail, from `start` to before `end`."""

    start: int
    end: int
    quoted: bool = False
    attribution: bool = False


def quoted_mail(lines: list[str]) -> Found:
    """A quoted or forwarded mail under a header block or a line that announces it, down to the end."""
    index = quoted_mail_at(lines)
    if index is None:
        return None
    start, end = index, len(lines)
    while start and LABEL.fullmatch(lines[start - 1].strip()):
        start -= 1
    while start and _belongs_above(lines[start - 1].strip()):
        start -= 1
    below = next((at for at in range(index + 1, len(lines)) if lines[at].strip()), len(lines))
    if below < len(lines) and _is_quoted(lines[below]):  # as Apple does it, words may stand below
        end = _quoted_end(lines, below, any_mark=False)
    return [*lines[:start], "", *lines[end:]], lines[start:end]


def quoted_mail_at(lines: list[str]) -> int | None:
    """The first line that announces a quoted or forwarded mail, or names its sender in a header block.

    A block with which the mail ends quotes nothing: a switchboard says so who called. Where its sender has an address,
    or a rule stands above it, a mail program wrote it all the same.
    """
    last = _last_rows(lines)
    for index, line in enumerate(lines):
        if ":" not in line and "\N{FULLWIDTH COLON}" not in line and not re.search(r"--|__|\*\*|==", line):
            continue
        bare = line.strip()
        if SEPARATOR.fullmatch(bare) or RUN_TOGETHER.fullmatch(bare):
            return index
        is_mail = index < last or bool(ADDRESS.search(line)) or _is_ruled_off(lines, index)
        if is_mail and _header_block(lines, index):
            return index
    return None


def _last_rows(lines: list[str]) -> int:
    """Where the last lines of the mail begin that are all those of a form."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    while end and _ROW.fullmatch(lines[end - 1].strip()):
        end -= 1
    return end


def _is_ruled_off(lines: list[str], index: int) -> bool:
    """Whether the words above `index` end with a rule."""
    above = next((lines[at].strip() for at in range(index - 1, -1, -1) if lines[at].strip()), "")
    return RULE.fullmatch(above) is not None


def _belongs_above(line: str) -> bool:
    return not line or bool(RULE.fullmatch(line) or ANNOUNCES_FORWARD.fullmatch(line))


def passed_on(cut: list[str], *, forwarded: bool) -> Found:
    """The words of a mail that is passed on, and what stands above them, out of what was cut as quoted.

    It is passed on when a line says so, or when it is known from elsewhere (`forwarded`) and has a header block.
    """
    announcing = {index for index, line in enumerate(cut) if FORWARD.fullmatch(line.strip())}
    if is_quotation([line for index, line in enumerate(cut) if index not in announcing]):
        cut = [_MARK.sub("", line, count=1).removeprefix(" ") for line in cut]
    lines = [line.strip() for line in cut]
    announced = next((index for index, line in enumerate(lines) if FORWARD.fullmatch(line)), None)
    joined = next((index for index, line in enumerate(lines) if RUN_TOGETHER.fullmatch(line)), None)
    if joined is not None:
        is_forward = forwarded or FORWARD.match(lines[joined])
        return (cut[joined + 1 :], cut[: joined + 1]) if is_forward else None
    if announced is None and not forwarded:
        return None
    labels, begin = 0, 0 if announced is None else announced + 1
    for index in range(begin, len(lines)):
        if SENDER_LABEL.fullmatch(lines[index]) or LABEL.fullmatch(lines[index]):
            labels += 1
        elif not lines[index] and labels:
            return (cut[index:], cut[:index]) if labels >= 2 else None
    return (cut[begin:], cut[:begin]) if announced is not None and not labels else None


def _header_block(lines: list[str], index: int) -> bool:
    """A sender's label and two different other ones close below, with an address, or with a subject and a time.

    Fewer may be a person's own, and so may those of a transport or a switchboard (from, to, date), and what a form of a
    website holds, below a line of its own that ends in a colon.
    """
    if not SENDER_LABEL.fullmatch(lines[index].strip()) or _is_announced(lines, index):
        return False
    begin = index
    while begin > max(index - _LABELS_ABOVE, 0) and LABEL.fullmatch(lines[begin - 1].strip()):
        begin -= 1
    block = lines[begin : index + _HEADER_BLOCK_LINES]
    others = block[: index - begin] + block[index - begin + 1 :]
    found = {match[1] for match in (LABEL.fullmatch(line.strip()) for line in others) if match}
    timed = bool(found & SUBJECT_LABELS) and any(map(TIME.search, block))
    return len(found) >= 2 and (timed or any(map(ADDRESS.search, block)))


def _is_announced(lines: list[str], index: int) -> bool:
    """Whether the words above lead over to what is here, as to a list."""
    above = next((lines[at].rstrip() for at in range(index - 1, max(index - 3, -1), -1) if lines[at].strip()), "")
    return above.endswith(":") and not WROTE.search(above) and not ANNOUNCES_FORWARD.fullmatch(above.strip())


def quotation(lines: list[str]) -> Found:
    """Attributions and the quotations under them, and quoted lines that end the mail."""
    if not any(line.startswith(">") or ATTRIBUTION_END.search(line.rstrip()) or ":  " in line for line in lines):
        return None
    lines = _parted(lines)
    pieces = _pieces(lines)
    if not any(piece.quoted or piece.attribution for piece in pieces):
        return None
    kept: list[str] = []
    cut: list[str] = []
    begins_with_it = pieces[0].attribution and len(pieces) > 1 and pieces[1].quoted
    own = [index for index, piece in enumerate(pieces) if not (piece.quoted or piece.attribution)]
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


def is_quotation(lines: list[str]) -> bool:
    """Whether every line is marked as quoted."""
    return all(not line.strip() or _MARK.match(line) for line in lines) and any(map(_MARKED_WORDS.match, lines))


def _pieces(lines: list[str]) -> list[_Piece]:
    """A mail as attributions, quotations and words; blank lines belong to what stands above them."""
    below_of = _next_lines(lines)
    pieces: list[_Piece] = []
    index = begin = below_of[0]
    while index < len(lines):
        attribution = _attribution_length(lines, index, below_of)
        below = below_of[index + attribution]
        end = _quoted_end(lines, below, any_mark=bool(attribution))
        marked = end > below and (bool(attribution) or _is_marked(lines, below, end))
        if end > below and not marked:
            index = end
            continue
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
            below = below_of[at + 1]
            if told and line.endswith(":"):
                if below < len(lines) and _MARKED_WORDS.match(lines[below]):
                    return 1
                if below == len(lines) and BRACKETED.search(line) and TIME.search(line) and DAY.search(line):
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
    if NO_WORDS.fullmatch(joined) or (joined.startswith("---") and joined.endswith("---") and WROTE.search(joined)):
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
    """Whether it names an address, or has day, time and the comma that programs set; else a person may have written
    it, and what is below are his words.
    """
    joined = " ".join(attribution).lstrip("> -")
    if ADDRESS.search(joined) or NO_WORDS.fullmatch(joined):
        return True
    return bool("," in joined and OPENING.match(joined) and TIME.search(joined) and DAY.search(joined))


def _parted(lines: list[str]) -> list[str]:
    """The same lines, but own or quoted words on the line of an attribution on lines of their own."""
    parted: list[str] = []
    for line in lines:
        within = OPENING_WITHIN.search(line, 0, _ATTRIBUTION_LENGTH) if ATTRIBUTION_END.search(line.rstrip()) else None
        if within is not None and not OPENING.match(line.lstrip("> -")) and _is_attribution(line[within.start() :]):
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


def _is_marked(lines: list[str], start: int, end: int) -> bool:
    """Whether these lines without an attribution are quoted, not a list or a comparison."""
    return any(map(_MARKED_WORDS.match, lines[start:end])) and not _is_announced(lines, start)


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
