"""How many connections are open, in all and from one peer: asked by the front door before it greets."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from bridge.access.networks import subscriber


class Full(StrEnum):
    """Which limit a new connection met."""

    SERVER = "server"
    ADDRESS = "address"


class ConnectionLimits:
    """Counts open connections. Every `enter` that was let in is followed by one `leave`."""

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._open: Counter[str] = Counter()
        self._sum = 0

    def enter(self, address: str) -> Full | None:
        """Let a connection in and count it, or say which limit it met. `address` is a plain IP address."""
        key = subscriber(address)
        if self._open[key] >= self._per_address:
            return Full.ADDRESS
        if self._sum >= self._total:
            return Full.SERVER
        self._open[key] += 1
        self._sum += 1
        return None

    def leave(self, address: str) -> None:
        """Forget a connection that was let in."""
        key = subscriber(address)
        self._open[key] -= 1
        self._sum -= 1
        if not self._open[key]:
            del self._open[key]
