"""What a session with an SMSC is agreed on, and the three ways in which it can fail a request."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.gateways.smpp import status


class Mode(StrEnum):
    """What a session is bound for."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Terms:
    """How an SMSC is reached and spoken with; times in seconds."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    system_id: str
    password: str = field(repr=False)
    system_type: str
    version: int
    """0x34 or 0x50."""
    window: int
    """Submits that may wait for their answer at the same time."""
    rate: float
    """Segments a second, or 0."""
    timeout: float
    enquire_every: float


class BindRefused(Exception):
    """The SMSC answered a bind with an error status."""

    def __init__(self, code: int) -> None:
        super().__init__(status.name(code))
        self.code = code


class NeverLeft(Exception):
    """No octet of a request was written. With `wait`, there may be a turn for it after so many seconds."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class NoAnswer(Exception):
    """A request was written, at least in part, and what became of it is not known."""
