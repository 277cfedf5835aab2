"""TextAnywhere's SMTP service: the number with a PIN as address, a sub-domain for the mode, `$$` below the text.

    +447700900123.1234@…          sub-domain   what it does
                                  (none), sms  the subject is the first line of the text
                                  smsid        the subject names the sender (11 characters) and is not texted
                                  sms160       as sms, one SMS at most
                                  sms160id     as smsid, one SMS at most
                                  unicode.…    before any of these: the text may need UCS-2
                                  defer.…      before any of these: outside office hours it waits

Source: TextAnywhere's own developer pages "SMTP Service" (Definition, and one page a domain). `$$` ends the text
wherever it stands. Inferred: that several sub-domains may be combined in the one order shown, and that a PIN is of
letters and digits.

The hours of `defer` are agreed with TextAnywhere and not in the mail: here such a text is sent at once.
"""

from __future__ import annotations

import re
from itertools import product

from bridge.reading.addresses import read_local_part
from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, bad_order
from bridge.reading.trim import normalise
from bridge.types import Addressee, Options, SubjectUse, UnicodePolicy, Wishes

_END = "$$"
_LONGEST_NAME = 11
_DOMAINS = ("", "sms", "smsid", "sms160", "sms160id")
_MODES = ("", "unicode", "defer")
SUBDOMAINS = frozenset(".".join(filter(None, pair)) for pair in product(_MODES, _DOMAINS)) - {""}

_WITH_PIN = re.compile(r"(\+?[0-9]{7,15})\.([A-Za-z0-9]+)")


def address(local: str, subdomain: str) -> Addressee | None:
    """A number with its PIN; any other is read as the bridge reads it, and where it has a mode, that is said here."""
    return fields.with_password(local, _WITH_PIN) or (read_local_part(local) if subdomain else None)


def mode(local: str, subdomain: str) -> str:
    """The sub-domain says how the mail is read."""
    return subdomain


def mail(mail: LegacyMail) -> Order:
    """The text above `$$`, with the subject where the mode says so. Without a mark the body is read as always."""
    modes = frozenset(mail.mode.split("."))
    names_sender = bool(modes & {"smsid", "sms160id"})
    subject = mail.subject.strip()
    above, mark, below = normalise(mail.text).partition(_END)
    words = above.strip() if names_sender else "\n".join(filter(None, [normalise(subject), above.strip()]))
    if mark and not words:
        raise bad_order("Nothing stands above $$: write the text above it.")
    return Order(
        text=words if mark else None,
        final=bool(mark),
        left_out=below.strip(),
        subject=SubjectUse.IGNORED if names_sender else SubjectUse.BEFORE,
        wishes=Wishes(sender=fields.sender(subject[:_LONGEST_NAME]) if names_sender else None),
        options=Options(
            max_segments=1 if modes & {"sms160", "sms160id"} else None,
            unicode=UnicodePolicy.ALLOW if "unicode" in modes else None,
        ),
        unheeded=("defer",) if "defer" in modes else (),
    )


GRAMMAR = Grammar("TextAnywhere", Evidence.DOCUMENTED, address, mail, SUBDOMAINS, mode)
