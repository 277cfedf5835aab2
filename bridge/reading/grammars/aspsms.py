"""ASPSMS's SMTP interface: a number with 00 as address, or `textsms@…` with everything in the subject.

    0041791234567@…       Originator=Clinic
    textsms@…             UserKey=AB12345678,Password=secret,Recipient=0041791234567,Originator=Clinic,Notify=none
    textsms@…             U=AB12345678,P=secret,R=0041791234567,O=Clinic

Source: ASPSMS's own page "SMS SMTP Interface" (2024). Wider than that page: Recipient may hold several numbers, and a
comma in a value parts nothing unless the name of a field follows it.

`xml@…`, its interface in XML, is not read.
"""

from __future__ import annotations

import re

from bridge.errors import Reason, RecipientRefusal
from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, bad_order
from bridge.types import Addressee, Confirm, InTheMail, Options, SubjectUse, Wishes

_NAMES = {
    "userkey": "userkey",
    "u": "userkey",
    "password": "password",
    "p": "password",
    "recipient": "recipient",
    "r": "recipient",
    "originator": "originator",
    "o": "originator",
    "notify": "notify",
}
_FIELD = re.compile(rf"(?:^|[,;]) ?({'|'.join(_NAMES)}) ?=", re.IGNORECASE)
_NOTIFY = {"always": Confirm.ALL, "none": Confirm.NONE, "failed": Confirm.FAILURES, "": None}


def address(local: str, subdomain: str) -> Addressee | None:
    """The fixed addresses of the service; numbers are read as the bridge reads them."""
    match local.lower():
        case "textsms":
            return InTheMail()
        case "xml":
            raise RecipientRefusal(
                Reason.UNKNOWN_ALIAS,
                "The XML interface of ASPSMS is not read here: write to textsms, with the fields in the subject.",
            )
        case _:
            return None


def mail(mail: LegacyMail) -> Order:
    """The fields of the subject. A subject without any is one like every other."""
    if _FIELD.search(mail.subject[: fields.MAX_SUBJECT]) is None:
        return Order()
    given = _fields(fields.line(mail.subject))
    notify = given.get("notify", "").lower()
    if notify not in _NOTIFY:
        raise bad_order("Notify has a value that cannot be used: write ALWAYS, FAILED or NONE.")
    return Order(
        subject=SubjectUse.IGNORED,
        numbers=fields.numbers("Recipient", given.get("recipient", "")),
        wishes=Wishes(sender=fields.sender(given.get("originator"))),
        options=Options(confirm=_NOTIFY[notify]),
        passwords=fields.credential(given, "password"),
    )


def _fields(subject: str) -> dict[str, str]:
    """Fields by their long names; a value ends where the next field begins."""
    found = list(_FIELD.finditer(subject))
    ends = [each.start() for each in found[1:]] + [len(subject)]
    return fields.once(
        (_NAMES[each[1].lower()], subject[each.end() : end].strip(" ,;")) for each, end in zip(found, ends, strict=True)
    )


GRAMMAR = Grammar("ASPSMS", Evidence.DOCUMENTED, address, mail)
