"""App passwords: further passwords of a mailbox, made by the bridge, one for each program that logs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AppPassword:
    """What the front door must know of one."""

    id: str
    name: str
    """What its owner calls it, such as the program or device that has it."""
    verifier: str = field(repr=False)
    """What proves that somebody knows it, as `access.scram` writes it; the password itself is kept nowhere."""


@dataclass(frozen=True, slots=True)
class AppPasswordUse:
    """What its owner must know of one."""

    login: str
    name: str
    created_at: datetime
    used_at: datetime | None
    """About when somebody last logged in with it, to the hour; None: nobody has."""
