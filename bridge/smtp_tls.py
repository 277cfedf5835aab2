"""The certificate of a door as it lies on disk now: asked before each handshake, and read again when it has changed.

A renewed certificate counts from the next connection on, without a restart. A new pair of files that cannot be used
(half written, or the key of another certificate) is told in the log, and the old one serves on.
"""

from __future__ import annotations

import os
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Mapping
from pathlib import Path

import structlog

from bridge.errors import SettingsError
from bridge.types import ClientCertificate

log = structlog.get_logger("bridge.smtp")

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for."""

_State = tuple[tuple[int, int, int] | None, ...]
"""Of each file what changes when it is written or replaced; None for one that cannot be looked at."""


BUFFER = 1 << 15
"""Octets that asyncio keeps for reading on each TLS connection. Its own 256 KiB would make a thousand idle ones 256 MB;
a record has no more than 16 KiB (RFC 8446 section 5.1)."""


class Certificate:
    """Certificate and key of a door."""

    def __init__(self, chain: Path, key: Path | None) -> None:
        """`chain` is a PEM file with the certificate and what signed it; `key` is one too, or None when the key stands
        in `chain`. Raises `SettingsError` when they cannot be used."""
        self._chain = chain
        self._key = key
        self._state = self._look()
        self._context = _context(chain, key)
        SSLProtocol.max_size = BUFFER
        self._asking: tuple[ssl.SSLContext, Mapping[str, ClientCertificate], ssl.SSLContext] | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """What the next handshake is made with."""
        state = self._look()
        if state != self._state:
            self._state = state
            try:
                self._context = _context(self._chain, self._key)
            except SettingsError as error:
                log.error("smtp.certificate_unusable", says=error.sentence)
            else:
                log.info("smtp.certificate_reloaded")
        return self._context

    def asking(self, registered: Mapping[str, ClientCertificate]) -> ssl.SSLContext:
        """What the next handshake is made with if the client shall show one of the certificates that are registered.

        A client without any comes in as ever; with another one the handshake fails, as Python's TLS takes none that
        leads to nobody it trusts. So each that is registered is trusted for itself, whoever has signed it, and after
        its time too: whoever has shown it can then be told in words why it is no login any more.
        """
        plain = self.context
        if self._asking is None or self._asking[0] is not plain or self._asking[1] != registered:
            try:
                context = _context(self._chain, self._key)
            except SettingsError:
                return plain  # told in the log already; nobody can be asked until the files fit again
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
            context.load_verify_locations(cadata="".join(each.pem for each in registered.values()))
            self._asking = (plain, registered, context)
        return self._asking[2]

    def _look(self) -> _State:
        return tuple(_state(file) for file in (self._chain, self._key) if file is not None)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _context(chain: Path, key: Path | None) -> ssl.SSLContext:
    """TLS 1.2 and up (RFC 8997)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A key that asks for a passphrase would stop the start at a prompt that nobody sees.
    try:
        context.load_cert_chain(chain, key, password="")
    except OSError as error:
        raise SettingsError(
            "smtp.certificate",
            str(chain),
            f"cannot be used with smtp.private_key ({error.strerror or 'they do not fit'}); give PEM files that fit",
        ) from error
    return context
