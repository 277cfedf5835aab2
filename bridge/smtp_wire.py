"""The wire under the SMTP commands: bytes in and out, deadlines, TLS and the end of a connection.

It takes from aiosmtpd the set-up of a connection and its session, and replaces what an unknown client could turn
against the server: reading without bound, one timer for reading and thinking, and a hang-up that cancels whatever
the server is doing. Here a hang-up is only noticed at the next read or write.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP

from bridge.access.limits import ConnectionLimits, Room
from bridge.smtp_doors import DoorSettings
from bridge.smtp_tls import Certificate
from bridge.smtp_visit import Doorkeeper

MAX_LINE = 12_288
"""Octets of a line, its end included; AUTH needs that many (RFC 4954 section 4.5)."""
MAX_SKIPPED = 1 << 20
"""Octets of an over-long line that are read to find its end."""
HIGH_WATER = 1 << 16
"""Unread octets at which the peer is made to wait."""
LEAST_RATE = 1000
"""Octets a second that a mail must come with in the long run. The slowest ADSL sends 16,000, a telephone of 1995 a
thousand; one octet every three minutes would hold its place for years."""
AT_ONCE = 32
"""Pipelined commands that are answered before it is the turn of others."""
HANDSHAKE_TIMEOUT = 30.0
STOPPING = "421 4.3.2 The bridge is stopping. Connect again in a minute."
LINGER = 5.0
"""Seconds a closed connection may take to carry its last reply."""


@dataclass(slots=True)
class Lobby:
    """What all connections of a server share."""

    settings: DoorSettings
    keeper: Doorkeeper
    certificate: Certificate | None
    """None: no TLS is offered."""
    limits: ConnectionLimits
    room: Room
    """For mails that come."""
    connections: set[Wire] = field(default_factory=set)
    draining: bool = False


class ClientLeft(Exception):
    """The peer is gone or has said all it will say; nobody reads an answer."""


class Goodbye(Exception):
    """The connection ends with this reply."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


class LineTooLong(Exception):
    """A line beyond `MAX_LINE`. It was read to its end."""


