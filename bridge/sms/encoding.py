"""Cuts a text into the segments that travel: chosen alphabet, sizes, and boundaries a reader would choose.

Sizes: 3GPP TS 23.040 section 9.2.3.24.1 (concatenation header of six octets), TS 23.038 section 4 (alphabets).
"""

from __future__ import annotations

import unicodedata

from bridge.errors import MailRefusal, Reason
from bridge.sms import gsm7
from bridge.types import Encoded, Encoding, UnicodePolicy

GSM7_SINGLE = 160
"""Septets of a text that fits one SMS."""
GSM7_PART = 153
"""Septets of each segment of a longer one."""
UCS2_SINGLE = 70
"""UTF-16 code units of a text that fits one SMS."""
UCS2_PART = 67
"""UTF-16 code units of each segment of a longer one."""

_ZWJ = "\N{ZERO WIDTH JOINER}"
_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʹʼˈ`´‹›", "'"),
        **dict.fromkeys("“”„‟″«»〝〞", '"'),
        **dict.fromkeys("‐‑‒–—―−⁃﹘﹣•‣·", "-"),
        **dict.fromkeys("\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
        **dict.fromkeys("\u202f\u205f\u3000", " "),
        **dict.fromkeys("\u2028\u2029\u0085", "\n"),
        **dict.fromkeys("\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
        "…": "...",
        "‥": "..",
        "⁄": "/",
        "×": "x",
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
        "œ": "oe",
        "Œ": "OE",
        "ĳ": "ij",
        "Ĳ": "IJ",
    }
)
"""Characters that a mail program puts in by itself, and what a person would have typed. Accents are not among them."""


def encode(text: str, policy: UnicodePolicy = UnicodePolicy.ALLOW) -> Encoded:
    """The text as it travels, in as few segments as its alphabet allows; takes time in proportion to its length.

    No boundary falls into an escape pair, a surrogate pair or (as far as a segment can hold it) a combined
    character. `TRANSLITERATE` replaces look-alikes when that brings the text into the GSM 7-bit alphabet, and
    leaves it as written when UCS-2 is needed all the same. `REFUSE` raises `MailRefusal` (unencodable).
    """
    if gsm7.fits(text):
        return _gsm7(text)
    if policy is UnicodePolicy.REFUSE:
        raise _unencodable(text)
    if policy is UnicodePolicy.TRANSLITERATE:
        plain = text.translate(_LOOK_ALIKES)
        if gsm7.fits(plain):
            return _gsm7(plain)
    return _ucs2(text)


def _gsm7(text: str) -> Encoded:
    units = gsm7.septets(text)
    if units <= GSM7_SINGLE:
        return Encoded(text, Encoding.GSM7, units, (text,), GSM7_SINGLE - units)
    septets = gsm7.encode(text)
    segments: list[str] = []
    start = position = last = 0
    while start < units:
        end = min(start + GSM7_PART, units)
        if end < units and septets[end - 1] == gsm7.ESCAPE:
            end -= 1
        last = end - start
        length = last - septets.count(gsm7.ESCAPE, start, end)
        segments.append(text[position : position + length])
        start, position = end, position + length
    return Encoded(text, Encoding.GSM7, units, tuple(segments), GSM7_PART - last)


def _ucs2(text: str) -> Encoded:
    units = _utf16_units(text)
    if units <= UCS2_SINGLE:
        return Encoded(text, Encoding.UCS2, units, (text,), UCS2_SINGLE - units)
    segments: list[str] = []
    start = 0
    while start < len(text):
        end = _segment_end(text, start)
        segments.append(text[start:end])
        start = end
    return Encoded(text, Encoding.UCS2, units, tuple(segments), UCS2_PART - _utf16_units(segments[-1]))


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _segment_end(text: str, start: int) -> int:
    """Where the segment that starts at `start` ends: the last clean boundary that its size allows."""
    end = min(start + UCS2_PART, len(text))
    units = _utf16_units(text[start:end])
    while units > UCS2_PART:
        end -= 1
        units -= 2 if text[end] > "\uffff" else 1
    if end == len(text):
        return end
    for boundary in range(end, start, -1):
        if _is_boundary(text, start, boundary):
            return boundary
    return end


def _is_boundary(text: str, start: int, index: int) -> bool:
    """Whether a cut before `text[index]` leaves every combined character whole (after Unicode UAX #29, GB3 to GB13)."""
    before, after = text[index - 1], text[index]
    if before == _ZWJ or _extends(after) or (before == "\r" and after == "\n"):
        return False
    if _is_flag_half(before) and _is_flag_half(after):
        halves = 0
        while index - 1 - halves >= start and _is_flag_half(text[index - 1 - halves]):
            halves += 1
        return halves % 2 == 0
    return True


def _extends(char: str) -> bool:
    """Marks, variation selectors, joiners, skin tones and tags: what belongs to the character before it."""
    if char < "\u0300":
        return False
    return (
        char == _ZWJ
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or unicodedata.category(char) in {"Mn", "Mc", "Me"}
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _unencodable(text: str) -> MailRefusal:
    position, char = next((at, char) for at, char in enumerate(text, 1) if not gsm7.fits(char))
    name = unicodedata.name(char, "a character without a name")
    return MailRefusal(
        Reason.UNENCODABLE,
        f"Character {position} of the text (U+{ord(char):04X}, {name}) is outside the GSM 7-bit alphabet: replace it, "
        "or send with X-SMS-Unicode: allow or transliterate.",
    )
