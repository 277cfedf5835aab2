"""The keys that an issuer of access tokens signs with, as a JWK Set (RFC 7517): from a file or over https, and kept.

Each key is good for one algorithm, which follows from the key and never from the token (RFC 8725 section 3.1). What
else stands in a set, such as keys to encrypt with or of other algorithms, is not for us and is passed over.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from bridge.errors import BridgeError
from bridge.http_clients import HttpClients

if TYPE_CHECKING:
    from jwt import PyJWK

FRESH = 3600.0
"""Seconds after which a set is fetched again,"""
STALE = 86_400.0
"""and for how long it is believed where it cannot be."""
AGAIN = 60.0
"""Seconds between two tries to fetch it: a token may name any key, and an issuer may be away."""
LONGEST = 10.0
"""Seconds that one try may take; who logs in waits for it."""
MOST_OCTETS = 262_144
LEAST_RSA_BITS = 2048
"""RFC 7518 section 3.3."""

_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""By kind of key and curve."""

log = structlog.get_logger("bridge.logins")


class KeysUnavailable(BridgeError):
    """The keys cannot be had now: nothing can be said of a token."""


def read_keys(octets: bytes) -> dict[str, PyJWK]:
    """The keys of a set that tokens can be checked with, by their ids; one without an id has the empty one.

    Raises ValueError when it is no set.
    """
    document = json.loads(octets)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWK Set")
    found: dict[str, PyJWK] = {}
    for each in listed:
        key = _key(each) if isinstance(each, dict) else None
        if key is not None:
            found[str(each.get("kid", ""))] = key
    return found


def _key(said: dict[str, Any]) -> PyJWK | None:
    # A fifth of a second to import, and most bridges know no issuer.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt import PyJWK
    from jwt.exceptions import InvalidKeyError

    kind, curve = said.get("kty"), said.get("crv")
    algorithm = _ALGORITHMS.get((str(kind), None if curve is None else str(curve)))
    is_private = "d" in said
    if algorithm is None or is_private or said.get("use", "sig") != "sig" or said.get("alg", algorithm) != algorithm:
        return None
    try:
        key = PyJWK(said, algorithm)
    except InvalidKeyError:
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < LEAST_RSA_BITS:
        return None
    return key


class IssuerKeys:
    """The keys of one issuer."""

    def __init__(self, url: str, file: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        """They stand at `url`, or in `file`, which is looked at each time. `clock` counts seconds."""
        self._url = url
        self._file = file
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._fetching = asyncio.Lock()
        self._fetched_at = self._tried_at = float("-inf")
        self._stamp: tuple[int, int] | None = None

    async def key(self, kid: str | None) -> PyJWK | None:
        """The key with this id; without one, the only key that there is. None for a key that is not in the set.

        Raises `KeysUnavailable`.
        """
        if self._file is not None:
            self._read_file(self._file)
        elif self._is_due(kid):
            async with self._fetching:
                if self._is_due(kid):
                    await self._fetch()
        if not self._keys:
            raise KeysUnavailable("The keys of access tokens cannot be read now.")
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def _read_file(self, file: Path) -> None:
        try:
            found = file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._keys = read_keys(file.read_bytes())
                self._stamp = stamp
        except (OSError, ValueError, RecursionError) as error:
            log.error("login.keys_not_read", file=str(file), error=type(error).__name__)

    def _is_due(self, kid: str | None) -> bool:
        now = self._clock()
        if now - self._tried_at < AGAIN:
            return False
        return now - self._fetched_at >= FRESH or (kid is not None and kid not in self._keys)

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(LONGEST):
                self._keys = read_keys(await _get(self._url))
            self._fetched_at = self._clock()
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            log.error("login.keys_not_fetched", url=self._url, error=type(error).__name__)
            if self._clock() - self._fetched_at >= STALE:
                self._keys = {}


async def _get(url: str) -> bytes:
    clients = HttpClients(LONGEST)
    try:
        async with clients.response("GET", url, {"Accept": "application/json"}, b"") as response:
            return await _body(response)
    finally:
        await clients.close()


async def _body(response: httpx.Response) -> bytes:
    """What an answer says. Raises ValueError for a refusal, a redirect, and more than `MOST_OCTETS`."""
    if response.status_code != 200:
        raise ValueError(f"HTTP {response.status_code}")
    octets = bytearray()
    async for block in response.aiter_raw():
        octets += block
        if len(octets) > MOST_OCTETS:
            raise ValueError("too long")
    return bytes(octets)
