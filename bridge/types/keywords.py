"""What a mailbox wants done with an SMS that begins with a certain word."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_FORWARDS = 5
"""Addresses that get an SMS besides its mailbox."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word, and what is done with an SMS that begins with it."""

    word: str
    """As the mailbox spells it."""
    reply: str = ""
    """What is texted back; empty for nothing."""
    forward: tuple[str, ...] = ()
    """Addresses that get the mail with the SMS too."""
    tag: str = ""
    """What the header `X-SMS-Tag` of that mail says; empty for no header."""
    webhook: str = field(default="", repr=False)
    """Where the SMS is posted to; empty for nowhere. It may hold a secret of the receiver's."""
