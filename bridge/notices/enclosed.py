"""The files of an MMS in the mail that brings it: attached under names of our own, and told of where they are not.

What the phone or the provider calls a file does not get here, so no name can pretend to be another kind of file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.notices import mime
from bridge.notices.wording import Wording
from bridge.types import Enclosed, MediaFile, MediaKind

_MISSING = "X-SMS-Missing-Files"
_MISSING_FIELD = re.compile(rf"^{_MISSING}: ([0-9]{{1,4}})\r$".encode("ascii"), re.MULTILINE)
_KIND = re.compile(rb"Content-Type: ([a-z0-9/]+);")
_BODY = b"\r\n\r\n"


def field(enclosed: Enclosed) -> bytes:
    """The header field that counts the files that are not attached; nothing where there are none."""
    count = enclosed.missing + len(enclosed.left_out)
    return mime.machine_field(_MISSING, str(count)) if count else b""


def with_files(enclosed: Enclosed, mail_id: str, body: bytes, wording: Wording) -> bytes:
    """A mail's fields that describe its body, and the body: the part `body`, and the files behind it."""
    attached = []
    for number, file in enumerate(enclosed.files, 1):
        name = f"{wording.say(f'file.{file.kind.what}')}-{number}.{file.kind.suffix}"
        attached.append(mime.encoded_part(file.base64, file.kind.value, name))
    return mime.multipart("multipart/mixed", _boundary(mail_id), (body, *attached))


def files_of(raw: bytes, mail_id: str) -> Enclosed:
    """What is attached to a mail of ours, to attach it to another, and how much was not attached to it."""
    head, _, body = raw.partition(_BODY)
    missing = _MISSING_FIELD.search(head + b"\r\n")
    mark = f"--=_{_boundary(mail_id)}".encode("ascii")
    found = (part.partition(_BODY) for part in body.split(mark)[2:-1])
    files = ((_KIND.match(fields.lstrip()), lines.removesuffix(b"\r\n")) for fields, _, lines in found)
    return Enclosed(
        tuple(MediaFile(MediaKind(kind[1].decode("ascii")), lines) for kind, lines in files if kind is not None),
        missing=int(missing[1]) if missing is not None else 0,
    )


def remarks(enclosed: Enclosed, wording: Wording) -> Iterator[str]:
    """What is not attached, in sentences."""
    if enclosed.missing:
        yield wording.say("reply.missing", count=enclosed.missing)
    if enclosed.left_out:
        kinds = dict.fromkeys(kind or wording.say("file.unknown") for kind in enclosed.left_out)
        yield wording.say("reply.left_out", count=len(enclosed.left_out), kinds=", ".join(kinds))


def _boundary(mail_id: str) -> str:
    """That between words and files; the one between the two forms of the words, which is the id, begins otherwise."""
    return f"files-{mail_id}"
