"""The listeners of a door: where mail programs, or other mail servers, connect. They open, count and finally drain.

Stopping takes no new connection, says goodbye to those that wait between two mails, and lets a mail that is under
way come to its answer. What is left after the grace is closed; a commit that has begun is still waited for.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import AbstractServer
from collections.abc import Collection

import structlog

from bridge.access.limits import ConnectionLimits, Room
from bridge.errors import SettingsError
from bridge.smtp_doors import DoorSettings
from bridge.smtp_protocol import SmtpProtocol
from bridge.smtp_tls import Certificate
from bridge.smtp_visit import Doorkeeper
from bridge.smtp_wire import STOPPING, Lobby, Wire

BACKLOG = 512
"""Connections the kernel holds until they are accepted."""
LARGE_MAILS = 8
"""How many times the size of the largest mail is held in memory of mails that come, at one door."""

log = structlog.get_logger("bridge.smtp")


class SmtpServer:
    """A port with STARTTLS and one with implicit TLS (RFC 6409, RFC 8314), and who keeps that door."""

    def __init__(self, settings: DoorSettings, keeper: Doorkeeper, *, shares_ports: bool = False) -> None:
        """With `shares_ports` the kernel spreads connections over all who listen so.

        Raises `SettingsError` when certificate or key cannot be used, or a TLS port has none.
        """
        self._settings = settings
        self._keeper = keeper
        self._shares_ports = shares_ports
        limits = ConnectionLimits(settings.max_connections, settings.max_connections_per_address)
        room = Room(LARGE_MAILS * settings.max_mail_bytes)
        self._lobby = Lobby(settings, keeper, open_certificate(settings), limits, room)
        self._listeners: dict[str, AbstractServer] = {}
        # aiosmtpd logs every command with the addresses in it.
        logging.getLogger("mail.log").setLevel(logging.WARNING)

    async def start(self) -> None:
        """Listen. Raises OSError when a port cannot be had."""
        if self._settings.port is not None:
            self._listeners["smtp"] = await self._listen(self._settings.port, implicit_tls=False)
        if self._settings.tls_port is not None:
            self._listeners["smtps"] = await self._listen(self._settings.tls_port, implicit_tls=True)
        log.info("smtp.listening", host=self._settings.host, port=self.port, tls_port=self.tls_port)

    async def stop(self, grace: float) -> None:
        """Finish what is held, within `grace` seconds, and close."""
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        self._lobby.draining = True
        for listener in self._listeners.values():
            listener.close()
        tasks = [wire.task for wire in self._lobby.connections]
        for wire in list(self._lobby.connections):
            wire.drain()
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for wire in list(self._lobby.connections):
            wire.reply(STOPPING)
            wire.hang_up()
        await self._keeper.settle(max(0.0, until - loop.time()))
        for listener in self._listeners.values():
            await listener.wait_closed()
        self._listeners.clear()

    @property
    def port(self) -> int | None:
        """The submission port as bound, or None."""
        return self._bound("smtp")

    @property
    def tls_port(self) -> int | None:
        """The implicit-TLS port as bound, or None."""
        return self._bound("smtps")

    @property
    def draining(self) -> bool:
        """It takes no new mail any more."""
        return self._lobby.draining

    @property
    def connections(self) -> Collection[Wire]:
        """The connections that are open now."""
        return self._lobby.connections

    @property
    def room(self) -> Room:
        """What there is for mails that come."""
        return self._lobby.room

    async def _listen(self, port: int, *, implicit_tls: bool) -> AbstractServer:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: SmtpProtocol(self._lobby, loop, implicit_tls=implicit_tls),
            self._settings.host,
            port,
            backlog=BACKLOG,
            reuse_port=self._shares_ports or None,
        )

    def _bound(self, name: str) -> int | None:
        listener = self._listeners.get(name)
        if not isinstance(listener, asyncio.Server) or not listener.sockets:
            return None
        port: int = listener.sockets[0].getsockname()[1]
        return port


def open_certificate(settings: DoorSettings) -> Certificate | None:
    """The server's certificate, or None without one. Raises `SettingsError` when it cannot be used."""
    if settings.certificate is None:
        if settings.tls_port is not None:
            raise SettingsError("smtp.tls_port", str(settings.tls_port), "needs smtp.certificate; give both or neither")
        return None
    return Certificate(settings.certificate, settings.private_key)
