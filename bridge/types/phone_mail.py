"""A mail that a phone writes: an SMS that names the addresses it is for."""

from __future__ import annotations

from dataclasses import dataclass

MOST_ADDRESSES = 5
"""That one SMS can name."""

MOST_MAILS = 10
"""That the SMS of one phone become within 24 hours."""


@dataclass(frozen=True, slots=True)
class PhoneMail:
    """What an SMS in the form of a mail says (3GPP TS 23.040 section 3.8)."""

    addresses: tuple[str, ...]
    """Whom it is for, each once; domains in lower case."""
    subject: str
    name: str
    """What whoever wrote it calls himself; empty for nothing."""
    text: str
