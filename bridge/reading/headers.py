"""Splits a mail or a part of one into header fields and body, and decodes what a field says.

Used by `mime` for every part and by the parser for the mail itself. `email.parser` is not used: it recurses with the
depth of the mail and costs the budget of a whole mail. Sources: RFC 5322 section 2.2, RFC 2045 section 5.1,
RFC 2047, RFC 2231.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from bridge.errors import MailRefusal, Reason
from bridge.reading.charsets import decode, decode_known
from bridge.reading.names import MAX_NAME

MAX_VALUE = 8_192
"""Characters of a field's value that are looked at; enough for every subject and thread."""

MAX_FIELDS = 1_000
"""Header fields of a mail."""
MAX_PART_FIELDS = 200
"""Header fields of one of its parts, of which there can be a thousand."""

_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_EMPTY_LINE = re.compile(rb"\r?\n")
_BLANK_FOLD = re.compile(rb"\n[ \t]+\r?(?:\n|\Z)")
_BLANK_LINE = re.compile(rb"[ \t]*+\r?\n")
"""In a part, where a relaxed signature (RFC 6376 section 3.4.4) leaves open whether a line is empty or blank."""
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
"""One that can stand in another header without harm."""
_BARE_ID = re.compile(r"[!-;=?-~]{1,900}")
_MEDIA_TYPE = re.compile(r"[^\s/]+/[^\s/]+")
_FOLD = re.compile(r"[\r\n\t ]+")
_WORD = re.compile(r"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?\s]{0,1000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?)")
_PARAMETER = re.compile(r";\s*([!#$&+.^_`{|}~0-9A-Za-z%'*-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;]*))", re.DOTALL)
_NAMED_ADDRESS = re.compile(
    r"""(?:^|[,;:])[ \t]*+(?:"((?:[^"\\]|\\.){1,1000}+)"[ \t]*+|([^<>",;:]{1,1000}+))<([^<>\s]{1,320}+)>"""
)
_NUMBER_BEHIND = re.compile(r"(?<=\S) ?\(\+[\d ()./-]{5,30}\)$")
"""As the bridge itself writes it behind the name of a phone: who answers such a mail would give it that name."""
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_SECTION = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*)?")


class Fields:
    """The header fields of a mail or part, in order; names in lower case, values raw and possibly folded."""

    __slots__ = ("_first", "_items")

    def __init__(self, items: Sequence[tuple[str, bytes]]) -> None:
        self._items = tuple(items)
        self._first = dict(reversed(self._items))

    def raw(self, name: str) -> bytes:
        """The raw value of the first field `name`; empty when there is none."""
        return self._first.get(name, b"")

    def line(self, name: str) -> str:
        """The first field `name` on one line, not decoded; empty when there is none."""
        value = self._first.get(name)
        return one_line(value) if value else ""

    def token(self, name: str) -> str:
        """The same of a field that says how a part is to be read. Its charset is never guessed, which takes time: a
        mail can have thousands of these fields.
        """
        return _printable(_as_known(self._first.get(name, b"")[:MAX_VALUE], "utf-8"))

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return iter(self._items)


@dataclass(frozen=True, slots=True)
class ContentType:
    """A media type with its parameters, both in lower case but for the parameters' values."""

    type: str
    parameters: dict[str, str]

    @property
    def main(self) -> str:
        """What stands before the slash."""
        return self.type.partition("/")[0]


def split(data: bytes, start: int, end: int, *, part: bool = False) -> tuple[Fields, int, int]:
    """The fields of a mail, or of a part of one, at `start`, where they end, and where the body begins.

    Lines end in LF or CRLF. A line that is no field ends the header and begins the body, as mail readers treat a
    missing empty line. Raises `MailRefusal` (bad header) for too many fields.
    """
    blank, most = (_BLANK_LINE, MAX_PART_FIELDS) if part else (_EMPTY_LINE, MAX_FIELDS)
    items: list[tuple[str, bytes]] = []
    position = start
    while (match := _FIELD.match(data, position, end)) is not None:
        if len(items) == most:
            what = "mail has a part that" if part else "mail"
            raise MailRefusal(Reason.BAD_HEADER, f"The {what} has more than {most} header fields: send it with fewer.")
        # Not in one pattern with the field: Python before 3.11.5 loses its way in a possessive group that must give up.
        fold = _BLANK_FOLD.search(match[2]) if part else None
        items.append((match[1].decode("ascii").lower(), match[2] if fold is None else match[2][: fold.start()]))
        position = match.end() if fold is None else match.start(2) + fold.start() + 1
        if fold is not None:
            break
    empty = blank.match(data, position, end)
    return Fields(items), position, position if empty is None else empty.end()


