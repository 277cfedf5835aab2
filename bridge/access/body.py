"""The body of a mail whose signatures are checked: each form of it is hashed once, however many signatures it has."""

from __future__ import annotations

import asyncio

from bridge.canonical import body_hash

LARGE = 256 * 1024
"""Octets of a body from which on it is hashed in a thread, so that other connections do not wait."""


class Body:
    """A body whose line ends are CRLF, and its SHA-256 in either form."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._hashes: dict[bool, asyncio.Task[tuple[bytes, int]]] = {}

    async def sha256(self, relaxed: bool) -> tuple[bytes, int]:
        """The hash of the whole body in this form, and how many octets the form has."""
        if relaxed not in self._hashes:
            self._hashes[relaxed] = asyncio.create_task(self._sha256(relaxed))
        return await asyncio.shield(self._hashes[relaxed])

    async def _sha256(self, relaxed: bool) -> tuple[bytes, int]:
        if len(self._raw) < LARGE:
            return body_hash(self._raw, relaxed=relaxed)
        return await asyncio.to_thread(body_hash, self._raw, relaxed=relaxed)
