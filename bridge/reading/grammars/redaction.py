"""Takes the passwords of other services' mails out of all that is kept: subjects, addresses, header fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from bridge.reading.headers import decoded

HIDDEN = "***"
"""What stands where a password stood."""

_PIECE = re.compile(r"[A-Za-z0-9_$-]+")
"""What parts the fields of an address is no part of a password in it."""
_LINE = 900
"""Octets of a line; RFC 5322 section 2.1.1 allows 998."""
_NEVER = frozenset({b"message-id", b"in-reply-to", b"references", b"date"})
"""Fields that hold no password, but could hold the same four digits as one, and are compared with others."""
_FIELD = re.compile(rb"^([!-9;-~]+[ \t]*:)([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)


def redacted(text: str, passwords: Iterable[str]) -> str:
    """`text`, a subject or a name, with `***` where one of `passwords` stands."""
    for password in sorted(filter(None, passwords), key=len, reverse=True):
        text = text.replace(password, HIDDEN)
    return text


def redacted_address(address: str, passwords: Iterable[str]) -> str:
    """A mail address, perhaps with its type in front as in ORCPT, with `***` where one of `passwords` stands in its
    local part, alone between dots: the same digits within a telephone number are none."""
    local, at, domain = address.rpartition("@")
    known = frozenset(passwords)
    return _PIECE.sub(lambda piece: HIDDEN if piece[0] in known else piece[0], local) + at + domain


def redacted_headers(block: bytes, passwords: Collection[str]) -> bytes:
    """A header block as received, with `***` where one of `passwords` stands; also inside an encoded word (RFC 2047)
    and across a fold, where the whole value is written anew. Without passwords it comes back as it is."""
    passwords = frozenset(filter(None, passwords))
    if not passwords:
        return block
    return _FIELD.sub(lambda field: _field(field, passwords), block)


def _field(field: re.Match[bytes], passwords: Collection[str]) -> bytes:
    if field[1].rstrip(b" \t:").lower() in _NEVER:
        return field[0]
    return field[1] + _value(field[2], passwords)


def _value(raw: bytes, passwords: Collection[str]) -> bytes:
    for password in sorted(passwords, key=len, reverse=True):
        raw = raw.replace(password.encode("utf-8", "replace"), HIDDEN.encode())
    shown = decoded(raw)
    if not any(password in shown for password in passwords):
        return raw
    line = redacted(shown, passwords).encode("ascii", "replace")
    end = b"\r" if raw.endswith(b"\r") else b""
    folded = (end + b"\n ").join(line[at : at + _LINE] for at in range(0, len(line), _LINE))
    return b" " + folded + end
