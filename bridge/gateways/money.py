"""Amounts of money as providers write them: numbers or texts, and what is neither is no amount; pure.

A number in JSON is read as the shortest one that means the same, which gives back every amount of up to 15 digits as
the provider wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from bridge.types import CREDITS, Money

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def amount_of(value: object) -> Decimal | None:
    """The amount that a provider wrote; None for NaN, a comma, an exponent in a text, or more than 12 digits."""
    if isinstance(value, float):
        value = f"{Decimal(repr(value)):f}"
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(Decimal(value))
    return Decimal(value) if isinstance(value, str) and _AMOUNT.fullmatch(value) else None


def balance_of(value: object, unit: object = "") -> Money | None:
    """What is left on an account, which may be less than nothing; None when it cannot be read."""
    amount = amount_of(value)
    return Money(amount, _unit_of(unit)) if amount is not None else None


def price_of(value: object, unit: object = "") -> Money | None:
    """What a text costs; None when it cannot be read, and for less than nothing."""
    amount = amount_of(value)
    return Money(amount, _unit_of(unit)) if amount is not None and not amount.is_signed() else None


def price_in(value: object, amount: str = "amount", unit: str = "currency") -> Money | None:
    """The price that a JSON object has under these keys; None when it cannot be read, and for what is no object."""
    return price_of(value.get(amount), value.get(unit)) if isinstance(value, Mapping) else None


def _unit_of(value: object) -> str:
    """An ISO 4217 code or `CREDITS`; empty for anything else."""
    known = isinstance(value, str) and (value == CREDITS or _CURRENCY.fullmatch(value))
    return str(value) if known else ""
