"""Reads what a recipient's mail address means: a number, a name, a fixed address; the first thing at a RCPT.

Grammar: RFC 5321 section 4.1.2 (Mailbox), without source routes and comments. What the local part may be:

    number      +39…, 0039…, national, p39… where a plus cannot be typed, sms:+39…; separators . - _ ( ) and blanks
    SMS=+39…    RFC 3191 section 3.1, with qualifiers after slashes; +39…/TYPE=PLMN as in RFC 4356 section 2.1.1
    name        a contact or a group
    sms         the numbers stand in the mail; sms+39… and sms+39…+flash are a number
    preview     the mail is answered with what it would send

A number, a name and `sms` may be followed by options: `+flash`, `+from=ACME`, `+p=high`, `+ref=AB12`, `+v=3600`.
A number may instead be followed by `+allow` or `+block`, alone: a decision about that phone, and no text for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bridge.errors import Reason, RecipientRefusal
from bridge.reading.names import MAX_NAME, typed
from bridge.sms.numbers import malformed
from bridge.types import NO_WISHES, Addressee, Decided, Dialled, InTheMail, Named, Priority, Trial, Wishes

MAX_ADDRESS = 320
"""64 for the local part, "@", and 255 for the domain (RFC 5321 section 4.5.3.1)."""
MAX_VALIDITY = 63 * 7 * 86_400
"""Seconds: 63 weeks, the longest a network can be told (3GPP TS 23.040 section 9.2.3.12.1)."""

_ADDRESS = re.compile(
    r"""(?: (?P<atoms> [^\s"(),:;<>@\[\\\]]+ )
          | "(?P<quoted> (?: [^"\\\r\n] | \\. )* )" ) @ (?P<domain> [^\s@<>()]+ )""",
    re.VERBOSE,
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_NUMBER = re.compile(r"\(?\+?[ ._()-]*[0-9](?:[0-9 ._()-]|/(?=[0-9]))*")
_PLUS_SPELT = re.compile(r"[pP](?=[0-9]{2})|(?:sms|tel):(?=\+?[0-9])", re.IGNORECASE)
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SENDER = re.compile(r"[A-Za-z0-9._-]{1,16}")
_QUALIFIERS = {"type=plmn", "type=ipv4", "type=ipv6"}
_OPTIONS = "+flash, +from=SENDER, +p=high, +ref=REFERENCE, +v=SECONDS"
_FIXED, _TRIAL = "sms", "preview"
_ALLOW, _BLOCK = "allow", "block"
_DECISIONS = frozenset({_ALLOW, _BLOCK})
_SERVICE = "sms="
"""RFC 3191 section 3.1."""


def split_address(address: str) -> tuple[str, str]:
    """Local part, without quotes, and domain in lower case. Raises `RecipientRefusal` (553 5.1.3) for what is no mail
    address."""
    if len(address) > MAX_ADDRESS:
        raise malformed(address, "is longer than a mail address can be")
    match = _ADDRESS.fullmatch(address)
    if match is None:
        if "@" not in address:
            raise malformed(address, "has no @ and domain")
        raise malformed(address, "is not a mail address of the form number@domain")
    atoms, quoted, domain = match["atoms"], match["quoted"], match["domain"].lower()
    if atoms is None:
        return _QUOTED_PAIR.sub(r"\1", quoted), domain
    # RFC 5321 section 4.1.2: a Dot-string neither starts nor ends with a dot, nor has two in a row.
    if "" in atoms.split("."):
        raise malformed(address, "has a dot that no mail address can have there")
    return atoms, domain


def foreign_domain(domain: str, domains: Collection[str]) -> RecipientRefusal:
    """The refusal of an address whose domain the bridge does not serve (550 5.1.1)."""
    served = ", ".join(sorted(domains))
    return RecipientRefusal(
        Reason.UNKNOWN_ALIAS, f'"{_shown(domain)}" is not a domain of this bridge: it serves {served}.'
    )


def read_local_part(local: str) -> Addressee:
    """What the local part of an address of ours means. Raises `RecipientRefusal`: malformed number for a broken number
    or option (553 5.1.3), unknown alias for what can be no name (550 5.1.1)."""
    if _NUMBER.fullmatch(local):  # nearly all
        return Dialled(local)
    name, plus, rest = local.partition("+")
    word = name.casefold()
    if word in {_TRIAL, _FIXED} and plus and _begins_with_number(rest):
        number = rest if rest.startswith(("+", "00")) else f"+{rest}"
        return Trial(_number(number)) if word == _TRIAL else _number_or_decision(number)
    if word == _TRIAL and rest:
        raise malformed(local, "has no telephone number behind its plus")
    if word == _TRIAL:
        return Trial()
    if word == _FIXED:
        return InTheMail(_wishes(local, rest) if plus else NO_WISHES)
    if local.lower().startswith(_SERVICE):
        return _service(local)
    spelt = _PLUS_SPELT.match(local)
    if spelt is not None:
        rest = local[spelt.end() :]
        return read_local_part(f"+{rest}" if len(spelt[0]) == 1 and not rest.startswith("00") else rest)
    if _begins_with_number(local):
        return _number_or_decision(local)
    if local.startswith("+"):
        raise malformed(local, "is not a telephone number")
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise unknown_name(name, ())
    return Named(name, _wishes(local, rest) if plus else NO_WISHES)


