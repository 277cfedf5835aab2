"""Client certificates: what a machine shows in the TLS handshake, and which mailbox it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What the front door must know of one."""

    id: str
    mailbox_id: str
    fingerprint: str
    """SHA-256 over its DER, in lower-case hexadecimal digits: this, and nothing that it says of itself, decides."""
    pem: str
    """The certificate itself; it is public."""
    until: datetime
    """Not valid any more after this."""


@dataclass(frozen=True, slots=True)
class CertificateUse:
    """What its owner must know of one."""

    login: str
    name: str
    """What its owner calls it, such as the machine that has it."""
    fingerprint: str
    until: datetime
    created_at: datetime
    used_at: datetime | None
    """About when it was last shown, to the hour; None: never."""
