"""How fast messages may leave through a gateway."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rates:
    """Segments a second; 0 is no limit. A text of three segments counts as three."""

    gateway: float = 0.0
    """All senders together."""
    sender: float = 0.0
    """Each sender number by itself."""

    def __bool__(self) -> bool:
        return bool(self.gateway or self.sender)


NO_LIMIT = Rates()
