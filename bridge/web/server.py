"""The HTTP listener: uvicorn inside the bridge's own event loop, which keeps the signals to itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bridge.errors import SettingsError
from bridge.web.connections import Connection

DRAIN = 10
"""Seconds that open requests have to finish once the server stops."""

BACKLOG = 256
"""Connections that may wait to be taken. asyncio takes all of them before it looks at the first, so many would use up
the process's files, however few may stay (`bridge.web.connections.MOST`)."""


class WebServer:
    """Serves `app` on one address. Port 0 takes any free port."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, shares_port: bool = False) -> None:
        self._host = host
        self._port = port
        self._shares_port = shares_port
        self._server = _Server(
            uvicorn.Config(
                app,
                http=Connection,
                backlog=BACKLOG,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,  # a line would hold the path, and the path may hold a token
                proxy_headers=False,  # bridge.web.proxies knows Forwarded too
                server_header=False,
                timeout_graceful_shutdown=DRAIN,
            )
        )
        self._serving: asyncio.Task[None] | None = None
        # Below this are only lines that any stranger can have written, as many as he likes.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

    @property
    def port(self) -> int:
        """The port it listens on, known after `start`."""
        return self._port

    async def start(self) -> None:
        """Listen; returns when requests are answered. Raises SettingsError when the address cannot be used."""
        listener = self._bind()
        self._port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="web")
        await self._server.ready.wait()

    async def stop(self) -> None:
        """Take no more requests, finish the open ones, close."""
        if self._serving is None:
            return
        self._server.should_exit = True
        await self._serving

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            listener = socket.create_server((self._host, self._port), family=family, reuse_port=self._shares_port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            remedy = f"cannot be used ({reason}); stop what listens there, or choose another port"
            raise SettingsError("http.port", str(self._port), remedy) from error
        # Head and body of an answer are two writes: without this the second waits for the client's delayed
        # acknowledgement of the first (RFC 1122 section 4.2.3.2). asyncio sets it where it makes the socket itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the bridge."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
