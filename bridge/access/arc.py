"""What forwarders saw before they changed a mail: the chain that ARC seals (RFC 8617).

A seal only says who says something. So the chain is looked at when its last sealer is one that the operator trusts, and
what it tells about the author is believed from the end backwards, as far as sealers are trusted: each says in its seal
that the chain was right when it reached him.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bridge.access.auth_results import AuthResults, read_results
from bridge.access.body import Body
from bridge.access.dkim_check import Signature, check_times, read_signature, verify
from bridge.access.dkim_keys import Algorithm, Unusable, published_key
from bridge.access.dns import Resolver
from bridge.access.domains import ascii_domain
from bridge.access.fields import Field, Mail
from bridge.access.tags import number, octets, tags, without_signature
from bridge.access.verdict import Result
from bridge.canonical import relaxed_field

MAX_SETS = 50
"""Sets in a chain (section 4.2.1)."""

_RESULTS, _SIGNATURE, _SEAL = b"arc-authentication-results", b"arc-message-signature", b"arc-seal"
NAMES = (_RESULTS, _SIGNATURE, _SEAL)
"""The fields of one set, in the order in which they are sealed (section 5.1.1)."""

_WITHOUT_POLICY = frozenset({"none", "bestguesspass"})
"""Outcomes of DMARC for a domain that publishes nothing; the second is what Microsoft 365 writes."""
_SPEAKING = (("dkim", "header.d"), ("dkim", "header.i"), ("spf", "smtp.mailfrom"))
"""Where a domain stands for which something passed; Google writes `header.i` alone."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What an ARC-Seal says."""

    algorithm: Algorithm
    domain: str
    selector: str
    chain: str
    """`cv=`: what its sealer thought of the sets before."""
    value: bytes


@dataclass(frozen=True, slots=True)
class ArcSet:
    """What one forwarder added."""

    fields: tuple[Field, Field, Field]
    """In the order of `NAMES`."""
    seal: Seal


@dataclass(frozen=True, slots=True)
class Chain:
    """All sets of a mail, from the first forwarder to the last; not checked yet."""

    sets: tuple[ArcSet, ...]

    @property
    def sealer(self) -> str:
        """Who closed it."""
        return self.sets[-1].seal.domain


def read_chain(mail: Mail) -> Chain | None:
    """The chain of the mail; None when there is none. Raises `Unusable` when it has no right form (section 5.2)."""
    sets: dict[int, dict[bytes, Field]] = {}
    for name in NAMES:
        for field in mail.named(name):
            instance = _instance(field)
            if field.name in sets.setdefault(instance, {}):
                raise Unusable(Result.FAIL, "the chain has two fields of a kind in one set")
            sets[instance][field.name] = field
    if not sets:
        return None
    if len(sets) > MAX_SETS or sorted(sets) != list(range(1, len(sets) + 1)):
        raise Unusable(Result.FAIL, "the chain has a gap, or too many sets")
    return Chain(tuple(_set(sets[number]) for number in sorted(sets)))


async def check_chain(mail: Mail, body: Body, chain: Chain, resolver: Resolver, now: datetime) -> frozenset[str]:
    """Whether all seals are right and the last signature is over this mail: the names of the fields that it covers.
    Raises `Unusable` and `DnsFailed`."""
    for position, each in enumerate(chain.sets):
        if each.seal.chain != ("pass" if position else "none"):
            raise Unusable(Result.FAIL, "the chain was broken before it was sealed")
    signature = read_signature(chain.sets[-1].fields[1])
    await _check_signature(mail, body, signature, resolver, now)
    # The last seal first: strangers can only add sets below one that its owner sealed.
    await _check_seal(mail, chain, len(chain.sets), resolver)
    await asyncio.gather(*(_check_seal(mail, chain, count, resolver) for count in range(1, len(chain.sets))))
    return signature.covers


def vouched(chain: Chain, domain: str, trusted: Collection[str]) -> bool:
    """Whether a trusted forwarder saw a mail of this author's domain that something spoke for; of a right chain."""
    for each in reversed(chain.sets):
        if each.seal.domain not in trusted:
            return False
        try:
            seen = read_results(each.fields[0].value.decode("utf-8").partition(";")[2])
        except ValueError:
            return False
        if _speaks_for(seen, domain):
            return True
    return False


def _speaks_for(seen: AuthResults, domain: str) -> bool:
    """DMARC passed for this very domain; where there was no policy to ask for, DKIM or SPF passed for it."""
    for result in seen.of("dmarc"):
        if _domain(result.properties.get("header.from", domain)) != domain:
            return False  # From was another one, and has been rewritten since
        if result.result == "pass":
            return "header.from" in result.properties
        if result.result not in _WITHOUT_POLICY:
            return False
    return any(
        result.result == "pass" and _domain(result.properties.get(name, "")) == domain
        for method, name in _SPEAKING
        for result in seen.of(method)
    )


def _domain(said: str) -> str:
    try:
        return ascii_domain(said.rpartition("@")[2])
    except ValueError:
        return ""


def _instance(field: Field) -> int:
    """`i=`, the first tag of an AAR and somewhere in the others."""
    try:
        if field.name == _RESULTS:
            name, equals, value = field.value.decode("utf-8").partition(";")[0].strip().partition("=")
            if name.strip() != "i" or not equals:
                raise ValueError("no instance")
            return number(value.strip())
        return number(tags(field.value)["i"])
    except (ValueError, KeyError):
        raise Unusable(Result.FAIL, "the chain has a field that cannot be read") from None


def _set(fields: dict[bytes, Field]) -> ArcSet:
    if set(fields) != set(NAMES):
        raise Unusable(Result.FAIL, "the chain has a set that is not whole")
    try:
        found = tags(fields[_SEAL].value)
        algorithm = found["a"].lower()
        if algorithm not in set(Algorithm) or "h" in found:
            raise Unusable(Result.FAIL, "the chain has a seal of a kind that is not accepted")
        seal = Seal(Algorithm(algorithm), ascii_domain(found["d"]), found["s"], found["cv"].lower(), octets(found["b"]))
    except (ValueError, KeyError):
        raise Unusable(Result.FAIL, "the chain has a seal that cannot be read") from None
    return ArcSet((fields[_RESULTS], fields[_SIGNATURE], fields[_SEAL]), seal)


async def _check_signature(mail: Mail, body: Body, signature: Signature, resolver: Resolver, now: datetime) -> None:
    """The last ARC-Message-Signature (section 4.1.2): as of DKIM, over no seal, and over From."""
    if "from" not in signature.names or "arc-seal" in signature.names or signature.signed_length is not None:
        raise Unusable(Result.FAIL, "the chain's last signature is over the wrong fields")
    check_times(signature, now)
    key = await published_key(resolver, signature.selector, signature.domain, signature.algorithm)
    await verify(mail, body, signature, key)


async def _check_seal(mail: Mail, chain: Chain, count: int, resolver: Resolver) -> None:
    """The seal of set number `count`, which is over all fields of the sets up to it (section 5.1.1)."""
    seal = chain.sets[count - 1].seal
    key = await published_key(resolver, seal.selector, seal.domain, seal.algorithm)
    *sealed, own = (field for each in chain.sets[:count] for field in each.fields)
    forms = [*map(mail.relaxed, sealed), relaxed_field(without_signature(own.raw))]
    if not key.signed(b"\r\n".join(forms), seal.value):
        raise Unusable(Result.FAIL, "the chain has a seal that is not right")
