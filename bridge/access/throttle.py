"""Who guesses at passwords: slowed down, then locked, by address and by login, over all connections of this process.

Every wrong password is counted for the address that it came from, and, if it could have been somebody's own words, for
its login. The counts go down with time. From `MOST` on, the address, or the login for every address, is not listened to
until they have gone down: then there is one try every `LEAK`. A wrong password that is said again is no further guess,
so a device that goes on with an old one locks nobody out.

No lock holds for a login from where it is known: networks of its mailbox, and addresses from which it has logged in
well within `KNOWN_FOR`. Otherwise anybody could keep a clinic from its own bridge. An IPv6 site counts as one address
(/64). A login that does not exist is counted, slowed and locked as one that does. All tables have a bound; whoever was
not heard of for longest is forgotten first. Several processes or nodes count each for itself.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bridge.access.networks import subscriber
from bridge.errors import BridgeError

T = TypeVar("T")

MOST = 15
"""Wrong passwords."""
LEAK = 300.0
"""Seconds after which one of them is forgotten."""
KNOWN_FOR = 30 * 86_400.0
"""Seconds."""
ENTRIES = 16_384
"""Of each table."""


class Locked(BridgeError):
    """No login is looked at from this address, or for this login; `by` says which."""

    def __init__(self, by: str) -> None:
        super().__init__("Too many wrong logins. Check login and password, and try again in some minutes.")
        self.by = by


@dataclass(frozen=True, slots=True)
class Guesser:
    """Who wants to log in as whom, as the tables know them."""

    login: bytes
    address: bytes
    trusted: bool
    """The address is in a network of the mailbox."""

    @property
    def pair(self) -> bytes:
        """Both."""
        return self.login + self.address


class _Counts:
    """How often lately, for each key."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def of(self, key: bytes) -> float:
        count, at = self._entries.get(key, (0.0, 0.0))
        return max(0.0, count - (self._clock() - at) / LEAK)

    def add(self, key: bytes) -> None:
        self._entries[key] = (self.of(key) + 1, self._clock())
        _bound(self._entries, key)


class Throttle:
    """Wrong logins of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        # Keys of one length, whatever a client calls its login, that tell nothing to who reads this memory.
        self._key = secrets.token_bytes(32)
        self._by_address = _Counts(clock)
        self._by_login = _Counts(clock)
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._guesses: OrderedDict[bytes, None] = OrderedDict()

    def guesser(self, login: str, address: str, *, trusted: bool) -> Guesser:
        """Who it is. `address` is a plain IP address."""
        return Guesser(self._mark(login.lower()), self._mark(subscriber(address)), trusted)

    def check(self, guesser: Guesser, *, words: bool) -> None:
        """Whether a login is looked at; `words` says that the password could be somebody's own. Raises `Locked`."""
        if self._knows(guesser):
            return
        if self._by_address.of(guesser.address) > MOST - 1:
            raise Locked("address")
        if words and self._by_login.of(guesser.login) > MOST - 1:
            raise Locked("login")

    def failed(self, guesser: Guesser, guess: str | None, *, words: bool) -> int:
        """Count a wrong password, `guess`, or None where it cannot be told from another; how many there were lately."""
        if guess is None or self._is_new(guesser, guess):
            self._by_address.add(guesser.address)
            if words and not self._knows(guesser):
                self._by_login.add(guesser.login)
        return round(max(1.0, self._by_address.of(guesser.address), self._by_login.of(guesser.login)))

    def was_wrong(self, guesser: Guesser, guess: str) -> bool:
        """Whether just this was a wrong password lately, from the same address."""
        return self._guess(guesser, guess) in self._guesses

    def succeeded(self, guesser: Guesser) -> None:
        """The login is known at this address from now on."""
        self._known[guesser.pair] = self._clock()
        _bound(self._known, guesser.pair)

    def _knows(self, guesser: Guesser) -> bool:
        since = self._known.get(guesser.pair)
        return guesser.trusted or (since is not None and self._clock() - since < KNOWN_FOR)

    def _is_new(self, guesser: Guesser, guess: str) -> bool:
        mark = self._guess(guesser, guess)
        is_new = mark not in self._guesses
        self._guesses[mark] = None
        _bound(self._guesses, mark)
        return is_new

    def _guess(self, guesser: Guesser, guess: str) -> bytes:
        return self._mark(f"{guesser.pair.hex()}{guess}")

    def _mark(self, said: str) -> bytes:
        return hmac.digest(self._key, said.encode(errors="surrogatepass"), "sha256")[:16]


def _bound(entries: OrderedDict[bytes, T], touched: bytes) -> None:
    entries.move_to_end(touched)
    if len(entries) > ENTRIES:
        entries.popitem(last=False)
