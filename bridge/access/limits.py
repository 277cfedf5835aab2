"""How many connections are open, in all and from one peer, and how much of the mails that come they hold: asked by the
doors before they greet, and while a large mail comes."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Protocol

from bridge.access.networks import subscriber


class Full(StrEnum):
    """Which limit a new connection met."""

    SERVER = "server"
    ADDRESS = "address"


class Guest(Protocol):
    """A connection, as far as it can be asked to give way to another."""

    known: bool
    """Its peer has logged in, or stands in a trusted network."""

    @property
    def spare(self) -> bool:
        """It waits for its peer, and nothing that matters would be lost with it."""

    def give_way(self) -> None:
        """End for another one."""


class ConnectionLimits:
    """Gives connections their places. Every one that was let in leaves once."""

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._open: Counter[str] = Counter()
        self._guests: dict[Guest, str] = {}
        """Whoever brought nothing for the longest time comes first."""

    def enter(self, guest: Guest, address: str) -> Full | None:
        """Let a connection in, or say which limit it met. `address` is the peer's plain IP address.

        When all places are taken it gets that of another one that only holds it: so a crowd of slow connections keeps
        nobody out who has a mail.
        """
        key = subscriber(address)
        if self._open[key] >= self._per_address:
            return Full.ADDRESS
        if len(self._guests) >= self._total and not self._make_way():
            return Full.SERVER
        self._open[key] += 1
        self._guests[guest] = key
        return None

    def refresh(self, guest: Guest) -> None:
        """A connection has brought something: a login or a mail."""
        if guest in self._guests:
            self._guests[guest] = self._guests.pop(guest)

    def leave(self, guest: Guest) -> None:
        """Forget a connection; nothing, if it was not let in or gave its place away."""
        key = self._guests.pop(guest, None)
        if key is not None:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def _make_way(self) -> bool:
        """Strangers go before those who are known; of strangers, those of the address with the most of them, so that a
        flood from few addresses pushes out itself; of these, who brought nothing for the longest time."""
        strangers = [guest for guest in self._guests if not guest.known and guest.spare]
        crowds = Counter(self._guests[guest] for guest in strangers)
        spare = max(strangers, key=lambda guest: crowds[self._guests[guest]], default=None)
        spare = spare or next((guest for guest in self._guests if guest.spare), None)
        if spare is None:
            return False
        self.leave(spare)
        spare.give_way()
        return True


class Room:
    """Counts octets that are held, up to so many. What was taken is given back."""

    def __init__(self, octets: int) -> None:
        self.free = octets

    def take(self, octets: int) -> bool:
        """Whether so many more can be held; then they are counted."""
        if octets > self.free:
            return False
        self.free -= octets
        return True

    def give(self, octets: int) -> None:
        """So many are no longer held."""
        self.free += octets
