"""Clickatell's SMTP API: a mail to `sms@…` whose lines are commands.

    api_id:123456
    user:clinic
    password:secret
    to:393331234567
    text:Your appointment is at nine.

Source: Clickatell's own pages, "SMTP API: send basic message" and "Using the SMTP API" (archived), for the frame, the
text rules, flash and `reply`; the other commands are those of its HTTP API. Second-hand, from an overview of that API
and client libraries on GitHub: `deliv_time` in minutes up to seven days, `scheduled_time` in seconds since 1970,
`queue` from 1, the first, to 3, `concat` the most parts, the kinds of `msg_type`, a text under `unicode:1` in the
hexadecimal form of UTF-16. Inferred: `validity` in minutes.

`text:` may be given several times, one a line; `data:` likewise, without line breaks between. A line directly below,
which is no command, is one that a mail program has wrapped; Clickatell drops it, here it belongs to the text. What
stands below an empty line is dropped here too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.reading.grammars import fields
from bridge.reading.grammars.order import Evidence, Grammar, LegacyMail, Order, bad_order
from bridge.reading.trim import normalise
from bridge.types import Addressee, Options, Priority, SubjectUse, UnicodePolicy, Wishes

_COMMAND = re.compile(r" {0,8}([A-Za-z_]{2,16}) {0,8}:(.*)")
_WORDS = frozenset({"text", "data"})
_READ = frozenset(
    {"api_id", "user", "password", "session_id", "from", "climsgid", "deliv_time", "validity", "unicode", "msg_type"}
    | {"concat", "queue", "scheduled_time"}
)
_UNHEEDED = frozenset({"reply", "callback", "deliv_ack", "escalate", "mo", "max_credits", "req_feat", "delimiter"})
_REFUSED = {
    "udh": "asks for a binary message, which the bridge does not send: write the words into text",
    "binary": "asks for a binary message, which the bridge does not send: write the words into text",
    "csv": "asks for a text of its own for each phone: write one mail for each",
}
_FORM = frozenset({"api_id", "user", "password"})
_HEX = re.compile(r"(?:[0-9A-Fa-f]{4})+")
_LONGEST_DELAY = 7 * 24 * 60
"""Minutes of `deliv_time`: Clickatell allows seven days."""
_MOST_PARTS = 255


@dataclass(slots=True)
class _Commands:
    values: list[tuple[str, str]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """Pieces of the text, each with the line break before it where it has one."""
    left_out: list[str] = field(default_factory=list)


def address(local: str, subdomain: str) -> Addressee | None:
    """All mails go to `sms@…`, which is the bridge's own fixed address."""
    return None


def mail(mail: LegacyMail) -> Order:
    """The commands of the body. A mail without `api_id`, `user` and `password`, and without both `to` and `text`, is
    one like every other."""
    commands = _read(normalise(mail.text))
    names = {name for name, _ in commands.values}
    if not names & _FORM and not (commands.numbers and commands.words):
        return Order()
    for name in sorted(names & _REFUSED.keys()):
        raise bad_order(f"{name} {_REFUSED[name]}.")
    given = fields.once((name, value) for name, value in commands.values)
    wide = fields.yes("unicode", given.get("unicode"))
    text = "".join(commands.words).strip("\n")
    text = _from_hex(text) if wide else text
    if not text.strip():
        raise bad_order("The mail has no text: write it on a line that begins with text:")
    queue = fields.whole("queue", given.get("queue"), 1, 3)
    return Order(
        text=text,
        final=True,
        left_out="\n".join(commands.left_out).strip(),
        subject=SubjectUse.IGNORED,
        numbers=fields.numbers("to", ",".join(commands.numbers)),
        wishes=Wishes(
            flash=_is_flash(given.get("msg_type", "")),
            sender=fields.sender(given.get("from")),
            priority=Priority.HIGH if queue == 1 else None,
            reference=fields.reference(given.get("climsgid")),
            validity=fields.validity("validity", given.get("validity")),
        ),
        options=Options(
            unicode=UnicodePolicy.ALLOW if wide else None,
            max_segments=fields.whole("concat", given.get("concat"), 0, _MOST_PARTS) or None,
        ),
        send=_send(given),
        passwords=fields.credential(given, "password", "session_id"),
        unheeded=tuple(sorted(names & _UNHEEDED)),
    )


def _read(text: str) -> _Commands:
    commands = _Commands()
    in_text = False
    for line in text.split("\n"):
        found = _COMMAND.fullmatch(line)
        name = found[1].lower() if found is not None else ""
        if found is not None and name in _WORDS:
            _say(commands, name, found[2])
            in_text = True
        elif found is not None and name == "to":
            commands.numbers.append(found[2])
            in_text = False
        elif found is not None and (name in _READ or name in _UNHEEDED or name in _REFUSED):
            commands.values.append((name, found[2].strip()))
            in_text = False
        elif in_text and line.strip():
            commands.words.append("\n" + line.rstrip())
        else:
            in_text = False
            commands.left_out.append(line)
    return commands


def _say(commands: _Commands, name: str, value: str) -> None:
    """`data` joins without a line break and keeps the blank at its end, which parts two words."""
    if name == "data":
        commands.words.append(value if commands.words else value.lstrip())
    else:
        commands.words.append("\n" + value.strip())


def _from_hex(text: str) -> str:
    """The characters whose UTF-16 octets stand there in hexadecimal; what does not look like them is taken as it is."""
    digits = "".join(text.split())
    if _HEX.fullmatch(digits) is None:
        return text
    return normalise(bytes.fromhex(digits).decode("utf-16-be", "replace"))


def _send(given: Mapping[str, str]) -> datetime | timedelta | None:
    scheduled = given.get("scheduled_time")
    if scheduled:
        return fields.since_1970("scheduled_time", scheduled)
    delay = fields.whole("deliv_time", given.get("deliv_time"), 0, _LONGEST_DELAY)
    return timedelta(minutes=delay) if delay else None


def _is_flash(kind: str) -> bool:
    kind = kind.strip().upper()
    if kind in {"", "SMS_TEXT", "SMS_DEFAULT", "SMS_FLASH"}:
        return kind == "SMS_FLASH"
    raise bad_order("msg_type is of a kind that the bridge does not send: leave it out, or write SMS_FLASH.")


GRAMMAR = Grammar("Clickatell", Evidence.SECOND_HAND, address, mail)
