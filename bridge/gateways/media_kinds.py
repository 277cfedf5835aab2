"""What a file from a phone is, by its first octets; pure. What it is called counts for nothing: names and types lie.

The table is small on purpose. SVG and HTML hold scripts, PDF and the files of offices can, archives and programs are
what criminals send: a clinic that wants one asks for it by mail, where its mail server looks at it.
"""

from __future__ import annotations

import base64
import re

from bridge.reading.charsets import decode
from bridge.reading.headers import value_and_parameters
from bridge.types import MediaFile, MediaKind

LONGEST_TEXT = 20_000
"""Octets of a part that is plain text; a longer one is no message."""

_STARTS = (
    (b"\xff\xd8\xff", MediaKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaKind.PNG),
    (b"GIF87a", MediaKind.GIF),
    (b"GIF89a", MediaKind.GIF),
    (b"#!AMR", MediaKind.AMR),
    (b"ID3", MediaKind.MP3),
    (b"\xff\xfb", MediaKind.MP3),
    (b"\xff\xf3", MediaKind.MP3),
    (b"\xff\xf2", MediaKind.MP3),
    (b"\xff\xf1", MediaKind.AAC),
    (b"\xff\xf9", MediaKind.AAC),
    (b"OggS", MediaKind.OGG),
)

_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), MediaKind.HEIC),
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "), MediaKind.MP4),
    b"M4A ": MediaKind.M4A,
    b"qt  ": MediaKind.QUICKTIME,
}
"""Major brands in the first box of an ISO base media file (ISO/IEC 14496-12 section 4.3)."""

_VCARD = re.compile(rb"(?:\xef\xbb\xbf)?\s*BEGIN:VCARD\s", re.IGNORECASE)
_LAYOUT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE smil[^>]*>\s*)?<smil[\s/>]", re.IGNORECASE)
_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9][a-z0-9.+-]{0,40}")


def file_of(octets: bytes) -> MediaFile | None:
    """The file, if it is of a kind that is passed on."""
    kind = _kind_of(octets)
    return MediaFile(kind, _lines(octets)) if kind is not None else None


def _lines(octets: bytes) -> bytes:
    """Base64 as mails have it, in lines of 76 characters."""
    packed = base64.b64encode(octets)
    return b"".join(packed[start : start + 76] + b"\r\n" for start in range(0, len(packed), 76))


def _kind_of(octets: bytes) -> MediaKind | None:
    if octets[4:8] == b"ftyp":
        brand = octets[8:12]
        return MediaKind.MOBILE if brand[:3] in (b"3gp", b"3g2") else _BRANDS.get(brand)
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP":
        return MediaKind.WEBP
    if _VCARD.match(octets):
        return MediaKind.VCARD
    return next((kind for start, kind in _STARTS if octets.startswith(start)), None)


def is_layout(octets: bytes) -> bool:
    """Whether it only says how a phone shows the other parts: SMIL (OMA-TS-MMS_CONF section 8)."""
    return _LAYOUT.match(octets) is not None


def text_of(content_type: str, octets: bytes) -> str | None:
    """The words of a part that is plain text; None where it is none. `content_type` is the provider's header field."""
    if type_of(content_type) != "text/plain" or len(octets) > LONGEST_TEXT:
        return None
    _, parameters = value_and_parameters(content_type)
    text = decode(octets, parameters.get("charset", ""))
    return None if "\0" in text else text.removeprefix("\ufeff").strip()


def type_of(content_type: str) -> str:
    """The media type that a header field names, fit to be shown; empty where it names none."""
    written = content_type.partition(";")[0].strip().lower()
    return written if _TYPE.fullmatch(written) else ""
