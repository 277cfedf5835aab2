"""A phone that is not texted from one of our numbers: why, since when, and what a mailbox decided about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BlockKind(StrEnum):
    """Why a phone is not texted."""

    ORDER = "order"
    """It texted STOP, or its mailbox made that of its wish: only the phone itself lifts it, or the operator."""
    WISH = "wish"
    """It asked in words of its own, and no mailbox has decided yet: texts to it wait."""
    SET = "set"
    """A mailbox or the operator said so, without a word of the phone."""


@dataclass(frozen=True, slots=True)
class Block:
    """No texts to one phone from one of our numbers."""

    kind: BlockKind
    since: datetime


class RulingOutcome(StrEnum):
    """What became of a decision about a phone."""

    ALLOWED = "allowed"
    """A wish was lifted."""
    FREE = "free"
    """Nothing was there to be lifted."""
    BLOCKED = "blocked"
    """A wish was made an order, or a block was set where none was."""
    STAYS_BLOCKED = "stays_blocked"
    """Every number of the mailbox was blocked for the phone before."""
    ORDERED = "ordered"
    """It was not lifted, since it is no wish."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of a decision, and the thread in which the mailbox was asked for it."""

    outcome: RulingOutcome
    number: str
    """The phone, E.164."""
    inbound_id: str = ""
    """The SMS that asked for no more texts; empty where none did."""
    subject: str = ""
    """Of the conversation that it belongs to."""
    references: tuple[str, ...] = ()
    """The mails of that conversation before the one that brought it."""
    contact: str = ""
    """What the mailbox calls the phone."""
