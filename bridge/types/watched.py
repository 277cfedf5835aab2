"""A mail in a watched IMAP mailbox: where it stands, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What became of a mail in a watched mailbox, for good."""

    TAKEN = "taken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Place:
    """What a mail in a watched folder is known by, over restarts and on all nodes."""

    watch: str
    """The mailbox's address in lower case, a blank and the folder."""
    uid_validity: int
    uid: int
    digest: str
    """Keyed hash of what its author wrote and the phones that it is for: the same mail that is moved back into the
    folder, or sent again by anybody, has another UID and the same digest."""
