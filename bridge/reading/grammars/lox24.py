"""LOX24's email to SMS: everything in the address, with dots between.

    1234567.e3f3a759b6677959b6ebfcaaaaaaaaaa.393331234567@…
    user.key.phone[.service[.sender[.source[.encoding[.parts]]]]]@…
    user.key.group[. …]@email2bulk.…

Source: LOX24's own page "Email to SMS" (doc.lox24.eu). The service is `direct` or a spoken text, which the bridge does
not send; the sender is the place (1 to 6) of one that is kept there; the source is 0 subject and body, 1 subject, 2
body; the encoding is 0 GSM, 1 Unicode, 2 whichever is needed. Inferred: that a subject stands above the body.

A key is told from a part of a telephone number by a letter in it or by its sixteen characters.
"""

from __future__ import annotations

import re

from bridge.errors import Reason, RecipientRefusal
from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order
from bridge.types import Addressee, Dialled, Named, Options, SubjectUse, UnicodePolicy

_BULK = "email2bulk"
_FORM = "user.key.phone.service.sender.source.encoding.parts"
_USER = re.compile(r"[0-9]{1,12}")
_KEY = re.compile(r"(?=[^.]*[A-Za-z]|[^.]{16})[A-Za-z0-9_-]{4,}")
_PHONE = re.compile(r"\+?[0-9]{5,17}")
_GROUP = re.compile(r"[0-9]{1,12}")
_PLACES = (
    ("service", re.compile(r"|direct", re.IGNORECASE), "direct"),
    ("sender", re.compile(r"|[1-6]"), "1 to 6"),
    ("source", re.compile(r"|[0-2]"), "0, 1 or 2"),
    ("encoding", re.compile(r"|[0-2]"), "0, 1 or 2"),
    ("parts", re.compile(r"|[1-9]|10"), "1 to 10"),
)
_SOURCES = {"1": SubjectUse.TEXT, "2": SubjectUse.IGNORED}


def address(local: str, subdomain: str) -> Addressee | None:
    """The phone of the third field, or the group that is called `Group 77` here, since no name is a number. Raises
    `RecipientRefusal` that names a field with a wrong value, and never shows the key."""
    user, key, *rest = [*local.split("."), ""]
    if _USER.fullmatch(user) is None or _KEY.fullmatch(key) is None:
        return None
    rest.pop()
    bulk = subdomain == _BULK
    if not rest or (_GROUP if bulk else _PHONE).fullmatch(rest[0]) is None:
        raise _refused("group" if bulk else "phone", "its id" if bulk else "a number such as 393331234567")
    if len(rest) > len(_PLACES) + 1:
        raise _refused("part after the eighth", "nothing")
    for (name, form, values), value in zip(_PLACES, rest[1:], strict=False):
        if form.fullmatch(value) is None:
            raise _refused(name, values)
    return Named(f"group {rest[0]}") if bulk else Dialled(rest[0], password=key)


def mode(local: str, subdomain: str) -> str:
    """Source, encoding and parts; for a group also the key, since a name carries no password. Empty for an address
    that is not of this form."""
    pieces = [*local.split("."), *[""] * 8][:8]
    if _USER.fullmatch(pieces[0]) is None or _KEY.fullmatch(pieces[1]) is None:
        return ""
    return ".".join([*pieces[5:], pieces[1] if subdomain == _BULK else ""])


def mail(mail: LegacyMail) -> Order:
    """What the address says of subject and body, which are read as always."""
    if not mail.mode:
        return Order()
    source, encoding, parts, key = mail.mode.split(".")
    return Order(
        subject=_SOURCES.get(source, SubjectUse.BEFORE),
        options=Options(
            unicode=UnicodePolicy.ALLOW if encoding in {"1", "2"} else None,
            max_segments=fields.whole("parts", parts, 1, 10),
        ),
        passwords=(key,) if key else (),
    )


def _refused(field: str, values: str) -> RecipientRefusal:
    return RecipientRefusal(
        Reason.MALFORMED_NUMBER, f"The {field} in this address cannot be used: write {values} there, as in {_FORM}."
    )


GRAMMAR = Grammar("LOX24", Evidence.DOCUMENTED, address, mail, frozenset({_BULK}), mode)
