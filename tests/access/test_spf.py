"""SPF records, from the plain to the odd, and what they say about one peer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access import spf
from bridge.access.spf_macros import expand
from bridge.access.spf_record import read_record
from bridge.access.verdict import Result
from tests.servers.dns import NameServer, Records

IPV4, IPV6 = "192.0.2.25", "2001:db8::25"
SENDER = "anna.rossi@clinic.example"

ZONE: dict[str, Records] = {
    "clinic.example": {"A": [IPV4], "AAAA": [IPV6], "MX": ["10 mx1.clinic.example", "20 mx2.clinic.example"]},
    "mx1.clinic.example": {"A": ["192.0.2.1"]},
    "mx2.clinic.example": {"A": [IPV4], "AAAA": [IPV6]},
    "25.2.0.192.in-addr.arpa": {"PTR": ["liar.example", "out.clinic.example"]},
    "out.clinic.example": {"A": [IPV4]},
    "liar.example": {"A": ["203.0.113.1"]},
    "passes.example": {"TXT": ["v=spf1 +all"]},
    "fails.example": {"TXT": ["v=spf1 -all"]},
    "silent.example": {"TXT": ["something else"]},
    "broken.example": {"TXT": ["v=spf1 nonsense"]},
    "rossi.anna.at.example": {"A": ["127.0.0.2"]},
    "192.0.2.25.in-addr.spf.example": {"A": ["127.0.0.2"]},
    "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.spf.example": {"A": ["127.0.0.2"]},
    "clinic.host.example": {"A": ["127.0.0.2"]},
    "out.clinic.example.p.example": {"A": ["127.0.0.2"]},
}

RECORDS: dict[str, tuple[str, str, Result]] = {
    "a network": ("v=spf1 ip4:192.0.2.0/24 -all", IPV4, Result.PASS),
    "another network": ("v=spf1 ip4:198.51.100.0/24 -all", IPV4, Result.FAIL),
    "one address": ("v=spf1 ip4:192.0.2.25 -all", IPV4, Result.PASS),
    "an address of IPv6 for IPv4": ("v=spf1 ip6:2001:db8::/32 -all", IPV4, Result.FAIL),
    "a network of IPv6": ("v=spf1 ip6:2001:db8::/32 -all", IPV6, Result.PASS),
    "its own address": ("v=spf1 a -all", IPV4, Result.PASS),
    "its own address of IPv6": ("v=spf1 a -all", IPV6, Result.PASS),
    "around an address": ("v=spf1 a:mx1.clinic.example/24 -all", IPV4, Result.PASS),
    "both prefixes": ("v=spf1 a:mx2.clinic.example/32//64 -all", "2001:db8::99", Result.PASS),
    "its mail servers": ("v=spf1 mx -all", IPV4, Result.PASS),
    "its name": ("v=spf1 ptr -all", IPV4, Result.PASS),
    "a name that does not lead back": ("v=spf1 ptr:liar.example -all", IPV4, Result.FAIL),
    "softfail": ("v=spf1 ~all", IPV4, Result.SOFTFAIL),
    "neutral": ("v=spf1 ?all", IPV4, Result.NEUTRAL),
    "nothing matches": ("v=spf1 ip4:192.0.2.1", IPV4, Result.NEUTRAL),
    "an empty record": ("v=spf1", IPV4, Result.NEUTRAL),
    "capitals": ("V=SPF1 IP4:192.0.2.25 -ALL", IPV4, Result.PASS),
    "another version": ("v=spf10 +all", IPV4, Result.NONE),
    "a redirect": ("v=spf1 redirect=passes.example", IPV4, Result.PASS),
    "a redirect behind all": ("v=spf1 ?all redirect=passes.example", IPV4, Result.NEUTRAL),
    "a redirect to nothing": ("v=spf1 redirect=silent.example", IPV4, Result.PERMERROR),
    "an include that passes": ("v=spf1 include:passes.example -all", IPV4, Result.PASS),
    "an include that fails": ("v=spf1 include:fails.example ?all", IPV4, Result.NEUTRAL),
    "an include that passes is no pass of ours": ("v=spf1 -include:passes.example +all", IPV4, Result.FAIL),
    "an include of nothing": ("v=spf1 include:silent.example +all", IPV4, Result.PERMERROR),
    "an include that is broken": ("v=spf1 include:broken.example +all", IPV4, Result.PERMERROR),
    "an error behind a match": ("v=spf1 +all nonsense", IPV4, Result.PERMERROR),
    "an unknown modifier": ("v=spf1 +all future=%{d}", IPV4, Result.PASS),
    "an explanation": ("v=spf1 -all exp=why.clinic.example", IPV4, Result.FAIL),
    "two explanations": ("v=spf1 -all exp=a.example exp=b.example", IPV4, Result.PERMERROR),
    "a prefix that is too long": ("v=spf1 ip4:192.0.2.0/33 -all", IPV4, Result.PERMERROR),
    "an address that is none": ("v=spf1 ip4:192.0.2.256 -all", IPV4, Result.PERMERROR),
    "an argument of all": ("v=spf1 all:clinic.example", IPV4, Result.PERMERROR),
    "an empty domain": ("v=spf1 a: -all", IPV4, Result.PERMERROR),
    "letters that are not ASCII": ("v=spf1 a:cl\xednic.example -all", IPV4, Result.PERMERROR),
    "macro of the local part, reversed": ("v=spf1 exists:%{lr}.at.example -all", IPV4, Result.PASS),
    "macro of the address": ("v=spf1 exists:%{i}.%{v}.spf.example -all", IPV4, Result.PASS),
    "macro of the address, IPv6": ("v=spf1 exists:%{ir}.%{v}.spf.example -all", IPV6, Result.PASS),
    "macro of a part of the domain": ("v=spf1 exists:%{d2r1}.host.example ?all", IPV4, Result.PERMERROR),
    "macro of the first label": ("v=spf1 exists:%{d1r}.host.example -all", IPV4, Result.PASS),
    "macro of the validated name": ("v=spf1 exists:%{p}.p.example -all", IPV4, Result.PASS),
    "macro that is only for explanations": ("v=spf1 exists:%{t}.example -all", IPV4, Result.PERMERROR),
    "macro that is none": ("v=spf1 exists:%x.example -all", IPV4, Result.PERMERROR),
    "ten lookups": ("v=spf1 " + "include:fails.example " * 10 + "+all", IPV4, Result.PASS),
    "eleven lookups": ("v=spf1 " + "include:fails.example " * 11 + "+all", IPV4, Result.PERMERROR),
    "two in vain": ("v=spf1 a:no1.example a:no2.example +all", IPV4, Result.PASS),
    "three in vain": ("v=spf1 a:no1.example a:no2.example a:no3.example +all", IPV4, Result.PERMERROR),
}


@pytest.mark.parametrize(("record", "peer", "result"), RECORDS.values(), ids=RECORDS)
async def test_what_a_record_says(record: str, peer: str, result: Result, names: NameServer) -> None:
    names.zone = {**ZONE, "clinic.example": {**ZONE["clinic.example"], "TXT": ["unrelated", record]}}
    sender = spf.sender_of(peer, "mail.clinic.example", SENDER)
    assert sender is not None
    assert (await spf.check(sender, names.resolver())).result is result


async def test_two_records_are_an_error(names: NameServer) -> None:
    names.zone = {"clinic.example": {"TXT": ["v=spf1 +all", "v=spf1 -all"]}}
    sender = spf.sender_of(IPV4, "mail.clinic.example", SENDER)
    assert sender is not None
    assert (await spf.check(sender, names.resolver())).result is Result.PERMERROR


PIECES = ["a", "mx:", "include:", "exists:", "redirect=", "%{d}", "%{", "%{l1r-}", ".", "x", "1", "/24", "//", " ", "é"]


@given(st.lists(st.sampled_from(PIECES)))
def test_whatever_stands_in_a_record_is_read_or_refused(pieces: list[str]) -> None:
    sender = spf.sender_of(IPV6, "mail.clinic.example", SENDER)
    assert sender is not None
    try:
        record = read_record("v=spf1 " + "".join(pieces))
    except ValueError:
        return
    for term in record.terms:
        assert "%" not in expand(term.target, sender, "clinic.example", ())


WIDTHS = {
    "+all": True,
    "ip4:0.0.0.0/0": True,
    "a/7": True,
    "include:passes.example": True,
    "redirect=passes.example": True,
}
WIDTHS |= {"ip4:192.0.0.0/8": False, "a": False, "include:narrow.example": False}


@pytest.mark.parametrize(("term", "anybody"), WIDTHS.items())
async def test_a_pass_for_half_the_world_speaks_for_nobody(term: str, anybody: bool, names: NameServer) -> None:
    names.zone = {
        **ZONE,
        "clinic.example": {**ZONE["clinic.example"], "TXT": [f"v=spf1 {term}"]},
        "narrow.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24"]},
    }
    sender = spf.sender_of(IPV4, "mail.clinic.example", SENDER)
    assert sender is not None
    check = await spf.check(sender, names.resolver())
    assert (check.result, check.anybody) == (Result.PASS, anybody)


@pytest.mark.parametrize(
    ("helo", "mail_from", "domain"),
    [
        ("mail.clinic.example", "anna@Clinic.Example", "clinic.example"),
        ("Mail.Clinic.Example", "", "mail.clinic.example"),
        ("mail.clinic.example.", "", "mail.clinic.example"),
        ("x", '"a@b"@clinic.example', "clinic.example"),
        ("x", "a@münchen.example", "xn--mnchen-3ya.example"),
        ("localhost", "", None),
        ("[192.0.2.25]", "", None),
        ("", "", None),
        ("mail.clinic.example", "postmaster", None),
        ("x", f"a@{'x' * 64}.example", None),
    ],
)
def test_whose_domain_is_asked(helo: str, mail_from: str, domain: str | None) -> None:
    sender = spf.sender_of(IPV4, helo, mail_from)
    assert (sender and sender.domain) == domain
