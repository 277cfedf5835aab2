"""Reads the words out of winmail.dat, which Exchange and Outlook make of a mail (MS-OXTNEF); used by `mime`.

Only the body in its three forms is taken: plain, HTML, compressed RTF. Every length is held against what is there, and
whatever is broken ends the reading.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.reading.charsets import decode
from bridge.reading.rtf import decompress

MAX_PROPERTIES = 5_000
"""Attributes, properties and values that are looked at; a mail has about a hundred."""

_SIGNATURE = b"\x78\x9f\x3e\x22"
_MESSAGE = 1
_BODY, _PROPERTIES, _CODE_PAGE = 0x0002800C, 0x00069003, 0x00069007

_PLAIN, _RTF, _HTML, _INTERNET_CODE_PAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_LONG, _STRING, _UNICODE, _BINARY, _OBJECT = 0x0003, 0x001E, 0x001F, 0x0102, 0x000D
_SIZES = {0x0002: 4, _LONG: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8}
_SIZES |= {0x0040: 8, 0x0048: 16}
"""Octets of a property value by its type; the types not named say how long they are (MS-OXCDATA section 2.11.1)."""
_SEVERAL = 0x1000
_NAMED = 0x8000
_CHARSETS = {0: "utf-8", 65_001: "utf-8", 20_127: "us-ascii", 20_866: "koi8-r", 21_866: "koi8-u", 54_936: "gb18030"}
_CHARSETS |= {28_590 + part: f"iso-8859-{part}" for part in (*range(1, 10), 13, 15)}
_CHARSETS |= {**dict.fromkeys((50_220, 50_221, 50_222), "iso-2022-jp"), 51_932: "euc-jp", 51_949: "euc-kr"}
"""Code pages that are not called cp and their number (Windows, Code Page Identifiers)."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The body of a mail as Outlook wrote it; empty what is not there."""

    plain: str = ""
    html: str = ""
    rtf: bytes = b""


class _Broken(Exception):
    """The data ends before what it announces."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._values = 0

    @property
    def done(self) -> bool:
        return self._position >= len(self._data)

    def take(self, length: int) -> bytes:
        end = self._position + length
        if end > len(self._data):
            raise _Broken
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def padded(self, length: int) -> bytes:
        """`length` octets, and what fills them up to a multiple of four."""
        taken = self.take(length)
        self._position += -length % 4
        return taken

    def expect(self, count: int) -> None:
        """Raises _Broken where `count` values more are too many."""
        self._values += count
        if self._values > MAX_PROPERTIES:
            raise _Broken

    def byte(self) -> int:
        return self.take(1)[0]

    def short(self) -> int:
        return int(struct.unpack("<H", self.take(2))[0])

    def long(self) -> int:
        return int(struct.unpack("<I", self.take(4))[0])


def read_tnef(data: bytes) -> Wrapped:
    """The body in `data`; empty where it is none, or cannot be read."""
    if not data.startswith(_SIGNATURE):
        return Wrapped()
    attributes = dict(_attributes(data))
    code_page = int.from_bytes(attributes.get(_CODE_PAGE, b"")[:4], "little")
    found: dict[int, tuple[int, bytes]] = {}
    for kind, name, value in _properties(attributes.get(_PROPERTIES, b"")):
        found.setdefault(name, (kind, value))
    internet = int.from_bytes(found.get(_INTERNET_CODE_PAGE, (0, b""))[1][:4], "little")
    plain = _text(*found.get(_PLAIN, (_STRING, attributes.get(_BODY, b""))), code_page)
    html = _text(*found.get(_HTML, (_STRING, b"")), internet or code_page)
    return Wrapped(plain, html, decompress(found.get(_RTF, (_BINARY, b""))[1]))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes of the message itself, not of its attachments; sums are not checked, as Outlook does not."""
    reader = _Reader(data)
    try:
        reader.take(len(_SIGNATURE) + 2)
        for _ in range(MAX_PROPERTIES):
            if reader.done or reader.byte() != _MESSAGE:
                return
            name = reader.long()
            value = reader.take(reader.long())
            yield name, value
            reader.take(2)
    except _Broken:
        return


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, name and first value of each MAPI property."""
    reader = _Reader(data)
    try:
        for _ in range(min(reader.long(), MAX_PROPERTIES)):
            kind, name = reader.short(), reader.short()
            if name >= _NAMED:
                reader.take(16)
                if reader.long():
                    reader.padded(reader.long())
                else:
                    reader.long()
            yield kind & ~_SEVERAL, name, _value(reader, kind)
    except _Broken:
        return


def _value(reader: _Reader, kind: int) -> bytes:
    single = kind & ~_SEVERAL
    varies = single in {_STRING, _UNICODE, _BINARY, _OBJECT}
    count = reader.long() if varies or kind & _SEVERAL else 1
    if not (varies or single in _SIZES):
        raise _Broken
    reader.expect(count)
    values = [reader.padded(reader.long()) if varies else reader.take(_SIZES[single]) for _ in range(count)]
    return values[0] if values else b""


def _text(kind: int, value: bytes, code_page: int) -> str:
    if kind == _UNICODE:
        return value[: len(value) // 2 * 2].decode("utf-16-le", "replace").rstrip("\0")
    return decode(value.rstrip(b"\0"), _CHARSETS.get(code_page, f"cp{code_page}"))
