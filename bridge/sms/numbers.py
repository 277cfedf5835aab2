"""Telephone numbers as people write them, and what kind of line stands behind them; on `phonenumbers`.

Used by the parser for recipients and wherever a number is shown to a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from bridge.errors import Reason, RecipientRefusal

MAX_DIGITS = 15
"""ITU-T E.164 section 6: country code and number together."""

_SHOWN = 40
_WRITTEN = re.compile(r"\(?\+?[0-9 ._()/-]+")
_SEPARATORS = str.maketrans("", "", " ._()/-")
_COSTLY_PREFIXES = ("+881", "+882", "+883", "+979")
"""Satellite, international networks and international premium rate (ITU-T E.164 list of assigned codes)."""


class NumberKind(StrEnum):
    """What stands behind a number, as far as its numbering plan tells."""

    MOBILE = "mobile"
    """Also where the plan does not tell mobile from fixed, as in the United States."""
    LANDLINE = "landline"
    PREMIUM = "premium"
    """Premium rate, shared cost, personal numbers, satellite: what fraud is made of."""
    VOIP = "voip"
    OTHER = "other"


_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.LANDLINE,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.PREMIUM,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PREMIUM,
    PhoneNumberType.VOIP: NumberKind.VOIP,
}


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A valid telephone number."""

    e164: str
    region: str
    """ISO 3166 country, or "001" for a number that belongs to none."""
    kind: NumberKind


@lru_cache(maxsize=16_384)
def read_number(digits: str, region: str) -> PhoneNumber:
    """The number that `digits` stand for, as dialled in `region` (ISO 3166).

    Taken are `+39…`, `0039…`, the national form, and the country code without its plus when the national reading
    makes no valid number. The separators `. - _ ( ) /` and space are ignored. Raises `RecipientRefusal`
    (malformed number) with a sentence that names the token.
    """
    if _WRITTEN.fullmatch(digits) is None:
        raise malformed(digits, "holds something other than digits")
    compact = digits.translate(_SEPARATORS)
    if compact.startswith("+"):
        return _valid(compact, None) or _refuse(digits, compact)
    if compact.startswith("00"):
        return _valid("+" + compact[2:], None) or _refuse(digits, "+" + compact[2:])
    return _valid(compact, region) or _valid("+" + compact, None) or _refuse(digits, compact)


@lru_cache(maxsize=16_384)
def is_number(digits: str, region: str) -> bool:
    """Whether `read_number` takes them: a short code or a name is no number, and cannot be texted."""
    try:
        read_number(digits, region)
    except RecipientRefusal:
        return False
    return True


def international(e164: str) -> str:
    """The number as people read it, "+39 333 123 4567"; what is no number (a short code, a name) stays as it is."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def malformed(token: str, what: str) -> RecipientRefusal:
    """The refusal of a token that makes no telephone number; `what` completes the sentence that starts with it."""
    shown = "".join(char for char in token[:_SHOWN] if char.isprintable()) + ("..." if len(token) > _SHOWN else "")
    return RecipientRefusal(
        Reason.MALFORMED_NUMBER,
        f'"{shown}" {what}: write the number with its country code, like +393331234567.',
    )


def _valid(number: str, region: str | None) -> PhoneNumber | None:
    if not 1 <= len(number.removeprefix("+")) <= MAX_DIGITS + 2:
        return None
    try:
        parsed = phonenumbers.parse(number, region)
    except NumberParseException:
        return None
    home = phonenumbers.region_code_for_number(parsed)
    kind = phonenumbers.number_type(parsed) if home is not None else PhoneNumberType.UNKNOWN
    if home is None or kind == PhoneNumberType.UNKNOWN:
        return None
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if e164.startswith(_COSTLY_PREFIXES):
        return PhoneNumber(e164, home, NumberKind.PREMIUM)
    return PhoneNumber(e164, home, _KINDS.get(kind, NumberKind.OTHER))


def _refuse(token: str, compact: str) -> PhoneNumber:
    count = len(compact.removeprefix("+"))
    if count < 7:
        raise malformed(token, "is too short for a telephone number")
    if count > MAX_DIGITS:
        raise malformed(token, f"has more than the {MAX_DIGITS} digits of a telephone number")
    raise malformed(token, "is not a telephone number that exists")
