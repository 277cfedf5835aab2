"""What a mailbox says to phones by itself that did not ask for anything."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.types.opening_hours import OpeningHours


@dataclass(frozen=True, slots=True)
class Greetings:
    """Texts for phones that write where nobody reads at once."""

    unprompted: str = ""
    """To a phone that answers nobody; empty for nothing."""
    hours: OpeningHours | None = None
    """When the mailbox is staffed; None where that is not said."""
    closed: str = ""
    """To a phone that writes outside `hours`; empty for nothing."""


NO_GREETINGS = Greetings()
