"""Cuts a signature that is known from elsewhere out of plain text; after `mime` has chosen a body, before the trimming.

Mail programs mark in the HTML of a mail what they inserted as a signature, and write the same words into its plain text
without a mark.
"""

from __future__ import annotations

import re

from bridge.reading.headers import base64
from bridge.reading.html import SIGNATURE_CLASSES, SIGNATURE_IDS, SIGNATURE_NAMES
from bridge.reading.quoted_mails import quoted_mail_at
from bridge.types import Cut, CutRule

SHORTEST = 8
"""Characters of a signature, spaces not counted; a shorter one could stand in a sentence."""

_ADDED = re.compile(r"<(?:https?|mailto|tel):[^<>\s]{0,2000}>|\[(?:cid:|http)[^\[\]\n]{0,500}\]", re.IGNORECASE)
"""What the plain text of a link or picture has beside the words that HTML shows."""
_MARKS = re.compile(
    rb"(?:id|class|name)(?:=\n)?=(?:3D)?(?:=\n)?[\"']?(?:"
    + "|".join(r"(?:=\n)?".join(name) for name in (*SIGNATURE_IDS, *SIGNATURE_CLASSES, *SIGNATURE_NAMES)).encode()
    + rb")\b",
    re.IGNORECASE,
)
_IN_EVERY_MARK = b"ignature"
_BLANK_LINE = re.compile(rb"\n[ \t]*+\n")
_IN_BASE64 = re.compile(rb"^content-transfer-encoding:[ \t]*base64\b", re.IGNORECASE | re.MULTILINE)


def marks_signature(data: bytes) -> bool:
    """Whether HTML in `data` says what in it is a signature, be it encoded; at a glance."""
    encoded = _IN_BASE64.search(data)
    blank = _BLANK_LINE.search(data, encoded.end()) if encoded is not None else None
    return _is_marked(data) or (blank is not None and _is_marked(base64(data[blank.end() :])))


def _is_marked(data: bytes) -> bool:
    return _IN_EVERY_MARK in data and _MARKS.search(data) is not None


def without(text: str, signature: str) -> tuple[str, Cut] | None:
    """`text` without the last whole lines that say what `signature` says; None when there are none.

    A mail that is quoted below may end with the same words: those above it go first.
    """
    wanted = _folded(signature)
    if len(wanted) < SHORTEST:
        return None
    lines = text.split("\n")
    starts: list[int] = []
    said = ""
    for line in lines:
        starts.append(len(said))
        said += _folded(line)
    quoted = quoted_mail_at(lines)
    at = said.rfind(wanted, 0, len(said) if quoted is None else starts[quoted])
    at = said.rfind(wanted) if at < 0 else at
    if at < 0:
        return None
    ends = {start: index for index, start in enumerate(starts)}
    last = ends.get(at + len(wanted), len(lines) if at + len(wanted) == len(said) else None)
    first = next((index for index, start in enumerate(starts) if start == at and _folded(lines[index])), None)
    if first is None or last is None:
        return None
    cut = "\n".join(lines[first:last]).strip()
    return "\n".join(lines[:first] + lines[last:]), Cut(CutRule.SIGNATURE, cut)


def _folded(text: str) -> str:
    return "".join(_ADDED.sub("", text).split())
