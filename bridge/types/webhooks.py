"""An SMS on its way to a webhook: what is posted, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Posting:
    """One request, the same at every try."""

    id: str
    """That of the SMS; the receiver tells by it what it has had before."""
    mailbox_id: str
    url: str = field(repr=False)
    """May hold a secret of the receiver's in its path."""
    body: bytes = field(repr=False)
    begun_at: datetime
    """When the SMS was kept."""
    attempts: int = 0
    """Tries that were begun."""
