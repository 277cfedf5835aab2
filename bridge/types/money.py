"""An amount of money as a provider writes it: what a text costs, or what is left on an account."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CREDITS = "credits"
"""The unit of an account that is counted in texts, or in something else that is no money."""


@dataclass(frozen=True, slots=True)
class Money:
    """Never rounded and never computed with: for people to read, and to compare with a limit."""

    amount: Decimal
    unit: str = ""
    """ISO 4217 code, or `CREDITS`; empty: the currency of the account, which the provider does not name."""

    @property
    def digits(self) -> str:
        """The amount as people write it, without an exponent."""
        return f"{self.amount:f}"

    def __str__(self) -> str:
        return f"{self.digits} {self.unit}".rstrip()
