"""How fast one bind may submit: its agreed rate, and how long it holds back after the SMSC asked for less."""

from __future__ import annotations

FIRST_HOLD = 0.5
"""Seconds to hold back after the first throttled answer; each further one doubles them."""
LONGEST_HOLD = 30.0


class Pace:
    """Gives each submit its turn. Moments are seconds of the event loop's clock."""

    def __init__(self, rate: float) -> None:
        """`rate` is in segments a second; 0 for as fast as the window allows."""
        self._step = 1.0 / rate if rate else 0.0
        self._next = 0.0
        self._hold = 0.0
        self._held_until = 0.0

    def turn(self, now: float, until: float) -> float | None:
        """The moment at which one more may leave, which is then taken; None when that is after `until`."""
        moment = now + self.wait(now)
        if moment > until:
            return None
        self._next = moment + self._step
        return moment

    def wait(self, now: float) -> float:
        """Seconds until there is a turn again."""
        return max(0.0, self._next - now, self._held_until - now)

    def holds(self, now: float) -> bool:
        """Whether even those who have a turn must wait for another one."""
        return now < self._held_until

    def throttled(self, now: float) -> None:
        """The SMSC asked for less. Answers to what was under way before a hold began do not double it."""
        if not self.holds(now):
            self._hold = min(self._hold * 2.0 or FIRST_HOLD, LONGEST_HOLD)
            self._held_until = now + self._hold

    def went_well(self) -> None:
        """The SMSC took one."""
        self._hold = 0.0
