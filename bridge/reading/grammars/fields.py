"""Reads the fields of other services' mails, whatever they are called there: numbers, senders, times, yes and no."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time

from bridge.errors import MailRefusal
from bridge.reading.addresses import MAX_VALIDITY
from bridge.reading.grammars.order import bad_order
from bridge.reading.options import MAX_REFERENCE
from bridge.reading.subjects import MAX_NUMBERS
from bridge.reading.trim import normalise
from bridge.types import Dialled

MAX_SUBJECT = 4_000
"""Characters of a subject that holds fields. Of a longer one the end may be missing, and with it recipients: the
parser looks at 8,192 octets, and encoded words (RFC 2047) make up to half of them."""
MAX_SENDER = 40
YEARS = range(2000, 2100)
_SHORTEST_PIN, _SHORTEST_NUMBER = 4, 10
"""Digits without which a dot between digits is one of those that people write into numbers."""

_BETWEEN = re.compile(r"[,;\n]")
_NUMBER = re.compile(r"\+?[0-9 ._()/-]+")
_DIGITS = re.compile(r"[0-9]")
_SECONDS = re.compile(r"[0-9]{9,10}")
_WHOLE = re.compile(r"[0-9]{1,10}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa1-\ud7ff\ue000-\ufffd]")


def line(subject: str) -> str:
    """A subject that holds fields, as it was written: what was written otherwise could not be redacted. Raises
    `MailRefusal` for one that may have lost its end."""
    if len(subject) > MAX_SUBJECT:
        raise bad_order(
            f"The subject has more than {MAX_SUBJECT:,} characters: write one mail for every hundred numbers."
        )
    return subject.strip()


def numbers(field: str, value: str) -> tuple[str, ...]:
    """The telephone numbers of a list with commas, semicolons or line breaks; each spelling once, none for an empty
    list. Raises `MailRefusal` that says which one is none."""
    found: dict[str, None] = {}
    pieces = (piece for piece in map(str.strip, _BETWEEN.split(normalise(value))) if piece)
    for count, piece in enumerate(pieces, start=1):
        if not is_number(piece):
            raise bad_order(
                f"The {_ordinal(count)} of the numbers in {field} is not a telephone number: write digits with the "
                "country code, and commas between numbers."
            )
        found[piece] = None
        if len(found) > MAX_NUMBERS:
            raise bad_order(f"{field} has more than {MAX_NUMBERS:,} numbers: write several mails.")
    return tuple(found)


def is_number(piece: str) -> bool:
    """Whether this may be a telephone number: whether there is such a phone, `sms.numbers` knows."""
    return len(piece) <= 40 and _NUMBER.fullmatch(piece) is not None and len(_DIGITS.findall(piece)) >= 3


def with_password(local: str, form: re.Pattern[str]) -> Dialled | None:
    """What a local part means whose `form` has a number and a password; None for what may be a number with a dot in it,
    since a wrong phone is worse than a refused address."""
    found = form.fullmatch(local)
    if found is None:
        return None
    number, password = found.groups()
    if password.isdigit() and (len(password) < _SHORTEST_PIN or len(number.lstrip("+0")) < _SHORTEST_NUMBER):
        return None
    return Dialled(number, password=password)


def sender(value: str | None) -> str | None:
    """The sender that a mail names, or None if it names none."""
    return _UNPRINTABLE.sub("", value or "").strip()[:MAX_SENDER] or None


def reference(value: str | None) -> str | None:
    """The sender's own reference, as much of it as is kept."""
    return _UNPRINTABLE.sub("", value or "").strip()[:MAX_REFERENCE] or None


def yes(field: str, value: str | None) -> bool:
    """Raises `MailRefusal` for what is neither yes nor no."""
    match (value or "").strip().lower():
        case "" | "0" | "false" | "no" | "off":
            return False
        case "1" | "true" | "yes" | "on":
            return True
        case _:
            raise bad_order(f"{field} has a value that cannot be used: write 1 or 0.")


def whole(field: str, value: str | None, least: int, most: int) -> int | None:
    """A whole number, or None where the field is empty. Raises `MailRefusal` beyond `least` and `most`."""
    value = (value or "").strip()
    if not value:
        return None
    if _WHOLE.fullmatch(value) is None or not least <= int(value) <= most:
        raise bad_order(f"{field} has a value that cannot be used: write a whole number from {least:,} to {most:,}.")
    return int(value)


def validity(field: str, minutes: str | None) -> int | None:
    """The validity in seconds of a field in minutes."""
    count = whole(field, minutes, 1, MAX_VALIDITY // 60)
    return count * 60 if count is not None else None


def moment(field: str, form: str, day: tuple[str, str, str], clock: tuple[str, str, str]) -> datetime:
    """The moment at the mailbox's own hour; `day` is year, month and day, `clock` hour, minute and second, in digits.
    Raises `MailRefusal` that tells the `form` to write."""
    year, month, day_of_month = map(int, day)
    hour, minute, second = map(int, clock)
    try:
        at = datetime.combine(date(year, month, day_of_month), time(hour, minute, second))
    except ValueError:
        raise bad_moment(field, form) from None
    if year not in YEARS:
        raise bad_moment(field, form)
    return at


def since_1970(field: str, seconds: str) -> datetime:
    """The moment so many seconds after the beginning of 1970 (POSIX time). Raises `MailRefusal`."""
    if _SECONDS.fullmatch(seconds) is None:
        raise bad_moment(field, "seconds since 1970, such as 1900000000")
    return datetime.fromtimestamp(int(seconds), UTC)


def bad_moment(field: str, form: str) -> MailRefusal:
    """The refusal of a time that cannot be read."""
    return bad_order(f"{field} is not a time that exists: write it as {form}.")


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Fields by name. Raises `MailRefusal` for one that is given twice with different values."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if given.setdefault(name, value) != value:
            raise bad_order(f"{name[:MAX_SENDER]} stands in the mail twice, with different values: give it once.")
    return given


def credential(given: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """The passwords that stand in the fields `names`."""
    return tuple(dict.fromkeys(value for name in names if (value := given.get(name, "").strip())))


def _ordinal(count: int) -> str:
    ending = "th" if count % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"
