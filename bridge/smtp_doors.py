"""Where the doors listen, and their limits: what the servers at both of them are made with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.access.networks import NO_NETWORKS, Networks
from bridge.settings import Settings


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Where a door listens, and its limits. Times are seconds, sizes octets, port 0 means any free port."""

    host: str = "127.0.0.1"
    port: int | None = 587
    """Submission with STARTTLS (RFC 6409); None for no such listener."""
    tls_port: int | None = None
    """Submission over TLS from the first byte (RFC 8314 section 3.3); None for no such listener."""
    hostname: str = "localhost"
    """The name in the greeting."""
    certificate: Path | None = None
    """PEM file with the certificate and its chain."""
    private_key: Path | None = None
    """PEM file; None when the key is in the certificate's file."""
    plaintext_login: bool = False
    """Take AUTH without TLS, from this machine only."""
    certificates_from: Networks = NO_NETWORKS
    """Who is asked for a client certificate, once there is any."""
    trusted_proxies: Networks = NO_NETWORKS
    """Who says with the PROXY protocol for whom it connects, and must."""
    max_mail_bytes: int = 26_214_400
    max_recipients: int = 1000
    max_connections: int = 1000
    max_connections_per_address: int = 100
    command_timeout: float = 300.0
    """Wait for a whole command line (RFC 5321 section 4.5.3.2.7)."""
    data_timeout: float = 180.0
    """Wait for each block of a mail (RFC 5321 section 4.5.3.2.5)."""


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
        certificates_from=Networks(smtp.certificates_from),
        trusted_proxies=Networks(smtp.trusted_proxies),
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
        trusted_proxies=Networks(mx.trusted_proxies),
        max_mail_bytes=mx.max_mail_bytes,
        max_recipients=mx.max_recipients,
        max_connections=mx.max_connections,
        max_connections_per_address=mx.max_connections_per_address,
        command_timeout=mx.command_timeout,
    )
