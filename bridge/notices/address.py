"""How a phone stands in our mails: by the name that the mailbox gave it and by its number, texted when it is answered.

The name is whatever stood in a mail or in the address book: hostile until it has passed `mime`.
"""

from __future__ import annotations

import re
import unicodedata
from email.header import Header

from bridge.notices import mime
from bridge.sms.graphemes import last_boundary
from bridge.sms.numbers import international

MAX_NAME = 64
"""Characters of a name; a longer one is cut, so that the number behind it is always seen."""

_FROM_THE_RIGHT = frozenset({"R", "AL"})
_LEFT_TO_RIGHT_MARK = "\u200e"
"""Behind a name in Hebrew or Arabic, so that the groups of the number do not change places (UAX #9, rule W7)."""
_QUOTES = re.compile(r'["\\]')
_NOT_DIALABLE = re.compile(r"[^+0-9A-Za-z]")


def called(number: str, contact: str = "") -> str:
    """A phone as people read it, on one line: `Mario Rossi (+39 333 123 4567)`, or the number alone.

    The number always stands there: two people may have one name, and a name may be made to look like a number.
    """
    written, name = mime.one_line(international(number)), mime.one_line(contact)
    name = name[: last_boundary(name, 0, MAX_NAME)].rstrip()
    if any(unicodedata.bidirectional(char) in _FROM_THE_RIGHT for char in name):
        name += _LEFT_TO_RIGHT_MARK
    return f"{name} ({written})" if name else written


def phone_local_part(number: str) -> str:
    """What stands for a phone before the @ of its address: of a number from outside, only what can be dialled."""
    return _NOT_DIALABLE.sub("", number)[:64] or "unknown"


def phone_address(number: str, domain: str, through: str = "", options: str = "") -> str:
    """The mail address of a phone with options behind it; behind the plus of a watched mailbox, if mail to phones goes
    `through` one."""
    local = phone_local_part(number)
    if through and local.startswith("+"):
        mailbox, _, domain = through.rpartition("@")
        local = f"{mailbox}{local}"
    return f"{local}{options}@{domain}"


def phone_field(name: str, number: str, domain: str, contact: str = "", through: str = "") -> bytes:
    """The header field `name` with the address of a phone and what it is called (RFC 5322 section 3.4).

    What is not plain ASCII, or looks like an encoded word,
    is written as encoded words (RFC 2047 section 5).
    """
    address = f"<{phone_address(number, domain, through)}>"
    shown = _QUOTES.sub("", called(number, contact))
    if shown.isascii() and "=?" not in shown:
        return mime.machine_field(name, f'"{shown}" {address}')
    phrase = Header(shown, "utf-8", header_name=name, maxlinelen=76).encode(linesep="\r\n")
    return f"{name}: {phrase}\r\n {address}\r\n".encode("ascii")
