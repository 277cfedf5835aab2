"""Whom a mail in a watched mailbox is for: the phones behind the plus of its address, or in the subject; pure.

The watched address is `sms@clinic.example`; mail to `sms+393331234567@clinic.example` comes into the same mailbox (RFC
5233). What stands behind the plus is read as the address of a phone is anywhere, options and names included. A mail
that addresses nobody so is none of the bridge's business: people may use the mailbox too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.reading.headers import Fields, decoded
from bridge.types import Recipient

MAX_FIELD = 65_536
"""Octets of a field with addresses that are read."""
MAX_RECIPIENTS = 1_000
"""Phones that one mail may name."""

_OPEN = ("to", "cc")
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to")
"""What mail servers write down of the envelope: the only place where a recipient of Bcc stands."""
_NAMES_AND_COMMENTS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|\([^()]*\)')
_NUMBER = r"\+[0-9](?:[ .()/-]{0,2}[0-9]){5,16}"
_SUBJECT = re.compile(rf"(?:SMS:?[ ]+)?({_NUMBER})[ ]*(?::.*)?", re.IGNORECASE | re.DOTALL)
_DIALLED = re.compile(r"\(?\+?[0-9]")
_DIGITS = re.compile(r"[^+0-9]")


@dataclass(frozen=True, slots=True)
class Addressed:
    """The recipients of one mail."""

    openly: tuple[Recipient, ...]
    """Those that its author has written where everybody may read them, and signed with the rest."""
    hidden: tuple[Recipient, ...] = ()
    """Those that only the envelope named, which a stranger who sends the mail again may choose."""

    def __bool__(self) -> bool:
        return bool(self.openly or self.hidden)


def addressed(fields: Fields, address: str, domain: str, *, subject_numbers: bool) -> Addressed:
    """The phones that a mail with these fields is for, in the watched mailbox `address`; as recipients in `domain`,
    the one that phones have addresses in."""
    pattern = _pattern(address)
    openly = _written(fields, _OPEN, pattern)
    hidden = {key: each for key, each in _written(fields, _DELIVERED, pattern).items() if key not in openly}
    if openly or hidden:
        return Addressed(_recipients(openly, domain), _recipients(hidden, domain))
    found = _SUBJECT.fullmatch(decoded(fields.raw("subject"))) if subject_numbers else None
    if found is None:
        return Addressed(())
    number = _DIGITS.sub("", found[1])
    return Addressed((Recipient(f"{number}@{domain}", orcpt=f"rfc822;{address}"),))


def _pattern(address: str) -> re.Pattern[str]:
    """The watched address with something behind a plus, as one of a list; a name in front of brackets is none."""
    local, _, domain = address.rpartition("@")
    before, behind = r"(?<![^\s<,:;])", r"(?=[\s>,;]|$)(?!\s*<)"
    return re.compile(
        rf'{before}({re.escape(local)}\+([^\s"(),:;<>@\[\\\]]{{1,256}})@{re.escape(domain)}){behind}', re.IGNORECASE
    )


def _written(fields: Fields, names: tuple[str, ...], pattern: re.Pattern[str]) -> dict[str, tuple[str, str]]:
    """What stands behind the plus in these fields, each once: by its lower case, the address and that part of it."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in fields:
        if name not in names:
            continue
        line = _NAMES_AND_COMMENTS.sub(" ", _line(value))
        for whole, detail in pattern.findall(line):
            if len(found) < MAX_RECIPIENTS:
                found.setdefault(detail.lower(), (whole, detail))
    return found


def _line(value: bytes) -> str:
    """A field on one line."""
    return " ".join(value[:MAX_FIELD].decode("utf-8", "replace").split())


def _recipients(written: dict[str, tuple[str, str]], domain: str) -> tuple[Recipient, ...]:
    return tuple(
        Recipient(f"{_local_part(detail)}@{domain}", orcpt=f"rfc822;{whole}") for whole, detail in written.values()
    )


def _local_part(detail: str) -> str:
    """What stands behind the plus, as it is written to the bridge's own addresses: a number needs no plus there."""
    return f"sms+{detail}" if _DIALLED.match(detail) else detail
