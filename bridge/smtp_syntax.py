"""The grammar of MAIL and RCPT: arguments in, frozen values out; the first thing the front door does with a command.

Paths follow RFC 5321 section 4.1.2 with angle brackets required and neither source routes nor comments. The one
liberty is a space after the colon, which many devices send. Parameters keep the case of their values, because
ENVID and ORCPT come back in delivery reports exactly as they were given (RFC 3461 sections 4.2 and 4.4).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from bridge.errors import BridgeError
from bridge.types import Notify, Recipient, Ret

MAX_PATH = 256
"""Octets of a path with its brackets (RFC 5321 section 4.5.3.1.3)."""
MAX_LOCAL_PART = 64
"""Octets of a local part (RFC 5321 section 4.5.3.1.1)."""
MAX_DOMAIN = 255
"""Octets of a domain (RFC 5321 section 4.5.3.1.2)."""
MAX_ENVID = 100
"""Characters of an encoded ENVID (RFC 3461 section 4.4)."""
MAX_ORCPT = 500
"""Characters of an encoded ORCPT (RFC 3461 section 4.2)."""

_BEYOND_ASCII = "\u0080-\U0010ffff"
_ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_BEYOND_ASCII}-]+"
_LABEL = rf"[A-Za-z0-9{_BEYOND_ASCII}](?:[A-Za-z0-9{_BEYOND_ASCII}-]{{0,61}}[A-Za-z0-9{_BEYOND_ASCII}])?"
_BRACKETED = re.compile(r' *<((?:[^<>"\\]|"(?:[^"\\]|\\.)*")*)>(?: +(.*))?\Z')
_MAILBOX = re.compile(
    rf'({_ATOM}(?:\.{_ATOM})*|"(?:[ !#-\[\]-~{_BEYOND_ASCII}]|\\[ -~])*")'
    rf"@({_LABEL}(?:\.{_LABEL})*|\[[!-Z^-~]+\])\Z"
)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\U0010ffff]+))?\Z")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*\Z")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")

_BODIES = frozenset({"7BIT", "8BITMIME"})
_RETS = frozenset(ret.value for ret in Ret)
_NOTIFIES = frozenset(notify.value for notify in Notify)


class BadCommand(BridgeError):
    """A command that cannot be understood. `reply` is the whole SMTP answer and never repeats what was sent."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class MailCommand:
    """What one MAIL command says."""

    address: str
    """The reverse path without brackets, case kept; empty for the null sender."""
    size: int | None = None
    """Declared size in octets (RFC 1870)."""
    smtputf8: bool = False
    """The client asked for SMTPUTF8 (RFC 6531)."""
    ret: Ret | None = None
    envid: str | None = None
    """After xtext decoding."""


_MAIL_SYNTAX = "501 5.5.4 This MAIL command is not understood. Write: MAIL FROM:<name@example.com>"
_RCPT_SYNTAX = "501 5.5.4 This RCPT command is not understood. Write: RCPT TO:<+393331234567@sms.example.com>"
_BAD_SENDER = "501 5.1.7 The sender is not a valid mail address. Write name@example.com between angle brackets."
_BAD_RECIPIENT = (
    "553 5.1.3 The recipient is not a valid mail address."
    " Write the number without spaces, as in <+393331234567@sms.example.com>."
)
_NEEDS_UTF8 = "553 5.6.7 An address with characters beyond ASCII needs the SMTPUTF8 parameter of MAIL."


def parse_mail(argument: str) -> MailCommand:
    """Read all that follows the word MAIL (RFC 5321 section 4.1.1.2). Raises `BadCommand`."""
    path, parameters = _split(argument, "FROM:", _MAIL_SYNTAX)
    size: int | None = None
    smtputf8 = False
    ret: Ret | None = None
    envid: str | None = None
    for key, value in _parameters(parameters):
        match key:
            case "SIZE":
                if not value.isascii() or not value.isdigit() or len(value) > 20:
                    raise BadCommand("501 5.5.4 SIZE is a number of octets, as in SIZE=2048.")
                size = int(value)
            case "BODY":
                if value.upper() not in _BODIES:
                    raise BadCommand("501 5.5.4 BODY is 7BIT or 8BITMIME.")
            case "SMTPUTF8":
                if value:
                    raise BadCommand("501 5.5.4 SMTPUTF8 takes no value.")
                smtputf8 = True
            case "RET":
                if value.upper() not in _RETS:
                    raise BadCommand("501 5.5.4 RET is FULL or HDRS.")
                ret = Ret(value.upper())
            case "ENVID":
                if not value or len(value) > MAX_ENVID:
                    raise BadCommand(f"501 5.5.4 ENVID holds 1 to {MAX_ENVID} characters.")
                envid = decode_xtext(value)
            case "AUTH":
                # RFC 4954 section 5: whom the mail came from first is a claim of the client; it is read and not used.
                decode_xtext(value)
            case _:
                raise BadCommand("555 5.5.4 MAIL has a parameter that this server does not offer.")
    if path:
        _check_path(path, smtputf8, _BAD_SENDER)
    return MailCommand(path, size, smtputf8, ret, envid)


