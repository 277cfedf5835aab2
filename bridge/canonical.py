"""Header fields and bodies in the two forms that signatures are made over (RFC 6376 section 3.4); pure, under those who
sign (`mailback`) and those who check (`access`).

A body may be large, and hostile: five million empty lines, or blanks alone. So it is never copied whole. It is brought
into form and hashed piece by piece, by a fixed number of passes over each, and a piece without blanks, as base64 is,
goes into the hash as it is.
"""

from __future__ import annotations

import hashlib
import re

PIECE = 65_536
"""Octets of a body that are looked at together; lines are not cut, so a longer one is looked at whole."""

_BLANKS = b" \t"
_RUN = re.compile(rb"[ \t]+")


def relaxed_field(raw: bytes) -> bytes:
    """A field without its last line end, unfolded, with its name in lower case and single blanks (section 3.4.2). In
    the simple form it stays as it is (section 3.4.1)."""
    name, _, value = raw.partition(b":")
    return name.strip(_BLANKS).lower() + b":" + _RUN.sub(b" ", value.replace(b"\r\n", b"")).strip(_BLANKS)


def body_hash(body: bytes, *, relaxed: bool) -> tuple[bytes, int]:
    """The SHA-256 of a body in this form, and how many octets the form has.

    Line ends are CRLF; where others are among the empty lines at the end, these stay, which no signer's form has.
    """
    end = _last_octet(body, _BLANKS + b"\r\n" if relaxed else b"\r\n")
    ends = body[end:]
    if ends != b"\r\n" * (len(ends) // 2) and not ends.count(b"\r\n") == ends.count(b"\r") == ends.count(b"\n"):
        relaxed, end = False, len(body)
    if relaxed and not end:
        return hashlib.sha256().digest(), 0
    hashed, octets, start = hashlib.sha256(), 0, 0
    while start < end:
        stop = min(body.find(b"\n", start + PIECE) + 1 or end, end) if relaxed else end
        piece = memoryview(body)[start:stop]
        if relaxed and (body.find(b" ", start, stop) >= 0 or body.find(b"\t", start, stop) >= 0):
            piece = memoryview(_relaxed_lines(bytes(piece)))
        hashed.update(piece)
        octets += len(piece)
        start = stop
    hashed.update(b"\r\n")
    return hashed.digest(), octets + 2


def _relaxed_lines(lines: bytes) -> bytes:
    """Lines with single blanks and none at their ends (section 3.4.4)."""
    lines = lines.replace(b"\t", b" ")
    while b"  " in lines:  # halves every run, so two dozen passes are the most
        lines = lines.replace(b"  ", b" ")
    return lines.replace(b" \r\n", b"\r\n")


def _last_octet(body: bytes, without: bytes) -> int:
    """Where the body ends when these octets at its end do not count."""
    end = len(body)
    while end:
        kept = len(body[max(0, end - PIECE) : end].rstrip(without))
        if kept:
            return max(0, end - PIECE) + kept
        end = max(0, end - PIECE)
    return 0
