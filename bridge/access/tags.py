"""Tag lists, `name=value; name=value`: the one grammar of DKIM signatures and keys, DMARC policies and ARC sets
(RFC 6376 section 3.2)."""

from __future__ import annotations

import base64
import binascii
import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BLANKS = " \t\r\n"
_ANY_BLANK = re.compile(r"[ \t\r\n]+")
_B_TAG = re.compile(rb"((?:\A|;)[ \t\r\n]*+b[ \t\r\n]*+=)[^;]*+")


def tags(text: bytes | str) -> dict[str, str]:
    """The values by their names, both as written but for blanks around them.

    Raises ValueError for what is no tag list: octets that are not UTF-8 (RFC 8616 section 3), a piece without `=`, a
    name that occurs twice.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    found: dict[str, str] = {}
    pieces = text.split(";")
    if not pieces[-1].strip(_BLANKS):
        pieces.pop()
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name = name.strip(_BLANKS)
        if not equals or not _NAME.fullmatch(name):
            raise ValueError("no tag")
        if name in found:
            raise ValueError(f"the tag {name} occurs twice")
        found[name] = value.strip(_BLANKS)
    return found


def words(value: str) -> tuple[str, ...]:
    """The pieces between colons, in lower case, without blanks around them."""
    return tuple(word.strip(_BLANKS).lower() for word in value.split(":"))


def octets(value: str) -> bytes:
    """What base64 with blanks anywhere stands for (RFC 6376 section 2.10). Raises ValueError."""
    try:
        return base64.b64decode(_ANY_BLANK.sub("", value).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("no base64") from None


def number(value: str) -> int:
    """A number of at most 12 digits (RFC 6376 section 3.5, t= and x=). Raises ValueError."""
    if not value.isascii() or not value.isdigit() or len(value) > 12:
        raise ValueError("no number")
    return int(value)


def without_signature(raw: bytes) -> bytes:
    """A signature field with the value of its `b=` taken out and nothing else changed (RFC 6376 section 3.7)."""
    name, colon, value = raw.partition(b":")
    return name + colon + _B_TAG.sub(rb"\1", value, count=1)
