"""MAIL and RCPT understood: all that follows the word in, a frozen value out; between the wire's text and the handler.

What each extension's parameters mean stands in its own module. A parameter of an extension that is not offered is
answered 555 (RFC 5321 section 4.1.1.11).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.smtp_dsn import read_envid, read_notify, read_original_recipient, read_ret
from bridge.smtp_priority import read_priority
from bridge.smtp_syntax import BadCommand, check_path, decode_xtext, parameters, split_path
from bridge.smtp_timing import read_deliver_by, read_release
from bridge.types import NO_OPTIONS, Options, Priority, Recipient, Ret

_MAIL_SYNTAX = "501 5.5.4 This MAIL command is not understood. Write: MAIL FROM:<name@example.com>"
_RCPT_SYNTAX = "501 5.5.4 This RCPT command is not understood. Write: RCPT TO:<+393331234567@sms.example.com>"
_BAD_SENDER = "501 5.1.7 The sender is not a valid mail address. Write name@example.com between angle brackets."
_BAD_RECIPIENT = (
    "553 5.1.3 The recipient is not a valid mail address."
    " Write the number without spaces, as in <+393331234567@sms.example.com>."
)

_MAIL_PARAMETERS = frozenset(
    {"SIZE", "BODY", "SMTPUTF8", "AUTH", "RET", "ENVID", "HOLDFOR", "HOLDUNTIL", "BY", "MT-PRIORITY"}
)
_RCPT_PARAMETERS = frozenset({"NOTIFY", "ORCPT"})
_REFUSED = {
    # RFC 8689: what it asks for ends where the telephone network begins. RFC 7293: nobody here knows since when.
    "REQUIRETLS": "555 5.5.4 REQUIRETLS cannot be kept on the way to a phone. Leave it out.",
    "RRVS": "555 5.5.4 RRVS is not offered: nobody tells the bridge since when a number has its owner. Leave it out.",
}


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
    priority: int | None = None
    """As it was asked for, from -9 to 9 (RFC 6710)."""
    options: Options = NO_OPTIONS
    """What its parameters ask of the texts: when, until when, in which order."""


def parse_mail(argument: str, now: datetime) -> MailCommand:
    """Read all that follows the word MAIL (RFC 5321 section 4.1.1.2). Raises `BadCommand`."""
    path, words = split_path(argument, "FROM:", _MAIL_SYNTAX)
    given = _known(words, _MAIL_PARAMETERS, "MAIL") if words else {}
    smtputf8 = "SMTPUTF8" in given
    if path:
        check_path(path, _BAD_SENDER, smtputf8=smtputf8)
    if not given:
        return MailCommand(path)
    if given.get("SMTPUTF8"):
        raise BadCommand("501 5.5.4 SMTPUTF8 takes no value.")
    if "BODY" in given:
        _check_body(given["BODY"])
    if "AUTH" in given:
        # RFC 4954 section 5: whom the mail came from first is a claim of the client; it is read and not used.
        decode_xtext(given["AUTH"])
    priority = read_priority(given["MT-PRIORITY"]) if "MT-PRIORITY" in given else None
    return MailCommand(
        address=path,
        size=_size(given["SIZE"]) if "SIZE" in given else None,
        smtputf8=smtputf8,
        ret=read_ret(given["RET"]) if "RET" in given else None,
        envid=read_envid(given["ENVID"]) if "ENVID" in given else None,
        priority=priority,
        options=_options(given, priority, now),
    )


def parse_rcpt(argument: str, *, smtputf8: bool = False) -> Recipient:
    """Read all that follows the word RCPT (RFC 5321 section 4.1.1.3). Raises `BadCommand`."""
    path, words = split_path(argument, "TO:", _RCPT_SYNTAX)
    given = _known(words, _RCPT_PARAMETERS, "RCPT") if words else {}
    check_path(path, _BAD_RECIPIENT, smtputf8=smtputf8)
    if not given:
        return Recipient(path)
    return Recipient(
        path,
        read_notify(given["NOTIFY"]) if "NOTIFY" in given else None,
        read_original_recipient(given["ORCPT"], smtputf8=smtputf8) if "ORCPT" in given else None,
    )


def _known(words: str, offered: frozenset[str], command: str) -> dict[str, str]:
    given = parameters(words)
    for name in given:
        if name not in offered:
            complaint = f"555 5.5.4 {command} has a parameter that this server does not offer."
            raise BadCommand(_REFUSED.get(name, complaint))
    return given


def _options(given: dict[str, str], priority: int | None, now: datetime) -> Options:
    release = read_release(given, now)
    send_at = release.at if release is not None else None
    by = read_deliver_by(given["BY"], now, send_at) if "BY" in given else None
    if release is None and by is None and priority is None:
        return NO_OPTIONS
    return Options(
        send_at=send_at,
        expires_at=by.at if by is not None and by.fails else None,
        priority=Priority.of_mail(priority) if priority is not None else None,
        deliver_by=by.at if by is not None else None,
        late_at=by.at if by is not None and not by.fails and not by.over else None,
        trace=by is not None and by.traced,
        release=release.asked if release is not None else None,
    )


def _size(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 20:
        raise BadCommand("501 5.5.4 SIZE is a number of octets, as in SIZE=2048.")
    return int(value)


def _check_body(value: str) -> None:
    """RFC 6152 section 2; BINARYMIME is a body of RFC 3030 section 3, which is not offered."""
    if value.upper() == "BINARYMIME":
        raise BadCommand("555 5.5.4 BODY=BINARYMIME is not offered. Send the mail as 8BITMIME or 7BIT.")
    if value.upper() not in ("7BIT", "8BITMIME"):
        raise BadCommand("501 5.5.4 BODY is 7BIT or 8BITMIME.")
