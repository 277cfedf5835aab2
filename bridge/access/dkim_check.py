"""Checks the DKIM signatures of a mail from the open Internet (RFC 6376, 8301, 8463, 8616).

What counts here is stricter than what the RFC lets a verifier accept, because a signature decides in whose name texts
are sent: a body signed in part is not signed (section 8.2), and neither is a mail whose Subject or Date is left open
(section 8.15; that there is only one of each is seen to by `fields`). All is our own over `cryptography`: dkimpy
computes RSA in Python and waits for DNS in the middle, and stands in the tests as the other opinion.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.access.body import Body
from bridge.access.dkim_keys import Algorithm, PublicKey, Unusable, published_key
from bridge.access.dns import DnsFailed, Resolver
from bridge.access.domains import akin, ascii_domain, within
from bridge.access.fields import Field, Mail
from bridge.access.tags import number, octets, tags, without_signature, words
from bridge.access.verdict import DkimCheck, Result
from bridge.canonical import relaxed_field

MAX_READ = 50
"""Signatures that are read, from the top, and of these"""
MAX_SIGNATURES = 8
"""are checked; those of the author's domain go first."""
MAX_SIGNED = 200
"""Names in `h=` that are read."""
COVERED = ("subject", "date")
"""Fields that must be under the signature beside From, where the mail has them."""
SKEW = 300
"""Seconds by which the clock of a signer may be ahead."""

