"""Chooses the part of a mail that a person wrote and decodes it; between the header block and the trimming.

Sources: RFC 2045, RFC 2046 section 5.1 (multipart), RFC 2183 (disposition), RFC 2387 (related), RFC 1847 and RFC 8551
(encrypted), RFC 3676 (format=flowed). Works on offsets into one buffer, so that nothing is copied per level, and
stops at a fixed number of parts and levels.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.errors import MailRefusal, Reason
from bridge.reading import headers
from bridge.reading.charsets import decode
from bridge.reading.headers import ContentType, Fields
from bridge.reading.html import MAX_TAGS, SIGNATURE_CLASSES, SIGNATURE_IDS, to_text
from bridge.reading.signatures import without
from bridge.types import Cut

MAX_PARTS = 100
"""Parts of a mail that are looked at."""
MAX_DEPTH = 20
"""Levels of multipart within multipart."""

LONGEST_LOOK = 200_000
"""Octets behind a plain text in which HTML is looked for that marks a signature."""

_TRANSPORT_PADDING = re.compile(rb"=[ \t]+\n")
_ENCRYPTED = "The mail is encrypted and cannot be texted: send it again without encryption."
_OPAQUE = "The mail is signed in a form that only its readers can open: sign it clear-text, or do not sign it."
_TOO_MANY_TAGS = (
    f"The mail's HTML is too large to be read (more than {MAX_TAGS} tags): "
    "send it as plain text, or without the mails it quotes."
)
_MARKS_SIGNATURE = re.compile(
    rb"(?:id|class)=(?:3D)?[\"']?(?:" + "|".join((*SIGNATURE_IDS, *SIGNATURE_CLASSES)).encode() + rb")\b", re.IGNORECASE
)
"""A quick look for HTML that says what in it is a signature, be it in quoted-printable."""
_PGP = "-----BEGIN PGP MESSAGE-----"


@dataclass(frozen=True, slots=True)
class Body:
    """The words of a mail, as decoded as they get before anything is trimmed."""

    text: str
    cuts: tuple[Cut, ...]
    """What the HTML itself marks as quoted."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Chunk:
    text: str
    plain: bool
    cuts: tuple[Cut, ...] = ()

    @property
    def blank(self) -> bool:
        return not self.text or self.text.isspace()


@dataclass(slots=True)
class _Walk:
    """What one walk through a mail has met so far."""

    data: bytes
    parts: int = 0
    attachments: int = 0
    tags: int = 0
    sealed: str = ""
    """Why a part could not be opened, or empty."""
    cropped: bool = False


def read_body(data: bytes, fields: Fields) -> Body:
    """The text of the mail with header `fields` and body `data` (lines end in LF). Never raises for broken MIME;
    raises `MailRefusal` (encrypted) when the words are sealed.
    """
    walk = _Walk(data)
    chunks = _read(walk, fields, 0, len(data), 0, "text/plain")
    chunks = _distinct(chunk for chunk in chunks if not chunk.blank)
    text = "\n\n".join(chunk.text.strip("\n") for chunk in chunks)
    if (walk.sealed and not chunks) or _PGP in text:
        raise MailRefusal(Reason.ENCRYPTED, walk.sealed or _ENCRYPTED)
    warnings: list[str] = []
    if walk.attachments:
        what = "1 attachment was" if walk.attachments == 1 else f"{walk.attachments} attachments were"
        warnings.append(f"{what} left out: an SMS carries text only.")
    if walk.cropped:
        warnings.append(f"The mail has more than {MAX_PARTS} parts or {MAX_DEPTH} levels; the rest was not read.")
    return Body(text, tuple(cut for chunk in chunks for cut in chunk.cuts), tuple(warnings))


def _read(walk: _Walk, fields: Fields, start: int, end: int, depth: int, default: str) -> list[_Chunk]:
    """The readable texts of one part, in order."""
    walk.parts += 1
    if walk.parts > MAX_PARTS or depth > MAX_DEPTH:
        walk.cropped = True
        return []
    kind = headers.content_type(fields, default)
    if kind.type in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        walk.sealed = _OPAQUE if kind.parameters.get("smime-type", "").lower() == "signed-data" else _ENCRYPTED
        return []
    if _is_attachment(fields, kind):
        walk.attachments += 1
        return []
    if kind.type == "multipart/encrypted":
        raise MailRefusal(Reason.ENCRYPTED, _ENCRYPTED)
    if kind.main == "multipart" and kind.parameters.get("boundary"):
        return _multipart(walk, kind, start, end, depth)
    if kind.type == "text/html":
        html = _text(walk.data[start:end], fields, kind)
        walk.tags += html.count("<")
        if walk.tags > MAX_TAGS:
            raise MailRefusal(Reason.EMPTY_TEXT, _TOO_MANY_TAGS)
        text, quotes = to_text(html)
        return [_Chunk(text, plain=False, cuts=quotes)]
    if kind.type == "text/plain" or kind.main == "multipart":
        text = _text(walk.data[start:end], fields, kind)
        if kind.parameters.get("format", "").lower() == "flowed":
            text = unflow(text, delsp=kind.parameters.get("delsp", "").lower() == "yes")
        return [_Chunk(text, plain=True)]
    if kind.main != "text":
        walk.attachments += 1
    return []


