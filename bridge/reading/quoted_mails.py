"""Finds whole mails that are quoted or passed on, under a header block or a line that announces them; for `trim`."""

from __future__ import annotations

import re

from bridge.reading.layouts import (
    ADDRESS,
    ANNOUNCES_FORWARD,
    FORM_LABEL,
    FORWARD,
    LABEL,
    RULE,
    RUN_TOGETHER,
    SENDER_LABEL,
    SENDER_LABELS,
    SENT_LABELS,
    SEPARATOR,
    SUBJECT_LABELS,
    TIME,
    is_reply_mark,
)
from bridge.reading.quotes import MARK, Found, is_announced, is_quotation, is_quoted, quoted_end

_HEADER_BLOCK_LINES = 10
_LABELS_ABOVE = 4
"""Of a header block, lines that may stand above the sender's: old Hotmail began with the day."""
_COLONS = (":", "\N{FULLWIDTH COLON}")
_MESSAGE_OF = re.compile(r"Message du ?:? ?\d{1,2}/\d{1,2}/\d{2,4},? \d{1,2}:\d{2}")
"""How SFR and Orange announce a mail in French."""
_LONG_DATE = re.compile(r": [^\W\d_]{3,12},? .{0,30}\d{4},? \d{1,2}[:.]\d{2}")
"""A day by its name, a year and an hour without a word between them."""
_COLUMN = re.compile(r"^ *\w{1,20}: {2,}\S")
_SHORT_RULE = re.compile(r"-{3,4}|\*(?: ?\*){2}")
_SIGNS = re.compile(r"--|__|\*\*|==|##|>>>|\N{EM DASH}|^ *Original Message")
_OF_A_FORM = ":"
_NOT_ABOVE = SENDER_LABELS | {"", _OF_A_FORM}
_ROW = re.compile(r"[^\s:*][^:]{0,40}: .*")
"""A line of a form, such as "Duration: 12 s"."""


def quoted_mail(lines: list[str]) -> Found:
    """A quoted or forwarded mail under a header block or a line that announces it, down to the end."""
    index = quoted_mail_at(lines)
    if index is None:
        return None
    start, end = index, len(lines)
    while start and (LABEL.fullmatch(lines[start - 1].strip()) or _is_label_in_bold(lines, start - 2)):
        start -= 1 if lines[start - 1].strip() else 2
    while start and _belongs_above(lines[start - 1].strip()):
        start -= 1
    below = next((at for at in range(index + 1, len(lines)) if lines[at].strip()), len(lines))
    if below < len(lines) and is_quoted(lines[below]):  # as Apple does it, words may stand below
        end = quoted_end(lines, below, any_mark=False)
    return [*lines[:start], "", *lines[end:]], lines[start:end]


def quoted_mail_at(lines: list[str]) -> int | None:
    """The first line that announces a quoted or forwarded mail, or names its sender in a header block.

    A block with which the mail ends quotes nothing: a switchboard says so who called. Where its sender has an address,
    or a rule stands above it, a mail program wrote it all the same.
    """
    last = _last_rows(lines)
    labels: dict[int, str] = {}
    for index, line in enumerate(lines):
        if ":" not in line and _COLONS[1] not in line and not _SIGNS.search(line):
            continue
        bare = line.strip()
        if not bare[:1].isalnum():
            if SEPARATOR.fullmatch(bare) or RUN_TOGETHER.fullmatch(bare):
                return index
            below = lines[index + 1].strip() if index + 1 < len(lines) else ""
            if (is_reply_mark(bare) or is_reply_mark(below, bare)) and any(map(str.strip, lines[:index])):
                return index
        elif (bare.endswith(_COLONS) or bare.startswith("Original")) and SEPARATOR.fullmatch(bare):
            return index
        is_mail = index < last or bool(ADDRESS.search(line)) or _is_ruled_off(lines, index)
        if is_mail and _header_block(lines, index, labels):
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


def _is_label_in_bold(lines: list[str], index: int) -> bool:
    """Whether there is a label set in asterisks, with a blank line below: what turned HTML to text did that."""
    if index < 0 or lines[index + 1].strip():
        return False
    bare = lines[index].strip()
    return bare.startswith("*") and LABEL.fullmatch(bare) is not None


def _belongs_above(line: str) -> bool:
    return not line or bool(
        RULE.fullmatch(line)
        or _SHORT_RULE.fullmatch(line)
        or ANNOUNCES_FORWARD.fullmatch(line)
        or _MESSAGE_OF.fullmatch(line)
    )


def passed_on(cut: list[str], *, forwarded: bool) -> Found:
    """The words of a mail that is passed on, and what stands above them, out of what was cut as quoted.

    It is passed on when a line says so, or when it is known from elsewhere (`forwarded`) and has a header block.
    """
    announcing = {index for index, line in enumerate(cut) if FORWARD.fullmatch(line.strip())}
    if is_quotation([line for index, line in enumerate(cut) if index not in announcing]):
        cut = [MARK.sub("", line, count=1).removeprefix(" ") for line in cut]
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


def _header_block(lines: list[str], index: int, labels: dict[int, str]) -> bool:
    """A sender's label and two different other ones close below: among them the subject, and an address or what only
    programs write with a time (the label for when it was sent, a rule above, columns, a long date); or an address and a
    time.

    Fewer may be a person's own, and so may those of a transport or a switchboard (from, to, date), and what a form of a
    website holds: it has labels that no mail has, or stands below a line of its own that leads over to it.
    """
    if not SENDER_LABEL.fullmatch(lines[index].strip()) or is_announced(lines, index):
        return False
    begin = index
    while begin > max(index - _LABELS_ABOVE, 0) and _label(lines, begin - 1, labels) not in _NOT_ABOVE:
        begin -= 1
    end = index + 1
    found: set[str] = set()
    is_over = False
    for at in range(begin, min(index + _HEADER_BLOCK_LINES, len(lines))):
        label = _label(lines, at, labels) if at != index else ""
        if label in SENDER_LABELS:
            break
        if label == _OF_A_FORM:
            if not is_over:
                return False
        elif label:
            found.add(label)
            end = at + 1
        is_over = is_over or (len(found) >= 2 and not lines[at].strip())
    if len(found) < 2:
        return False
    block = lines[begin : end + 1]
    addressed, timed = any(map(ADDRESS.search, block)), any(map(TIME.search, block))
    if found & SUBJECT_LABELS:
        by_program = found & SENT_LABELS or _is_ruled_off(lines, begin) or any(map(_LONG_DATE.search, block))
        return addressed or (timed and (bool(by_program) or sum(map(_is_aligned, block)) >= 2))
    return timed and (addressed or bool(found & SENT_LABELS and _is_ruled_off(lines, begin)))


def _is_aligned(line: str) -> bool:
    """Whether the value of a label stands in a column, as Lotus Notes sets it."""
    return _COLUMN.search(line) is not None


def _label(lines: list[str], index: int, labels: dict[int, str]) -> str:
    """The label of a header block on this line, that of a form, or none; looked for once a line."""
    if index not in labels:
        bare = lines[index].strip()
        label = LABEL.fullmatch(bare)
        labels[index] = label[1] if label is not None else _OF_A_FORM if FORM_LABEL.match(bare) else ""
    return labels[index]
