"""A provider whose answers the test chooses: a plain HTTP server that also fails in every way a network can."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto


class Fault(Enum):
    """What a provider does in place of an answer."""

    HANGS_UP_AT_ONCE = auto()
    """The connection stands, and is closed before a byte of the request was read."""
    HANGS_UP_AFTER_READING = auto()
    HALF_AN_ANSWER = auto()
    NO_HTTP = auto()
    SILENCE = auto()
    """The request was read, and nothing ever comes."""
    ENDLESS = auto()
    """A body without end."""


@dataclass(frozen=True, slots=True)
class Play:
    """An answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    octets: bytes = b""
    """What stands in place of a body that is text."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Provider:
    """Plays what stands in `script`, one for each request, and keeps the requests in `seen`."""

    def __init__(self) -> None:
        self.script: deque[Play | Fault] = deque()
        self.seen: list[Seen] = []
        self.asked = asyncio.Event()
        """Set when a request was read."""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.script:
                if self.script[0] is Fault.HANGS_UP_AT_ONCE:
                    self.script.popleft()
                    return
                self.seen.append(await _read(reader))
                self.asked.set()
                play = self.script.popleft()
                if not await _answer(play, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method, target, headers, body)


async def _answer(play: Play | Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection goes on."""
    match play:
        case Play():
            body = play.octets or play.body.encode()
            lines = [f"HTTP/1.1 {play.status} Said", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in play.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            return True
        case Fault.HALF_AN_ANSWER:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        case Fault.NO_HTTP:
            writer.write(b"220 mail.example.test ESMTP\r\n")
        case Fault.SILENCE:
            await reader.read()  # until the client gives up
        case Fault.ENDLESS:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                await writer.drain()
        case _:
            pass
    return False


@asynccontextmanager
async def run_provider() -> AsyncIterator[Provider]:
    """A provider on a free port of loopback."""
    provider = Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, limit=1 << 20)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.close()
