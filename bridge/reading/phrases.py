"""What a language has words for when a mail holds more than the message; `languages` fills it in, `layouts` uses it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language, with bars between them."""

    code: str
    openings: str
    """How the line above a quotation begins, where it begins with the day."""
    wrote: str
    """What it says of the one who is quoted."""
    sender: str
    """Labels that open the header block which Outlook puts above a quoted mail."""
    subject: str
    """Its label for the subject, which hardly any such block is without."""
    sent: str
    """Its label for when it was sent, which no form of a person has."""
    labels: str
    """The other labels of that block."""
    originals: str
    """What stands between dashes above a quoted mail."""
    forwards: str
    """What stands between dashes, or before a colon, above a forwarded one."""
    devices: str
    """The line that the mail program of a phone puts under a mail."""
    sign_offs: str
    """The line above the name at the end of a letter."""
