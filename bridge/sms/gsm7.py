"""The GSM 7-bit default alphabet and its extension table; the ground under segments, gateways and the simulator.

Source: 3GPP TS 23.038, section 6.2.1 (default alphabet) and 6.2.1.1 (extension table). Septets are held unpacked,
one in each octet, as SMPP carries them.
"""

from __future__ import annotations

import re

ESCAPE = 0x1B
"""The septet that announces one from the extension table."""

_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
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

_EXTENDED = frozenset(_EXTENSION.values())
_ALPHABET = frozenset(_DEFAULT) - {chr(ESCAPE)} | _EXTENDED
_TO_SEPTETS = {
    **{ord(char): chr(septet) for septet, char in enumerate(_DEFAULT) if septet != ESCAPE},
    **{ord(char): chr(ESCAPE) + chr(septet) for septet, char in _EXTENSION.items()},
}
_FROM_SEPTETS = dict(enumerate(_DEFAULT)) | dict.fromkeys(range(0x80, 0x100), "\N{REPLACEMENT CHARACTER}")
_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)


class NotGsm7(ValueError):
    """A text holds a character outside the alphabet. The error does not hold the text."""

    def __init__(self) -> None:
        super().__init__("the text holds a character outside the GSM 7-bit alphabet")


def fits(text: str) -> bool:
    """Whether every character of `text` is in the default alphabet or its extension table."""
    return _ALPHABET.issuperset(text)


def septets(text: str) -> int:
    """How many septets `text` takes, escapes counted double. Raises `NotGsm7`."""
    used = set(text)
    if not used <= _ALPHABET:
        raise NotGsm7
    return len(text) + sum(text.count(char) for char in used & _EXTENDED)


def encode(text: str) -> bytes:
    """The septets of `text`, one in each octet; a character of the extension table becomes 0x1B and its code.

    Raises `NotGsm7`.
    """
    if not fits(text):
        raise NotGsm7
    return text.translate(_TO_SEPTETS).encode("latin-1")


def decode(septets: bytes) -> str:
    """The text of unpacked septets; never raises.

    An escape before a code that the extension table lacks shows the character of the default alphabet, an escape
    before another escape or before nothing shows a space (section 6.2.1.1 and its notes). An octet above 0x7F is no
    septet and shows as U+FFFD.
    """
    if ESCAPE not in septets:
        return septets.decode("latin-1").translate(_FROM_SEPTETS)
    # Characters of the extension table are resolved last, so that their results are not translated a second time.
    pieces: list[str] = []
    end = 0
    raw = septets.decode("latin-1")
    for match in _ESCAPED.finditer(raw):
        pieces.append(raw[end : match.start()].translate(_FROM_SEPTETS))
        pieces.append(_escaped(match[1]))
        end = match.end()
    pieces.append(raw[end:].translate(_FROM_SEPTETS))
    return "".join(pieces)


def _escaped(code: str) -> str:
    if not code or ord(code) == ESCAPE:
        return " "
    return _EXTENSION.get(ord(code)) or code.translate(_FROM_SEPTETS)
