"""OVHcloud's email2sms: a mail to `email2sms@…` whose subject is a list with colons.

    sms-xx11111-1:user:secret:Clinic:+393331234567,+393337654321:183019072030:1:1:1
    account : login : password : sender : recipients [: hhmmddMMYYYY : class : coding : no stop]
    Account=sms-xx11111-1:Login=user:Password=secret:From=Clinic:To=+393331234567

Source: OVHcloud's guide "Sending SMS messages via an email address" (2020) in its public documentation; programs on
GitHub that write both forms. A semicolon parts fields as a colon does, and what follows a blank line or `--end` is not
sent. Before coding was added, its place was that of "no stop"; a 1 means nothing here in either.

Not read: numbers in an attached contact.txt. Second-hand: that the hour of a delayed text is the account's own; here it
is the mailbox's.
"""

from __future__ import annotations

import re
from datetime import datetime

from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, bad_order
from bridge.reading.trim import normalise
from bridge.types import Addressee, InTheMail, Options, SubjectUse, UnicodePolicy, Wishes

_SEPARATOR = re.compile(r"[:;]")
_PLACES = ("account", "login", "password", "from", "to", "deferred", "class", "smsencoding", "nostop")
_REQUIRED = _PLACES[:5]
_NAMES = frozenset(_PLACES) | {"smscoding", "coding", "senderforresponse", "tag"}
_ACCOUNT = re.compile(r"sms-[a-z0-9]+-[0-9]+", re.IGNORECASE)
_DEFERRED = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{4})")
_END = re.compile(r"\n *\n|--end")


def address(local: str, subdomain: str) -> Addressee | None:
    """The one address of the service."""
    return InTheMail() if local.lower() == "email2sms" else None


def mail(mail: LegacyMail) -> Order:
    """The fields of the subject. One that does not begin with an account or the name of a field is a subject like every
    other: hours and places have colons too, and what stands behind the fourth is then no recipient."""
    pieces = list(map(str.strip, _SEPARATOR.split(mail.subject)))
    named = _name(pieces[0]) in _NAMES
    if not named and _ACCOUNT.fullmatch(pieces[0]) is None and not _is_misspelt(pieces):
        return Order()
    pieces = list(map(str.strip, _SEPARATOR.split(fields.line(mail.subject))))
    given = _by_name(pieces) if named else _by_place(pieces)
    numbers = fields.numbers("the recipients", given.get("to", ""))
    if not numbers:
        raise bad_order(
            "The subject names no recipient: write the telephone numbers in its fifth field. "
            "A list that is attached to the mail is not read."
        )
    text, left_out = _text(normalise(mail.text))
    name = given.get("from", "")
    coding = given.get("smsencoding") or given.get("smscoding") or given.get("coding")
    return Order(
        text=text,
        final=text is not None,
        left_out=left_out,
        subject=SubjectUse.IGNORED,
        numbers=numbers,
        wishes=Wishes(
            flash=fields.whole("The class", given.get("class"), 0, 3) == 0,
            sender=fields.sender(name) if _name(name) != "senderforresponse" else None,
            reference=fields.reference(given.get("tag")),
        ),
        options=Options(unicode=UnicodePolicy.ALLOW if fields.whole("The coding", coding, 0, 2) == 2 else None),
        send=_moment(given["deferred"]) if given.get("deferred") else None,
        passwords=fields.credential(given, "password"),
    )


def _is_misspelt(pieces: list[str]) -> bool:
    """Whether the account alone is not as it should be: there are a password and recipients all the same."""
    return len(pieces) >= len(_REQUIRED) and pieces[0].lower().startswith("sms-")


def _name(piece: str) -> str:
    name, equals, _ = piece.partition("=")
    return name.strip().lower() if equals else ""


def _by_name(pieces: list[str]) -> dict[str, str]:
    return fields.once((_name(piece), piece.partition("=")[2].strip()) for piece in pieces if _name(piece) in _NAMES)


def _by_place(pieces: list[str]) -> dict[str, str]:
    while pieces[-1] == "":
        pieces.pop()
    if len(pieces) < len(_REQUIRED):
        raise bad_order("The subject has too few fields: write account:login:password:sender:recipients.")
    if len(pieces) > len(_PLACES):
        raise bad_order(
            f"The subject has {len(pieces)} fields and the last that is known is the {len(_PLACES)}th: "
            "leave the others out, and write no colon inside a field."
        )
    return {
        place: piece.partition("=")[2].strip() if _name(piece) == place else piece
        for place, piece in zip(_PLACES, pieces, strict=False)
    }


def _moment(value: str) -> datetime:
    field, form = "The time to send", "hhmmddMMYYYY, such as 183019072030 for half past six in the evening"
    found = _DEFERRED.fullmatch(value)
    if found is None:
        raise fields.bad_moment(field, form)
    hour, minute, day, month, year = found.groups()
    return fields.moment(field, form, (year, month, day), (hour, minute, "0"))


def _text(body: str) -> tuple[str | None, str]:
    """What stands above a blank line or `--end`, and what follows it; None where there is neither."""
    body = body.strip("\n ")
    found = _END.search(body)
    if found is None:
        return None, ""
    text = body[: found.start()].rstrip()
    if not text:
        raise bad_order("Nothing stands above --end: write the text above it.")
    return text, body[found.start() :].strip()


GRAMMAR = Grammar("OVHcloud", Evidence.DOCUMENTED, address, mail)
