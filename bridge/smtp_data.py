"""A mail collected from blocks of bytes, and whether its lines are sound: between the wire and the handler.

After DATA a mail ends at CRLF.CRLF and at nothing else, wherever the borders between blocks fall (RFC 5321 section
4.1.1.4). Scripts and old devices end their lines with LF alone; such lines get their CR here, so that nothing behind
the door meets a lone LF. What another server might take for the end of a mail (a lone dot between lone LFs), a lone CR
and NUL make a mail bad: that is how a second mail is smuggled past a server.

With BDAT (RFC 3030) the client says how many octets come: none of them ends the mail, and no dot is a transparency dot.
Its lines are held to the same, since BINARYMIME is not offered. Memory is bounded by the size limit; what comes after
it is read and thrown away.

Each block is looked at as it comes, so that the end of a large mail keeps nobody waiting.
"""

from __future__ import annotations

import re
from enum import StrEnum

_END = b"\r\n.\r\n"
_CONTEXT = 2
"""Octets before a dot that tell whether it is for transparency."""
_SPLIT = len(_END) - 1
"""Octets at the end of a block that may need the next one to be understood."""
_FALSE_END = re.compile(rb"\n\.\r?\n")

DISCARD_FACTOR = 4
"""How many times the size limit is read before the client is cut off; a polite 552 needs the mail read to its end."""


class Flaw(StrEnum):
    """Why the octets of a mail cannot be taken."""

    TOO_LARGE = "too_large"
    BAD_LINES = "bad_lines"
    NO_ROOM = "no_room"
    """Too many large mails come at the same time."""


class Collected:
    """The octets of a mail as far as they have come, and what its line ends are like."""

    __slots__ = ("_bad", "_buffer", "_limit", "_mends", "flaw")

    def __init__(self, limit: int) -> None:
        """`limit` is the largest mail in octets, counted without transparency dots (RFC 1870 section 6)."""
        self._limit = limit
        self._buffer = bytearray()
        self._bad = self._mends = False
        self.flaw: Flaw | None = None
        """Why the mail was given up."""

    @property
    def held(self) -> int:
        """Octets that are kept in memory."""
        return len(self._buffer)

    def give_up(self, flaw: Flaw) -> None:
        """Keep nothing of this mail any more."""
        self.flaw = self.flaw or flaw
        self._buffer = bytearray()

    def content(self) -> bytes | Flaw:
        """The mail with CRLF behind every line, or what is wrong with it: a lone CR and NUL cannot be mended."""
        if self.flaw is not None:
            return self.flaw
        raw, self._buffer = bytes(self._buffer), bytearray()
        if self._bad or raw.endswith(b"\r"):
            return Flaw.BAD_LINES
        return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if self._mends else raw

    def _keep(self, piece: bytes | bytearray) -> None:
        """Take the next octets of the mail itself."""
        if self.flaw is not None or not piece:
            return
        if len(self._buffer) + len(piece) > self._limit:
            self.give_up(Flaw.TOO_LARGE)
            return
        lines = b"\r" + piece if self._buffer.endswith(b"\r") else piece
        lines = lines.removesuffix(b"\r")  # what follows it is in the next piece
        # Taking every CR out and putting one before each LF costs a quarter of counting them.
        if lines != lines.replace(b"\r", b"").replace(b"\n", b"\r\n"):
            self._mends = True
            self._bad = self._bad or lines.count(b"\r") != lines.count(b"\r\n")
        self._bad = self._bad or b"\0" in piece
        self._buffer += piece


class MailData(Collected):
    """Collects one mail. Give it blocks until `feed` says that the end was seen, then ask for `content`."""

    __slots__ = ("_octets", "_tail", "rest")

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        # What came last: `_CONTEXT` octets that are kept already, then those that are not understood yet. A mail begins
        # as if a line had ended before it.
        self._tail = b"\r\n"
        self._octets = 0
        self.rest = b""
        """What followed the end of the mail: the client's next, pipelined commands."""

    @property
    def endless(self) -> bool:
        """More has come than is worth reading to the end."""
        return self._octets > self._limit * DISCARD_FACTOR + len(_END)

    def feed(self, block: bytes | bytearray) -> bool:
        """Take a block; true once the end of the mail was in it."""
        self._octets += len(block)
        wire = self._tail + block
        dotted = b"." in wire  # the attachments that make a mail large have none
        end = wire.find(_END) if dotted else -1
        stop = end + 2 if end >= 0 else max(_CONTEXT, len(wire) - (_SPLIT - _CONTEXT))
        if dotted:
            self._bad = self._bad or _FALSE_END.search(wire, 0, stop if end >= 0 else len(wire)) is not None
            # Transparency dots go (RFC 5321 section 4.5.2).
            self._keep(wire[:stop].replace(b"\r\n.", b"\r\n")[_CONTEXT:])
        else:
            self._keep(wire[_CONTEXT:stop])
        if end >= 0:
            self.rest = wire[end + len(_END) :]
            return True
        self._tail = wire[stop - _CONTEXT :]
        return False


class Chunks(Collected):
    """Collects one mail that comes in chunks (BDAT). Say how long each is, then give its blocks."""

    __slots__ = ("_octets", "failed")

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
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
        self.give_up(Flaw.TOO_LARGE)

    def add(self, block: bytearray) -> None:
        """Take octets of a chunk that was announced and has room."""
        self._keep(block)
