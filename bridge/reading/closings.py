"""Finds where the words of a mail end: end marks, signatures of all kinds, device lines; used by `trim`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from bridge.reading.contacts import is_contact, is_sentence, is_title, names_somebody, reaches
from bridge.reading.layouts import DEVICE, DEVICE_HEADS, GADGET, is_reply_mark, is_sign_off, takes_leave
from bridge.reading.learning import leads_on, may_sign, tells
from bridge.reading.quotes import Found

_BARE_SIGNATURE_LINES = 15
_GREETING_ABOVE = 4
_CONTACT_LINES = 15
_OFFICE_LINES = 3
_NAME_WORDS = 3
_LONGEST_DEVICE_LINE = 1_000
_MOST_DEVICE_LINES = 100
_OTHER_MARK = re.compile(r"[\u2013\u2014]|[\u2013\u2014]{2}|_{2,60}|-{3,60}|\*(?: ?\*){2}")
_LINK_WITHIN = re.compile(r"<https?://[^\s<>]{0,500}>(?=\s)")
_MARKDOWN_LINK = re.compile(r"\[([^\]\n]{1,80})\]\([^)\s]{1,500}\)")
_MARKS = r"(?<!\$)\$\$|(?<!#)###?|--end|\N{EM DASH}-|\{end sms\}"
_MARK_ENDS = "$#d-}"
"""What each of these marks ends with, for a quick look."""
_ENCLOSED = re.compile(r"\s*##(?!#)")
_HEADING = re.compile(r"\s*(###?) .* \1\s*")
"""How monitors set a heading; it encloses no text and ends none."""
_DIALLED = re.compile(r"\S*[#*]\S*")
"""A word that goes on to a mark may be a code of the telephone network, such as ##002##."""


def end_mark(own: Sequence[str] = ()) -> Callable[[list[str]], Found]:
    """What finds the text that stands below a line that ends with a mark: one of those by which other services let a
    sender end a text (`$$`, `##`, `###`, `--end`, `—-`, `{end sms}`), or one of the mailbox's `own`. A mail that begins
    with `##` has its words between two of them.
    """
    own = sorted({mark.strip() for mark in own if mark.strip()}, key=len, reverse=True)
    marks = re.compile(rf"(?:{'|'.join([*map(_own_mark, own), _MARKS])})\s*", re.IGNORECASE)
    ends = frozenset(_MARK_ENDS) | {mark[-1].casefold() for mark in own}

    def find(lines: list[str]) -> Found:
        first = next((index for index, line in enumerate(lines) if line.strip()), 0)
        is_frame = _HEADING.fullmatch(lines[first]) or is_reply_mark(lines[first].strip())
        opening = None if is_frame else _ENCLOSED.match(lines[first])
        if opening is None and marks.fullmatch(lines[first].strip()):
            return None  # nothing stands above, so that it is a rule or a frame
        begin = opening.end() if opening else 0
        for index in range(first, len(lines)):
            line = lines[index][begin:] if index == first else lines[index]
            if line.rstrip()[-1:].casefold() not in ends:
                continue
            mark = next((each for each in marks.finditer(line) if each.end() == len(line)), None)
            if mark is None or _is_no_mark(line[: mark.start()], line):
                continue
            kept = [line] if index == first else [lines[first][begin:], *lines[first + 1 : index], line]
            kept[-1] = kept[-1][: len(line) - len(mark[0])]
            return kept, [lines[first][:begin], mark[0], *lines[index + 1 :]]
        return None

    return find


def _own_mark(mark: str) -> str:
    """Its pattern: not as the end of a longer word or of a longer row of the same sign."""
    if mark[0].isalnum():
        return rf"(?<![^\W_]){re.escape(mark)}"
    return rf"(?<!{re.escape(mark[0])}){re.escape(mark)}" if len(set(mark)) == 1 else re.escape(mark)


def _is_no_mark(above: str, line: str) -> bool:
    words = above.split()
    last = words[-1] if words and not above[-1:].isspace() else ""
    return bool(_DIALLED.fullmatch(last) or _HEADING.fullmatch(line) or is_reply_mark(line.strip()))


def signature(lines: list[str]) -> Found:
    """What follows "-- " (RFC 3676 section 4.3), or a single "--" if it is short and begins with a name or the like.

    So is another dash that stands alone, or a rule, below a greeting, where a name follows and how to reach it.
    """
    bare = [index for index, line in enumerate(lines) if line.startswith("--") and line.rstrip() == "--"]
    for index in bare:
        alone = len(bare) == 1 and not _leads_over(lines, index)
        if lines[index] == "-- " or (alone and _is_signature(lines[index + 1 :])):
            return lines[:index], lines[index:]
    other = [index for index, line in enumerate(lines) if _OTHER_MARK.fullmatch(line.rstrip())]
    if len(other) == 1 and not bare and _parts_off_signature(lines, other[0]):
        return lines[: other[0]], lines[other[0] :]
    return None


def _leads_over(lines: list[str], index: int) -> bool:
    """Whether the last words above `index` end in a colon."""
    return next((lines[at].rstrip() for at in range(index - 1, -1, -1) if lines[at].strip()), "").endswith(":")


