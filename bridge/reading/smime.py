"""Opens a mail that S/MIME wraps in its signature (RFC 8551 section 3.5.2, RFC 5652 section 5); used by `mime`.

The signature itself is not checked: who may send is decided by the login, not by the mail. Of the ASN.1 (X.690) only
the way down to the content is read, by our own few lines. What most mail programs write is the form without lengths
(BER), which cryptography does not read; asn1crypto 1.5.1 does, and was busy for 26 seconds with 240 kB of one tag.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_PIECES = 30_000
"""Elements that are looked at; a content of 25 MB in the usual pieces of 1,000 octets has 25,000."""
MAX_NESTING = 8
"""Constructed strings within constructed strings."""

_SEQUENCE, _OBJECT, _FIRST = 0x30, 0x06, 0xA0
_OCTETS, _PIECES = 0x04, 0x24
_END_OF_CONTENTS = 0
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DATA = bytes.fromhex("2a864886f70d010701")


class _Broken(Exception):
    """What comes is no signed data, or more than is looked at."""


class _Reader:
    """Reads elements in the order in which they stand; none is stepped over that has no length."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._pieces = 0

    def enter(self, tag: int) -> int | None:
        """The end of the element `tag` that begins here, None if it has no length; its contents come next."""
        found, end = self._header()
        if found != tag:
            raise _Broken
        return end

    def value(self, tag: int) -> bytes:
        """The contents of the element `tag` that begins here."""
        end = self.enter(tag)
        if end is None:
            raise _Broken
        return self._take(end)

    def skip(self) -> None:
        """Passes over the element that begins here."""
        _, end = self._header()
        if end is None:
            raise _Broken
        self._take(end)

    def octets(self, nesting: int = 0) -> Iterator[bytes]:
        """The pieces of the octet string that begins here (X.690 section 8.7)."""
        tag, end = self._header()
        if tag == _OCTETS and end is not None:
            yield self._take(end)
            return
        if tag != _PIECES or nesting == MAX_NESTING:
            raise _Broken
        while not self._over(end):
            yield from self.octets(nesting + 1)

    def _over(self, end: int | None) -> bool:
        if end is not None:
            return self._position >= end
        if self._data[self._position : self._position + 2] != b"\0\0":
            return False
        self._position += 2
        return True

    def _take(self, end: int) -> bytes:
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def _header(self) -> tuple[int, int | None]:
        self._pieces += 1
        header = self._data[self._position : self._position + 6]
        if len(header) < 2 or self._pieces > MAX_PIECES or header[0] == _END_OF_CONTENTS:
            raise _Broken
        tag, length = header[0], header[1]
        self._position += 2
        if length == 0x80:
            return tag, None
        if length > 0x84:
            raise _Broken
        if length > 0x80:
            self._position += length - 0x80
            length = int.from_bytes(header[2 : 2 + length - 0x80], "big")
        end = self._position + length
        if end > len(self._data):
            raise _Broken
        return tag, end


def signed_content(data: bytes) -> bytes | None:
    """The part of a mail that the signed data `data` wraps; None when it is encrypted, broken or none."""
    reader = _Reader(data)
    try:
        reader.enter(_SEQUENCE)
        if reader.value(_OBJECT) != _SIGNED_DATA:
            return None
        reader.enter(_FIRST)
        reader.enter(_SEQUENCE)
        reader.skip()  # version
        reader.skip()  # digest algorithms
        reader.enter(_SEQUENCE)
        if reader.value(_OBJECT) != _DATA:
            return None
        reader.enter(_FIRST)
        return b"".join(reader.octets())
    except _Broken:
        return None
