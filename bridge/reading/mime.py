"""Chooses the part of a mail that a person wrote and decodes it; between the header block and the trimming.

Sources: RFC 2045, RFC 2046 section 5.1 (multipart), RFC 2183 (disposition), RFC 2387 (related), RFC 1847 and RFC 8551
(encrypted and signed). Works on offsets into one buffer, so that nothing is copied per level, and stops at a fixed
number of parts, levels and characters.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.errors import MailRefusal, Reason
from bridge.reading import headers, stubs
from bridge.reading.armour import is_sealed, without_armour
from bridge.reading.boundaries import Boundaries
from bridge.reading.calendar import read_calendar
from bridge.reading.charsets import decode_known, guessed
from bridge.reading.dispositions import (
    file_name,
    is_attachment,
    is_certificate,
    is_certified,
    is_certified_mail,
    wraps_the_mail,
)
from bridge.reading.flowed import unflow
from bridge.reading.headers import ContentType, Fields
from bridge.reading.html import MAX_TAGS, to_text, weight
from bridge.reading.rtf import LONGEST as LONGEST_RTF
from bridge.reading.rtf import read_rtf
from bridge.reading.signatures import marks_signature, without
from bridge.reading.smime import signed_content
from bridge.reading.tnef import read_tnef
from bridge.types import NO_HABITS, Cut, CutRule, Habits, Invitation

MAX_PARTS = 1_000
"""Parts of a mail that are looked at."""
MAX_DEPTH = 60
"""Levels of multipart within multipart."""
MAX_OPENED = 4
"""Parts wrapped in a signature that are opened."""
MAX_GUESSES = 20
"""Parts whose charset is guessed; those of one mail are of one kind, and guessing takes milliseconds."""
LONGEST_TEXT = 1_000_000
"""Characters of all texts of a mail, markup not counted; what could be texted has at most 40,000."""
MOST_LINES = 25_000
"""Lines of all texts of a mail."""
LONGEST_HTML = 10_000_000
"""Characters of one HTML part, with the pictures that some programs write into it."""
LONGEST_LOOK = 200_000
"""Octets behind a plain text in which HTML is looked for that marks a signature."""

_TRANSPORT_PADDING = re.compile(rb"=[ \t]+\n")
_ENCRYPTED = "The mail is encrypted and cannot be texted: send it again without encryption."
_OPAQUE = "The mail is signed in a form that only its readers can open: sign it clear-text, or do not sign it."
_TOO_MANY_TAGS = (
    f"The mail's HTML is too large to be read (more than {MAX_TAGS} tags): "
    "send it as plain text, or without the mails it quotes."
)
_TOO_LONG = "The mail's text is too long to be read: send it without the mails it quotes."
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_CALENDAR = frozenset({"text/calendar", "application/ics"})


@dataclass(frozen=True, slots=True)
class Body:
    """The words of a mail, as decoded as they get before anything is trimmed."""

    text: str
    cuts: tuple[Cut, ...]
    """What the HTML itself marks as quoted or as a signature."""
    warnings: tuple[str, ...]
    invitation: Invitation | None = None
    """What is texted where the mail has no words."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    text: str
    plain: bool
    cuts: tuple[Cut, ...] = ()

    @property
    def blank(self) -> bool:
        return not self.text or self.text.isspace()


@dataclass(frozen=True, slots=True)
class _Held:
    """A part that is read at the end, if the mail has no words elsewhere."""

    data: bytes
    fields: Fields
    kind: ContentType
    attached: bool
    """It was counted as an attachment."""


@dataclass(slots=True)
class _Walk:
    """What one walk through a mail has met so far."""

    data: bytes
    kept: frozenset[CutRule]
    boundaries: Boundaries | None = None
    """Those of `data`, once they were needed."""
    parts: int = 0
    attachments: int = 0
    tags: int = 0
    characters: int = 0
    lines: int = 0
    opened: int = 0
    guesses: int = 0
    certified: bool = False
    """A provider of certified mail wrote what is around the mail."""
    original: list[_Chunk] = field(default_factory=list)
    """The words of the mail in it."""
    sealed: str = ""
    """Why a part could not be opened, or empty."""
    cropped: bool = False
    held: dict[str, _Held] = field(default_factory=dict)
    """The first winmail.dat and the first calendar, as `tnef` and `calendar`."""

    def part(self, start: int, end: int) -> bytes:
        """The octets of a part, its lines ending in LF. Only of what is read: most of a large mail is attachments."""
        return self.data[start:end].replace(b"\r\n", b"\n")


