"""The grammar that MAIL and RCPT share: path, parameters, xtext; the first thing the front door does with a command.

Paths follow RFC 5321 section 4.1.2 with angle brackets required and neither source routes nor comments. The one
liberty is a space after the colon, which many devices send. Parameters keep the case of their values, because
ENVID and ORCPT come back in delivery reports exactly as they were given (RFC 3461 sections 4.2 and 4.4).
"""

from __future__ import annotations

import ipaddress
import re

from bridge.errors import BridgeError

MAX_PATH = 256
"""Octets of a path with its brackets (RFC 5321 section 4.5.3.1.3)."""
MAX_LOCAL_PART = 64
"""Octets of a local part (RFC 5321 section 4.5.3.1.1)."""
MAX_DOMAIN = 255
"""Octets of a domain (RFC 5321 section 4.5.3.1.2)."""

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

_NEEDS_UTF8 = "553 5.6.7 An address with characters beyond ASCII needs the SMTPUTF8 parameter of MAIL."


class BadCommand(BridgeError):
    """A command that cannot be understood. `reply` is the whole SMTP answer and never repeats what was sent."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


def split_path(argument: str, keyword: str, complaint: str) -> tuple[str, str]:
    """The path and the parameters behind `FROM:` or `TO:`. Raises `BadCommand` with `complaint`."""
    if argument[: len(keyword)].upper() != keyword:
        raise BadCommand(complaint)
    found = _BRACKETED.match(argument, len(keyword))
    if found is None:
        raise BadCommand(complaint)
    return found[1], found[2] or ""


def parameters(text: str) -> dict[str, str]:
    """Keywords in capitals with their values (RFC 5321 section 4.1.1.11); empty where there is none. Raises
    `BadCommand`, also for a keyword that is given twice."""
    pairs: dict[str, str] = {}
    for word in text.split():
        found = _PARAMETER.match(word)
        if found is None:
            raise BadCommand("501 5.5.4 A parameter is not understood. Write KEYWORD or KEYWORD=value.")
        key = found[1].upper()
        if key in pairs:
            raise BadCommand("501 5.5.4 A parameter is given twice.")
        pairs[key] = found[2] or ""
    return pairs


def check_path(path: str, complaint: str, *, smtputf8: bool) -> None:
    """Whether a path is a mail address. Raises `BadCommand` with `complaint`, or that it needs SMTPUTF8 (RFC 6531
    section 3.4)."""
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


def _check_literal(literal: str, complaint: str) -> None:
    """An address literal (RFC 5321 section 4.1.3): `192.0.2.1` or `IPv6:2001:db8::1`."""
    try:
        if literal[:5].upper() == "IPV6:":
            ipaddress.IPv6Address(literal[5:])
        else:
            ipaddress.IPv4Address(literal)
    except ValueError:
        raise BadCommand(complaint) from None
