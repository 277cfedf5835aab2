"""Bounce addresses that only the bridge can make: the envelope sender of a reply, which names the mail; pure.

When the mail with a phone's answer cannot be delivered, the mail server sends a failure to this address. It must not be
guessable, since whoever hits one makes the bridge alert an operator and try another mailbox; and it must survive
servers that change the case of letters. So it is base32 of key id, mail id, last day and a keyed hash over them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

LIFETIME = timedelta(days=30)
"""Longer than any mail server tries: RFC 5321 section 4.5.4.1 advises four to five days."""

PREFIX = "b-"
"""How the local part of every bounce address begins."""
_HASH = 11
"""Octets of HMAC-SHA256 that are kept: 88 bits, and with them the token fills base32 without padding."""
_TOKEN = re.compile(r"b-([a-z2-7]{48})", re.IGNORECASE | re.ASCII)
_PURPOSE = b"bounce address\0"
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_MAIL_ID = re.compile(f"mo\\.([0-7][{_CROCKFORD}]{{25}})")
"""A mail with a phone's answer, and an id of `clock.new_id`."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BounceKey:
    """A secret with its number, so that it can be replaced while addresses made with the old one are under way."""

    id: int
    """0 to 255."""
    secret: bytes = field(repr=False)


def mail_id(unique: str) -> str:
    """The id of a mail with a phone's answer; `unique` is an id of `clock.new_id`."""
    return f"mo.{unique}"


def make(mail: str, key: BounceKey, now: datetime) -> str:
    """The local part of 50 characters for the mail with this id. Raises ValueError when `mail` is none of `mail_id`."""
    found = _MAIL_ID.fullmatch(mail)
    if found is None:
        raise ValueError("not the id of a mail with a phone's answer")
    number = 0
    for sign in found[1]:
        number = number << 5 | _CROCKFORD.index(sign)
    last_day = (now + LIFETIME - _EPOCH).days
    payload = bytes([key.id]) + number.to_bytes(16, "big") + last_day.to_bytes(2, "big")
    return PREFIX + base64.b32encode(payload + _keyed_hash(key, payload)).decode("ascii").lower()


def read(local_part: str, keys: Sequence[BounceKey], now: datetime) -> str | None:
    """The id of the mail; None for whatever is forged, expired or no bounce address at all, without saying which."""
    token = _TOKEN.fullmatch(local_part)
    if token is None:
        return None
    octets = base64.b32decode(token[1].upper())
    payload, given = octets[:-_HASH], octets[-_HASH:]
    for key in keys:
        if key.id == payload[0] and hmac.compare_digest(given, _keyed_hash(key, payload)):
            expired = (now - _EPOCH).days > int.from_bytes(payload[17:], "big")
            return None if expired else mail_id(_unique(payload[1:17]))
    return None


def _keyed_hash(key: BounceKey, payload: bytes) -> bytes:
    return hmac.digest(key.secret, _PURPOSE + payload, hashlib.sha256)[:_HASH]


def _unique(octets: bytes) -> str:
    number = int.from_bytes(octets, "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
