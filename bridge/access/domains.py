"""Domain names as the checks of a sender compare them: in ASCII, in lower case, and told from public suffixes."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MAX_DOMAIN = 253
"""Characters of a name in ASCII (RFC 1035 section 2.3.4)."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,{MAX_DOMAIN}}}\Z){_LABEL}(?:\.{_LABEL})+")


def ascii_domain(domain: str) -> str:
    """The name in lower case, letters beyond ASCII as A-labels (RFC 5891). Raises ValueError when it is no name of
    at least two labels."""
    if len(domain) > MAX_DOMAIN:
        raise ValueError("no domain name")
    if not domain.isascii():
        import idna

        # What a person types is mapped first (UTS 46): full-width letters, capitals, composed accents.
        domain = idna.encode(domain, uts46=True).decode("ascii")
    domain = domain.lower()
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("no domain name")
    return domain


def as_written(address: str) -> str:
    """A mail address with its domain as people write it, in letters beyond ASCII where it has any (RFC 5891)."""
    local, _, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    import idna

    try:
        return f"{local}@{idna.decode(domain)}"
    except UnicodeError:
        return address


def within(domain: str, ancestor: str) -> bool:
    """Whether `domain` is `ancestor` or lies below it."""
    return domain == ancestor or domain.endswith(f".{ancestor}")


def akin(domain: str, other: str) -> bool:
    """Whether two names may be one organisation's: one lies above the other, or both end in the same two labels."""
    return within(domain, other) or within(other, domain) or domain.split(".")[-2:] == other.split(".")[-2:]


def is_public_suffix(domain: str) -> bool:
    """Whether strangers register their names directly below this one, as the Public Suffix List knows."""
    return _list().publicsuffix(domain) == domain


@cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
