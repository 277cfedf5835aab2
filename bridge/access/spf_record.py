"""The grammar of SPF records (RFC 7208 sections 5, 6, 7 and 12): text in, terms out; no DNS.

A record is read as a whole before any of it is used, because an error anywhere in it makes all of it void
(section 4.6).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum

from bridge.access.verdict import Result

MAX_RECORD = 16 * 1024
"""Octets of a record. Real ones have a few hundred; the longest that is made by machines some thousands."""

QUALIFIERS = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


class Name(StrEnum):
    """Mechanisms (section 5)."""

    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Term:
    """One mechanism with what it answers when it matches."""

    result: Result
    name: Name
    target: str
    """The domain-spec with its macros; empty where the record's own domain is meant. For ip4 and ip6 the address."""
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """What a domain says about who may send for it."""

    terms: tuple[Term, ...]
    redirect: str = ""
    """The domain-spec of `redirect=`; empty when there is none."""


MACRO = re.compile(r"%(?:\{([slodiphcrtvSLODIPHCRTV])([0-9]*)([rR]?)([.+,/_=-]*)\}|([%_-]))")
"""One macro expansion (section 7.1)."""

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_TERM = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9]*)(?::(.*?))?(?:/([0-9]{1,3}))?(?://([0-9]{1,3}))?")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_TOP_LABEL = re.compile(r"\.(?=[A-Za-z0-9-]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?\Z")
_ONLY_IN_EXPLANATIONS = frozenset("crt")


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record (section 4.5)."""
    return _VERSION.match(text) is not None


def read_record(text: str) -> SpfRecord:
    """The terms of a record. Raises ValueError when any of it is not in the grammar."""
    if len(text) > MAX_RECORD or not text.isascii() or not text.isprintable():
        raise ValueError("no SPF record")
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    for word in text.split(" ")[1:]:
        if not word:
            continue
        if (modifier := _MODIFIER.fullmatch(word)) is not None:
            name, value = modifier[1].lower(), modifier[2]
            _check_macros(value)
            if name in {"redirect", "exp"}:
                if name in modifiers:
                    raise ValueError(f"{name} occurs twice")
                _check_domain_spec(value)
                modifiers[name] = value
        else:
            terms.append(_term(word))
    return SpfRecord(tuple(terms), modifiers.get("redirect", ""))


def _term(word: str) -> Term:
    match = _TERM.fullmatch(word)
    if match is None:
        raise ValueError("no mechanism")
    name = Name(match[2].lower())  # a ValueError when there is none
    result = QUALIFIERS[match[1] or "+"]
    target, prefix4, prefix6 = match[3], match[4], match[5]
    if target == "":
        raise ValueError("an empty domain")
    match name:
        case Name.IP4 if target and prefix6 is None:
            return Term(result, name, str(ipaddress.IPv4Address(target)), prefix4=_prefix(prefix4, 32))
        case Name.IP6 if target and prefix6 is None:
            return Term(result, name, str(ipaddress.IPv6Address(target)), prefix6=_prefix(prefix4, 128))
        case Name.A | Name.MX:
            return Term(result, name, _domain(target), _prefix(prefix4, 32), _prefix(prefix6, 128))
        case Name.PTR if prefix4 is prefix6 is None:
            return Term(result, name, _domain(target))
        case Name.INCLUDE | Name.EXISTS if target and prefix4 is prefix6 is None:
            return Term(result, name, _domain(target))
        case Name.ALL if target is prefix4 is prefix6 is None:
            return Term(result, name, "")
    raise ValueError("a mechanism with wrong arguments")


def _domain(target: str | None) -> str:
    if target is None:
        return ""
    _check_domain_spec(target)
    return target


def _prefix(digits: str | None, most: int) -> int:
    if digits is None:
        return most
    if (digits.startswith("0") and digits != "0") or int(digits) > most:
        raise ValueError("no prefix length")
    return int(digits)


def _check_domain_spec(text: str) -> None:
    """Section 7.1: macros and letters that end in a top label or in a macro."""
    _check_macros(text)
    ends_in_macro = text.endswith("}") and any(match.end() == len(text) for match in MACRO.finditer(text))
    if not ends_in_macro and not _TOP_LABEL.search(text):
        raise ValueError("no domain")


def _check_macros(text: str) -> None:
    for match in MACRO.finditer(text):
        letter, digits = (match[1] or "").lower(), match[2]
        if digits and (int(digits[:4]) == 0 or len(digits) > 3):
            raise ValueError("a macro that keeps no part")
        if letter in _ONLY_IN_EXPLANATIONS:
            raise ValueError("a macro that is only for explanations")
    if "%" in MACRO.sub("", text):
        raise ValueError("no macro")
