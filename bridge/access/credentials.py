"""Login and password against the stored argon2 hash: asked by the front door on AUTH.

argon2 takes a tenth of a second by design. It runs in a thread, two at a time, so a burst of logins neither
stops the server nor fills its memory, and a login that was right once is remembered for the next connection.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import OrderedDict

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

CONCURRENT_HASHES = 2
REMEMBERED = 4096
"""Logins remembered; the one unused for longest is forgotten first."""

_ARGON2 = PasswordHash((Argon2Hasher(),))
_DECOY = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"
"""What the password of an unknown login is held against: as much work as a hash of `hash_password`, and nobody's."""


def hash_password(password: str) -> str:
    """The argon2id hash to store, in PHC form. Takes about a tenth of a second."""
    return _ARGON2.hash(password)


class Credentials:
    """Verifies logins, off the event loop."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(CONCURRENT_HASHES)
        # Known to this process alone, so what is remembered is worth nothing to who reads its memory later.
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, None] = OrderedDict()

    async def verify(self, login: str, password_hash: str, password: str) -> bool:
        """Whether `password` belongs to `password_hash`, the hash that is stored for `login`.

        An empty hash means that nobody has this login, or that it cannot log in: the answer is no, after the same
        time. The stored hash is part of what is remembered, so a changed password is asked for at once.
        Raises `pwdlib.exceptions.UnknownHashError` when the stored hash is not argon2.
        """
        mark = self._mark(login, password_hash, password)
        if self._recall(mark):
            return True
        async with self._gate:
            # Twenty connections that log in together wait here for the first one.
            if self._recall(mark):
                return True
            right = await asyncio.to_thread(_ARGON2.verify, password, password_hash or _DECOY)
        if not right or not password_hash:
            return False
        self._remembered[mark] = None
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return True

    def remembers(self, login: str, password_hash: str, password: str) -> bool:
        """Whether `verify` has said yes to the same before, and will again without work."""
        return self._recall(self._mark(login, password_hash, password))

    def _recall(self, mark: bytes) -> bool:
        if mark not in self._remembered:
            return False
        self._remembered.move_to_end(mark)
        return True

    def _mark(self, login: str, password_hash: str, password: str) -> bytes:
        # Lengths keep apart what would read the same when joined.
        said = f"{len(login)}:{login}{len(password_hash)}:{password_hash}{password}"
        return hmac.digest(self._key, said.encode(errors="surrogatepass"), "sha256")
