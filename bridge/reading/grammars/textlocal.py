"""Textlocal's email to SMS: a number as address, `##` below the text, and below that more numbers.

    To: 447700900123@…            Subject: sender=Clinic

    Your appointment is at nine.##
    447700900124
    447700900125

Source: Textlocal's own page "Email to SMS - Guidelines" (txtlocal.co.uk): nothing behind the first `##` is sent, a
copy goes to all numbers that are listed there, the subject may name a sender. Inferred: how the list is written, and
where it ends; here it is numbers with line breaks, commas or semicolons between, up to the first line that holds
anything else.
"""

from __future__ import annotations

import re

from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, bad_order
from bridge.reading.trim import normalise
from bridge.types import Addressee, SubjectUse, Wishes

_END = "##"
_SENDER = re.compile(r"(?:^|[\s,;])sender ?= ?([^,;]*)", re.IGNORECASE)
_PIECES = re.compile(r"[,;]")
_MEANT_AS_NUMBER = re.compile(r"[+0-9(](?:[^0-9\n]{0,3}[0-9]){4}")
"""A line that begins like a telephone number: a slip in it must not lose a recipient."""


def address(local: str, subdomain: str) -> Addressee | None:
    """Numbers are read as the bridge reads them."""
    return None


def mail(mail: LegacyMail) -> Order:
    """The text above the mark, and the numbers below it. Without a mark the body is read as always."""
    named = _SENDER.search(mail.subject[: fields.MAX_SUBJECT])
    wishes = Wishes(sender=fields.sender(named[1]) if named is not None else None)
    subject = SubjectUse.IGNORED if named is not None else None
    above, mark, below = normalise(mail.text).partition(_END)
    if not mark:
        return Order(wishes=wishes, subject=subject)
    if not above.strip():
        above, mark, below = below.partition(_END)  # a text between two marks
    if not above.strip():
        raise bad_order("Nothing stands above ##: write the text above it, and numbers below.")
    listed, rest = _list(below)
    return Order(
        text=above.strip(),
        final=bool(mark),
        left_out=rest,
        subject=SubjectUse.IGNORED,
        numbers=fields.numbers("the list below ##", "\n".join(listed)),
        wishes=wishes,
    )


def _list(below: str) -> tuple[list[str], str]:
    """The lines that hold numbers and nothing else, and what follows them."""
    lines = below.split("\n")
    listed: list[str] = []
    for at, line in enumerate(lines):
        pieces = [piece for piece in map(str.strip, _PIECES.split(line)) if piece]
        if not all(map(fields.is_number, pieces)) and not _MEANT_AS_NUMBER.match(line.lstrip()):
            return listed, "\n".join(lines[at:]).strip()
        listed += pieces
    return listed, ""


GRAMMAR = Grammar("Textlocal", Evidence.INFERRED, address, mail)
