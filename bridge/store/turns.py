"""Turns: what only one node at a time may do, for as long as its transaction lasts; and the names of such locks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, func, select


def take_turns(connection: Connection, names: Iterable[str]) -> None:
    """Let nobody else go on under one of these names until this transaction ends.

    They are taken in one order everywhere, so that two nodes never wait for each other. On SQLite nobody else can
    write anyway.
    """
    if connection.dialect.name != "postgresql":
        return
    for key in sorted(set(map(lock_key, names))):
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def lock_key(name: str) -> int:
    """The advisory lock of PostgreSQL with this name: 64 bits."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True)
