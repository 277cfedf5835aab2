"""One connection to the web listener: how long its requests may take to arrive, and how many there may be of it.

uvicorn by itself waits for a request, or for the rest of one, without end. Then who opens connections and says nothing
uses up the process's files, and mail could not come in either.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 500
"""Connections at the same time. One more takes the place of that which has waited longest for a request."""

PATIENCE = 20.0
"""Seconds from the opening of a connection, or from the answer before, until the whole of a request is here; and until
a client that has let answers pile up has read them."""


class Connection(H11Protocol):
    """uvicorn's connection, which is cut when no request comes of it."""

    _deadline: asyncio.TimerHandle | None = None
    """Set while it waits for a request, for the rest of one, or for its answers to be read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MOST:
            waiting = [each for each in self.connections if isinstance(each, Connection) and each._deadline]
            min(waiting, key=Connection._waits_until)._cut()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._stop_waiting_if_complete()

    def on_response_complete(self) -> None:
        self._wait()
        super().on_response_complete()  # this may already begin the next request
        self._stop_waiting_if_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._deadline is None:  # else who asks again and again and reads no answer would stay for ever
            self._wait()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting_if_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _waits_until(self) -> float:
        return self._deadline.when() if self._deadline is not None else 0.0

    def _wait(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(PATIENCE, self._cut)

    def _stop_waiting_if_complete(self) -> None:
        if self.flow.write_paused:
            return
        if self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        """Close at once: who does not send does not read either."""
        self._stop_waiting()
        self.connections.discard(self)
        self.transport.abort()
