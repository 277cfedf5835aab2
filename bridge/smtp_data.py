"""A mail collected from blocks of bytes, and whether its lines are sound: between the wire and the handler.

After DATA a mail ends at CRLF.CRLF and at nothing else, wherever the borders between blocks fall (RFC 5321 section
4.1.1.4). Scripts and old devices end their lines with LF alone; such lines get their CR here, so that nothing behind
the door meets a lone LF. What another server might take for the end of a mail (a lone dot between lone LFs), a lone CR
and NUL make a mail bad: that is how a second mail is smuggled past a server.

With BDAT (RFC 3030) the client says how many octets come: none of them ends the mail, and no dot is a transparency dot.
Its lines are held to the same, since BINARYMIME is not offered. Memory is bounded by the size limit; what comes after
it is read and thrown away.
"""

from __future__ import annotations

from enum import StrEnum

_END = b"\r\n.\r\n"

DISCARD_FACTOR = 4
"""How many times the size limit is read before the client is cut off; a polite 552 needs the mail read to its end."""


class Flaw(StrEnum):
    """Why the octets of a mail cannot be taken."""

    TOO_LARGE = "too_large"
    BAD_LINES = "bad_lines"


class MailData:
    """Collects one mail. Give it blocks until `feed` says that the end was seen, then ask for `content`."""

    __slots__ = ("_buffer", "_hold", "_limit", "_octets", "_overflowed", "rest")

    def __init__(self, limit: int) -> None:
        """`limit` is the largest mail in octets, counted without transparency dots (RFC 1870 section 6)."""
        self._buffer = bytearray(b"\r\n")
        self._limit = limit
        # A transparency dot stretches the shortest line, a lone dot, from three octets to four.
        self._hold = limit + limit // 3 + len(_END)
        self._octets = 0
        self._overflowed = False
        self.rest = b""
        """What followed the end of the mail: the client's next, pipelined commands."""

    @property
    def endless(self) -> bool:
        """More has come than is worth reading to the end."""
        return self._octets > self._limit * DISCARD_FACTOR + len(_END)

    def feed(self, block: bytes | bytearray) -> bool:
        """Take a block; true once the end of the mail was in it."""
        buffer = self._buffer
        seen = len(buffer)
        self._octets += len(block)
        buffer += block
        end = buffer.find(_END, max(0, seen - len(_END) + 1))
        if end >= 0:
            self.rest = bytes(buffer[end + len(_END) :])
            del buffer[end + 2 :]
            return True
        if len(buffer) > self._hold:
            self._overflowed = True
            del buffer[: -len(_END) + 1]
        return False

    def content(self) -> bytes | Flaw:
        """The mail without transparency dots (RFC 5321 section 4.5.2), or what is wrong with it."""
        if self._overflowed:
            return Flaw.TOO_LARGE
        wire = bytes(self._buffer)
        self._buffer.clear()
        # The CRLF put in front lets one replacement serve the first line too.
        raw = wire.replace(b"\r\n.", b"\r\n")[2:]
        if len(raw) > self._limit:
            return Flaw.TOO_LARGE
        mended = _with_whole_lines(raw)
        if mended is not raw and b"\n.\n" in wire.replace(b"\r\n", b"\n"):
            return Flaw.BAD_LINES
        return mended


class Chunks:
    """Collects one mail that comes in chunks (BDAT). Say how long each is, then give its blocks."""

    __slots__ = ("_buffer", "_limit", "_octets", "failed")

    def __init__(self, limit: int) -> None:
        """`limit` is the largest mail in octets, all chunks together."""
        self._buffer = bytearray()
        self._limit = limit
        self._octets = 0
        self.failed = False
        """A chunk was refused, and with it the mail (RFC 3030 section 2)."""

    def announce(self, octets: int) -> bool:
        """Whether a chunk of so many octets has room. If not, the mail has failed, and what came of it is let go."""
        self._octets += octets
        if self._octets > self._limit:
            self.fail()
        return not self.failed

    def fail(self) -> None:
        """Give the mail up."""
        self.failed = True
        self._buffer.clear()

    def add(self, block: bytearray) -> None:
        """Take octets of a chunk that was announced and has room."""
        self._buffer += block

    def content(self) -> bytes | Flaw:
        """The mail, or what is wrong with it."""
        raw = bytes(self._buffer)
        self._buffer.clear()
        return _with_whole_lines(raw)


def _with_whole_lines(raw: bytes) -> bytes | Flaw:
    """The mail with CRLF behind every line; itself when it was so. A lone CR and NUL cannot be mended."""
    # Three counts cost a quarter of one regular expression.
    lines = raw.count(b"\r\n")
    if raw.count(b"\r") != lines or b"\0" in raw:
        return Flaw.BAD_LINES
    if raw.count(b"\n") == lines:
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
