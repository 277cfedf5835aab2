"""SMS Partner's "mail to SMS": all that is wanted in the subject, as in the address of a web page.

    apiKey=secret&phoneNumbers=+33612345678,0698765432&sender=Clinic&scheduledDeliveryDate=21/10/2026&time=9&minute=30

Source: SMS Partner's own page on sending by mail (its Italian edition, it.smspartner.eu), for the frame, the numbers
and the closing mark; its SMS API for the other parameters. Inferred: that these have the same names in a subject; the
local part of the address; and how the closing mark is typed, since the page shows it as a dash and a hyphen, which is
what four hyphens become in print. A line that ends in `----`, `---` or a dash and a hyphen ends the text here.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import unquote

from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, bad_order
from bridge.reading.trim import normalise
from bridge.types import Addressee, InTheMail, Options, SubjectUse, UnicodePolicy, Wishes

_ADDRESSES = frozenset({"mail2sms", "mailtosms", "email2sms"})
_PARAMETER = re.compile(r"(?:^|&)\s*([A-Za-z_]{1,24})\s*=([^&]*)")
_FORM = frozenset({"apikey", "phonenumbers"})
_UNHEEDED = frozenset({"urlresponse", "urldlr", "isstopsms"})
_NAMES = _FORM | _UNHEEDED
_NAMES |= {"sender", "gamme", "gamma", "tag", "scheduleddeliverydate", "time", "minute", "isunicode", "sandbox"}
_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_ENDS = ("----", "---", "\N{EM DASH}-")


def address(local: str, subdomain: str) -> Addressee | None:
    """A fixed address, whatever it was called there."""
    return InTheMail() if local.lower() in _ADDRESSES else None


def mail(mail: LegacyMail) -> Order:
    """The parameters of the subject, and the text above the closing mark. A subject without key and numbers is one
    like every other."""
    if not any(name.lower() in _FORM for name, _ in _PARAMETER.findall(mail.subject[: fields.MAX_SUBJECT])):
        return Order()
    found = _PARAMETER.findall(fields.line(mail.subject))
    given = fields.once((name.lower(), unquote(value).strip()) for name, value in found if name.lower() in _NAMES)
    if fields.yes("sandbox", given.get("sandbox")):
        raise bad_order("sandbox=1 asks for a test, and the bridge would send the text: write to preview instead.")
    numbers = fields.numbers("phoneNumbers", given.get("phonenumbers", ""))
    if not numbers:
        raise bad_order("phoneNumbers is missing: write the telephone numbers there, with commas between.")
    text, left_out = _text(normalise(mail.text))
    return Order(
        text=text,
        final=text is not None,
        left_out=left_out,
        subject=SubjectUse.IGNORED,
        numbers=numbers,
        wishes=Wishes(sender=fields.sender(given.get("sender")), reference=fields.reference(given.get("tag"))),
        options=Options(unicode=UnicodePolicy.ALLOW if fields.yes("isUnicode", given.get("isunicode")) else None),
        send=_moment(given) if given.get("scheduleddeliverydate") else None,
        passwords=_keys(found),
        unheeded=tuple(sorted(given.keys() & _UNHEEDED)),
    )


def _keys(found: list[tuple[str, str]]) -> tuple[str, ...]:
    """The key as it stands in the subject, and as it is meant where octets of it are written as %41."""
    written = next((value.strip() for name, value in found if name.lower() == "apikey"), "")
    return tuple(dict.fromkeys(filter(None, [unquote(written), written])))


def _moment(given: dict[str, str]) -> datetime:
    date = _DATE.fullmatch(given["scheduleddeliverydate"])
    form = "21/10/2026, with time=9 and minute=30"
    if date is None:
        raise fields.bad_moment("scheduledDeliveryDate", form)
    day, month, year = date.groups()
    hour, minute = fields.whole("time", given.get("time"), 0, 24), fields.whole("minute", given.get("minute"), 0, 59)
    return fields.moment("scheduledDeliveryDate", form, (year, month, day), (str(hour or 0), str(minute or 0), "0"))


def _text(body: str) -> tuple[str | None, str]:
    """What stands above the closing mark and what stands below it; None where there is no mark."""
    lines = body.split("\n")
    for at, line in enumerate(lines):
        mark = next((end for end in _ENDS if line.rstrip().endswith(end)), None)
        if mark is None:
            continue
        text = "\n".join([*lines[:at], line.rstrip().removesuffix(mark).rstrip("-")]).strip()
        if text:
            return text, "\n".join(lines[at + 1 :]).strip()
    return None, ""


GRAMMAR = Grammar("SMS Partner", Evidence.INFERRED, address, mail)