def message_id(value: bytes) -> str:
    """The Message-ID in a raw value as given, if it can stand in another header without harm; else empty."""
    line = one_line(value)
    found = MESSAGE_ID.search(line)
    if found is not None:
        return found[0]
    return f"<{line}>" if _BARE_ID.fullmatch(line) else ""


def one_line(value: bytes) -> str:
    """A raw value unfolded onto one line, without the control characters that could begin another field."""
    return _printable(_raw_text(value[:MAX_VALUE]))


def decoded(value: bytes) -> str:
    """A raw value on one line with its encoded words resolved (RFC 2047); never raises."""
    text = one_line(value)
    if "=?" not in text:
        return text
    return _printable(_WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1", text)))


def display_names(fields: Fields) -> dict[str, str]:
    """What the mail calls its recipients, by address in lower case: the phrases before angle brackets in To and Cc
    (RFC 5322 section 3.4), without the number that the bridge sets behind it. A phrase without letters or with an @
    repeats the address and is no name."""
    found: dict[str, str] = {}
    for field in ("to", "cc"):
        line = fields.line(field)[:MAX_VALUE] if field in fields else ""
        if "<" not in line:
            continue
        for quoted, plain, address in _NAMED_ADDRESS.findall(line):
            phrase = _QUOTED_PAIR.sub(r"\1", quoted) if quoted else plain
            name = decoded(phrase.encode("utf-8", "surrogateescape")).strip(" '\"")
            name = _NUMBER_BEHIND.sub("", name)
            if "@" not in name and any(map(str.isalpha, name)) and len(name) <= MAX_NAME:
                found.setdefault(address.lower(), name)
    return found


def content_type(fields: Fields, default: str = "text/plain") -> ContentType:
    """The Content-Type of a part; what cannot be read counts as `default` (RFC 2045 section 5.2)."""
    value, parameters = value_and_parameters(fields.token("content-type"))
    return ContentType(value if _MEDIA_TYPE.fullmatch(value) else default, parameters)


def value_and_parameters(line: str) -> tuple[str, dict[str, str]]:
    """The value before the first ";" in lower case, and the parameters after it (RFC 2045, RFC 2231)."""
    value, semicolon, rest = line.partition(";")
    if not semicolon:
        return value.strip().lower(), {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for match in _PARAMETER.finditer(";" + rest):
        section = _SECTION.fullmatch(match[1])
        if section is None:
            continue
        text = match[3] if match[2] is None else _QUOTED_PAIR.sub(r"\1", match[2])
        pieces.setdefault(section[1].lower(), []).append((int(section[2] or 0), section[3] is not None, text))
    return value.strip().lower(), {name: _joined(sections) for name, sections in pieces.items()}


def _joined(sections: list[tuple[int, bool, str]]) -> str:
    """The sections of one parameter in their order; the first may say the charset of the encoded ones."""
    sections.sort(key=lambda section: section[0])
    if not any(encoded for _, encoded, _ in sections):
        return "".join(text for _, _, text in sections)
    charset = ""
    raw = b""
    for index, (_, encoded, text) in enumerate(sections):
        if encoded and index == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return _as_known(raw, charset)


def _as_known(octets: bytes, charset: str) -> str:
    text = decode_known(octets, charset)
    return octets.decode("cp1252", "replace") if text is None else text


def _printable(text: str) -> str:
    text = text.strip()
    if text.isprintable():
        return text
    return "".join(char for char in _FOLD.sub(" ", text) if char.isprintable()).strip()


def _raw_text(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        return decode(value, "utf-8")


def _word(match: re.Match[str]) -> str:
    charset, way, text = match[1], match[2], match[3]
    raw = text.encode("utf-8", "replace")
    if way in "bB":
        return decode(base64(raw), charset)
    return decode(binascii.a2b_qp(raw, header=True), charset)


_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def base64(data: bytes) -> bytes:
    """The octets behind base64, as many as can be read: other characters are passed over, and padding ends it
    (RFC 2045 section 6.8).
    """
    clean = data.partition(b"=")[0].translate(None, _NOT_BASE64)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
