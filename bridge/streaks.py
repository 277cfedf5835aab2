"""How the last tries of each gateway and of the mail server went: since when all of them have failed.

The stations note every try, the watchman reads. Kept in memory: a bridge that starts knows nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

RELAY = "relay"
"""The mail server among the parts; gateways stand as `gateway NAME`."""


@dataclass(frozen=True, slots=True)
class Streak:
    """The tries of one part."""

    failures: int = 0
    """Tries that failed since the last that did not."""
    failing_since: datetime | None = None
    last_failure: datetime | None = None
    last_success: datetime | None = None
    """None until a try has gone well."""


class Streaks:
    """The record of every part's tries."""

    def __init__(self) -> None:
        self._streaks: dict[str, Streak] = {}

    def note(self, part: str, at: datetime, *, good: bool) -> None:
        """A try of `part` went well or failed."""
        streak = self._streaks.get(part, Streak())
        self._streaks[part] = (
            Streak(last_success=at)
            if good
            else Streak(streak.failures + 1, streak.failing_since or at, at, streak.last_success)
        )

    def all(self) -> dict[str, Streak]:
        """Every part that was tried."""
        return dict(self._streaks)


def gateway(name: str) -> str:
    """The part that a gateway is."""
    return f"gateway {name}"


def poll(name: str) -> str:
    """The part that asking a gateway for news is: a provider may take messages and not say what phones answer."""
    return f"poll {name}"


def mailbox(address: str) -> str:
    """The part that a watched mailbox is."""
    return f"mailbox {address}"
