"""Takes a mail apart into header fields and body, octet by octet, for everybody who checks signatures over them.

`reading.headers` reads for people and forgives; what is read here decides who may send. A mail that two programs could
read differently is refused: a line that is no field, a second From, Subject or Content-Type (RFC 5322 section 3.6,
RFC 6376 section 8.15), a bare CR or LF in the header. The lines of the body are the doors' to see to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.canonical import relaxed_field
from bridge.errors import BridgeError

MAX_HEADER = 256 * 1024
"""Octets of a header; what mailing lists, filters and archives add up to stays far below."""
MAX_FIELDS = 1_000
"""Header fields of a mail; as many as the parser takes."""

ONCE = frozenset(
    {
        b"bcc",
        b"cc",
        b"content-transfer-encoding",
        b"content-type",
        b"date",
        b"from",
        b"in-reply-to",
        b"message-id",
        b"mime-version",
        b"references",
        b"reply-to",
        b"sender",
        b"subject",
        b"to",
    }
)
"""Fields that a mail has at most once (RFC 5322 section 3.6, RFC 2045 section 3)."""

_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:((?:[^\r]++|\r\n[ \t])*+)\r\n")


class Malformed(BridgeError):
    """The mail cannot be read in one way only. The sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One header field as it was received."""

    name: bytes
    """In lower case, without blanks before the colon."""
    raw: bytes
    """The whole field without its last line end."""
    value: bytes
    """What stands behind the colon, folds and blanks included."""


class Mail:
    """A mail as octets: its fields in order, and its body behind the empty line."""

    __slots__ = ("_body", "_by_name", "_raw", "_relaxed", "fields")

    def __init__(self, fields: tuple[Field, ...], raw: bytes, body: int) -> None:
        """`body` is where it begins in `raw`."""
        self.fields = fields
        self._raw = raw
        self._body = body
        self._relaxed: dict[Field, bytes] = {}
        self._by_name: dict[bytes, list[Field]] = {}
        for field in fields:
            self._by_name.setdefault(field.name, []).append(field)

    @property
    def body(self) -> bytes:
        """What stands behind the empty line; a copy."""
        return self._raw[self._body :]

    def named(self, name: bytes) -> tuple[Field, ...]:
        """All fields of a name in lower case, from the top."""
        return tuple(self._by_name.get(name, ()))

    def relaxed(self, field: Field) -> bytes:
        """A field of the mail in the relaxed form, which is made once, however many signatures cover it."""
        if field not in self._relaxed:
            self._relaxed[field] = relaxed_field(field.raw)
        return self._relaxed[field]

    def signed(self, names: tuple[bytes, ...]) -> Iterator[Field]:
        """The fields that a signature over `names` covers: each name takes the lowest one that is left, or nothing
        (RFC 6376 section 5.4.2)."""
        taken: Counter[bytes] = Counter()
        for name in names:
            fields = self._by_name.get(name, [])
            taken[name] += 1
            if taken[name] <= len(fields):
                yield fields[-taken[name]]


def take_apart(raw: bytes) -> Mail:
    """The fields and the body of a mail with CRLF line ends. Raises `Malformed`."""
    end = raw.find(b"\r\n\r\n")
    header = raw if end < 0 else raw[: end + 2]
    if len(header) > MAX_HEADER:
        raise Malformed(f"The header of the mail is longer than {MAX_HEADER // 1024} KB.")
    if not header.count(b"\r\n") == header.count(b"\r") == header.count(b"\n"):
        raise Malformed("The header of the mail has line ends that are not CR LF.")
    if end < 0 and not raw.endswith(b"\r\n"):
        header += b"\r\n"
    fields: list[Field] = []
    position = 0
    while position < len(header):
        match = _FIELD.match(header, position)
        if match is None:
            raise Malformed("The header of the mail has a line that is no field.")
        fields.append(Field(match[1].lower(), match[0][:-2], match[2]))
        position = match.end()
        if len(fields) > MAX_FIELDS:
            raise Malformed(f"The mail has more than {MAX_FIELDS} header fields.")
    for name, times in Counter(field.name for field in fields).items():
        if times > 1 and name in ONCE:
            raise Malformed(f"The mail has more than one {name.decode('ascii').title()} field.")
    return Mail(tuple(fields), raw, len(raw) if end < 0 else end + 4)
