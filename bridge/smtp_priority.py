"""In which order a mail's texts leave: MT-PRIORITY (RFC 6710); values of a MAIL parameter in, the answer out.

Offered as `MT-PRIORITY MIXER`, whose levels are -4, 0 and 4. The queue knows two: what is above 0 is high, all else
is normal. A number that counts for less or more than it says is told so with X.3.6, and never refused.
"""

from __future__ import annotations

import re

from bridge.smtp_syntax import BadCommand
from bridge.types import Priority

OFFER = "MT-PRIORITY MIXER"
"""What EHLO says: the extension, and the profile whose levels it has (RFC 6710)."""

URGENT = 4
"""The number that high priority stands for."""

_NUMBER = re.compile(r"0\Z|-?[1-9]\Z", re.ASCII)


def read_priority(value: str) -> int:
    """`MT-PRIORITY=` of MAIL, from -9 to 9. Raises `BadCommand`."""
    if not _NUMBER.match(value):
        raise BadCommand("501 5.5.4 MT-PRIORITY is a whole number from -9 to 9.")
    return int(value)


def accepted(number: int | None) -> str:
    """The answer to a MAIL that is taken. `number` is what it asked for, if anything.

    The text of X.3.6 begins with the priority that the mail has (RFC 6710, and so the registry of RFC 5248).
    """
    if number is None or number in (0, URGENT):
        return "250 2.1.0 Sender taken."
    counts = URGENT if Priority.of_mail(number) is Priority.HIGH else 0
    return f"250 2.3.6 {counts} is the priority that this mail has. Sender taken."
