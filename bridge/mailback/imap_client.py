"""aioimaplib as the rest of the house needs it: it hears the end of a connection, and logs in with tokens."""

from __future__ import annotations

import asyncio
import math
import re
import ssl
from typing import Any

import aioimaplib
from aioimaplib import aioimaplib as library

library.Commands.setdefault("UNSELECT", library.Cmd("UNSELECT", (library.SELECTED,), library.Exec.is_sync))
"""RFC 3691; the library refuses commands that it does not know."""

_EXISTS = re.compile(rb"\* \d+ EXISTS", re.IGNORECASE)


class Protocol(aioimaplib.IMAP4ClientProtocol):
    transport: Any
    to_say: list[str]
    """What AUTHENTICATE says, one line each time the server asks; the last one over and over."""
    challenge: bytes
    """What the server asked with last, in base64."""
    arrived: asyncio.Event
    """Set when the server says how many mails the open folder has: it does when one has come, at any time."""

    async def authenticate(self, mechanism: str, lines: list[str]) -> aioimaplib.Response:
        """AUTHENTICATE (RFC 3501 section 6.2.2), with the first line at once where the server takes it (RFC 4959)."""
        self.to_say, self.challenge = list(lines), b""
        first = [self.to_say.pop(0)] if "SASL-IR" in self.capabilities else []
        command = aioimaplib.Command("AUTHENTICATE", self.new_tag(), mechanism, *first)
        answer = await self.execute(command, scrub=lines[0])
        if answer.result == "OK":
            self.state = aioimaplib.AUTH
        return answer

    async def unselect(self) -> aioimaplib.Response:
        """UNSELECT (RFC 3691): leave the folder and expunge nothing."""
        answer = await self.execute(aioimaplib.Command("UNSELECT", self.new_tag()))
        if answer.result == "OK":
            self.state = aioimaplib.AUTH
        return answer

    def _untagged_response(self, line: bytes) -> aioimaplib.Command:
        if _EXISTS.match(line):
            self.arrived.set()
        return super()._untagged_response(line)

    def _continuation(self, line: bytes) -> None:
        """The library knows how to go on with APPEND only."""
        pending = self.pending_sync_command
        if pending is None or pending.name != "AUTHENTICATE":
            super()._continuation(line)
            return
        self.challenge = line[1:].strip()
        said = self.to_say.pop(0) if len(self.to_say) > 1 else self.to_say[0]
        self.transport.write(said.encode("ascii") + b"\r\n")

    async def welcome(self, command: bytes) -> None:
        """Hang up on a server that greets with BYE or speaks no IMAP; the library would wait on and log a traceback."""
        if not command.upper().startswith((b"* OK", b"* PREAUTH")):
            self.transport.abort()
            return
        try:
            await super().welcome(command)
        except aioimaplib.Error:
            self.transport.abort()


class Client(aioimaplib.IMAP4):
    protocol: Any

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._context = context
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        super().__init__(host, port, timeout=math.inf)

    def create_client(self, host: str, port: int, *_args: object, **_options: object) -> None:
        """Connect with our own protocol, which the library offers no other way to name."""
        loop = asyncio.get_running_loop()
        protocol = self.protocol = Protocol(loop, self._end)
        protocol.arrived = asyncio.Event()
        self._client_task = loop.create_task(loop.create_connection(lambda: protocol, host, port, ssl=self._context))

    def _end(self, _error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