def _multipart(walk: _Walk, kind: ContentType, start: int, end: int, depth: int) -> list[_Chunk]:
    child_default = "message/rfc822" if kind.type == "multipart/digest" else "text/plain"
    children: list[list[_Chunk]] = []
    for part_start, part_end in _parts(walk, kind.parameters["boundary"], start, end):
        fields, _, body = headers.split(walk.data, part_start, part_end)
        child = _read(walk, fields, body, part_end, depth + 1, child_default)
        if child and kind.type in {"multipart/signed", "multipart/related"}:
            return child
        if kind.type == "multipart/alternative" and child and all(chunk.plain and not chunk.blank for chunk in child):
            marked = _MARKS_SIGNATURE.search(walk.data, part_end, min(end, part_end + LONGEST_LOOK))
            return _unsigned(walk, kind, child, part_end, end, depth) if marked and len(child) == 1 else child
        children.append(child)
    if kind.type == "multipart/alternative":
        return _best(children)
    return [chunk for child in children for chunk in child]


def _unsigned(walk: _Walk, kind: ContentType, plain: list[_Chunk], start: int, end: int, depth: int) -> list[_Chunk]:
    """The plain text without what its HTML alternative, between `start` and `end`, says is a signature."""
    attachments = walk.attachments
    html = _multipart(walk, kind, start, end, depth)
    walk.attachments = attachments  # the pictures of the HTML are none
    for cut in (cut for chunk in html for cut in chunk.cuts if cut.rule == "signature"):
        found = without(plain[0].text, cut.text)
        if found is not None:
            return [_Chunk(found[0], plain=True, cuts=(found[1],))]
    return plain


def _best(children: list[list[_Chunk]]) -> list[_Chunk]:
    """The alternative to read where none is plain text throughout: the last that says something (RFC 2046, 5.1.4)."""
    return next((child for child in reversed(children) if not all(chunk.blank for chunk in child)), [])


def _parts(walk: _Walk, boundary: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the parts between the boundary lines lie. A missing last boundary ends with the data."""
    data = walk.data
    delimiter = b"--" + boundary.rstrip().encode("utf-8", "replace")
    position = start
    if not data.startswith(delimiter, start, end):
        position = data.find(b"\n" + delimiter, start, end) + 1
        if position == 0:
            return
    begin: int | None = None
    for _ in range(MAX_PARTS * 2):
        line_end = data.find(b"\n", position, end)
        line_end = end if line_end < 0 else line_end
        tail = data[position + len(delimiter) : line_end].strip()
        if tail in {b"", b"--"}:
            if begin is not None:
                yield begin, max(begin, position - 1)
            if tail == b"--":
                return
            begin = min(line_end + 1, end)
        found = data.find(b"\n" + delimiter, line_end, end)
        if found < 0:
            if begin is not None:
                yield begin, end
            return
        position = found + 1
    walk.cropped = True


def _is_attachment(fields: Fields, kind: ContentType) -> bool:
    if kind.main == "multipart":
        return False
    disposition, parameters = headers.value_and_parameters(fields.line("content-disposition"))
    return disposition == "attachment" or "filename" in parameters or "name" in kind.parameters


def _text(data: bytes, fields: Fields, kind: ContentType) -> str:
    way = fields.line("content-transfer-encoding").lower()
    if way == "base64":
        data = headers.base64(data)
    elif way == "quoted-printable":
        data = binascii.a2b_qp(_TRANSPORT_PADDING.sub(b"=\n", data))
    return decode(data, kind.parameters.get("charset", "")).replace("\r\n", "\n").replace("\r", "\n")


def _distinct(chunks: Iterator[_Chunk]) -> list[_Chunk]:
    """The chunks without those that say the same again: some programs put plain text and HTML one after the other."""
    seen: dict[str, _Chunk] = {}
    for chunk in chunks:
        seen.setdefault("".join(chunk.text.split()), chunk)
    return list(seen.values())


def unflow(text: str, *, delsp: bool) -> str:
    """The paragraphs of a format=flowed text, each on one line (RFC 3676 section 4); quoted levels stay apart."""
    pieces: list[str] = []
    flowing: int | None = None
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if flowing != depth or content == "-- ":
            pieces.append("\n" + ">" * depth + (" " if depth else ""))
        flows = content.endswith(" ") and content != "-- "
        pieces.append(content[:-1] if flows and delsp else content)
        flowing = depth if flows else None
    return "".join(pieces).removeprefix("\n")