def read_body(data: bytes, fields: Fields, habits: Habits = NO_HABITS) -> Body:
    """The text of the mail with header `fields` and body `data` (lines end in LF or CRLF), with what its HTML marks
    where the `habits` keep that. Raises `MailRefusal` for sealed or too many words (encrypted, mail too large), never
    for MIME.
    """
    walk = _Walk(data, habits.kept, certified=is_certified(fields))
    chunks = _distinct(_read(walk, fields, 0, len(data), 0, "text/plain"))
    chunks = _distinct(walk.original) or chunks
    if "tnef" in walk.held and all(chunk.plain and stubs.is_stub(chunk.text) for chunk in chunks):
        chunks = _distinct(_wrapped(walk)) or chunks
    invitation = _invitation(walk, fields) if "calendar" in walk.held else None
    if invitation is not None and all(stubs.is_invitation_stub(chunk.text) for chunk in chunks):
        chunks = []
        walk.attachments -= walk.held["calendar"].attached
    text = "\n\n".join(chunk.text.strip("\n") for chunk in chunks)
    if (walk.sealed and not (chunks or invitation)) or is_sealed(text):
        raise MailRefusal(Reason.ENCRYPTED, walk.sealed or _ENCRYPTED)
    warnings: list[str] = []
    if walk.attachments:
        what = "1 attachment was" if walk.attachments == 1 else f"{walk.attachments} attachments were"
        warnings.append(f"{what} left out: an SMS carries text only.")
    if walk.cropped:
        warnings.append(f"The mail has more than {MAX_PARTS} parts or {MAX_DEPTH} levels; the rest was not read.")
    return Body(text, tuple(cut for chunk in chunks for cut in chunk.cuts), tuple(warnings), invitation)


def _read(walk: _Walk, fields: Fields, start: int, end: int, depth: int, default: str) -> list[_Chunk]:
    """The readable texts of one part, in order."""
    walk.parts += 1
    if walk.parts > MAX_PARTS or depth > MAX_DEPTH:
        walk.cropped = True
        return []
    kind = headers.content_type(fields, default)
    if wraps_the_mail(fields, kind):
        return _opened(walk, fields, kind, start, end, depth)
    attached = is_attachment(fields, kind)
    if walk.certified and is_certified_mail(fields, kind):
        inner, _, body = headers.split(walk.data, start, end)
        walk.original = walk.original or _read(walk, inner, body, end, depth + 1, "text/plain")
        return []
    walk.attachments += attached and not (walk.certified and is_certificate(fields, kind))
    if kind.type in _TNEF or (attached and file_name(fields, kind) == "winmail.dat"):
        walk.attachments += not attached
        walk.held.setdefault("tnef", _Held(walk.part(start, end), fields, kind, attached=True))
        return []
    if kind.type in _CALENDAR:
        walk.held.setdefault("calendar", _Held(walk.part(start, end), fields, kind, attached))
        return []
    if attached:
        return []
    if kind.type == "multipart/encrypted":
        raise MailRefusal(Reason.ENCRYPTED, _ENCRYPTED)
    if kind.main == "multipart" and kind.parameters.get("boundary"):
        return _multipart(walk, kind, start, end, depth)
    if kind.type == "text/html":
        return [_html(walk, _text(walk, walk.part(start, end), fields, kind))]
    if kind.type == "text/plain" or kind.main == "multipart":
        text = without_armour(_counted(walk, _text(walk, walk.part(start, end), fields, kind)))
        if kind.parameters.get("format", "").lower() == "flowed":
            text = unflow(text, delsp=kind.parameters.get("delsp", "").lower() == "yes")
        return [_Chunk(text, plain=True)]
    if kind.main != "text":
        walk.attachments += 1
    return []


def _html(walk: _Walk, html: str) -> _Chunk:
    if len(html) > LONGEST_HTML:
        raise MailRefusal(Reason.MAIL_TOO_LARGE, _TOO_LONG)
    walk.tags += weight(html)
    if walk.tags > MAX_TAGS:
        raise MailRefusal(Reason.MAIL_TOO_LARGE, _TOO_MANY_TAGS)
    text, quotes = to_text(html, walk.kept)
    return _Chunk(_counted(walk, text), plain=False, cuts=quotes)


def _counted(walk: _Walk, text: str) -> str:
    """`text`, if the mail does not hold too much by now: what is cut and measured later takes time for every line."""
    walk.characters += len(text)
    walk.lines += text.count("\n")
    if walk.characters > LONGEST_TEXT or walk.lines > MOST_LINES:
        raise MailRefusal(Reason.MAIL_TOO_LARGE, _TOO_LONG)
    return text


def _opened(walk: _Walk, fields: Fields, kind: ContentType, start: int, end: int, depth: int) -> list[_Chunk]:
    """The readable texts of a part that S/MIME wraps in its signature; an encrypted one stays closed."""
    walk.opened += 1
    content = None
    if walk.opened <= MAX_OPENED:
        content = signed_content(_octets(walk.part(start, end), fields))
    if content is None:
        walk.sealed = _OPAQUE if kind.parameters.get("smime-type", "").lower() == "signed-data" else _ENCRYPTED
        return []
    outside = walk.data, walk.boundaries
    walk.data, walk.boundaries = content, None
    try:
        inner, _, body = headers.split(walk.data, 0, len(walk.data))
        return _read(walk, inner, body, len(walk.data), depth + 1, "text/plain")
    finally:
        walk.data, walk.boundaries = outside


