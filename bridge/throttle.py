"""Gives a gateway the rest that it asks for: told by the dispatcher of every try, beside `breaker`.

A provider that has enough says so to one message after the other. When messages to several phones in a row were
*throttled* and none was taken in between, it means all of them, and whatever is queued would only run into the same
answer: the gateway is held until the time that the provider named, or for a pause that doubles. One phone alone does
not hold the others, however many messages it is sent, since some providers limit what goes to a single phone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.types import Outcome, OutcomeKind

SEVERAL = 3
"""Phones throttled in a row that mean the gateway as a whole."""
FIRST_HOLD = 1.0
LONGEST_HOLD = 60.0
"""Seconds, where the provider names no time."""

_TAKEN_IN = frozenset({OutcomeKind.ACCEPTED, OutcomeKind.REJECTED})


@dataclass(slots=True)
class Throttle:
    """What one gateway says of its limits, as one process hears it."""

    until: datetime | None = None
    """When the last hold ends or ended."""
    holds: int = 0
    """Holds since a message was last taken in."""
    throttled: set[str] = field(default_factory=set)
    """Phones throttled since then, in E.164."""

    def held_until(self, now: datetime) -> datetime | None:
        """When something may be handed over again; None for now."""
        return self.until if self.until is not None and now < self.until else None

    def note(self, outcome: Outcome, phone: str, now: datetime) -> datetime | None:
        """What the try of a message to `phone` came to; the end of a hold that begins with it."""
        if outcome.kind in _TAKEN_IN:
            self.throttled.clear()
            self.holds = 0
        if outcome.kind is not OutcomeKind.THROTTLED or self.held_until(now) is not None:
            return None  # what left before the hold says nothing new
        self.throttled.add(phone)
        if len(self.throttled) < SEVERAL:
            return None
        pause = min(FIRST_HOLD * 2.0 ** min(self.holds, 30), LONGEST_HOLD)
        self.throttled.clear()
        self.holds += 1
        self.until = now + timedelta(seconds=outcome.retry_after or pause)
        return self.until
