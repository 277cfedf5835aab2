"""What becomes of an SMS in the simulated network: the last three digits of a phone decide. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """The ways in which a phone network treats a message; each value is the ending of the numbers it befalls."""

    UNKNOWN_SUBSCRIBER = "901"
    THROTTLED = "902"
    ABSENT = "903"
    EXPIRED = "904"
    BROKEN = "905"
    BROKEN_SILENT = "906"
    DOUBLE_RECEIPTS = "907"
    EARLY_RECEIPT = "908"
    SLOW = "909"
    UNREACHABLE = "910"
    DELIVERED = "other"


@dataclass(frozen=True, slots=True)
class PlannedReceipt:
    """A receipt that the network will post `delay` seconds after it took the message."""

    delay: float
    status: str
    """`sent`, `delivered`, `undelivered` or `expired`."""
    error: str | None = None


ANSWER_DELAY = 5.0
"""Seconds that the submit answer of a slow phone takes."""

_TURNED_AWAY = {Fate.THROTTLED: 2, Fate.UNREACHABLE: 3}
_PROMPT = 0.05
_RECEIPTS: dict[Fate, tuple[PlannedReceipt, ...]] = {
    Fate.ABSENT: (PlannedReceipt(_PROMPT, "undelivered", "absent_subscriber"),),
    Fate.EXPIRED: (PlannedReceipt(_PROMPT, "expired", "validity_expired"),),
    Fate.BROKEN: (PlannedReceipt(3.0, "delivered"),),
    Fate.BROKEN_SILENT: (),
    Fate.DOUBLE_RECEIPTS: (
        PlannedReceipt(_PROMPT, "delivered"),
        PlannedReceipt(1.0, "sent"),
        PlannedReceipt(1.0, "delivered"),
    ),
    Fate.EARLY_RECEIPT: (PlannedReceipt(0.0, "delivered"),),
}
DELIVERY = PlannedReceipt(_PROMPT, "delivered")
"""What follows when nothing goes wrong, and when a phone that was off is switched on."""

_BY_DIGITS = {fate.value: fate for fate in Fate}


def fate_of(number: str) -> Fate:
    """The fate of a message to this phone."""
    return _BY_DIGITS.get(number[-3:], Fate.DELIVERED)


def may_be_turned_away(fate: Fate) -> bool:
    """Whether tries must be counted, since some of them are not processed."""
    return fate in _TURNED_AWAY


def is_turned_away(fate: Fate, earlier_tries: int) -> bool:
    """Whether a try is not processed, given how many tries of the same reference came before it."""
    return earlier_tries < _TURNED_AWAY.get(fate, 0)


def reaches_phone(fate: Fate) -> bool:
    """Whether the phone ever shows a message that the network took."""
    return fate not in (Fate.ABSENT, Fate.EXPIRED)


def breaks_connection(fate: Fate) -> bool:
    """Whether the provider hangs up after it took the message, without an answer."""
    return fate in (Fate.BROKEN, Fate.BROKEN_SILENT)


def receipts_of(fate: Fate) -> tuple[PlannedReceipt, ...]:
    """The receipts that follow a taken message, in the order in which they are posted."""
    return _RECEIPTS.get(fate, (DELIVERY,))
