"""Reading a provider's callback: from the raw request to values that a gateway can trust.

Everything here refuses with `HookRefused`: 403 where the proof fails, 400 where the content makes no sense. Its
sentences name keys, never what stood under them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qsl

from bridge.gateways.base import HookRefused
from bridge.types import HttpRequest

T = TypeVar("T")

REPLAY_WINDOW = 300.0
"""Seconds that the time of a callback may differ from ours."""

_WRITTEN = str.maketrans("", "", " -.()")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Hexadecimal HMAC-SHA256 of `timestamp.body`; `timestamp` is Unix time in whole seconds."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def check_signature(secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> None:
    """Prove, in constant time, that the callback was signed with `secret` not more than five minutes ago."""
    prove(sign(secret, timestamp, body), signature)
    check_recent(timestamp, now)


def prove(expected: str, given: str) -> None:
    """Let a callback pass whose signature is the expected one; compared in constant time."""
    if not expected or not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise HookRefused(403, "The signature is wrong. Give the bridge and the provider the same secret.")


def check_recent(written: str, now: datetime, window: float = REPLAY_WINDOW) -> None:
    """Refuse a callback whose signed time is too far from ours, or none: it may be an old one, played again.

    The time is `written` in whole Unix seconds. A longer `window` is for a provider that calls again with the time of
    its first call.
    """
    if not written.isdecimal() or abs(now.timestamp() - float(written)) > window:
        raise HookRefused(403, "The callback is too old. Set the clocks of both machines right and send it again.")


def told_by(states: Mapping[str, T], status: str) -> T:
    """What a provider's status tells, by its table."""
    if status not in states:
        raise HookRefused(400, "The receipt has a status that this gateway does not know.")
    return states[status]


def raw_of(request: HttpRequest) -> str:
    """What a callback said, to be kept: its body, or its query; never its path, which may hold a token."""
    return request.body.decode("utf-8", "replace").replace("\0", "\ufffd") or request.target.partition("?")[2]


def fields_of(request: HttpRequest) -> Mapping[str, str]:
    """The fields of a form or of the query, UTF-8; where both have one, the form's."""
    try:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=200, errors="strict"))
    except ValueError:
        raise HookRefused(400, "The callback is not a form in UTF-8.") from None
    return {**request.query, **form}


def json_value(request: HttpRequest) -> object:
    """The body as JSON in UTF-8 (RFC 8259), whatever it is; None when it is none."""
    try:
        return json.loads(request.body.decode())
    except (ValueError, RecursionError):
        return None


def json_object(request: HttpRequest) -> Mapping[str, object]:
    """The body as a JSON object in UTF-8 (RFC 8259)."""
    value = json_value(request)
    if not isinstance(value, dict):
        raise HookRefused(400, "The callback is not a JSON object in UTF-8.")
    return value


def json_of_kind(request: HttpRequest, key: str, kinds: Collection[str]) -> Mapping[str, object]:
    """The body as a JSON object that says under `key` that it is of a kind its address is for."""
    event = json_object(request)
    if text_of(event, key) not in kinds:
        raise HookRefused(400, "The callback is of a kind that does not come to this address.")
    return event


def event_of(request: HttpRequest) -> Mapping[str, object]:
    """A callback that comes as JSON, as a form or as a query, as its account is set."""
    is_json = request.headers.get("content-type", "").startswith("application/json")
    return json_object(request) if is_json else fields_of(request)


def text_of(event: Mapping[str, object], key: str) -> str:
    """The non-empty string under `key`. What not every database takes, half a surrogate pair or NUL, becomes U+FFFD."""
    value = event.get(key)
    if not isinstance(value, str) or not value:
        raise HookRefused(400, f"The callback has no text under '{key}'.")
    return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def words_of(event: Mapping[str, object], key: str) -> str:
    """What a phone wrote, under `key`: a text like that of `text_of`, which may also be empty or missing."""
    return text_of(event, key) if event.get(key) not in (None, "") else ""


def objects_of(event: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    """The JSON objects in the list under `key`."""
    value = event.get(key)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise HookRefused(400, f"The callback has no list of objects under '{key}'.")
    return value


def object_of(event: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The JSON object under `key`."""
    value = event.get(key)
    if not isinstance(value, dict):
        raise HookRefused(400, f"The callback has no object under '{key}'.")
    return value


def addresses_of(value: object, key: str = "") -> Sequence[str]:
    """The addresses in a list, each by itself or under `key` of an object; empty where one is none, so that it counts.

    Whatever else `value` is, there are none: what the phone wrote is taken all the same.
    """
    given = value if isinstance(value, list) else []
    found = [each.get(key) if isinstance(each, dict) else each for each in given]
    return [each if isinstance(each, str) else "" for each in found]


def numbered_of(event: Mapping[str, str], name: str) -> Sequence[str]:
    """What stands under `name` with a number behind it or none, in the order of the numbers."""
    found = {key: re.fullmatch(re.escape(name) + r"([0-9]{0,3})", key) for key in event}
    numbers = {int(match[1] or 0): key for key, match in found.items() if match is not None}
    return [event[numbers[number]] for number in sorted(numbers)]


def number_of(event: Mapping[str, object], key: str) -> str:
    """The telephone number under `key`, which must be written in E.164 with its plus."""
    value = text_of(event, key)
    if not _E164.fullmatch(value):
        raise HookRefused(400, f"The callback has no E.164 number under '{key}'.")
    return value


def phone_of(event: Mapping[str, object], key: str) -> str:
    """Who wrote or was written to: a number in E.164, whatever way it is written; a short code or a name as it is."""
    value = event.get(key)
    written = str(value) if isinstance(value, int) and not isinstance(value, bool) else text_of(event, key)
    bare = written.translate(_WRITTEN)
    digits = bare.removeprefix("+").removeprefix("00")
    if bare.removeprefix("+").isascii() and digits.isdecimal() and 7 <= len(digits) <= 15:
        return "+" + digits
    if len(written) > 20 or not written.isprintable():
        raise HookRefused(400, f"The callback has neither a number nor a name under '{key}'.")
    return written.strip()


def place_of(event: Mapping[str, object], reference: str, total: str, ordinal: str) -> tuple[int, int, int] | None:
    """Which segment of a longer SMS this is (3GPP TS 23.040 section 9.2.3.24.1): reference, total and ordinal.

    None where the numbers under these keys, written as numbers or as texts, are not those of a segment: then it is a
    text by itself.
    """
    written = [str(event.get(key)) for key in (reference, total, ordinal)]
    if not all(each.isascii() and each.isdecimal() and len(each) <= 9 for each in written):
        return None
    number, of, place = map(int, written)
    return (number, of, place) if 2 <= of <= 255 and 1 <= place <= of else None


def time_of(event: Mapping[str, object], key: str) -> datetime:
    """The ISO 8601 moment under `key`, which must name its offset; in UTC."""
    try:
        moment = datetime.fromisoformat(text_of(event, key))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise HookRefused(400, f"The callback has no time with its offset under '{key}'.")


def moment_of(event: Mapping[str, object], key: str) -> datetime | None:
    """The ISO 8601 moment under `key` in UTC, which it also is when it names no offset; None when it cannot be read."""
    try:
        moment = datetime.fromisoformat(str(event.get(key, "")))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def unix_moment_of(event: Mapping[str, object], key: str) -> datetime | None:
    """The Unix time under `key`, ten digits as a text or a number; None when it cannot be read."""
    written = str(event.get(key, ""))
    known = written.isascii() and written.isdecimal() and len(written) == 10
    return datetime.fromtimestamp(int(written), UTC) if known else None
