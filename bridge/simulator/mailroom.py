"""The catch-all mailbox: an SMTP server on loopback that keeps every mail once for each recipient, in its INBOX."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from weakref import WeakSet

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from bridge import clock
from bridge.simulator.events import Events
from bridge.simulator.record import Record, StoredMail

INBOX = "INBOX"

log = structlog.get_logger("bridge.simulator")


class _Server(SMTP):
    # RFC 5321 section 4.5.3.1.6 asks for 1,000 octets at least; a catch-all takes longer ones too.
    line_length_limit = 65_536


class Mailroom:
    """The mail server of the simulator; takes mail for every address."""

    def __init__(self, record: Record, events: Events, port: int) -> None:
        self._record = record
        self._events = events
        self._port = port
        self._server: asyncio.Server | None = None
        self._sessions: WeakSet[SMTP] = WeakSet()

    @property
    def port(self) -> int:
        """The port it listens on, known after `start`."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        # aiosmtpd logs envelopes at INFO; telephone numbers have no business in a log.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and hang up on whoever is still connected."""
        if self._server is None:
            return
        self._server.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
        await self._server.wait_closed()

    def _session(self) -> SMTP:
        session = _Server(self, hostname="localhost", ident="simulator", enable_SMTPUTF8=True)
        self._sessions.add(session)
        return session

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail, then say so."""
        await self.keep(envelope.rcpt_tos, envelope.content if isinstance(envelope.content, bytes) else b"")
        return "250 2.0.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        """What a client hears when the record fails: try again later, and nothing else."""
        log.error("mailroom.failed", error=type(error).__name__)
        return "451 4.3.0 The mail could not be kept, try again later"

    async def keep(self, addresses: Sequence[str], raw: bytes, folder: str = INBOX) -> None:
        """Keep a mail in `folder` of every address, once each; committed when this returns."""
        received_at = clock.now().isoformat()
        names = dict.fromkeys(address.lower() for address in addresses)
        await self._record.add_mails([StoredMail(clock.new_id(), name, folder, raw, received_at) for name in names])
        for name in names:
            self._events.publish("mailbox", name)
