"""Macros of SPF: what a domain-spec becomes for one sender (RFC 7208 section 7); pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

from bridge.access.dns import RecordType
from bridge.access.domains import within
from bridge.access.spf_record import MACRO

MAX_EXPANDED = 4_096
"""Characters of an expansion; of a longer one only the end is kept, as of every overlong name (section 7.3)."""

_FIXED = {"%": "%", "_": " ", "-": "%20"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: what macros stand for."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    local: str
    domain: str
    """Of the sender, in ASCII."""
    helo: str

    @property
    def address_type(self) -> RecordType:
        """What to ask for, to compare with the address."""
        return RecordType.A if self.address.version == 4 else RecordType.AAAA


def expand(spec: str, sender: Sender, domain: str, own_names: tuple[str, ...]) -> str:
    """The text of `spec` in the record of `domain`. `own_names` are the validated host names of the peer."""

    def value(match: re.Match[str]) -> str:
        letter, digits, reverse, delimiters, fixed = match.groups()
        if fixed:
            return _FIXED[fixed]
        text = _value(letter.lower(), sender, domain, own_names)
        if digits or reverse or delimiters:
            parts = re.split(f"[{re.escape(delimiters or '.')}]", text)
            parts = parts[::-1] if reverse else parts
            text = ".".join(parts[-int(digits) :] if digits else parts)
        return quote(text, safe="-._~") if letter.isupper() else text

    return MACRO.sub(value, spec)[-MAX_EXPANDED:]


def _value(letter: str, sender: Sender, domain: str, own_names: tuple[str, ...]) -> str:
    match letter:
        case "s":
            return f"{sender.local}@{sender.domain}"
        case "l":
            return sender.local
        case "o":
            return sender.domain
        case "d":
            return domain
        case "h":
            return sender.helo
        case "v":
            return "in-addr" if sender.address.version == 4 else "ip6"
        case "p":
            return _best_name(domain, own_names)
    if sender.address.version == 4:
        return str(sender.address)
    return ".".join(sender.address.exploded.replace(":", ""))


def _best_name(domain: str, own_names: tuple[str, ...]) -> str:
    """Section 7.3: the domain itself, else a name below it, else any, else "unknown"."""
    ranked = sorted(own_names, key=lambda name: (name != domain, not within(name, domain)))
    return ranked[0] if ranked else "unknown"
