"""Tells every open page what changed; stands between whoever writes the record and the page's event stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator


class Events:
    """The listeners of one simulator. A slow listener misses no change: what it has not yet read is kept once."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self._closed = False

    def publish(self, kind: str, name: str) -> None:
        """Say that a `phone` or a `mailbox` changed, or `all` of them."""
        for listener in self._listeners:
            listener.tell((kind, name))

    def close(self) -> None:
        """End every stream, so that the HTTP server can stop."""
        self._closed = True
        for listener in self._listeners:
            listener.tell(None)

    async def stream(self) -> AsyncIterator[str]:
        """Server-sent events (WHATWG HTML, 9.2), one for each change, until `close`."""
        listener = _Listener()
        self._listeners.add(listener)
        try:
            yield "retry: 1000\n\n"
            while not self._closed:
                for kind, name in await listener.changes():
                    yield f"event: change\ndata: {json.dumps({'kind': kind, 'name': name})}\n\n"
        finally:
            self._listeners.discard(listener)


class _Listener:
    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._pending: dict[tuple[str, str], None] = {}

    def tell(self, change: tuple[str, str] | None) -> None:
        if change is not None:
            self._pending[change] = None
        self._changed.set()

    async def changes(self) -> list[tuple[str, str]]:
        await self._changed.wait()
        self._changed.clear()
        pending, self._pending = list(self._pending), {}
        return pending
