"""Reading a provider's signed JSON callback: from the raw request to values that a gateway can trust.

Everything here refuses with `HookRefused`: 403 where the proof fails, 400 where the content makes no sense. Its
sentences name keys, never what stood under them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from bridge.gateways.base import HookRefused
from bridge.types import HttpRequest

REPLAY_WINDOW = 300.0
"""Seconds that the time of a callback may differ from ours."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Hexadecimal HMAC-SHA256 of `timestamp.body`; `timestamp` is Unix time in whole seconds."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def check_signature(secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> None:
    """Prove, in constant time, that the callback was signed with `secret` not more than five minutes ago."""
    if not hmac.compare_digest(signature.encode(), sign(secret, timestamp, body).encode()):
        raise HookRefused(403, "The signature is wrong. Give the bridge and the provider the same secret.")
    if not timestamp.isdecimal() or abs(now.timestamp() - float(timestamp)) > REPLAY_WINDOW:
        raise HookRefused(403, "The callback is too old. Set the clocks of both machines right and send it again.")


def json_object(request: HttpRequest) -> Mapping[str, object]:
    """The body as a JSON object in UTF-8 (RFC 8259)."""
    try:
        value = json.loads(request.body.decode())
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HookRefused(400, "The callback is not a JSON object in UTF-8.")
    return value


def text_of(event: Mapping[str, object], key: str) -> str:
    """The non-empty string under `key`. Half a surrogate pair, which no database takes, becomes U+FFFD."""
    value = event.get(key)
    if not isinstance(value, str) or not value:
        raise HookRefused(400, f"The callback has no text under '{key}'.")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number_of(event: Mapping[str, object], key: str) -> str:
    """The telephone number under `key`, which must be written in E.164 with its plus."""
    value = text_of(event, key)
    if not _E164.fullmatch(value):
        raise HookRefused(400, f"The callback has no E.164 number under '{key}'.")
    return value


def time_of(event: Mapping[str, object], key: str) -> datetime:
    """The ISO 8601 moment under `key`, which must name its offset; in UTC."""
    try:
        moment = datetime.fromisoformat(text_of(event, key))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise HookRefused(400, f"The callback has no time with its offset under '{key}'.")