_REQUIRED = ("a", "b", "bh", "d", "h", "s")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a DKIM-Signature or ARC-Message-Signature says, as far as both are the same."""

    field: Field
    tags: Mapping[str, str]
    algorithm: Algorithm
    domain: str
    selector: str
    names: tuple[str, ...]
    relaxed_header: bool
    relaxed_body: bool
    body_hash: bytes
    value: bytes
    signed_length: int | None
    """`l=`; None: the whole body."""
    made: int | None
    """`t=` and"""
    expires: int | None
    """`x=`, in seconds since 1970."""

    @property
    def covers(self) -> frozenset[str]:
        """Names of the fields it signs."""
        return frozenset(self.names)


async def check(mail: Mail, body: Body, author_domain: str, resolver: Resolver, now: datetime) -> tuple[DkimCheck, ...]:
    """The outcome of each signature, in the order in which they were checked; none when there is no signature."""
    signatures = [_read(field) for field in mail.named(b"dkim-signature")[:MAX_READ]]
    signatures.sort(key=lambda each: isinstance(each, DkimCheck) or not akin(each.domain, author_domain))
    checks = [_check(mail, body, each, resolver, now) for each in signatures[:MAX_SIGNATURES]]
    return tuple(await asyncio.gather(*checks))


def _read(field: Field) -> Signature | DkimCheck:
    try:
        signature = read_signature(field)
        _check_claims(signature)
    except Unusable as unusable:
        return DkimCheck(unusable.result, "", why=unusable.sentence)
    return signature


async def _check(
    mail: Mail, body: Body, signature: Signature | DkimCheck, resolver: Resolver, now: datetime
) -> DkimCheck:
    if isinstance(signature, DkimCheck):
        return signature
    check = DkimCheck(Result.PASS, signature.domain, signature.selector, signature.covers)
    try:
        check_times(signature, now)
        key = await published_key(resolver, signature.selector, signature.domain, signature.algorithm)
        await verify(mail, body, signature, key)
        _check_acceptable(mail, signature, key)
    except Unusable as unusable:
        return replace(check, result=unusable.result, why=unusable.sentence)
    except DnsFailed as failed:
        return replace(check, result=Result.TEMPERROR, why=failed.sentence)
    return check


def read_signature(field: Field) -> Signature:
    """What DKIM and ARC message signatures have in common (RFC 6376 section 3.5). Raises `Unusable`."""
    try:
        found = tags(field.value)
        if missing := [name for name in _REQUIRED if name not in found]:
            raise Unusable(Result.PERMERROR, f"the signature has no {missing[0]}= tag")
        algorithm = found["a"].lower()
        if algorithm not in set(Algorithm):
            raise Unusable(Result.POLICY, "the signature is made with an algorithm that is not accepted")
        header, _, text = found.get("c", "simple/simple").lower().partition("/")
        if {header, text or "simple"} - {"simple", "relaxed"}:
            raise Unusable(Result.PERMERROR, "the signature is over an unknown form of the mail")
        names = words(found["h"])
        if len(names) > MAX_SIGNED or "" in names or not all(map(str.isascii, names)):
            raise Unusable(Result.PERMERROR, "the names of the signed fields cannot be read")
        return Signature(
            field,
            found,
            Algorithm(algorithm),
            ascii_domain(found["d"]),
            ascii_domain(f"{found['s']}._domainkey").removesuffix("._domainkey"),
            names,
            header == "relaxed",
            text == "relaxed",
            octets(found["bh"]),
            octets(found["b"]),
            *(number(found[name]) if name in found else None for name in ("l", "t", "x")),
        )
    except ValueError:
        raise Unusable(Result.PERMERROR, "the signature cannot be read") from None


def check_times(signature: Signature, now: datetime) -> None:
    """Whether the signature is valid at this moment (`t=`, `x=`). Raises `Unusable`."""
    if signature.made is not None and signature.made > now.timestamp() + SKEW:
        raise Unusable(Result.PERMERROR, "the signature is made in the future")
    if signature.expires is not None and signature.expires <= now.timestamp():
        raise Unusable(Result.FAIL, "the signature has expired")


async def verify(mail: Mail, body: Body, signature: Signature, key: PublicKey) -> None:
    """Whether body and header are what was signed (RFC 6376 section 3.7). Raises `Unusable`."""
    body_hash, length = await body.sha256(signature.relaxed_body)
    if signature.signed_length is not None and signature.signed_length != length:
        raise Unusable(Result.POLICY, "only a part of the body is signed")
    if not hmac.compare_digest(body_hash, signature.body_hash):
        raise Unusable(Result.FAIL, "the body was changed")
    covered, own = mail.signed(tuple(name.encode() for name in signature.names)), without_signature(signature.field.raw)
    if signature.relaxed_header:
        forms = [*map(mail.relaxed, covered), relaxed_field(own)]
    else:
        forms = [*(field.raw for field in covered), own]
    if not key.signed(b"\r\n".join(forms), signature.value):
        raise Unusable(Result.FAIL, "the header was changed, or the signature is not of this key")


def _check_claims(signature: Signature) -> None:
    """What DKIM asks of a signature beyond that (RFC 6376 section 6.1.1). Raises `Unusable`."""
    if signature.tags.get("v") != "1":
        raise Unusable(Result.PERMERROR, "the signature is of another version")
    if "from" not in signature.names:
        raise Unusable(Result.PERMERROR, "From is not signed")
    if "dns/txt" not in words(signature.tags.get("q", "dns/txt")):
        raise Unusable(Result.PERMERROR, "the key is not published in DNS")
    if not within(_identity(signature), signature.domain):
        raise Unusable(Result.PERMERROR, "the signature speaks for a foreign domain")


def _check_acceptable(mail: Mail, signature: Signature, key: PublicKey) -> None:
    """What a right signature must also be, to be believed. Raises `Unusable`."""
    if key.testing:
        raise Unusable(Result.POLICY, "the signer is only testing")
    if key.same_domain and _identity(signature) != signature.domain:
        raise Unusable(Result.PERMERROR, "the key is not for subdomains")
    for name in COVERED:
        if name not in signature.covers and mail.named(name.encode()):
            raise Unusable(Result.POLICY, f"{name.title()} is not signed")


def _identity(signature: Signature) -> str:
    """The domain of `i=`, which is `d=` where there is none."""
    domain = signature.tags.get("i", "").rpartition("@")[2]
    if not domain:
        return signature.domain
    try:
        return ascii_domain(domain)
    except ValueError:
        raise Unusable(Result.PERMERROR, "the signature cannot be read") from None
