"""What the domain of an author publishes about its mail, and which domains belong to it (RFC 9989).

An organisation is found by walking up the tree of DNS (section 4.10), as the standard has it since 2026; the Public
Suffix List of its predecessor (RFC 7489) only keeps strangers apart who share a suffix whose operator publishes a
policy without saying `psd=y`. Without any record only the very same domain is aligned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.access.dns import RecordType, Resolver
from bridge.access.domains import is_public_suffix, within
from bridge.access.tags import tags
from bridge.access.verdict import Mechanism, Policy

MAX_LABELS = 8
"""Labels of a name from which on the walk goes straight to the last seven (section 4.10)."""


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A policy record, as far as it concerns a receiver (section 4.7)."""

    policy: Policy
    subdomains: Policy
    """For subdomains that exist (`sp=`), and"""
    missing: Policy
    """for those that do not (`np=`)."""
    strict_dkim: bool
    strict_spf: bool
    suffix: bool | None
    """`psd=`: strangers register below (y), this is an organisation's own domain (n), it does not say (u)."""
    testing: bool
    """`t=y`: the policy is not to be applied yet."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was found for one author domain."""

    domain: str
    organisation: str
    record: DmarcRecord | None
    """The one that holds for the domain; None when there is none."""
    policy: Policy
    """What is wanted with mail that nothing vouches for."""


def read_record(text: str) -> DmarcRecord | None:
    """The record in a TXT record; None when that is something else, or cannot be read (section 4.8)."""
    try:
        found = tags(text)
    except ValueError:
        return None
    if next(iter(found.items()), None) != ("v", "DMARC1"):
        return None
    policy = _policy(found, "p", Policy.NONE)
    subdomains = _policy(found, "sp", policy)
    return DmarcRecord(
        policy,
        subdomains,
        _policy(found, "np", subdomains),
        found.get("adkim", "").lower() == "s",
        found.get("aspf", "").lower() == "s",
        {"y": True, "n": False}.get(found.get("psd", "").lower()),
        found.get("t", "").lower() == "y",
    )


async def published(domain: str, resolver: Resolver) -> Published:
    """The policy for an author's domain and the organisation it belongs to. Raises `DnsFailed`."""
    walked = await _walk(domain, resolver)
    organisation = _organisation(domain, walked)
    record = walked.get(domain)
    if record is not None:
        return Published(domain, organisation, record, Policy.NONE if record.testing else record.policy)
    # Section 4.10.1: else the organisation's, else that of the suffix above it.
    record = walked.get(organisation) or next((each for each in walked.values() if each.suffix), None)
    if record is None or record.testing:
        return Published(domain, organisation, record, Policy.NONE)
    exists = (await resolver.ask(domain, RecordType.A)).exists
    return Published(domain, organisation, record, record.subdomains if exists else record.missing)


async def aligned(domain: str, author: Published, resolver: Resolver, mechanism: Mechanism) -> bool:
    """Whether something that passed for `domain` passed for the author (section 4.4). Raises `DnsFailed`."""
    if domain == author.domain:
        return True
    record = author.record
    strict = record is not None and (record.strict_spf if mechanism is Mechanism.SPF else record.strict_dkim)
    # A name has its organisation above it, so most others need not be walked.
    if strict or not within(domain, author.organisation) or is_public_suffix(author.organisation):
        return False
    return _organisation(domain, await _walk(domain, resolver)) == author.organisation


async def _walk(domain: str, resolver: Resolver) -> Mapping[str, DmarcRecord]:
    """The records from `domain` upwards, as far as the walk goes."""
    found: dict[str, DmarcRecord] = {}
    for name in _path(domain):
        records = [read_record(text) for text in await resolver.texts(f"_dmarc.{name}") if text.startswith("v=DMARC1")]
        if len(records) != 1 or records[0] is None:
            continue  # several are none
        found[name] = records[0]
        if records[0].suffix is not None:
            break
    return found


def _path(domain: str) -> Iterator[str]:
    labels = domain.split(".")
    yield domain
    above = labels[1:] if len(labels) <= MAX_LABELS else labels[1 - MAX_LABELS :]
    while above:
        yield ".".join(above)
        above = above[1:]


def _organisation(domain: str, walked: Mapping[str, DmarcRecord]) -> str:
    """Section 4.10.2: where `psd=n` is said, below where `psd=y` is said, else the highest record."""
    if not walked:
        return domain
    highest = list(walked)[-1]
    if walked[highest].suffix and highest != domain:
        return ".".join(domain.split(".")[-highest.count(".") - 2 :])
    return highest


def _policy(found: Mapping[str, str], name: str, default: Policy) -> Policy:
    value = found.get(name, "").lower()
    return Policy(value) if value in set(Policy) else default