def unknown_name(name: str, near: Collection[str]) -> RecipientRefusal:
    """The refusal of a name that nobody has (550 5.1.1); `near` are those that it may stand for,
    and are told as they can be written into an address."""
    if near:
        proposals = " or ".join(_shown(typed(each)) for each in near)
        return RecipientRefusal(
            Reason.UNKNOWN_ALIAS, f'"{_shown(name)}" is no contact and no group here. Did you mean {proposals}?'
        )
    return RecipientRefusal(
        Reason.UNKNOWN_ALIAS,
        f'"{_shown(name)}" is not a telephone number and no name is known here that is like it: '
        "write the number with its country code, like +393331234567.",
    )


def _begins_with_number(local: str) -> bool:
    found = _NUMBER.match(local)
    return found is not None and (found.end() == len(local) or local[found.end()] in "+/")


def _number_or_decision(local: str) -> Dialled | Decided:
    number, _, word = local.rpartition("+")
    if word.lower() in _DECISIONS and _NUMBER.fullmatch(number):
        return Decided(Dialled(number), allows=word.lower() == _ALLOW)
    return _number(local)


def _number(local: str) -> Dialled:
    """A number with something behind it: options, or a type as in RFC 4356."""
    found = _NUMBER.match(local)
    assert found is not None
    digits, rest = found[0], local[found.end() :]
    if rest.startswith("/"):
        qualifiers, _, rest = rest[1:].partition("+")
        _check_qualifiers(local, qualifiers)
        plus = "+" if rest else ""
    else:
        plus, rest = rest[:1], rest[1:]
    return Dialled(digits, _wishes(local, rest) if plus else NO_WISHES)


def _service(local: str) -> Dialled | Decided:
    number = local[len(_SERVICE) :]
    if not number.startswith("+") or not _begins_with_number(number):
        raise malformed(local, "has no number after SMS=")
    return _number_or_decision(number)


def _check_qualifiers(local: str, qualifiers: str) -> None:
    """A qualifier that is not understood could change whom the number means (RFC 3191 section 3.2)."""
    strange = [each for each in qualifiers.split("/") if each.lower() not in _QUALIFIERS]
    if strange:
        raise malformed(local, f'has the qualifier "{_shown(strange[0])}", which is not understood here')


def _wishes(local: str, options: str) -> Wishes:
    """Options, with a plus between them. Raises RecipientRefusal that names the one that is wrong."""
    given: dict[str, str] = {}
    for option in options.split("+"):
        name, _, value = option.partition("=")
        if name.lower() in given:
            raise _bad_option(local, f'has the option "{_shown(name)}" twice')
        given[name.lower()] = value
    wishes = Wishes()
    for name, value in given.items():
        wishes = _wish(local, name, value).over(wishes)
    return wishes


def _wish(local: str, name: str, value: str) -> Wishes:
    match name:
        case "flash" if not value:
            return Wishes(flash=True)
        case "from" if _SENDER.fullmatch(value):
            return Wishes(sender=value)
        case "p" if value.lower() in set(Priority):
            return Wishes(priority=Priority(value.lower()))
        case "ref" if _REFERENCE.fullmatch(value):
            return Wishes(reference=value)
        case "v" if re.fullmatch(r"[0-9]{1,8}", value) and 0 < int(value) <= MAX_VALIDITY:
            return Wishes(validity=int(value))
        case "flash" | "from" | "p" | "ref" | "v":
            raise _bad_option(local, f'has the option "{_shown(name)}" with a value that cannot be used')
        case "allow" | "block":
            raise RecipientRefusal(
                Reason.MALFORMED_NUMBER,
                f'"{_shown(local)}" has +{name} beside something else: it stands alone behind the number of a phone.',
            )
        case _:
            raise _bad_option(local, f'has the option "{_shown(name)}", which is not understood')


def _bad_option(local: str, what: str) -> RecipientRefusal:
    return RecipientRefusal(
        Reason.MALFORMED_NUMBER, f'"{_shown(local)}" {what}: leave it out, or write one of {_OPTIONS}.'
    )


def _shown(text: str) -> str:
    return "".join(char for char in text[:64] if char.isprintable())
