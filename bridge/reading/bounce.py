"""What a mail server says of a mail of ours that came back: read from the bounce alone; pure.

The sentence for people in a bounce differs from server to server and may quote the mail, so only the machine-readable
part counts (RFC 3464), and of it only the action and the status code. A mail from the null sender that holds no such
part is the bounce of an old server, unless it says that it is something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import MailRefusal
from bridge.reading import headers
from bridge.reading.automatic import is_automatic_answer
from bridge.reading.headers import Fields

MAX_READ = 262_144
"""Octets that are looked at; the mail that is given back stands behind what is said of it."""

_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
"""RFC 3464 section 2.1; RFC 6533 section 3."""
_RECEIPTS = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
"""RFC 8098 section 3.1: somebody read or deleted the mail, so it arrived."""
_BLOCKS = re.compile(rb"\n[ \t]*\n+")
_ACTION = re.compile(rb"^action[ \t]*:[ \t]*([a-z]+)", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(rb"^status[ \t]*:[ \t]*([245]\.\d{1,3}\.\d{1,3})", re.IGNORECASE | re.MULTILINE)


class BounceKind(StrEnum):
    """What a mail to a bounce address is."""

    FAILED = "failed"
    """The mail was not delivered and will not be; also whatever cannot be read, since somebody must look then."""
    DELAYED = "delayed"
    """The server is still trying."""
    OTHER = "other"
    """The mail arrived or went on, or this is an automatic answer and no bounce at all."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """What came back."""

    kind: BounceKind
    status: str = ""
    """The status code of the failure (RFC 3463), such as `5.1.1`; empty when none can be read."""


def read_bounce(raw: bytes) -> Bounce:
    """What a mail from the null sender to a bounce address says; never raises."""
    data = raw[:MAX_READ].replace(b"\r\n", b"\n")
    try:
        fields, _, body = headers.split(data, 0, len(data))
        parts = list(_parts(data[body:], fields))
    except MailRefusal:  # more header fields than any server writes
        return Bounce(BounceKind.FAILED)
    told = [part for kind, part in parts if kind in _STATUS_PARTS]
    if told:
        return _told(told)
    if any(kind in _RECEIPTS for kind, _ in parts) or _is_answer(fields):
        return Bounce(BounceKind.OTHER)
    return Bounce(BounceKind.FAILED)


def _told(parts: list[bytes]) -> Bounce:
    """The worst that the status parts say: one mail has one recipient, but that may stand for several."""
    blocks = [block for part in parts for block in _BLOCKS.split(part)]
    actions = [(found[1].lower(), block) for block in blocks if (found := _ACTION.search(block)) is not None]
    for action, block in actions:
        if action == b"failed":
            status = _STATUS.search(block)
            return Bounce(BounceKind.FAILED, status[1].decode("ascii") if status is not None else "")
    if any(action == b"delayed" for action, _ in actions):
        return Bounce(BounceKind.DELAYED)
    return Bounce(BounceKind.OTHER if actions else BounceKind.FAILED)


def _parts(body: bytes, fields: Fields) -> Iterator[tuple[str, bytes]]:
    """Type and content of each part of a multipart; of a mail that is none, nothing."""
    kind = headers.content_type(fields)
    boundary = kind.parameters.get("boundary", "").rstrip()
    if kind.main != "multipart" or not boundary:
        return
    mark = b"\n--" + boundary.encode("utf-8", "replace")
    for piece in (b"\n" + body).split(mark)[1:]:
        if piece.startswith(b"--"):
            return
        part = piece.partition(b"\n")[2]
        inner, _, start = headers.split(part, 0, len(part))
        yield headers.content_type(inner).type, part[start:]


def _is_answer(fields: Fields) -> bool:
    """Whether it is an absence note: these come from the null sender to the same address (RFC 3834 section 4).

    Bounces are marked as answers too, but those are reports, or name the recipient that failed (old versions of Exim).
    """
    if headers.content_type(fields).type == "multipart/report" or "x-failed-recipients" in fields:
        return False
    return is_automatic_answer(fields, headers.decoded(fields.raw("subject")))
