"""Whom a mail provider vouches for: what it writes, what others write in its name, and what neither of them means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access.fields import Malformed, take_apart
from bridge.access.verdict import Doubt
from bridge.access.vouched import MICROSOFT, Means, vouched

ANNA = "Anna Rossi <anna@clinic.example>"
DMARC, DKIM, SPF, INSIDE = Means.DMARC, Means.DKIM, Means.SPF, Means.INSIDE

GOOGLE = (
    "mx.google.com;\r\n       dkim=pass header.i=@clinic.example header.s=google header.b=Ab12+/=x;\r\n"
    "       spf=pass (google.com: domain of anna@clinic.example designates 209.85.220.41 as permitted sender)"
    " smtp.mailfrom=anna@clinic.example;\r\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=clinic.example"
)
OFFICE = (
    "spf=pass (sender IP is 209.85.128.44)\r\n smtp.mailfrom=clinic.example; dkim=pass (signature was verified)\r\n"
    " header.d=clinic.example;dmarc=pass action=none\r\n header.from=clinic.example;compauth=pass reason=100"
)
OFFICE_INSIDE = "dkim=none (message not signed)\r\n header.d=none;dmarc=none action=none header.from=clinic.example;"
FASTMAIL = (
    "mx6.messagingengine.com;\r\n dkim=pass (2048-bit rsa key sha256) header.d=clinic.example\r\n"
    " header.i=@clinic.example header.b=Ab12 header.a=rsa-sha256 header.s=s1 x-bits=2048;\r\n"
    " dmarc=pass policy.published-domain-policy=none\r\n policy.applied-disposition=none"
    " policy.evaluated-disposition=none\r\n (p=none,d=none,d.eval=none) policy.policy-from=p"
    " header.from=clinic.example;\r\n spf=pass smtp.mailfrom=anna@clinic.example smtp.helo=mail.clinic.example"
)
OPENDMARC = "mail.provider.example; dmarc=pass (p=none dis=none) header.from=clinic.example"
RSPAMD = (
    "mail.provider.example;\r\n\tdkim=pass header.d=clinic.example header.s=s1 header.b=AbCd;\r\n"
    "\tspf=pass (mail.provider.example: domain of anna@clinic.example designates 192.0.2.25 as permitted sender)"
    " smtp.mailfrom=anna@clinic.example;\r\n\tdmarc=pass (policy=reject) header.from=clinic.example"
)
US = "mail.provider.example"

VOUCHED = {
    "Google": ([GOOGLE], "mx.google.com", {DMARC, DKIM, SPF}),
    "Microsoft, without a name": ([OFFICE], MICROSOFT, {DMARC, DKIM, SPF}),
    "Fastmail": ([FASTMAIL], "mx6.messagingengine.com", {DMARC, DKIM, SPF}),
    "OpenDMARC": ([OPENDMARC], US, {DMARC}),
    "rspamd": ([RSPAMD], US, {DMARC, DKIM, SPF}),
    "a version": ([f"{US} 1; dmarc=pass header.from=clinic.example"], US, {DMARC}),
    "the name in capitals": (["Mail.Provider.Example; dmarc=pass header.from=CLINIC.example"], US, {DMARC}),
    "the name in quotes": ([f'"{US}"; dmarc=pass header.from=clinic.example'], US, {DMARC}),
    "folded in the middle of a result": ([f"{US};\r\n\tdmarc=pass\r\n\theader.from=clinic.example"], US, {DMARC}),
    "comments everywhere": (
        [f"(a; dmarc=fail) {US} (b(c)d) ; (e) dmarc (f) = (g) pass (h) header.from=clinic.example (i)"],
        US,
        {DMARC},
    ),
    "DKIM alone, of the same domain": ([f"{US}; dkim=pass header.d=clinic.example"], US, {DKIM}),
    "DKIM of the domain above": (
        [f"{US}; dkim=pass header.d=clinic.example", "From: x <anna@mail.clinic.example>"],
        US,
        {DKIM},
    ),
    "DKIM of a domain below": ([f"{US}; dkim=pass header.d=mg.clinic.example"], US, {DKIM}),
    "the second of two signatures": (
        [f"{US}; dkim=pass header.d=list.example; dkim=pass header.d=clinic.example"],
        US,
        {DKIM},
    ),
    "SPF alone": ([f"{US}; spf=pass smtp.mailfrom=anna@clinic.example"], US, {SPF}),
    "SPF with a sender in quotes": ([f'{US}; spf=pass smtp.mailfrom="b=1;a"@clinic.example'], US, {SPF}),
    "DMARC that nobody could look up, and DKIM": (
        [f"{US}; dmarc=temperror header.from=clinic.example; dkim=pass header.d=clinic.example"],
        US,
        {DKIM},
    ),
    "no policy published, and DKIM": (
        [f"{US}; dmarc=none header.from=clinic.example; dkim=pass header.d=clinic.example"],
        US,
        {DKIM},
    ),
    "another server's field above it": (["relay.example; dmarc=fail", OPENDMARC], US, {DMARC}),
    "two names that are both trusted": (
        ["spf.provider.example; spf=fail smtp.mailfrom=x.example", OPENDMARC],
        f"{US} spf.provider.example",
        {DMARC},
    ),
    "the provider's own below forged ones of others": (
        ["evil.example; dmarc=fail header.from=clinic.example", GOOGLE],
        "mx.google.com",
        {DMARC, DKIM, SPF},
    ),
    "a domain with accents": (
        [f"{US}; dmarc=pass header.from=clínica.example", "From: x <a@xn--clnica-4va.example>"],
        US,
        {DMARC},
    ),
    "Microsoft, between two of the house": (
        [OFFICE_INSIDE, "X-MS-Exchange-Organization-AuthAs: Internal"],
        MICROSOFT,
        {INSIDE},
    ),
    "Microsoft, between two of the house, without results": (
        ["X-MS-Exchange-Organization-AuthAs: Internal"],
        MICROSOFT,
        {INSIDE},
    ),
}

REFUSED = {
    "no field at all": ([], US, Doubt.UNVERIFIED),
    "nothing was checked": ([f"{US}; none"], US, Doubt.UNVERIFIED),
    "a field of somebody else": (["evil.example; dmarc=pass header.from=clinic.example"], US, Doubt.UNVERIFIED),
    "a name that only begins like the trusted one": (
        [f"{US}.evil.example; dmarc=pass header.from=clinic.example"],
        US,
        Doubt.UNVERIFIED,
    ),
    "the trusted name in a comment": (
        [f"evil.example ({US}); dmarc=pass header.from=clinic.example"],
        US,
        Doubt.UNVERIFIED,
    ),
    "forged below the provider's own": (
        [f"{US}; dmarc=fail header.from=clinic.example", OPENDMARC],
        US,
        Doubt.UNVERIFIED,
    ),
    "forged below the provider's own, which says nothing": ([f"{US}; none", OPENDMARC], US, Doubt.UNVERIFIED),
    "forged below something that cannot be read": ([f'{US}; dmarc=fail reason="', OPENDMARC], US, Doubt.UNVERIFIED),
    "DMARC has failed, whatever else has passed": (
        [f"{US}; dkim=pass header.d=clinic.example; dmarc=fail header.from=clinic.example"],
        US,
        Doubt.UNVERIFIED,
    ),
    "DMARC said twice": (
        [f"{US}; dmarc=pass header.from=clinic.example; dmarc=fail header.from=clinic.example"],
        US,
        Doubt.UNVERIFIED,
    ),
    "DMARC of another From": ([f"{US}; dmarc=pass header.from=evil.example"], US, Doubt.UNVERIFIED),
    "DMARC of no From": ([f"{US}; dmarc=pass"], US, Doubt.UNVERIFIED),
    "a pass in a comment": (
        [f"{US}; dmarc=none (dmarc=pass header.from=clinic.example)"],
        US,
        Doubt.UNVERIFIED,
    ),
    "a pass in quotes": (
        [f'{US}; spf=fail smtp.mailfrom="x; dmarc=pass header.from=clinic.example"'],
        US,
        Doubt.UNVERIFIED,
    ),
    "a signature by somebody else": ([f"{US}; dkim=pass header.d=evil.example"], US, Doubt.UNVERIFIED),
    "a signature of a name that only ends so": (
        [f"{US}; dkim=pass header.d=evilclinic.example"],
        US,
        Doubt.UNVERIFIED,
    ),
    "a broken signature": ([f"{US}; dkim=fail header.d=clinic.example"], US, Doubt.UNVERIFIED),
    "a public suffix that signs": (
        [f"{US}; dkim=pass header.d=co.uk", "From: x <a@clinic.co.uk>"],
        US,
        Doubt.UNVERIFIED,
    ),
    "SPF of somebody else's envelope": ([f"{US}; spf=pass smtp.mailfrom=evil.example"], US, Doubt.UNVERIFIED),
    "SPF of a greeting": ([f"{US}; spf=pass smtp.helo=clinic.example"], US, Doubt.UNVERIFIED),
    "SPF that is not sure": ([f"{US}; spf=softfail smtp.mailfrom=clinic.example"], US, Doubt.UNVERIFIED),
    "a version that nobody knows": ([f"{US} 2; dmarc=pass header.from=clinic.example"], US, Doubt.UNVERIFIED),
    "no name, where one is trusted": ([OFFICE], US, Doubt.UNVERIFIED),
    "Microsoft's word as a name": (
        [f"{MICROSOFT}; dmarc=pass header.from=clinic.example"],
        MICROSOFT,
        Doubt.UNVERIFIED,
    ),
    "from outside, at Microsoft": (
        [OFFICE_INSIDE, "X-MS-Exchange-Organization-AuthAs: Anonymous"],
        MICROSOFT,
        Doubt.UNVERIFIED,
    ),
    "Microsoft's mark of the house elsewhere": (
        ["X-MS-Exchange-Organization-AuthAs: Internal"],
        US,
        Doubt.UNVERIFIED,
    ),
    "two authors": ([OPENDMARC, "From: anna@clinic.example, eve@clinic.example"], US, Doubt.SEVERAL_AUTHORS),
    "an address in the name": (
        [OPENDMARC, "From: anna@clinic.example <eve@evil.example>"],
        US,
        Doubt.MALFORMED,
    ),
    "a field as long as a book": (
        [f"{US}; dmarc=pass header.from=clinic.example ({'x' * 20_000})"],
        US,
        Doubt.UNVERIFIED,
    ),
}


def mail(fields: list[str]) -> bytes:
    """A mail with these fields; whatever has no name of its own is an Authentication-Results field."""
    named = [each if each.startswith(("From:", "X-MS-")) else f"Authentication-Results: {each}" for each in fields]
    if not any(each.startswith("From:") for each in named):
        named.append(f"From: {ANNA}")
    return "".join(f"{each}\r\n" for each in (*named, "Subject: Visit", "")).encode()


@pytest.mark.parametrize(("fields", "trusted", "means"), VOUCHED.values(), ids=VOUCHED)
def test_the_provider_vouches(fields: list[str], trusted: str, means: set[Means]) -> None:
    found = vouched(take_apart(mail(fields)), trusted.split())
    assert found.means == means
    assert (found.doubt, found.sentence) == (None, "")
    assert found.author == found.claimed
    assert found.author.endswith((".example", ".co.uk"))


@pytest.mark.parametrize(("fields", "trusted", "doubt"), REFUSED.values(), ids=REFUSED)
def test_nobody_vouches(fields: list[str], trusted: str, doubt: Doubt) -> None:
    found = vouched(take_apart(mail(fields)), trusted.split())
    assert (found.author, found.doubt, found.means) == ("", doubt, frozenset())
    assert found.sentence.endswith(".")


@given(st.text('amx.=; ()"\\\r\n\tpsdkim@/1', max_size=80))
def test_whatever_stands_below_changes_nothing(text: str) -> None:
    """Who sends a mail may write what he likes under the fields of the provider."""
    refused = f"{US}; dmarc=fail header.from=clinic.example"
    try:
        apart = take_apart(mail([refused, text]))
    except Malformed:
        return
    assert vouched(apart, {US}).author == ""
