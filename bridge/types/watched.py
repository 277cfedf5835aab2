"""A mail in a watched IMAP mailbox: where it stands, what became of it, and who is told that it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.errors import Reason
from bridge.types.mailbox import Mailbox


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


class Turned(StrEnum):
    """Who is told, and of what."""

    REFUSED = "refused"
    """A mailbox: its mail cannot be texted."""
    STRANGER = "stranger"
    """An author who is known and is no mailbox."""
    UNVERIFIED = "unverified"
    """The watched mailbox: nobody knows who wrote."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """All that the mail says which tells of a refusal; `notices.turned_away` makes the mail of it."""

    notice_id: str
    to: str
    mailbox: Mailbox
    """In whose language it is written."""
    turned: Turned
    reason: Reason
    reply: str
    """What the author would have been told over SMTP."""
    sentence: str
    """The same without its codes, in all its characters."""
    watched: str
    """The address of the watched mailbox."""
    author: str
    """What the mail says; empty when it does not say it in one way."""
    message_id: str
    """Of the mail, or empty."""
    references: tuple[str, ...]
    subject: str
    created_at: datetime
