"""Characters that a mail program puts in by itself, and what a person would have typed; letters and their accents.

What is replaced here looks the same on a phone, or is not seen at all: quotation marks, dashes, spaces, ligatures,
dots, invisible characters and marks of direction. Accents, words and numbers stay: a text never says anything else.
Signs that people read as a part of a number have no look-alike: fractions, raised digits, degrees, per mille, micro.
"""

from __future__ import annotations

import re
import unicodedata

from bridge.sms.gsm7 import Alphabet

_SINGLE_QUOTES = "‘’‚‛′‵ʹʻʼʽˈ`´‹›❛❜＇"
_DOUBLE_QUOTES = "“”„‟″‶«»〝〞〟❝❞ˮ＂"
_DASHES = "‐‑‒–—―−⁃﹘﹣－"
_MIDDLE_DOT = "·"
_BULLETS = _MIDDLE_DOT + "•‣▪◦●\uf0b7"
"""The last is what Word's list mark becomes. Never a dash, which before a number is a minus sign."""
_SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_ENDS = "\u2028\u2029\u0085"
_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_JOINERS = "\u034f\u200c\u200d\u2061\u2062\u2063\u2064\ufe0e\ufe0f"
_NEVER_SEEN = frozenset("\u00ad\u180e\u200b\u2060\ufeff")
"""Where a line may break or may not: a phone knows that by itself, whatever the script."""

_PLAIN = {
    **dict.fromkeys(_SINGLE_QUOTES, "'"),
    **dict.fromkeys(_DOUBLE_QUOTES, '"'),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_BULLETS, "*"),
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
_REPLACED = re.compile(
    # Between letters or digits a middle dot is spelling (Catalan) or a decimal point (British): "2·5 mg" is one number.
    rf"[{re.escape(''.join(_PLAIN))}](?:(?<!{_MIDDLE_DOT})|(?<!\w{_MIDDLE_DOT})|(?!\w))"
)
_UNSEEN = re.compile(f"[{''.join(_NEVER_SEEN)}]")

_MOST_MARKS = 30
"""Marks on one letter that are still put in order, which takes their number squared (a limit of UAX #15 section 13)."""


def plain(text: str) -> str:
    """`text` with every look-alike replaced."""
    return _REPLACED.sub(lambda found: _PLAIN[found[0]], text)


def kept_out(text: str, alphabet: Alphabet) -> frozenset[str]:
    """The characters of `text` that `plain` leaves outside `alphabet`, be it in one place of several."""
    left = frozenset(plain(text))
    outside = frozenset(text) - alphabet.characters
    return frozenset(char for char in outside if char in left or not alphabet.fits(plain(char)))


def without_unseen(text: str) -> str:
    """`text` without what no phone shows and no script needs."""
    return _UNSEEN.sub("", text)


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