class Wire(SMTP):
    """One connection as lines and blocks."""

    def __init__(self, lobby: Lobby, loop: asyncio.AbstractEventLoop) -> None:
        # Not aiosmtpd's own: it looks its commands and hooks up by introspection for each connection, which takes
        # longer than a whole mail. These are the attributes that its connection_made wants to find.
        asyncio.StreamReaderProtocol.__init__(self, asyncio.StreamReader(loop=loop), self._cb_client_connected, loop)
        self.loop = loop
        self.transport: asyncio.BaseTransport | None = None
        self._original_transport: asyncio.BaseTransport | None = None
        self._handler_coroutine: asyncio.Task[None] | None = None
        self.lobby = lobby
        self.settings = lobby.settings
        self.idle = False
        """Waiting for a command between two mails: the connection may be closed without loss."""
        self.shaking_hands = False
        """The handshake of TLS is under way."""
        self._answered_at_once = 0
        self._upload_until = math.inf
        self._pending = bytearray()
        self._out = bytearray()
        self._arrived: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._paused = False
        self._deadline = math.inf
        self._alarm: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------------------- what asyncio calls

    def data_received(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) > HIGH_WATER and self._arrived is None and not self._paused:
            self._paused = True
            self._pipe().pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        # A client that has said QUIT and closed its half still gets its answers; under TLS there is no half-close.
        return not self.secure

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        # Past aiosmtpd's own, which cancels the task: a commit may be going on in it.
        super(SMTP, self).connection_lost(error)
        self.transport = None
        self._silence()
        self._ended = True
        self._wake()
        self._writable.set()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    # ---------------------------------------------------------------------------------------- deadlines

    def _reset_timeout(self, duration: float | None = None) -> None:
        """aiosmtpd's timer runs on while a mail is committed; deadlines here are set for each wait."""

    def _wait_until(self, deadline: float) -> None:
        # One timer for many waits: it looks at the deadline when it rings, and most often sets itself anew.
        self._deadline = deadline
        if self._alarm is None or self._alarm.when() > deadline:
            self._silence()
            self._alarm = self.loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._deadline == math.inf:
            return
        if self._deadline > self.loop.time():
            self._wait_until(self._deadline)
            return
        if self._writable.is_set():
            self.reply("421 4.4.2 Nothing, or too little, came for too long. Connect again when you are ready.")
            self.hang_up()
        else:
            self._pipe().abort()

    # ---------------------------------------------------------------------------------- reading, writing

    async def _more(self, deadline: float) -> None:
        """Send what is to be sent, then wait for more to read. Raises `ClientLeft`."""
        known = len(self._pending)
        self._answered_at_once = 0
        await self.flush()
        if self._paused:
            self._paused = False
            self._pipe().resume_reading()
        while len(self._pending) == known:
            if self._ended:
                raise ClientLeft
            self._arrived = self.loop.create_future()
            self._wait_until(deadline)
            try:
                await self._arrived
            finally:
                self._deadline = math.inf
                self._arrived = None

    async def read_line(self) -> bytes:
        """The next line with its end. Raises `LineTooLong`, `ClientLeft`; the time limit is for the whole line."""
        self._answered_at_once += 1
        if self._answered_at_once > AT_ONCE:
            self._answered_at_once = 0
            await asyncio.sleep(0)
        # Between two chunks of a mail its own time runs on.
        deadline = min(self.loop.time() + self.settings.command_timeout, self._upload_until)
        searched = 0
        while (end := self._pending.find(b"\n", searched)) < 0:
            searched = len(self._pending)
            if searched >= MAX_LINE:
                await self._skip_line(deadline)
                raise LineTooLong
            await self._more(deadline)
        line = bytes(self._pending[: end + 1])
        del self._pending[: end + 1]
        if len(line) > MAX_LINE:
            raise LineTooLong
        return line

    async def _skip_line(self, deadline: float) -> None:
        skipped = 0
        while (end := self._pending.find(b"\n")) < 0:
            skipped += len(self._pending)
            self._pending.clear()
            if skipped > MAX_SKIPPED:
                raise Goodbye("421 4.7.0 That line has no end. Connect again and speak SMTP.")
            await self._more(deadline)
        del self._pending[: end + 1]

    async def read_block(self, most: int | None = None) -> bytearray:
        """What has come, at least one octet and not more than `most`. Raises `ClientLeft`."""
        if not self._pending:
            await self._more(min(self.loop.time() + self.settings.data_timeout, self._upload_until))
        if most is not None and len(self._pending) > most:
            block = self._pending[:most]
            del self._pending[:most]
        else:
            block, self._pending = self._pending, bytearray()
        latest = self.loop.time() + self.settings.data_timeout
        self._upload_until = min(latest, self._upload_until + len(block) / LEAST_RATE)
        return block

    def begin_upload(self) -> None:
        """A mail comes from here on: at `LEAST_RATE` in the long run, and without a pause beyond `data_timeout`."""
        self._upload_until = min(self._upload_until, self.loop.time() + self.settings.data_timeout)

    def end_upload(self) -> None:
        """No mail comes any more."""
        self._upload_until = math.inf

    def unread(self, rest: bytes) -> None:
        """Give back the end of the last block."""
        self._pending[:0] = rest

    @property
    def has_spoken(self) -> bool:
        """There is something to read."""
        return bool(self._pending)

    def reply(self, line: str) -> None:
        """Answer, together with the other answers to what was pipelined (RFC 2920 section 3.2)."""
        self._out += line.encode("ascii", "replace")
        self._out += b"\r\n"

    async def flush(self) -> None:
        """Send the answers. Raises `ClientLeft`."""
        if self.transport is None:
            raise ClientLeft
        if self._out:
            out, self._out = self._out, bytearray()
            self._pipe().write(out)
        if not self._writable.is_set():
            self._wait_until(self.loop.time() + self.settings.command_timeout)
            await self._writable.wait()
            self._deadline = math.inf
            if self.transport is None:
                raise ClientLeft

    # --------------------------------------------------------------------------------- TLS, and the end

    @property
    def task(self) -> asyncio.Task[None]:
        """The conversation; it ends after the connection has."""
        assert self._handler_coroutine is not None
        return self._handler_coroutine

    @property
    def waits(self) -> bool:
        """It is the peer's turn: to say more, or to read what it was answered."""
        silent = self._arrived is not None and not self._arrived.done()
        return (silent or self.shaking_hands or not self._writable.is_set()) and not self._ended

    def drain(self) -> None:
        """The server stops: say goodbye now, or after the mail that is under way."""
        if self.idle:
            self.reply(STOPPING)
        if self.idle or self.shaking_hands:
            self.hang_up()

    @property
    def secure(self) -> bool:
        """The connection is encrypted."""
        return self._original_transport is not None

    @property
    def peer_certificate(self) -> bytes | None:
        """What the peer has shown in the handshake (DER), if anything."""
        tls = self.transport.get_extra_info("ssl_object") if self.transport is not None else None
        return tls.getpeercert(binary_form=True) if tls is not None else None

    async def upgrade(self, context: ssl.SSLContext) -> None:
        """Go on under TLS (RFC 3207). What came before in the clear is thrown away. Raises `ClientLeft`."""
        plain = self._pipe()
        self._pending.clear()
        self.shaking_hands = True
        try:
            secured = await self.loop.start_tls(
                plain, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_TIMEOUT
            )
        except OSError as error:
            raise ClientLeft from error
        finally:
            self.shaking_hands = False
        if secured is None:
            raise ClientLeft
        self._original_transport = plain
        self.transport = secured

    def hang_up(self) -> None:
        """Send what is left, then close; a peer that does not read it is cut off after `LINGER` seconds."""
        self._ended = True
        self._wake()
        if self.transport is None:
            return
        transport = self._pipe()
        transport.write(bytes(self._out))
        self._out.clear()
        if not transport.is_closing():  # closed twice, a TLS transport could not be aborted (Python before 3.11.4)
            transport.close()
        self._silence()
        self._alarm = self.loop.call_later(LINGER, transport.abort)

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _pipe(self) -> asyncio.Transport:
        assert isinstance(self.transport, asyncio.Transport)
        return self.transport
