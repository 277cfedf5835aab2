"""The listeners of a door: where mail programs, or other mail servers, connect. They open, count and finally drain.

Stopping takes no new connection, says goodbye to those that wait between two mails, and lets a mail that is under
way come to its answer. What is left after the grace is closed; a commit that has begun is still waited for.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from asyncio import AbstractServer
from collections.abc import Collection

import structlog

from bridge.access.limits import ConnectionLimits
from bridge.errors import SettingsError
from bridge.settings import Settings
from bridge.smtp_protocol import SmtpProtocol
from bridge.smtp_visit import Doorkeeper
from bridge.smtp_wire import STOPPING, DoorSettings, Lobby, Wire

__all__ = ["BACKLOG", "DoorSettings", "SmtpServer", "door_settings", "mx_settings"]

BACKLOG = 512
"""Connections the kernel holds until they are accepted."""

log = structlog.get_logger("bridge.smtp")


def door_settings(settings: Settings) -> DoorSettings:
    """Where the front door listens, and its limits."""
    smtp = settings.smtp
    return DoorSettings(
        host=smtp.host,
        port=smtp.port or None,
        tls_port=smtp.tls_port or None,
        hostname=settings.hostname,
        certificate=smtp.certificate,
        private_key=smtp.private_key,
        plaintext_login=smtp.plaintext_login,
        max_mail_bytes=smtp.max_mail_bytes,
        max_recipients=smtp.max_recipients,
        max_connections=smtp.max_connections,
        max_connections_per_address=smtp.max_connections_per_address,
        command_timeout=smtp.command_timeout,
    )


def mx_settings(settings: Settings) -> DoorSettings:
    """Where the MX door listens, and its limits. TLS is offered with the certificate of the front door."""
    mx = settings.mx
    return DoorSettings(
        host=mx.host,
        port=mx.port or None,
        hostname=settings.hostname,
        certificate=settings.smtp.certificate,
        private_key=settings.smtp.private_key,
        max_mail_bytes=mx.max_mail_bytes,
        max_recipients=mx.max_recipients,
        max_connections=mx.max_connections,
        max_connections_per_address=mx.max_connections_per_address,
        command_timeout=mx.command_timeout,
    )


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
        self._lobby = Lobby(settings, keeper, tls_context(settings), limits)
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


def tls_context(settings: DoorSettings) -> ssl.SSLContext | None:
    """The server's TLS, 1.2 and up (RFC 8997), or None without a certificate. Raises `SettingsError`."""
    if settings.certificate is None:
        if settings.tls_port is not None:
            raise SettingsError("smtp.tls_port", str(settings.tls_port), "needs smtp.certificate; give both or neither")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A key that asks for a passphrase would stop the start at a prompt that nobody sees.
    try:
        context.load_cert_chain(settings.certificate, settings.private_key, password="")
    except OSError as error:
        raise SettingsError(
            "smtp.certificate",
            str(settings.certificate),
            f"cannot be used with smtp.private_key ({error.strerror or 'they do not fit'}); give PEM files that fit",
        ) from error
    return context