def parse_rcpt(argument: str, *, smtputf8: bool = False) -> Recipient:
    """Read all that follows the word RCPT (RFC 5321 section 4.1.1.3). Raises `BadCommand`."""
    path, parameters = _split(argument, "TO:", _RCPT_SYNTAX)
    notify: frozenset[Notify] | None = None
    orcpt: str | None = None
    for key, value in _parameters(parameters):
        match key:
            case "NOTIFY":
                notify = _notify(value)
            case "ORCPT":
                orcpt = _original_recipient(value)
            case _:
                raise BadCommand("555 5.5.4 RCPT has a parameter that this server does not offer.")
    _check_path(path, smtputf8, _BAD_RECIPIENT)
    return Recipient(path, notify, orcpt)


def decode_xtext(value: str) -> str:
    """Undo xtext (RFC 3461 section 4): `+2B` is a plus. Raises `BadCommand` for a bad code or an unprintable octet.

    The decoded text ends up in the header of a report, so a line break must never come out of it.
    """
    if not _XTEXT.match(value):
        raise BadCommand("501 5.5.4 A parameter is not xtext: write + and = as +2B and +3D (RFC 3461).")
    if "+" not in value:
        return value
    decoded = _HEXCHAR.sub(lambda code: chr(int(code[1], 16)), value)
    if not (decoded.isascii() and decoded.isprintable()):
        raise BadCommand("501 5.5.4 A parameter holds a character that cannot be printed (RFC 3461).")
    return decoded


def _split(argument: str, keyword: str, complaint: str) -> tuple[str, str]:
    if argument[: len(keyword)].upper() != keyword:
        raise BadCommand(complaint)
    found = _BRACKETED.match(argument, len(keyword))
    if found is None:
        raise BadCommand(complaint)
    return found[1], found[2] or ""


def _parameters(text: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for word in text.split():
        found = _PARAMETER.match(word)
        if found is None:
            raise BadCommand("501 5.5.4 A parameter is not understood. Write KEYWORD or KEYWORD=value.")
        key = found[1].upper()
        if any(key == earlier for earlier, _ in pairs):
            raise BadCommand("501 5.5.4 A parameter is given twice.")
        pairs.append((key, found[2] or ""))
    return pairs


def _check_path(path: str, smtputf8: bool, complaint: str) -> None:
    found = _MAILBOX.match(path)
    if found is None:
        raise BadCommand(complaint)
    if not path.isascii() and not smtputf8:
        raise BadCommand(_NEEDS_UTF8)
    local_part, domain = found[1].encode(), found[2].encode()
    if len(local_part) > MAX_LOCAL_PART or len(domain) > MAX_DOMAIN or len(local_part) + len(domain) + 3 > MAX_PATH:
        raise BadCommand(complaint)
    if domain.startswith(b"["):
        _check_literal(found[2][1:-1], complaint)


def _check_literal(literal: str, complaint: str) -> None:
    """An address literal (RFC 5321 section 4.1.3): `192.0.2.1` or `IPv6:2001:db8::1`."""
    try:
        if literal[:5].upper() == "IPV6:":
            ipaddress.IPv6Address(literal[5:])
        else:
            ipaddress.IPv4Address(literal)
    except ValueError:
        raise BadCommand(complaint) from None


def _notify(value: str) -> frozenset[Notify]:
    """RFC 3461 section 4.1: NEVER stands alone, the others may be combined."""
    words = value.upper().split(",")
    if any(word not in _NOTIFIES for word in words):
        raise BadCommand("501 5.5.4 NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY.")
    wanted = frozenset(Notify(word) for word in words)
    if Notify.NEVER in wanted and len(wanted) > 1:
        raise BadCommand("501 5.5.4 NOTIFY=NEVER stands alone.")
    return wanted


def _original_recipient(value: str) -> str:
    """RFC 3461 section 4.2: `type;xtext`, given back as `type;address`."""
    address_type, separator, encoded = value.partition(";")
    if not separator or not encoded or len(value) > MAX_ORCPT or not _ADDRESS_TYPE.match(address_type):
        raise BadCommand(
            f"501 5.5.4 ORCPT is type;address with at most {MAX_ORCPT} characters, as in rfc822;a@b.example."
        )
    return f"{address_type};{decode_xtext(encoded)}"
