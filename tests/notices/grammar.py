"""Strict readers of what RFC 5322 and RFC 3464 allow; written from the RFCs, they share nothing with the bridge."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

Fields = list[tuple[str, str]]

_FIELD_NAME = re.compile(r"[\x21-\x39\x3b-\x7e]+")
_TYPED = re.compile(r"([A-Za-z0-9-]+); ?(\S.*)")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
_PER_MESSAGE = {"original-envelope-id", "reporting-mta", "dsn-gateway", "received-from-mta", "arrival-date"} | {
    "deliver-by-date",
    "future-release-request",
}
"""RFC 3464 section 2.2, and what RFC 2852 and RFC 4865 add."""
_PER_RECIPIENT = {
    "original-recipient",
    "final-recipient",
    "action",
    "status",
    "remote-mta",
    "diagnostic-code",
    "last-attempt-date",
    "final-log-id",
    "will-retry-until",
}
_TYPED_FIELDS = {
    "reporting-mta",
    "dsn-gateway",
    "received-from-mta",
    "original-recipient",
    "final-recipient",
    "remote-mta",
    "diagnostic-code",
}
_DATES = {"arrival-date", "deliver-by-date", "last-attempt-date", "will-retry-until"}


def check_lines(raw: bytes) -> None:
    """CRLF only, 7-bit, at most 998 octets a line (RFC 5322 section 2.1.1), no control characters but TAB.

    An address beyond ASCII stands in To as it is (RFC 6532 section 3.2), on one line whatever counts as its end.
    """
    assert raw.endswith(b"\r\n")
    for text in raw[:-2].split(b"\r\n"):
        assert text.isascii() or (text.startswith(b"To: ") and len(text.decode().splitlines()) == 1)
        assert b"\r" not in text
        assert b"\n" not in text
        assert len(text) <= 998
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", text)


def fields(block: bytes) -> Fields:
    """The header fields of a block, unfolded (RFC 5322 section 2.2)."""
    found: Fields = []
    for text in block.decode().split("\r\n"):
        if text.startswith((" ", "\t")):
            name, value = found.pop()
            found.append((name, f"{value} {text.strip()}"))
        else:
            name, colon, value = text.partition(":")
            assert colon, text
            assert _FIELD_NAME.fullmatch(name), text
            found.append((name, value.strip()))
    return found


def header_fields(raw: bytes) -> Fields:
    """The fields of a whole mail; those that RFC 5322 section 3.6 allows once are there once."""
    found = fields(raw.partition(b"\r\n\r\n")[0])
    names = [name.lower() for name, _ in found]
    for once in ("from", "to", "subject", "date", "message-id", "mime-version", "content-type"):
        assert names.count(once) == 1, once
    for at_most_once in ("in-reply-to", "references", "auto-submitted", "x-sms-reference"):
        assert names.count(at_most_once) <= 1, at_most_once
    return found


def delivery_status(raw: bytes) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The fields of the mail and of each recipient in a `message/delivery-status` part (RFC 3464 section 2)."""
    boundary = re.search(rb'boundary="([^"]+)"', raw)
    assert boundary
    found = [
        part for part in raw.split(b"--" + boundary[1]) if part.startswith(b"\r\nContent-Type: message/delivery-status")
    ]
    assert len(found) == 1
    body = found[0].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    blocks = [fields(block.strip(b"\r\n")) for block in body.split(b"\r\n\r\n")]
    assert len(blocks) >= 2
    for block in blocks:
        names = [name.lower() for name, _ in block]
        assert len(names) == len(set(names))
        for name, value in block:
            _check_value(name.lower(), value)
    message, *recipients = [{name.lower(): value for name, value in block} for block in blocks]
    _check_names(message, _PER_MESSAGE, {"reporting-mta"})
    for recipient in recipients:
        _check_names(recipient, _PER_RECIPIENT, {"final-recipient", "action", "status"})
        assert recipient["action"] in _ACTIONS
        assert "will-retry-until" not in recipient or recipient["action"] == "delayed"
    return message, recipients


def _check_value(name: str, value: str) -> None:
    assert value.isascii()
    if name in _TYPED_FIELDS:
        assert _TYPED.fullmatch(value), (name, value)
    if name in _DATES:
        assert parsedate_to_datetime(value).tzinfo is not None
    if name == "status":
        assert _STATUS.fullmatch(value), value


def _check_names(block: dict[str, str], known: set[str], wanted: set[str]) -> None:
    assert wanted <= block.keys()
    assert {name for name in block if not name.startswith("x-")} <= known
