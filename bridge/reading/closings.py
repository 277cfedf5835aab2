"""Finds where the words of a mail end: end marks, signature, contact details, device lines; used by `trim`.

A greeting and a name stay, since they tell the phone who writes. What goes are the lines that a mail program repeats
under every mail.
"""

from __future__ import annotations

import re

from bridge.reading.layouts import DEVICE, DEVICE_HEADS, GADGET, SIGN_OFFS
from bridge.reading.quotes import Found

_BARE_SIGNATURE_LINES = 15
_CONTACT_LINES = 15
_MARKDOWN_LINK = re.compile(r"\[([^\]\n]{1,80})\]\([^)\s]{1,500}\)")
_CONTACT = re.compile(
    r"\b(?:tel|telefono|teléfono|telefoon|telefon|téléphone|phone|cell|cellulare|mob|mobile|móvil|mobiel|handy|fax"
    r"|e-?mail|web|website|sito|skype|whatsapp|p\.? ?iva|c\.? ?f|vat|kvk|nif|cif|siret|ust-?id)\b\.? ?[:.)]"
    r"|^(?:t|m|e|w|f|p)[.:|] ?\S"
    r"|www\.|https?://|\S@\S|\+\d[\d /.()-]{6,}\d|^\(?0\d[\d /.()-]{6,}\d$"
    r"|^(?:via|viale|corso|piazza|calle|avenida|rue|avenue|rua)\b.*\d|\b\d{4,5}(?: ?[A-Z]{2})? [A-ZÀ-Ý]\w+",
    re.IGNORECASE,
)

_END_MARK = re.compile(r"(?:(?<!\$)\$\$|(?<!#)###?|--end|\N{EM DASH}-|\{end sms\})\s*", re.IGNORECASE)
_LAST = frozenset("$#d-}")
"""What a mark ends with, for a quick look."""
_ENCLOSED = re.compile(r"\s*##(?!#)")
_HEADING = re.compile(r"\s*(###?) .* \1\s*")
"""How monitors set a heading; it encloses no text and ends none."""
_DIALLED = re.compile(r"\S*[#*]\S*")
"""A word that goes on to a mark may be a code of the telephone network, such as ##002##."""
_SENTENCE = re.compile(r"(?<!\.\w)(?<!\.\w\w)[.!?:]$")
"""How a line of a letter ends, and none of an address; "s.r.l." is no sentence."""


def end_mark(lines: list[str]) -> Found:
    """What stands below a line that ends with the mark by which other services let a sender end a text.

    `$$`, `##`, `###`, `--end`, `—-`, `{end sms}`; a mail that begins with `##` has its words between two of them.
    """
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    opening = None if _HEADING.fullmatch(lines[first]) else _ENCLOSED.match(lines[first])
    if opening is None and _END_MARK.fullmatch(lines[first].strip()):
        return None  # nothing stands above, so that it is a rule or a frame
    begin = opening.end() if opening else 0
    for index in range(first, len(lines)):
        line = lines[index][begin:] if index == first else lines[index]
        if line.rstrip()[-1:].casefold() not in _LAST:
            continue
        mark = next((each for each in _END_MARK.finditer(line) if each.end() == len(line)), None)
        if mark is None or _is_no_mark(line[: mark.start()], line):
            continue
        kept = [line] if index == first else [lines[first][begin:], *lines[first + 1 : index], line]
        kept[-1] = kept[-1][: len(line) - len(mark[0])]
        return kept, [lines[first][:begin], mark[0], *lines[index + 1 :]]
    return None


def _is_no_mark(above: str, line: str) -> bool:
    words = above.split()
    last = words[-1] if words and not above[-1:].isspace() else ""
    return bool(_DIALLED.fullmatch(last) or _HEADING.fullmatch(line))


def signature(lines: list[str]) -> Found:
    """What follows "-- " (RFC 3676 section 4.3), or a single "--" if it is short and begins with a name or the like."""
    bare = [index for index, line in enumerate(lines) if line.startswith("--") and line.rstrip() == "--"]
    for index in bare:
        leads_over = index > 0 and lines[index - 1].rstrip().endswith(":")
        if lines[index] == "-- " or (len(bare) == 1 and not leads_over and _is_signature(lines[index + 1 :])):
            return lines[:index], lines[index:]
    return None


def _is_signature(lines: list[str]) -> bool:
    first = next((line.strip() for line in lines if line.strip()), "")
    signs = _is_device_line(first) or bool(_CONTACT.search(first)) or (_names(first) and _is_title(first))
    return len(lines) < _BARE_SIGNATURE_LINES and signs


def devices(lines: list[str]) -> Found:
    """The last lines, as far as the mail programs of phones wrote them."""
    end = len(lines)
    for index in range(len(lines) - 1, -1, -1):
        bare = lines[index].strip()
        if bare and not _is_device_line(bare):
            break
        end = index if bare else end
    return (lines[:end], lines[end:]) if end < len(lines) else None


def _is_device_line(line: str) -> bool:
    bare = _MARKDOWN_LINK.sub(r"\1", line)
    if bare.lstrip("<(")[:4].casefold() not in DEVICE_HEADS or not DEVICE.fullmatch(bare):
        return False
    return GADGET.search(bare) is not None


def contacts(lines: list[str]) -> Found:
    """The lines below a sign-off and the name under it, when at least two of them are contact details."""
    last = [index for index, line in enumerate(lines) if line.strip()][-_CONTACT_LINES:]
    for place, index in enumerate(last[:-1]):
        if index == 0 or lines[index].strip(" ,.!;:-").casefold() not in SIGN_OFFS:
            continue
        below = last[place + 1 :]
        if not _names(lines[below[0]].strip()) or any(_SENTENCE.search(lines[each].rstrip()) for each in below):
            continue
        below = below[1:]
        if sum(bool(_CONTACT.search(lines[each].strip())) for each in below) >= 2:
            return lines[: below[0]], lines[below[0] :]
    return None


def _is_title(line: str) -> bool:
    """Whether the line may name somebody and does not say something, as far as its letters tell."""
    return not (":" in line or line[:1].islower() or _SENTENCE.search(line))


def _names(line: str) -> bool:
    return len(line) <= 60 and not _CONTACT.search(line) and not any(char.isdigit() for char in line)
