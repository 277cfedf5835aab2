"""Prints the mail of a number, and on standard error what comes of it: `python -m tests.fuzz 12345 > mail.eml`."""

from __future__ import annotations

import sys

from tests.fuzz.mutations import mail
from tests.fuzz.verdict import judge


def main() -> None:
    """Makes the mail first, since it is what a fault is looked for in."""
    number = int(sys.argv[1])
    sys.stdout.buffer.write(mail(number))
    sys.stdout.flush()
    print(judge(number), file=sys.stderr)


main()
