"""What the relay and the IMAP folders have in common: whom they trust, and one connection kept for the next mail."""

from __future__ import annotations

import abc
import asyncio
import ssl
from pathlib import Path
from typing import Generic, TypeVar

from bridge.errors import MailRefused, SettingsError
from bridge.settings import TlsMode

_C = TypeVar("_C")


class KeptConnection(abc.ABC, Generic[_C]):
    """Mails pass one after another, under the lock; a connection that no mail follows on is left when it has idled."""

    def __init__(self, idle: float) -> None:
        """`idle` is in seconds."""
        self._idle = idle
        self._lock = asyncio.Lock()
        self._kept: _C | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def probe(self) -> str:
        """Connect and log in with no mail: empty when that works, else a sentence that says what to change."""
        try:
            connection = await self._open()
        except MailRefused as refused:
            return refused.sentence
        await self._farewell(connection)
        return ""

    async def close(self) -> None:
        """Take leave of the server; a mail under way is finished first."""
        self._stay()
        async with self._lock:
            await self._leave()

    @abc.abstractmethod
    async def _open(self) -> _C:
        """A new connection, encrypted and logged in as the settings ask. Raises MailRefused, always retryable."""

    @abc.abstractmethod
    async def _farewell(self, connection: _C) -> None:
        """Say goodbye and close; a server that does not answer is not waited for long."""

    def _take(self) -> _C | None:
        """The kept connection, which from here on is the caller's to keep again or to drop."""
        kept, self._kept = self._kept, None
        return kept

    def _keep(self, connection: _C) -> None:
        """Keep it for the next mail, until it has idled."""
        self._kept = connection
        self._stay()
        self._leaving = asyncio.create_task(self._leave_when_idle())

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    async def _leave_when_idle(self) -> None:
        await asyncio.sleep(self._idle)
        async with self._lock:
            await self._leave()

    async def _leave(self) -> None:
        kept = self._take()
        if kept is not None:
            await self._farewell(kept)


def client_context(section: str, tls: TlsMode, ca_file: Path | None) -> ssl.SSLContext | None:
    """Trust in the authorities of `ca_file`, or of the system; None without TLS.

    Raises SettingsError, which names `ca_file` in the `section` of the settings.
    """
    if tls is TlsMode.NONE:
        return None
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError:
        key, remedy = f"{section}.ca_file", "name a readable file of certificates in PEM form"
        raise SettingsError(key, str(ca_file), remedy) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
