"""What the bridge texts a phone by itself, in answer to what the phone wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AutomaticKind(StrEnum):
    """What a text that the bridge sends by itself answers."""

    STOP = "stop"
    """A phone that wants no more texts: it is confirmed, once, although it is blocked."""
    START = "start"
    """A phone that lifts its block."""
    HELP = "help"
    """A phone that asks who texts it."""
    KEYWORD = "keyword"
    """An SMS that begins with a word for which its mailbox has an answer."""
    CLOSED = "closed"
    """An SMS outside the opening hours of its mailbox."""
    UNPROMPTED = "unprompted"
    """An SMS that answers nobody."""


@dataclass(frozen=True, slots=True)
class AutomaticText:
    """One text that the bridge has sent by itself, or withheld."""

    kind: AutomaticKind
    at: datetime
    text: str | None
    """Its words; None for one that was withheld, and of which the mailbox was told."""
