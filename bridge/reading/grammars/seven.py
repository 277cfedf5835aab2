"""seven.io's (sms77's) Mail API: parameters in the subject, the key there or behind the number, the text between `##`.

    To: 393331234567@…            Subject: key=secret from="Clinic Rossi" delay="2026-03-01 09:00"
    To: 393331234567.secret@…     Subject: from=Clinic
    To: sms@…                     Subject: key=secret to=393331234567,393337654321

Source: seven's own pages "Mail API" and "Email to SMS: send SMS", for the frame, the key, the quotes and the `##`; its
SMS API for what the parameters mean (delay, flash, ttl in minutes, label, foreign_id, unicode, debug). Second-hand:
that `to=` names the recipients. Inferred: that the parameters of the SMS API have the same names in a subject.

A key has letters, digits, hyphen, underscore and dollar. `name.KEY@…` with a contact's name is not taken apart, since
names may have dots: write the key into the subject.
"""

from __future__ import annotations

import re
from datetime import datetime

from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, bad_order
from bridge.reading.trim import normalise
from bridge.types import Addressee, Options, SubjectUse, UnicodePolicy, Wishes

_MARK = "##"
_PARAMETER = re.compile(r'(?:^|(?<=[\s"]))([A-Za-z_]{1,24})=(?:"([^"]*)"|(\S*))')
_UNHEEDED = frozenset({"performance_tracking"})
_REFUSED = frozenset({"debug", "type", "udh"})
_READ = frozenset({"key", "to", "from", "delay", "flash", "ttl", "label", "foreign_id", "unicode", "no_reload"})
_NAMES = _READ | _UNHEEDED | _REFUSED
_WITH_KEY = re.compile(r"(\+?[0-9]{7,15})\.([A-Za-z0-9_$-]+)")
_MOMENT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")


def address(local: str, subdomain: str) -> Addressee | None:
    """A number with its key; any other is read as the bridge reads it."""
    return fields.with_password(local, _WITH_KEY)


def mail(mail: LegacyMail) -> Order:
    """The parameters of the subject and the text between the marks. Without two marks the body is read as always, and
    a subject without parameters is one like every other."""
    before, _, rest = normalise(mail.text).partition(_MARK)
    inside, second, after = rest.partition(_MARK)
    enclosed = bool(second and inside.strip())
    given = _parameters(mail.subject)
    if fields.yes("debug", given.get("debug")):
        raise bad_order("debug=1 asks for a test, and the bridge would send the text: write to preview instead.")
    if "udh" in given or given.get("type", "sms").lower() not in {"sms", "direct", "economy", "basicplus", "quality"}:
        raise bad_order("type and udh ask for something other than a text message: leave them out.")
    return Order(
        text=inside.strip() if enclosed else None,
        final=enclosed,
        left_out="\n".join(filter(None, [before.strip(), after.strip()])) if enclosed else "",
        subject=SubjectUse.IGNORED if given else None,
        numbers=fields.numbers("to", given.get("to", "")),
        wishes=Wishes(
            flash=fields.yes("flash", given.get("flash")),
            sender=fields.sender(given.get("from")),
            reference=fields.reference(given.get("foreign_id") or given.get("label")),
            validity=fields.validity("ttl", given.get("ttl")),
        ),
        options=Options(unicode=UnicodePolicy.ALLOW if fields.yes("unicode", given.get("unicode")) else None),
        send=_moment(given["delay"]) if given.get("delay") else None,
        passwords=fields.credential(given, "key"),
        unheeded=tuple(sorted(given.keys() & _UNHEEDED)),
    )


def _parameters(subject: str) -> dict[str, str]:
    """By name, those that are known; none where the subject has no `name=value` of the service's."""
    if not any(name.lower() in _NAMES for name, _, _ in _PARAMETER.findall(subject[: fields.MAX_SUBJECT])):
        return {}
    found = _PARAMETER.findall(fields.line(subject))
    return fields.once((name.lower(), quoted or bare) for name, quoted, bare in found if name.lower() in _NAMES)


def _moment(value: str) -> datetime:
    form = '"2026-03-01 09:00:00" in quotes, or in seconds since 1970'
    if value.isdecimal():
        return fields.since_1970("delay", value)
    found = _MOMENT.fullmatch(value)
    if found is None:
        raise fields.bad_moment("delay", form)
    year, month, day, hour, minute, second = found.groups(default="0")
    return fields.moment("delay", form, (year, month, day), (hour, minute, second))


GRAMMAR = Grammar("seven.io", Evidence.INFERRED, address, mail)
