"""Reads rich text (RTF) as Outlook puts it into winmail.dat; used by `tnef` and `mime`.

Sources: Rich Text Format Specification 1.9.1, MS-OXRTFCP (compression), MS-OXRTFEX (HTML and plain text within RTF).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

LONGEST = 500_000
"""Octets of rich text that are read; what a person writes has some tens of thousands."""

_COMPRESSED, _UNCOMPRESSED = b"LZFu", b"MELA"
_HEADER = 16
_WINDOW = 4_096
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier"
    rb"{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What every compressed text may refer to from its first octet (MS-OXRTFCP section 2.1.2.1)."""

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_SKIPPED = frozenset(
    {b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer", b"footnote", b"fldinst"}
    | {
        b"headerl",
        b"headerr",
        b"footerl",
        b"footerr",
        b"listtable",
        b"revtbl",
        b"annotation",
        b"xe",
        b"tc",
        b"bkmkstart",
    }
)
_BREAKS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"row": "\n", b"cell": "\t", b"sect": "\n", b"page": "\n"}
_SIGNS = {b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“"}
_SIGNS |= {b"rdblquote": "”"}
_SYMBOLS = {b"~": " ", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n"}
_CHARSETS = {0: "cp1252", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254"}
_CHARSETS |= {163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250"}
"""What `\\fcharset` of a font says (RTF 1.9.1, Font Table)."""
_PAGES = {437, 850, 852, 866, 874, 932, 949, 950, *range(1250, 1259)}


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds between two braces."""

    skipped: bool = False
    plain_only: bool = False
    """Within `\\htmlrtf`: what stands for those who read no HTML."""
    tags: bool = False
    fonts: bool = False
    charset: str = "cp1252"
    after_unicode: int = 1
    """Characters after `\\u` that say the same for old readers."""


def decompress(data: bytes) -> bytes:
    """The rich text in `data` (PidTagRtfCompressed), `LONGEST` octets of it at most; empty where it is none."""
    kind = data[8:12]
    if kind == _UNCOMPRESSED:
        return data[_HEADER : _HEADER + LONGEST]
    if kind != _COMPRESSED:
        return b""
    size = min(int.from_bytes(data[4:8], "little"), LONGEST)
    out = bytearray(_DICTIONARY)
    limit = len(out) + size
    position = _HEADER
    while position < len(data) and len(out) < limit:
        control = data[position]
        position += 1
        for bit in range(8):
            if not control >> bit & 1:
                out += data[position : position + 1]
                position += 1
                continue
            pair = int.from_bytes(data[position : position + 2], "big")
            position += 2
            distance = (len(out) - (pair >> 4)) % _WINDOW
            if position > len(data) or distance == 0 or distance > len(out):
                return bytes(out[len(_DICTIONARY) : limit])
            length = (pair & 15) + 2
            piece = out[len(out) - distance :][:length]
            out += (piece * (length // len(piece) + 1))[:length]
    return bytes(out[len(_DICTIONARY) : limit])


def read_rtf(data: bytes) -> tuple[str, bool]:
    """The text of the rich text `data`, and whether that is HTML (which Outlook wraps in it); never raises."""
    reader = _Rtf(html=rb"\fromhtml" in data[:1_000])
    for match in _TOKEN.finditer(data[:LONGEST]):
        reader.take(match)
    reader.flush()
    text = "".join(reader.pieces)
    # Characters beyond the first plane come as two halves.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), reader.html


class _Rtf:
    def __init__(self, *, html: bool) -> None:
        self.html = html
        self.pieces: list[str] = []
        self._octets = bytearray()
        self._groups: list[_Group] = []
        self._group = _Group()
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._page = "cp1252"
        self._to_skip = 0

    def take(self, match: re.Match[bytes]) -> None:
        word, number, octet, symbol, brace, text = match.groups()
        if text is not None:
            self._write(text)
        elif octet is not None:
            self._write(bytes.fromhex(octet.decode("ascii")))
        elif brace is not None:
            self._to_skip = 0
            self._brace(brace)
        elif symbol is not None:
            self._symbol(symbol)
        elif word is not None:
            self._word(word, None if number is None else int(number))

    def _brace(self, brace: bytes) -> None:
        if brace == b"{":
            self._groups.append(self._group)
            return
        self.flush()
        self._group = self._groups.pop() if self._groups else self._group

    def flush(self) -> None:
        """Decodes the octets that have come; they belong together only where no word stands between."""
        if self._octets:
            self.pieces.append(self._octets.decode(self._group.charset, "replace"))
            self._octets.clear()

    @property
    def _silent(self) -> bool:
        group = self._group
        return group.skipped or group.fonts or (self.html and group.plain_only and not group.tags)

    def _write(self, octets: bytes) -> None:
        skipped = min(self._to_skip, len(octets))
        self._to_skip -= skipped
        if not self._silent:
            self._octets += octets[skipped:]

    def _say(self, text: str) -> None:
        if not self._silent:
            self.flush()
            self.pieces.append(text)

    def _symbol(self, symbol: bytes) -> None:
        if symbol in b"\\{}":
            self._write(symbol)
        elif symbol == b"*":
            self._set(skipped=True)  # until the next word says that it is a destination we read
        else:
            self._say(_SYMBOLS.get(symbol, ""))

    def _word(self, word: bytes, number: int | None) -> None:
        if word in _BREAKS:
            self._say(_BREAKS[word])
        elif word in _SIGNS:
            self._say(_SIGNS[word])
        elif word == b"u" and number is not None:
            code = number % 65_536
            self._say(chr(code))
            self._to_skip = self._group.after_unicode
        elif word == b"uc" and number is not None:
            self._set(after_unicode=min(max(number, 0), 10))
        elif word == b"fonttbl":
            self._set(fonts=True)
        elif word in _SKIPPED:
            self._set(skipped=True)
        elif word == b"htmltag":
            self._set(skipped=not self.html, tags=True)
        elif word == b"htmlrtf":
            self._set(plain_only=number != 0)
        elif word == b"ansicpg" and number in _PAGES:
            self._page = f"cp{number}"
            self._set(charset=self._page)
        elif word == b"f" and number is not None:
            self._font = number
            if not self._group.fonts:
                self._set(charset=self._fonts.get(number, self._page))
        elif word == b"fcharset" and self._group.fonts and number in _CHARSETS and number:
            self._fonts[self._font] = _CHARSETS[number]

    def _set(self, **changes: Any) -> None:
        changed = _changed(self._group, **changes)
        if changed != self._group:
            self.flush()
            self._group = changed


@lru_cache(maxsize=256)
def _changed(group: _Group, **changes: Any) -> _Group:
    """Kept, since a text can go to and fro between two of them a hundred thousand times."""
    return replace(group, **changes)