def _wrapped(walk: _Walk) -> list[_Chunk]:
    """The words in winmail.dat; they are the same in each of its forms."""
    held = walk.held["tnef"]
    found = read_tnef(_octets(held.data, held.fields))
    if len(found.rtf) >= LONGEST_RTF:
        raise MailRefusal(Reason.MAIL_TOO_LARGE, _TOO_LONG)
    chunks: list[_Chunk] = []
    if found.plain.strip():
        chunks = [_Chunk(_counted(walk, found.plain.replace("\r\n", "\n")), plain=True)]
    elif found.html.strip():
        chunks = [_html(walk, found.html)]
    elif found.rtf:
        text, is_html = read_rtf(found.rtf)
        chunks = [_html(walk, text) if is_html else _Chunk(_counted(walk, text), plain=True)]
    walk.attachments -= bool(chunks)
    return chunks


def _invitation(walk: _Walk, fields: Fields) -> Invitation | None:
    held = walk.held["calendar"]
    return read_calendar(_text(walk, held.data, held.fields, held.kind), headers.decoded(fields.raw("subject")))


def _multipart(walk: _Walk, kind: ContentType, start: int, end: int, depth: int) -> list[_Chunk]:
    child_default = "message/rfc822" if kind.type == "multipart/digest" else "text/plain"
    children: list[list[_Chunk]] = []
    for part_start, part_end in _parts(walk, kind.parameters["boundary"], start, end):
        if walk.parts >= MAX_PARTS:
            walk.cropped = True
            break
        fields, _, body = headers.split(walk.data, part_start, part_end, part=True)
        child = _read(walk, fields, body, part_end, depth + 1, child_default)
        if child and kind.type in {"multipart/signed", "multipart/related"}:
            return child
        if kind.type == "multipart/alternative" and child and all(chunk.plain and not chunk.blank for chunk in child):
            if len(child) == 1 and (stubs.is_invitation_stub(child[0].text) or stubs.breaks_off(child[0].text)):
                children.append(child)
                continue
            asked = len(child) == 1 and CutRule.SIGNATURE not in walk.kept
            marked = asked and marks_signature(walk.part(part_end, min(end, part_end + LONGEST_LOOK)))
            return _unsigned(walk, kind, child, part_end, end, depth) if marked else child
        children.append(child)
    if kind.type == "multipart/alternative":
        return _best(children)
    return [chunk for child in children for chunk in child]


def _parts(walk: _Walk, boundary: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    if walk.boundaries is None:
        walk.boundaries = Boundaries(walk.data)
        walk.cropped = walk.cropped or not walk.boundaries.complete
    return walk.boundaries.parts(boundary, start, end)


def _unsigned(walk: _Walk, kind: ContentType, plain: list[_Chunk], start: int, end: int, depth: int) -> list[_Chunk]:
    """The plain text without what its HTML alternative, between `start` and `end`, says is a signature."""
    counted = walk.attachments, walk.characters, walk.lines
    try:
        html = _multipart(walk, kind, start, end, depth + 1)
    except MailRefusal:  # none of it is texted, so that it may be too large, or sealed
        html = []
    walk.attachments, walk.characters, walk.lines = counted
    for cut in (cut for chunk in html for cut in chunk.cuts if cut.rule is CutRule.SIGNATURE):
        found = without(plain[0].text, cut.text)
        if found is not None:
            return [_Chunk(found[0], plain=True, cuts=(found[1],))]
    return plain


def _best(children: list[list[_Chunk]]) -> list[_Chunk]:
    """The alternative to read where no plain text is good enough: the last that says something (RFC 2046, 5.1.4).

    A plain text that breaks off is good enough unless the other begins with all its words.
    """
    speaking = [child for child in children if not all(chunk.blank for chunk in child)]
    plain = next((child for child in speaking if all(chunk.plain for chunk in child)), None)
    others = [child for child in speaking if child is not plain]
    if plain is None or not others:
        return speaking[-1] if speaking else []
    best = others[-1]
    if len(plain) == 1 and not stubs.is_stub(plain[0].text):
        return best if stubs.is_beginning(plain[0].text, "\n".join(chunk.text for chunk in best)) else plain
    return best


def _octets(data: bytes, fields: Fields) -> bytes:
    """The octets of a part, without its transfer encoding (RFC 2045 section 6)."""
    way = fields.token("content-transfer-encoding").lower()
    if way == "base64":
        return headers.base64(data)
    if way == "quoted-printable":
        return binascii.a2b_qp(_TRANSPORT_PADDING.sub(b"=\n", data))
    return data


def _text(walk: _Walk, data: bytes, fields: Fields, kind: ContentType) -> str:
    octets = _octets(data, fields)
    text = decode_known(octets, kind.parameters.get("charset", ""))
    if text is None:
        walk.guesses += 1
        text = guessed(octets) if walk.guesses <= MAX_GUESSES else octets.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _distinct(chunks: Iterable[_Chunk]) -> list[_Chunk]:
    """The chunks that say something, without those that say the same again: some programs put plain text and HTML one
    after the other.
    """
    seen: dict[str, _Chunk] = {}
    for chunk in chunks:
        if chunk.blank:
            continue
        seen.setdefault("".join(chunk.text.split()), chunk)
    return list(seen.values())
