"""Mail as bytes: header fields, transfer encodings and multiparts; the press on which every notice is printed.

Everything that reaches a header passes through here, so this is where a line break in a subject, a Message-ID or a
phone's text stops being able to start a header of its own.
"""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterable, Sequence
from email.header import Header

MAX_HEADER_TEXT = 500
"""Characters of free text in one header field, so that no line passes the 998 octets of RFC 5322 section 2.1.1."""
MAX_REFERENCES = 11
"""Message-IDs kept in References: the first, which clients file a thread by, and the last ten."""

_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_NOT_PRINTABLE = re.compile(r"[^\x20-\x7e]")
_CLEAN = re.compile(rb"[\t\n\x20-\x7e]*")
_ANSWER_MARKS = re.compile(r"^(?:(?:re|r|rif|antw|aw|sv)(?:\[\d+\])?\s?:\s*)+", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>")


def lines_of(text: str) -> str:
    r"""Text fit for a body: every kind of line break is `\n`, other control characters and half characters are gone."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", _LINE_BREAK.sub("\n", text)))


def one_line(text: str, most: int = MAX_HEADER_TEXT) -> str:
    """Text fit for a header: one line of at most `most` characters that cannot turn the writing direction around."""
    return " ".join(_DIRECTION.sub("", lines_of(text)).split())[:most].rstrip()


def printable(value: str) -> str:
    """A machine's value fit for a header or a DSN field: printable ASCII, inner spaces kept, at most 900 octets."""
    return _NOT_PRINTABLE.sub("?", value).strip()[:900]


def message_ids(values: Iterable[str]) -> tuple[str, ...]:
    """The well-formed Message-IDs among `values`, each once, in order; the rest could not be written safely."""
    return tuple(dict.fromkeys(value for value in values if _MESSAGE_ID.fullmatch(value)))


def answer_subject(subject: str) -> str:
    """`Re: ` and the subject that is answered, without the answer marks it had; empty for an empty subject.

    Clients that sort by subject fold only `Re:` reliably, so the marks of other languages are replaced by it.
    """
    bare = _ANSWER_MARKS.sub("", one_line(subject))
    return f"Re: {bare}" if bare else ""


def text_field(name: str, text: str) -> bytes:
    """A header field of free text; what is not plain ASCII becomes encoded words (RFC 2047)."""
    line = one_line(text)
    plain = line.isascii() and "=?" not in line
    header = Header(line, "us-ascii" if plain else "utf-8", header_name=name, maxlinelen=76)
    return f"{name}: {header.encode(linesep=chr(13) + chr(10))}\r\n".encode("ascii")


def machine_field(name: str, value: str) -> bytes:
    """A header or DSN field whose value is for machines: ASCII, on one line, never encoded."""
    return f"{name}: {printable(value)}\r\n".encode("ascii")


def address_field(name: str, address: str) -> bytes:
    """A header field with one bare address; one beyond ASCII stands as it is, in UTF-8 (RFC 6532 section 3.2)."""
    return machine_field(name, address) if address.isascii() else f"{name}: {one_line(address)}\r\n".encode()


def thread_fields(answered: str, references: Sequence[str]) -> bytes:
    """In-Reply-To and References of an answer to the mail `answered` (RFC 5322 section 3.6.4), or nothing."""
    ids = message_ids((*(reference for reference in references if reference != answered), answered))
    if len(ids) > MAX_REFERENCES:
        ids = (ids[0], *ids[1 - MAX_REFERENCES :])
    fields = machine_field("In-Reply-To", answered) if answered in ids else b""
    if ids:
        fields += b"References: " + b"\r\n ".join(reference.encode("ascii") for reference in ids) + b"\r\n"
    return fields


def text_part(text: str, subtype: str = "plain") -> bytes:
    """A text part in UTF-8, 7-bit safe: quoted-printable or base64, whichever is shorter (RFC 2045 section 6)."""
    data = (lines_of(text).rstrip("\n") + "\n").encode("utf-8")
    quoted = _quoted_printable(data)
    packed = base64.encodebytes(data.replace(b"\n", b"\r\n")).replace(b"\n", b"\r\n")
    encoding, body = (b"quoted-printable", quoted) if len(quoted) <= len(packed) else (b"base64", packed)
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ".encode("ascii")
        + encoding
        + b"\r\n\r\n"
        + body
    )


def attachment_part(data: bytes, content_type: str, name: str) -> bytes:
    """A file that people save under `name` (RFC 2183), which is ASCII without quotation marks."""
    return encoded_part(base64.encodebytes(data).replace(b"\n", b"\r\n"), content_type, name)


def encoded_part(lines: bytes, content_type: str, name: str) -> bytes:
    """The same of a file that is in base64 already, in lines that end with CRLF."""
    head = (
        f'Content-Type: {content_type};\r\n name="{name}"\r\n'
        f'Content-Disposition: attachment;\r\n filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + lines


def headers_part(headers: bytes, limit: int = 32_768) -> bytes:
    """The header block of a mail, given back as `text/rfc822-headers` (RFC 6522 section 4).

    It is cut at a line end after `limit` octets. A block that is not clean 7-bit travels as quoted-printable, which
    that section allows for just this case and RFC 6533 section 4.5 asks for where it is UTF-8.
    """
    if len(headers) > limit:
        headers = headers[: headers.rfind(b"\n", 0, limit) + 1 or limit]
    lines = re.split(rb"\r\n|\r|\n", headers.rstrip(b"\r\n"))
    data = b"\n".join(lines) + b"\n"
    clean = _CLEAN.fullmatch(data) and max(map(len, lines)) <= 998 and b"\n--" not in b"\n" + data
    encoding, body = (
        (b"7bit", data.replace(b"\n", b"\r\n")) if clean else (b"quoted-printable", _quoted_printable(data))
    )
    kind = b"text/rfc822-headers" + (b"; charset=utf-8" if not data.isascii() and _is_utf8(data) else b"")
    return b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def multipart(content_type: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """A mail's fields that describe its body, and the body: a multipart (RFC 2046 section 5.1).

    `content_type` may carry parameters.
    """
    return b"MIME-Version: 1.0\r\n" + multipart_part(content_type, boundary, parts)


def multipart_part(content_type: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """A multipart that may itself be a part of one; of two, neither's boundary begins like the other's.

    The boundary begins with `=_`, which neither quoted-printable nor base64 can contain, and no 7-bit part of ours has
    a line that begins with two hyphens: it cannot occur in a part.
    """
    mark = f"=_{boundary}".encode("ascii")
    head = f'Content-Type: {content_type};\r\n boundary="=_{boundary}"\r\n\r\n'.encode("ascii")
    return head + b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"


def _quoted_printable(data: bytes) -> bytes:
    return quopri.encodestring(data).replace(b"\n", b"\r\n")