def _parts_off_signature(lines: list[str], index: int) -> bool:
    """Whether a name and a way to reach it stand below a dash or rule, and a greeting above."""
    above = [line for line in lines[max(index - _GREETING_ABOVE, 0) : index] if line.strip()]
    below = [line.strip() for line in lines[index + 1 : index + 1 + _BARE_SIGNATURE_LINES]]
    below = [line for line in below if line]
    if not below or len(lines) - index > _BARE_SIGNATURE_LINES or not any(map(takes_leave, above)):
        return False
    signs = names_somebody(below[0]) and is_title(below[0]) and any(map(reaches, below))
    return signs and not any(map(is_sentence, below))


def _is_signature(lines: list[str]) -> bool:
    first = next((line.strip() for line in lines if line.strip()), "")
    signs = _is_device_line(first) or is_contact(first) or (names_somebody(first) and is_title(first))
    return len(lines) < _BARE_SIGNATURE_LINES and signs


def devices(lines: list[str]) -> Found:
    """The last lines, as far as the mail programs of phones wrote them; or the first, with a blank line below."""
    end = len(lines)
    found = 0
    for index in range(len(lines) - 1, -1, -1):
        bare = lines[index].strip()
        if bare and (found == _MOST_DEVICE_LINES or not _is_device_line(bare)):
            break
        found += bool(bare)
        end = index if bare else end
    first = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    if first + 1 < end and not lines[first + 1].strip() and _is_device_line(lines[first].strip()):
        return lines[first + 1 : end], [lines[first], *lines[end:]]
    return (lines[:end], lines[end:]) if end < len(lines) else None


def _is_device_line(line: str) -> bool:
    if len(line) > _LONGEST_DEVICE_LINE:
        return False
    bare = _LINK_WITHIN.sub("", _MARKDOWN_LINK.sub(r"\1", line))
    if bare.lstrip("<(")[:4].casefold() not in DEVICE_HEADS or not DEVICE.fullmatch(bare):
        return False
    return GADGET.search(bare) is not None


def contacts(lines: list[str]) -> Found:
    """The lines below a greeting and the name under it, when they are contact details: two that say how to reach
    somebody, or one among an office and a company. A greeting and a name stay, since they tell the phone who writes.
    """
    last = [index for index, line in enumerate(lines) if line.strip()][-_CONTACT_LINES:]
    for place, index in enumerate(last[:-1]):
        if index == 0 or not takes_leave(lines[index]):
            continue
        below = last[place + 1 :]
        if is_sign_off(lines[index]):
            if not may_sign(lines[below[0]].strip()) or is_contact(lines[below[0]].strip()):
                continue
            below = below[1:]
        if below and _says_how_to_reach([lines[each].strip() for each in below]):
            return lines[: below[0]], lines[below[0] :]
    return _named_again(lines)


def _says_how_to_reach(lines: list[str]) -> bool:
    if any(is_sentence(line) or (tells(line) and not is_contact(line)) for line in lines):
        return False
    parts = [part.strip() for line in lines for part in line.split("|")]
    ways = sum(map(is_contact, parts)) if any(map(reaches, lines)) else 0
    return ways >= 2 or (ways == 1 and len(lines) >= _OFFICE_LINES and all(map(may_sign, lines)))


def _named_again(lines: list[str]) -> Found:
    """The last paragraph, if it repeats the name that stands above it, and says twice how to reach it."""
    last = [index for index, line in enumerate(lines) if line.strip()][-_CONTACT_LINES:]
    begin = next((at for at in range(len(last) - 1, 0, -1) if last[at] - last[at - 1] > 1), 0)
    if not begin or last[begin - 1] == 0:
        return None
    below = [lines[each].strip() for each in last[begin:]]
    name = lines[last[begin - 1]].strip(" ,.!-")
    words = name.split()
    if not (0 < len(words) <= _NAME_WORDS and names_somebody(name) and set(words) < set(below[0].split())):
        return None
    if any(map(is_sentence, below)) or sum(map(is_contact, below)) < 2 or not any(map(reaches, below)):
        return None
    return lines[: last[begin]], lines[last[begin] :]


def learned(signatures: Sequence[str]) -> Callable[[list[str]], Found]:
    """What finds one of `signatures` as the last lines, be they spaced otherwise; never if nothing stands above."""
    known = sorted({tuple(_folded(signature.split("\n"))) for signature in signatures} - {()}, key=len, reverse=True)

    def find(lines: list[str]) -> Found:
        places = [index for index, line in enumerate(lines) if line.strip()]
        for wanted in known:
            begin = len(places) - len(wanted)
            if begin > 0 and tuple(_folded(lines[place] for place in places[begin:])) == wanted:
                if leads_on(lines[: places[begin]]):
                    return None
                return lines[: places[begin]], lines[places[begin] :]
        return None

    return find


def _folded(lines: Iterable[str]) -> list[str]:
    return [folded for line in lines if (folded := " ".join(line.split()))]
