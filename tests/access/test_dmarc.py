"""Which domains are one organisation, and what its policy is."""

from __future__ import annotations

import pytest

from bridge.access import dmarc
from bridge.access.verdict import Mechanism, Policy
from tests.servers.dns import NameServer, Records

DEEP = "a.b.c.d.e.f.g.h.i.clinic.example"

ZONE: dict[str, Records] = {
    "clinic.example": {"A": ["192.0.2.1"]},
    "_dmarc.clinic.example": {"TXT": ["v=DMARC1; p=reject; sp=none; np=quarantine"]},
    "ward.clinic.example": {"A": ["192.0.2.1"]},
    "own.clinic.example": {"A": ["192.0.2.1"]},
    "_dmarc.own.clinic.example": {"TXT": ["v=DMARC1; p=quarantine"]},
    "_dmarc.apart.clinic.example": {"TXT": ["v=DMARC1; p=reject; psd=n"]},
    "_dmarc.bank": {"TXT": ["v=DMARC1; p=reject; sp=quarantine; psd=y"]},
    "first.bank": {"A": ["192.0.2.1"]},
    "_dmarc.second.bank": {"TXT": ["v=DMARC1; p=none"]},
    "second.bank": {"A": ["192.0.2.1"]},
    "_dmarc.d.e.f.g.h.i.clinic.example": {"TXT": ["v=DMARC1; p=none"]},
    "_dmarc.f.g.h.i.clinic.example": {"TXT": ["v=DMARC1; p=none; psd=n"]},
}

DOMAINS: dict[str, tuple[str, str, Policy]] = {
    "its own record": ("clinic.example", "clinic.example", Policy.REJECT),
    "a subdomain": ("ward.clinic.example", "clinic.example", Policy.NONE),
    "a subdomain that does not exist": ("no.clinic.example", "clinic.example", Policy.QUARANTINE),
    "a subdomain with a record of its own": ("own.clinic.example", "clinic.example", Policy.QUARANTINE),
    "below such a subdomain the organisation's holds": ("x.own.clinic.example", "clinic.example", Policy.QUARANTINE),
    "a subdomain that is apart": ("apart.clinic.example", "apart.clinic.example", Policy.REJECT),
    "below one that is apart": ("x.apart.clinic.example", "apart.clinic.example", Policy.REJECT),
    "below a suffix that says so": ("first.bank", "first.bank", Policy.QUARANTINE),
    "a subdomain of that": ("x.first.bank", "first.bank", Policy.QUARANTINE),
    "below a suffix, with a record": ("second.bank", "second.bank", Policy.NONE),
    "a subdomain of that, with a record": ("x.second.bank", "second.bank", Policy.NONE),
    "nothing published": ("ward.small.example", "ward.small.example", Policy.NONE),
    "more than eight labels: straight to the last seven": (DEEP, "f.g.h.i.clinic.example", Policy.NONE),
}


@pytest.mark.parametrize(("domain", "organisation", "policy"), DOMAINS.values(), ids=DOMAINS)
async def test_whose_policy_holds(domain: str, organisation: str, policy: Policy, names: NameServer) -> None:
    names.zone = ZONE
    found = await dmarc.published(domain, names.resolver())
    assert (found.organisation, found.policy) == (organisation, policy)
    assert sum(name.startswith("_dmarc.") for name, _, _ in names.asked) <= 8


ALIGNED: dict[str, tuple[str, str, bool]] = {
    "the same": ("clinic.example", "clinic.example", True),
    "the organisation": ("ward.clinic.example", "clinic.example", True),
    "a subdomain": ("clinic.example", "ward.clinic.example", True),
    "a sister": ("own.clinic.example", "ward.clinic.example", True),
    "one that is apart": ("clinic.example", "apart.clinic.example", False),
    "the organisation of one that is apart": ("apart.clinic.example", "clinic.example", False),
    "another below the same suffix": ("first.bank", "second.bank", False),
    "the suffix": ("first.bank", "bank", False),
    "a name that ends alike": ("clinic.example", "notclinic.example", False),
    "the organisation, nothing published": ("ward.small.example", "small.example", False),
    "a subdomain, nothing published": ("small.example", "ward.small.example", False),
}


@pytest.mark.parametrize(("author", "passed", "together"), ALIGNED.values(), ids=ALIGNED)
async def test_what_belongs_to_an_author(author: str, passed: str, together: bool, names: NameServer) -> None:
    names.zone = ZONE
    resolver = names.resolver()
    found = await dmarc.published(author, resolver)
    assert await dmarc.aligned(passed, found, resolver, Mechanism.DKIM) is together


RECORDS: dict[str, tuple[str, Policy | None]] = {
    "plain": ("v=DMARC1; p=reject", Policy.REJECT),
    "blanks and capitals": ("v=DMARC1 ;P=none; p = Reject ;", Policy.REJECT),
    "unknown tags": ("v=DMARC1; p=quarantine; pct=0; ri=5; x=y", Policy.QUARANTINE),
    "no policy": ("v=DMARC1; rua=mailto:a@b.example", Policy.NONE),
    "an unknown policy": ("v=DMARC1; p=destroy", Policy.NONE),
    "another version": ("v=DMARC2; p=reject", None),
    "a version that is not first": ("p=reject; v=DMARC1", None),
    "a version in small letters": ("v=dmarc1; p=reject", None),
    "a longer version": ("v=DMARC10; p=reject", None),
    "something else": ("google-site-verification=x", None),
    "a tag twice": ("v=DMARC1; p=reject; p=none", None),
}


@pytest.mark.parametrize(("text", "policy"), RECORDS.values(), ids=RECORDS)
def test_what_a_record_says(text: str, policy: Policy | None) -> None:
    record = dmarc.read_record(text)
    assert (record and record.policy) == policy
