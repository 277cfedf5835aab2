"""What a signature alone leaves open: to whom a mail goes, and that it comes for the first time; for the MX door; pure.

Whoever gets hold of a signed mail can send it again, to anybody, and its signature is still right (RFC 6376 section
8.6). So where nothing but a signature speaks for the author, the signed header itself must name the recipients, tell by
Message-ID and a fresh Date that the mail did not come before, and say how it is read. What the header asks for without
being signed is not done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bridge.access.fields import Mail
from bridge.access.verdict import Verdict
from bridge.reading.headers import message_id
from bridge.reading.options import OWN, PREFIX

SKEW = timedelta(minutes=5)
"""By which the clock of the author may be ahead."""
MAX_FIELD = 65_536
"""Octets of To and of Cc that are read."""

SHAPING = ("subject", "content-type", "content-transfer-encoding", "content-disposition", "x-trasporto")
"""Fields that make other words of the same body: whoever could change one would text a phone again with these."""

_NAMES_AND_COMMENTS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|\([^()]*\)')
_ADDRESS = re.compile(r"(?<![^\s<,:;])[^\s\"(),:;<>@\[\\\]]+@[^\s\"(),:;<>@\[\\\]]+(?=[\s>,;]|$)(?!\s*<)")
_PRIORITY = b"mt-priority"


def sent_again(mail: Mail, verdict: Verdict, recipients: Iterable[str], now: datetime, window: timedelta) -> str:
    """What keeps a mail with a verified author from being believed, in a sentence; empty when nothing does.

    `window` is how long a mail that comes again is recognised by its Message-ID.
    """
    if verdict.envelope_vouched:
        return ""
    covers = verdict.covers
    if "message-id" not in covers or not any(message_id(field.value) for field in mail.named(b"message-id")):
        return _open("which mail it is (Message-ID)")
    if "date" not in covers or not mail.named(b"date"):
        return _open("when it was written (Date)")
    for name in SHAPING:
        if mail.named(name.encode()) and not _covered(mail, name.encode(), verdict):
            return _open(f"what its text is ({name.title()})")
    written = _moment(mail.named(b"date")[0].value)
    if written is None or not now - window + SKEW <= written <= now + SKEW:
        return _open("why it comes so long after its Date")
    named = {address.lower() for name in ("to", "cc") if name in covers for address in _addresses(mail, name)}
    if not all(recipient.lower() in named for recipient in recipients):
        return _open("to whom it goes (To, Cc)")
    return ""


def believed(raw: bytes, mail: Mail, verdict: Verdict) -> bytes:
    """The mail without what only a stranger may have asked for: `X-SMS-…` and priorities that are not signed."""
    if verdict.envelope_vouched:
        return raw
    kept = [field.raw for field in mail.fields if not _asks(field.name) or _covered(mail, field.name, verdict)]
    if len(kept) == len(mail.fields):
        return raw
    return b"".join(field + b"\r\n" for field in kept) + b"\r\n" + mail.body


def _asks(name: bytes) -> bool:
    text = name.decode("ascii")
    return (text.startswith(PREFIX) and text not in OWN) or name == _PRIORITY


def _covered(mail: Mail, name: bytes, verdict: Verdict) -> bool:
    """Whether a field is signed, and no other of its name could stand for it."""
    return name.decode("ascii") in verdict.covers and len(mail.named(name)) == 1


def _moment(value: bytes) -> datetime | None:
    try:
        found = parsedate_to_datetime(value.decode("ascii").strip())
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _addresses(mail: Mail, name: str) -> Iterator[str]:
    for field in mail.named(name.encode()):
        line = " ".join(field.value[:MAX_FIELD].decode("utf-8", "replace").split())
        yield from _ADDRESS.findall(_NAMES_AND_COMMENTS.sub(" ", line))


def _open(what: str) -> str:
    return (
        f"Only a signature vouches for this mail, and it leaves open {what}: anybody may have sent it again. "
        "Send it directly, through a server that the SPF record of your domain names."
    )
