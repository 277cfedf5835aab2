"""Turns the octets of a header or body into text, whatever the mail claims they are; below `headers` and `mime`.

Labels are read as browsers and mail readers do (WHATWG Encoding Standard, section 4.2): many mails that say
ISO-8859-1 or ASCII hold Windows-1252.
"""

from __future__ import annotations

import re
from encodings import aliases, normalize_encoding
from functools import lru_cache

import charset_normalizer

SAMPLE = 4_096
"""Octets that are shown to the guesser; it is slow, and a mail's first words are as good as all of them."""

_AS_BROWSERS_DO = {
    "ascii": "cp1252",
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_NAMES = {
    "x_sjis": "cp932",
    "windows_31j": "cp932",
    "windows_874": "cp874",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "koi8_u": "koi8_u",
    "koi8_ru": "koi8_u",
    "x_euc_jp": "euc_jp",
    "x_gbk": "gb18030",
    "gb_2312_80": "gb18030",
    "x_mac_roman": "mac_roman",
    "x_mac_cyrillic": "mac_cyrillic",
    "x_windows_1252": "cp1252",
    "ansi": "cp1252",
    "utf_8_mac": "utf_8",
    "unicode": "utf_16",
}
"""Labels that mails bear and Python does not know (WHATWG Encoding Standard, section 4.2, and older mail programs)."""
_KNOWN = {**aliases.aliases, **{name: name for name in aliases.aliases.values()}, "utf_8_sig": "utf_8_sig", **_NAMES}
_NO_CHARSETS = frozenset(
    {"base64_codec", "bz2_codec", "hex_codec", "idna", "mbcs", "punycode", "quopri_codec", "raw_unicode_escape"}
    | {"rot_13", "undefined", "unicode_escape", "uu_codec", "zlib_codec"}
)
_SINGLE_OCTETS = ("cp12", "cp437", "cp85", "cp874", "iso8859", "koi8", "mac_")
_MOST_USED = frozenset({b"\xc2", b"\xc3", b"\xc4", b"\xc5", b"\xe2", b"\xef", b"\xf0"})
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_DOS = re.compile(
    rb"[A-Za-z]\x82(?![A-Za-z]*\x91)|(?<![A-Za-z])\x8a(?![A-Za-z])|[A-Za-z][\x81\x8d]|\x81[a-z]|[A-Za-z][\xa0-\xa4][a-z]"
)
_NOT_DOS = re.compile(rb"[\xa6-\xe0\xe2-\xff]")
"""Letters with accents in the way of DOS, where Windows-1252 has none, and what hardly any text of DOS has."""
_GUESSES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "latin_1", "koi8_r"]
_GUESSES += ["gb18030", "big5", "cp932", "cp949", "euc_jp", "utf_16"]


def decode(data: bytes, charset: str) -> str:
    """The text of `data`: by the declared charset, else UTF-8, else the best guess; never raises.

    Octets that are text in no charset come back as U+FFFD.
    """
    text = decode_known(data, charset)
    return guessed(data) if text is None else text


def decode_known(data: bytes, charset: str) -> str | None:
    """The text of `data` by the declared charset, else UTF-8; None when it is in neither."""
    if data.isascii() and b"\x1b" not in data and charset.lower() in {"", "us-ascii", "utf-8", "iso-8859-1"}:
        return data.decode("ascii")
    codec = _codec(charset)
    # A mail that says ASCII and holds other octets says nothing, and most of those are UTF-8 today.
    says_nothing = codec is None or charset.lower() in {"us-ascii", "ascii"}
    # Text in UTF-8 that bears the label of a charset of single octets is UTF-8: in those, it would be nonsense.
    if codec is not None and codec.startswith(_SINGLE_OCTETS) and _is_utf_8(data):
        return data.decode("utf_8")
    # UTF-16 and UTF-32 have a NUL in every line end and space; without one the label was put on UTF-8.
    is_wrong = codec is not None and codec.startswith(("utf_16", "utf_32")) and b"\0" not in data
    attempts = ("utf_8", codec) if says_nothing or is_wrong else (codec, "utf_8")
    for attempt in attempts:
        if attempt is None:
            continue
        try:
            text = data.decode(attempt)
        except UnicodeError:
            continue
        return _whole_characters(text) if attempt == "utf_7" else text
    return None


def _whole_characters(text: str) -> str:
    """The same with U+FFFD for half a surrogate pair, which is no character and no database takes: UTF-7 can write one,
    and Python reads it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def guessed(data: bytes) -> str:
    """The text of `data` in the charset that it looks like; takes milliseconds where that is not Western."""
    return data.decode(_guess(data), "replace")


def _is_utf_8(data: bytes) -> bool:
    """Whether `data` has characters of several octets in UTF-8 and nothing else. A single one could be a capital letter
    before a quotation mark; not so with the first octets of what Western languages write most.
    """
    first = _NON_ASCII.search(data)
    if first is None:
        return False
    try:
        text = data.decode("utf_8")
    except UnicodeError:
        return False
    return first[0] in _MOST_USED or sum(map(str.isascii, text)) < len(text) - 1


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    """The Python codec of a charset label; unknown labels are never handed to the import machinery."""
    label = charset.strip().strip("\"'").lower()
    if not label or len(label) > 40 or not label.isascii():
        return None
    name = normalize_encoding(label).replace("-", "_")
    codec = _KNOWN.get(name) or _KNOWN.get(re.sub(r"^cp_(?=\d)", "cp", name))
    if codec is None or codec in _NO_CHARSETS:
        return None
    return _AS_BROWSERS_DO.get(codec, codec)


def _guess(data: bytes) -> str:
    first = _NON_ASCII.search(data)
    start = max(0, first.start() - SAMPLE // 2) if first else 0
    sample = data[start : start + SAMPLE]
    if _DOS.search(sample) and not _NOT_DOS.search(sample):
        return "cp850"
    # A short Italian or Spanish text looks like Hungarian to the guesser; few accents among letters mean Western.
    if len(_NON_ASCII.findall(sample)) * 3 <= len(sample):
        return "cp1252"
    best = charset_normalizer.from_bytes(sample, cp_isolation=_GUESSES).best()
    if best is None:  # a line of quotation marks and euros, or no text at all
        return "cp1252" if len(_NON_ASCII.findall(sample)) * 2 <= len(sample) else "ascii"
    return "cp1252" if best.encoding == "latin_1" else best.encoding
