"""Who wrote a mail, by the word of the mail provider that received it: asked by the mailbox door for every mail; pure.

The provider writes into the header what SPF, DKIM and DMARC came to (Authentication-Results, RFC 8601). Anybody can
write such a field, so only those count that bear a name which the operator trusts, and of each name only the topmost:
the provider sets its own above all that came with the mail, and takes away what pretends to be its own (sections 4.1
and 5). Whatever stands below, or under another name, says nothing.

Microsoft 365 writes these fields without a name, and none at all that vouch for mail between its customer's own
mailboxes; that it marks with a field which it takes away from all mail from outside. Whoever receives mail there
trusts `MICROSOFT`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.access.auth_results import AuthResults, MethodResult, read_results
from bridge.access.author import SeveralAuthors, author
from bridge.access.domains import ascii_domain, is_public_suffix, within
from bridge.access.fields import Mail, Malformed
from bridge.access.verdict import Doubt

MICROSOFT = "microsoft"
"""Stands for the name that Microsoft 365 does not write."""

MAX_VALUE = 16_384
"""Octets of a field that are read; longer ones vouch for nobody."""

_FIELD = b"authentication-results"
_INSIDE = b"x-ms-exchange-organization-authas"


class Means(StrEnum):
    """What the provider says speaks for the author."""

    DMARC = "dmarc"
    DKIM = "dkim"
    SPF = "spf"
    INSIDE = "inside"
    """The mail never left the provider's customer."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who wrote a mail, or why nobody knows."""

    author: str
    """The address of From that the provider vouches for, its domain in ASCII and lower case; empty when it does not."""
    claimed: str
    """The address of From, vouched for or not; empty when there is not exactly one."""
    doubt: Doubt | None = None
    """None exactly when `author` is known."""
    sentence: str = ""
    """What is wrong, for a person; empty when nothing is."""
    means: frozenset[Means] = frozenset()


def vouched(mail: Mail, trusted: Collection[str]) -> Vouched:
    """What the fields of the `trusted` names, in lower case, say about the author of `mail`."""
    try:
        who = author(mail)
    except SeveralAuthors as several:
        return Vouched("", "", Doubt.SEVERAL_AUTHORS, several.sentence)
    except Malformed as malformed:
        return Vouched("", "", Doubt.MALFORMED, malformed.sentence)
    words = list(_trusted(mail, trusted))
    inside = MICROSOFT in trusted and _is_inside(mail)
    if not words and not inside:
        sentence = "The mail provider has not said whether this address really wrote the mail."
        return Vouched("", who.address, Doubt.UNVERIFIED, sentence)
    means = frozenset(_means(words, who.domain)) | ({Means.INSIDE} if inside else set())
    if not means:
        sentence = f"The mail provider does not vouch that {who.domain} sent the mail."
        return Vouched("", who.address, Doubt.UNVERIFIED, sentence)
    return Vouched(who.address, who.address, means=means)


def _trusted(mail: Mail, trusted: Collection[str]) -> Iterator[AuthResults]:
    """The topmost field of each trusted name; one that cannot be read counts as none, and hides those below it."""
    seen: set[str] = set()
    for field in mail.named(_FIELD):
        found = _read(field.value)
        if found is None:
            # It may have been the provider's own: what stands below it cannot be believed any more.
            return
        if found.server in trusted and found.server not in seen:
            seen.add(found.server)
            yield found


def _read(value: bytes) -> AuthResults | None:
    """A field; one without a name gets Microsoft's, which nobody else gets. None when it cannot be read."""
    if len(value) > MAX_VALUE:
        return None
    try:
        text = value.decode("utf-8")
        found = read_results(text)
        if "=" in found.server:  # a result stands where the name should
            unnamed = read_results(f"{MICROSOFT};{text}")
            return AuthResults(MICROSOFT, unnamed.results)
    except ValueError:
        return None
    return AuthResults("", ()) if found.server == MICROSOFT else found


def _is_inside(mail: Mail) -> bool:
    """Whether Exchange says that somebody of the house handed the mail in. It says so once."""
    found = mail.named(_INSIDE)
    return len(found) == 1 and found[0].value.strip().lower() == b"internal"


def _means(words: Collection[AuthResults], domain: str) -> Iterator[Means]:
    """What speaks for an author of this domain; nothing does where the provider says that DMARC has failed."""
    results = [result for found in words for result in found.results]
    policies = [result for result in results if result.method == "dmarc"]
    if any(result.result == "fail" for result in policies):
        return
    if any(result.result == "pass" and _domain(result, "header.from") == domain for result in policies):
        yield Means.DMARC
    for result in results:
        if result.result != "pass":
            continue
        if result.method == "dkim" and _belongs(_domain(result, "header.d") or _domain(result, "header.i"), domain):
            yield Means.DKIM
        if result.method == "spf" and _belongs(_domain(result, "smtp.mailfrom"), domain):
            yield Means.SPF


def _domain(result: MethodResult, name: str) -> str:
    """The domain of a property, which is one or a mail address; empty when it is missing or neither."""
    value = result.properties.get(name, "")
    try:
        return ascii_domain(value.rpartition("@")[2])
    except ValueError:
        return ""


def _belongs(domain: str, author_domain: str) -> bool:
    """Whether two domains are aligned (RFC 9989 section 4.4), as far as it can be said without DNS: they are the same,
    or one lies below the other and nobody else registers there."""
    if not domain:
        return False
    if domain == author_domain:
        return True
    upper = min(domain, author_domain, key=len)
    return within(max(domain, author_domain, key=len), upper) and not is_public_suffix(upper)
