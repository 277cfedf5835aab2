"""GSM 7-bit alphabets: the default one and its extension table, and what an alphabet does; under segments, gateways
and the simulator.

Source: 3GPP TS 23.038, section 6.2.1 (default alphabet) and 6.2.1.1 (extension table). Septets are held unpacked,
one in each octet, as SMPP carries them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

ESCAPE = 0x1B
"""The septet that announces one from the second table."""
VOID = "\0"
"""Stands in a table where it has no character."""

DEFAULT_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION_TABLE: Mapping[int, str] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)


class NotGsm7(ValueError):
    """A text holds a character outside the alphabet. The error does not hold the text."""

    def __init__(self) -> None:
        super().__init__("the text holds a character outside the GSM 7-bit alphabet")


class Alphabet:
    """A table of 128 characters, and one behind the escape."""

    def __init__(self, table: str, extension: Mapping[int, str]) -> None:
        """`table` has the character of each septet, with `VOID` where there is none."""
        written: dict[str, str] = {}
        for septet, char in enumerate(table):
            if char != VOID and septet != ESCAPE:
                written.setdefault(char, chr(septet))
        short = frozenset(written)
        for septet, char in extension.items():
            written.setdefault(char, chr(ESCAPE) + chr(septet))
        self.characters = frozenset(written)
        """All that it can write."""
        self.extended = self.characters - short
        """Those that take two septets."""
        self._lacking = re.compile(f"[^{re.escape(''.join(sorted(self.characters)))}]")
        self._extension = extension
        self._to_septets = {ord(char): septets for char, septets in written.items()}
        self._from_septets = dict(enumerate(table.replace(VOID, " ")))
        self._from_septets |= dict.fromkeys(range(0x80, 0x100), "\N{REPLACEMENT CHARACTER}")

    def fits(self, text: str) -> bool:
        """Whether it has every character of `text`."""
        return self._lacking.search(text) is None

    def septets(self, text: str) -> int:
        """How many septets `text` takes, escapes counted double; it must fit."""
        return len(text) + sum(text.count(char) for char in self.extended if char in text)

    def encode(self, text: str) -> bytes:
        """The septets of `text`, one in each octet; a character of the second table becomes 0x1B and its code.

        Raises `NotGsm7`.
        """
        if not self.fits(text):
            raise NotGsm7
        return text.translate(self._to_septets).encode("latin-1")

    def decode(self, septets: bytes) -> str:
        """The text of unpacked septets; never raises.

        An escape before a code that the second table lacks shows the character of the first, an escape before another
        escape or before nothing shows a space (section 6.2.1.1 and its notes), and so does a code that no table has.
        An octet above 0x7F is no septet and shows as U+FFFD.
        """
        if ESCAPE not in septets:
            return septets.decode("latin-1").translate(self._from_septets)
        # Characters of the second table are resolved last, so that their results are not translated a second time.
        pieces: list[str] = []
        end = 0
        raw = septets.decode("latin-1")
        for match in _ESCAPED.finditer(raw):
            pieces.append(raw[end : match.start()].translate(self._from_septets))
            pieces.append(self._escaped(match[1]))
            end = match.end()
        pieces.append(raw[end:].translate(self._from_septets))
        return "".join(pieces)

    def _escaped(self, code: str) -> str:
        if not code or ord(code) == ESCAPE:
            return " "
        return self._extension.get(ord(code)) or code.translate(self._from_septets)


DEFAULT = Alphabet(DEFAULT_TABLE, EXTENSION_TABLE)
"""What every phone and every network knows."""

fits, septets, encode, decode = DEFAULT.fits, DEFAULT.septets, DEFAULT.encode, DEFAULT.decode
