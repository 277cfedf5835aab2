"""Characters that a mail program puts in by itself, and what a person would have typed; letters and their accents.

What is replaced here looks the same on a phone, or is not seen at all: quotation marks, dashes, spaces, ligatures,
dots, invisible characters and marks of direction. Accents and words stay: a text never says anything else.
"""

from __future__ import annotations

import re
import unicodedata

from bridge.sms.gsm7 import DEFAULT

_SINGLE_QUOTES = "‘’‚‛′‵ʹʻʼʽˈ`´‹›❛❜＇"
_DOUBLE_QUOTES = "“”„‟″‶«»〝〞〟❝❞ˮ＂"
_DASHES = "‐‑‒–—―−⁃﹘﹣－•‣·"
_SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_ENDS = "\u2028\u2029\u0085"
_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_JOINERS = "\u034f\u200c\u200d\u2061\u2062\u2063\u2064\ufe0e\ufe0f"
_NEVER_SEEN = frozenset("\u00ad\u180e\u200b\u2060\ufeff")
"""Where a line may break or may not: a phone knows that by itself, whatever the script."""

_TABLE = str.maketrans(
    {
        **dict.fromkeys(_SINGLE_QUOTES, "'"),
        **dict.fromkeys(_DOUBLE_QUOTES, '"'),
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_SPACES, " "),
        **dict.fromkeys(_LINE_ENDS, "\n"),
        **dict.fromkeys({*_DIRECTION, *_JOINERS, *_NEVER_SEEN}, ""),
        "…": "...",
        "‥": "..",
        "․": ".",
        "⁄": "/",
        "∕": "/",
        "×": "x",
        "⸺": "--",
        "⸻": "---",
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
        "\N{OHM SIGN}": "Ω",
        "\N{KELVIN SIGN}": "K",
        "\N{ANGSTROM SIGN}": "Å",
    }
)
_UNSEEN = str.maketrans(dict.fromkeys(_NEVER_SEEN, ""))
_DEFAULT_OR_REPLACED = DEFAULT.characters.union(map(chr, _TABLE))

_MOST_MARKS = 30
"""Marks on one letter that are still put in order, which takes their number squared (a limit of UAX #15 section 13)."""


def plain(text: str) -> str:
    """`text` with every look-alike replaced."""
    return text.translate(_TABLE)


def can_be_plain(text: str) -> bool:
    """Whether `plain` brings it into the GSM 7-bit default alphabet; said at the first character that it does not."""
    return _DEFAULT_OR_REPLACED.issuperset(text)


def without_unseen(text: str) -> str:
    """`text` without what no phone shows and no script needs."""
    return text if _NEVER_SEEN.isdisjoint(text) else text.translate(_UNSEEN)


def composed(text: str) -> str:
    """`text` with letters and their marks put together where there is one character for both ("e" and a grave: "è").

    As Unicode's form NFC (UAX #15), which loses no meaning, save that nothing is taken apart or exchanged for another
    character: the tables of India have letters that NFC takes apart. What is composed is never longer. Linear time.
    """
    if unicodedata.is_normalized("NFC", text):
        return text
    used = {char for char in set(text) if char >= "\u0300"}
    marks = "".join(map(re.escape, (char for char in used if unicodedata.combining(char))))
    if marks and re.search(f"[{marks}]{{{_MOST_MARKS + 1}}}", text):
        return text
    kept = "".join(map(re.escape, (char for char in used if unicodedata.normalize("NFC", char) != char)))
    if not kept:
        return unicodedata.normalize("NFC", text)
    # A letter that stays as it is keeps its marks, in their order: they begin no word of their own.
    parts = re.split(f"([{kept}][{marks}]*)" if marks else f"([{kept}])", text)
    return "".join(part if index % 2 else unicodedata.normalize("NFC", part) for index, part in enumerate(parts))
