"""What a phone sends beside words (MMS): files of a few harmless kinds, and how much of the rest there was."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class MediaKind(StrEnum):
    """The kinds of files that are passed on, by their media types (RFC 6838): nothing in them is ever carried out."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    GIF = "image/gif"
    WEBP = "image/webp"
    HEIC = "image/heic"
    MP4 = "video/mp4"
    QUICKTIME = "video/quicktime"
    MOBILE = "video/3gpp"
    AMR = "audio/amr"
    MP3 = "audio/mpeg"
    AAC = "audio/aac"
    M4A = "audio/mp4"
    OGG = "audio/ogg"
    VCARD = "text/vcard"

    @property
    def suffix(self) -> str:
        """What the name of such a file ends with."""
        return _SUFFIXES.get(self, self.value.partition("/")[2])

    @property
    def what(self) -> str:
        """A word for such a file: picture, video, sound or contact."""
        return _WHAT[self.value.partition("/")[0]]


_SUFFIXES = {
    MediaKind.JPEG: "jpg",
    MediaKind.QUICKTIME: "mov",
    MediaKind.MOBILE: "3gp",
    MediaKind.MP3: "mp3",
    MediaKind.M4A: "m4a",
    MediaKind.VCARD: "vcf",
}
_WHAT = {"image": "picture", "video": "video", "audio": "sound", "text": "contact"}


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One file, of which only the kind and the content count: what the phone or the provider calls it, nobody needs."""

    kind: MediaKind
    base64: bytes = field(repr=False)
    """Its content as mails carry it (RFC 2045 section 6.8), lines and their ends included: written so once, since that
    takes longer than all else about the mail."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """All that came with an SMS beside its words."""

    files: tuple[MediaFile, ...] = ()
    left_out: tuple[str, ...] = ()
    """The media types of files that are not passed on, as the provider names them; empty where it names none."""
    missing: int = 0
    """Files that could not be fetched, or are too large."""

    def __bool__(self) -> bool:
        return bool(self.files or self.left_out or self.missing)


NOTHING_ENCLOSED = Enclosed()
