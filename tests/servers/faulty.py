"""A TCP proxy on loopback that stands between a client and a real server, and breaks what passes when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_BLOCK = 65_536


@dataclass
class Faulty:
    """What passes, and what is to go wrong with it; faults may be set at any time."""

    server_port: int
    port: int = 0
    connections: int = 0
    cut_after: int | None = None
    """Cut the connection when the client has sent so many octets more; the server gets exactly those."""
    cut_mail_after: int | None = None
    """The same, counted from the next literal that the client announces (RFC 3501 section 4.3)."""
    cut_every_mail_after: int | None = None
    """The same for every literal until it is None again."""
    muted: bool = False
    """Let nothing through in either direction, and keep every connection open: a network that fell silent."""
    delay: float = 0.0
    """Seconds before the server hears of anything."""
    passed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something from a client came by."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while the server is done with every connection, cut ones included."""
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    """Tasks are kept here: asyncio holds streams and who waits for them so loosely that they may vanish."""

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until one side ends it, or a fault does."""
        self.connections += 1
        self.idle.clear()
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._done)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        except ConnectionError:
            writer.transport.abort()
            return
        back = asyncio.create_task(self._back(server_reader, writer))
        with contextlib.suppress(ConnectionError):
            await self._forth(reader, server_writer)
        writer.transport.abort()
        # The server may take its time for what it has, and must not be thrown out by a reset.
        with contextlib.suppress(OSError):
            server_writer.write_eof()
        await back
        server_writer.close()

    async def _forth(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while octets := await reader.read(_BLOCK):
            self.passed.set()
            if self.muted:
                continue
            await asyncio.sleep(self.delay)
            allowed = self._allowed(octets)
            server.write(octets[:allowed])
            await server.drain()
            if allowed is not None:
                return

    def _allowed(self, octets: bytes) -> int | None:
        """How many of these octets pass before the cut; None when there is none yet."""
        if self.cut_after is not None:
            if len(octets) >= self.cut_after:
                allowed, self.cut_after = self.cut_after, None
                return allowed
            self.cut_after -= len(octets)
        cut = self.cut_mail_after if self.cut_mail_after is not None else self.cut_every_mail_after
        if cut is not None and octets.endswith(b"}\r\n"):
            self.cut_after, self.cut_mail_after = cut or None, None
            return None if self.cut_after else len(octets)
        return None

    async def _back(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while octets := await server.read(_BLOCK):
                if not self.muted and not client.is_closing():
                    client.write(octets)
        client.close()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._serving.remove(task)
        if not self._serving:
            self.idle.set()


@contextlib.asynccontextmanager
async def faulty(server_port: int) -> AsyncIterator[Faulty]:
    """A proxy before the server on `server_port`; its own `port` is the one to connect to."""
    proxy = Faulty(server_port)
    proxy.idle.set()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        async with asyncio.timeout(30):
            await proxy.idle.wait()
