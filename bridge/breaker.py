"""Stops handing messages to a gateway that does not answer: asked by the dispatcher before every try.

A gateway that leaves twenty tries in a row without an answer gets nothing for a while: each further message would only
become *unknown*, or be tried in vain. After the pause a single message is let through; an answer to it, whatever it
says, opens the way for all, and silence begins a pause twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.types import OutcomeKind

SILENT_TRIES = 20
"""Tries without an answer, one after the other, before the pause."""
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 120.0
"""Seconds."""

_NO_ANSWER = frozenset({OutcomeKind.UNREACHABLE, OutcomeKind.UNKNOWN})


@dataclass(slots=True)
class Breaker:
    """One gateway's answers, as one process sees them."""

    silent: int = 0
    """Tries without an answer since the last that had one."""
    pauses: int = 0
    """Pauses since then."""
    paused_until: datetime | None = None
    trying: bool = False
    """The one message after a pause is on its way."""

    def lets_through(self, now: datetime) -> bool:
        """Whether a message may be handed over; after a pause only the first who asks."""
        if self.paused_until is None:
            return True
        if now < self.paused_until or self.trying:
            return False
        self.trying = True
        return True

    def closed(self, now: datetime) -> bool:
        """Whether nothing may be handed over at this moment, except by whom it was promised to."""
        return self.paused_until is not None and (now < self.paused_until or self.trying)

    def let_go(self) -> None:
        """Who was let through did not try after all."""
        self.trying = False

    def note(self, kind: OutcomeKind, now: datetime) -> None:
        """What a try came to."""
        if kind not in _NO_ANSWER:
            self.silent = self.pauses = 0
            self.paused_until, self.trying = None, False
            return
        self.silent += 1
        if self.trying or (self.silent >= SILENT_TRIES and self.paused_until is None):
            pause = min(FIRST_PAUSE * 2.0 ** min(self.pauses, 30), LONGEST_PAUSE)
            self.pauses += 1
            self.paused_until, self.trying = now + timedelta(seconds=pause), False
