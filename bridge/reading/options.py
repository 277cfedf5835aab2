"""Reads the header fields with which a sending program says what it wants, nearly all `X-SMS-…`; part of the parser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TypeVar

from bridge.errors import MailRefusal, Reason
from bridge.reading.headers import Fields, decoded
from bridge.types import Confirm, MessageClass, Options, Priority, UnicodePolicy

PREFIX = "x-sms-"
MAX_SEGMENTS = 255
"""The most segments one text can have (3GPP TS 23.040 section 9.2.3.24.1: one octet counts them)."""
MAX_REFERENCE = 128
"""Characters of a sender's own reference."""

OWN = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "message-id",
        "number",
        "status",
        "segments",
        "from",
        "to",
        "received",
        "match",
        "intent",
        "tag",
        "missing-files",
    )
)
"""Fields of the bridge's own mails; they come along when one is sent on, and say nothing here."""

_E164 = re.compile(r"\+[0-9]{3,15}")
_NAME = re.compile(r"[A-Za-z0-9 ._&+-]{1,16}")
_RFC5322 = re.compile(
    r"(?:[A-Za-z]{3}, *)?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:[+-][0-9]{4}|GMT|UT|UTC)"
)

_TRANSFER_PRIORITY = re.compile(r"(?:\([^()]*\))?\s*(0|-?[1-9])\s*(?:\([^()]*\))?", re.ASCII)

_Choice = TypeVar("_Choice", bound=StrEnum)
_Value = TypeVar("_Value")


def read_options(fields: Fields) -> Options:
    """What the `X-SMS-…` fields of a mail ask for. Raises `MailRefusal` (bad header) with the field's name for one that
    is unknown, given twice, or has a value that makes no sense.
    """
    given: dict[str, str] = {}
    for name, value in fields:
        if not name.startswith(PREFIX) or name in OWN:
            continue
        if name not in _READERS:
            known = ", ".join(_shown(reader) for reader in _READERS)
            raise _refused(f"{_shown(name)} is not a header field of the bridge: leave it out, or use one of {known}.")
        if name in given:
            raise _refused(f"{_shown(name)} stands in the mail more than once: give it once.")
        given[name] = decoded(value)
    return Options(
        sender=_read(given, "x-sms-sender", _sender),
        message_class=_read(given, "x-sms-class", _choice(MessageClass)),
        send_at=_read(given, "x-sms-send-at", _moment),
        expires_at=_read(given, "x-sms-expires", _moment),
        confirm=_read(given, "x-sms-confirm", _choice(Confirm)),
        max_segments=_read(given, "x-sms-max-segments", _count),
        unicode=_read(given, "x-sms-unicode", _choice(UnicodePolicy)),
        reference=_read(given, "x-sms-reference", _reference),
        priority=_priority(fields),
    )


_READERS = (
    "x-sms-sender",
    "x-sms-class",
    "x-sms-send-at",
    "x-sms-expires",
    "x-sms-confirm",
    "x-sms-max-segments",
    "x-sms-unicode",
    "x-sms-reference",
)


def _read(given: dict[str, str], name: str, reader: Callable[[str], _Value]) -> _Value | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        return reader(value)
    except ValueError as error:
        # The readers say what a right value is, and never repeat the wrong one.
        raise _refused(f"{_shown(name)} has a value that cannot be used: write {error}.") from None


def _choice(kind: type[_Choice]) -> Callable[[str], _Choice]:
    def read(value: str) -> _Choice:
        try:
            return kind(value.lower())
        except ValueError:
            raise ValueError(", ".join(kind) + " (one of them)") from None

    return read


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 1 <= int(value) <= MAX_SEGMENTS:
        raise ValueError(f"a whole number from 1 to {MAX_SEGMENTS}")
    return int(value)


def _sender(value: str) -> str:
    compact = re.sub(r"[ .()-]", "", value)
    if _E164.fullmatch(compact):
        return compact
    if not _NAME.fullmatch(value):
        raise ValueError("a telephone number with its country code, like +390200000001, or a sender name")
    return value


def _reference(value: str) -> str:
    if not 1 <= len(value) <= MAX_REFERENCE:
        raise ValueError(f"1 to {MAX_REFERENCE} characters")
    return value


def _moment(value: str) -> datetime:
    """A date of RFC 3339 or RFC 5322 (section 3.3) in UTC; one without its offset is not a moment."""
    wanted = "a date with its offset, like 2026-03-01T09:00:00+01:00"
    try:
        moment = parsedate_to_datetime(value) if _RFC5322.fullmatch(value) else datetime.fromisoformat(value)
        if moment.tzinfo is None:
            # RFC 5322 section 3.3: "-0000" is UTC without a place, and Python gives it no zone.
            if not value.endswith("-0000"):
                raise ValueError(wanted)
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(wanted) from None


def _priority(fields: Fields) -> Priority | None:
    """`MT-Priority`, in which a mail keeps its priority on the way over servers without that extension (RFC 6710). Who
    hands mail in here is known, and may say so; what is no priority says nothing, and is no reason to refuse a mail."""
    value = fields.line("mt-priority")
    found = _TRANSFER_PRIORITY.fullmatch(value) if value else None
    return Priority.of_mail(int(found[1])) if found is not None else None


def _shown(name: str) -> str:
    words = {"sms": "SMS"}
    return "-".join(words.get(word, word.capitalize()) for word in name[:64].split("-"))


def _refused(sentence: str) -> MailRefusal:
    return MailRefusal(Reason.BAD_HEADER, sentence)
