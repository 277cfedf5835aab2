"""Header fields and bodies in the two forms that signatures are made over (RFC 6376 section 3.4).

Everything is done by a fixed number of passes over whole bodies, because a hostile body may consist of five million
empty lines or of blanks alone. Each form of a body is hashed once, however many signatures a mail carries.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable

LARGE = 256 * 1024
"""Octets of a body from which on it is brought into form in a thread, so that other connections do not wait."""

_BLANKS = b" \t"
_RUN = re.compile(rb"[ \t]+")


def simple_field(raw: bytes) -> bytes:
    """A field without its last line end, as it is (section 3.4.1)."""
    return raw


def relaxed_field(raw: bytes) -> bytes:
    """A field without its last line end, unfolded, with its name in lower case and single blanks (section 3.4.2)."""
    name, _, value = raw.partition(b":")
    return name.strip(_BLANKS).lower() + b":" + _RUN.sub(b" ", value.replace(b"\r\n", b"")).strip(_BLANKS)


def field_form(relaxed: bool) -> Callable[[bytes], bytes]:
    """How fields are brought into form."""
    return relaxed_field if relaxed else simple_field


class Body:
    """A body whose line ends are CRLF, and its SHA-256 in either form."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._hashes: dict[bool, asyncio.Task[tuple[bytes, int]]] = {}

    async def sha256(self, relaxed: bool) -> tuple[bytes, int]:
        """The hash of the whole body in this form, and how many octets the form has."""
        if relaxed not in self._hashes:
            self._hashes[relaxed] = asyncio.create_task(self._sha256(relaxed))
        return await asyncio.shield(self._hashes[relaxed])

    async def _sha256(self, relaxed: bool) -> tuple[bytes, int]:
        if len(self._raw) < LARGE:
            return _hashed(self._raw, relaxed)
        return await asyncio.to_thread(_hashed, self._raw, relaxed)


def _hashed(body: bytes, relaxed: bool) -> tuple[bytes, int]:
    form = relaxed_body(body) if relaxed else simple_body(body)
    return hashlib.sha256(form).digest(), len(form)


def simple_body(body: bytes) -> bytes:
    """The body with one line end at its end instead of many or none (section 3.4.3)."""
    # CR and LF occur as pairs only, so whatever of them stands at the end is empty lines.
    return body.rstrip(b"\r\n") + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """The body with single blanks, none at the ends of lines and no empty lines at its end (section 3.4.4)."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:  # halves every run, so two dozen passes are the most
        body = body.replace(b"  ", b" ")
    body = (body + b"\r\n").replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""
