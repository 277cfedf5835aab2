"""Whose mail is it? A table of mails from the open Internet, and who the bridge takes their author to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.access.verdict import Mechanism
from tests.access.letters import (
    ANNA,
    CLINIC_IP,
    FORGED,
    RIGHT,
    STRANGER_IP,
    UNVERIFIED,
    Letter,
    broken_signature,
    by_hand,
    by_list,
    by_stranger,
    foreign_signature,
    mail,
    on_two_lists,
    opened,
    own,
    sealed,
    sealed_by_hand,
    signed,
    with_footer,
)
from tests.servers.dns import NameServer

PASSING: dict[str, tuple[Callable[[], Letter], str, str]] = {
    # Straight from the author's own server
    "SPF alone": (lambda: Letter(mail()), ANNA, "spf"),
    "SPF and DKIM": (lambda: Letter(signed(mail())), ANNA, "dkim spf"),
    "SPF over IPv6": (
        lambda: Letter(mail("a@watching.example"), "a@watching.example", "2001:db8:25::1"),
        "a@watching.example",
        "spf",
    ),
    "SPF from an IPv4 address as an IPv6 socket shows it": (
        lambda: Letter(mail(), ip=f"::ffff:{CLINIC_IP}"),
        ANNA,
        "spf",
    ),
    "SPF of a subdomain": (lambda: Letter(mail(), "bounce@mail.clinic.example"), ANNA, "spf"),
    "SPF of the organisation, From a subdomain": (
        lambda: Letter(mail("a@ward.clinic.example")),
        "a@ward.clinic.example",
        "spf",
    ),
    "SPF of a sister domain": (
        lambda: Letter(mail("a@ward.clinic.example"), "bounce@mail.clinic.example"),
        "a@ward.clinic.example",
        "spf",
    ),
    "null sender, SPF of HELO": (lambda: Letter(mail(), ""), ANNA, "spf"),
    "softfail of SPF, DKIM": (
        lambda: Letter(signed(mail("a@small.example"), "small.example"), "a@small.example", STRANGER_IP),
        "a@small.example",
        "dkim",
    ),
    # Forwarded untouched: only the signature is left
    "DKIM alone": (lambda: by_stranger(signed(mail())), ANNA, "dkim"),
    "DKIM of the organisation, From a subdomain": (
        lambda: by_stranger(signed(mail("a@ward.clinic.example"))),
        "a@ward.clinic.example",
        "dkim",
    ),
    "DKIM of a subdomain": (lambda: by_stranger(signed(mail(), "mail.clinic.example")), ANNA, "dkim"),
    "DKIM by Ed25519": (
        lambda: by_stranger(signed(mail(), selector="ed", algorithm="ed25519-sha256")),
        ANNA,
        "dkim",
    ),
    "DKIM by RSA of 1024 bits": (lambda: by_stranger(signed(mail(), selector="short", bits=1024)), ANNA, "dkim"),
    "DKIM, simple forms": (lambda: by_stranger(signed(mail(), form="simple/simple")), ANNA, "dkim"),
    "DKIM, relaxed header, simple body": (lambda: by_stranger(signed(mail(), form="relaxed/simple")), ANNA, "dkim"),
    "DKIM, simple header, relaxed body": (lambda: by_stranger(signed(mail(), form="simple/relaxed")), ANNA, "dkim"),
    "DKIM over an empty body": (lambda: by_stranger(signed(mail(body=""))), ANNA, "dkim"),
    "DKIM over folds, tabs and empty lines": (
        lambda: by_stranger(signed(mail(subject="a\r\n\t b ", body=" a \t b \r\n\r\n.\r\n\t\r\n\r\n"))),
        ANNA,
        "dkim",
    ),
    "DKIM with From signed twice": (lambda: by_stranger(signed(mail(), names="from:subject:date:from")), ANNA, "dkim"),
    "DKIM over the lower of two fields": (
        lambda: by_stranger(
            b"X-Two: third\r\n" + signed(mail(ANNA, "X-Two: 1", "X-Two: 2"), names="from:subject:date:x-two:x-two")
        ),
        ANNA,
        "dkim",
    ),
    "DKIM with l= over the whole body": (lambda: by_stranger(signed(mail(), part=True)), ANNA, "dkim"),
    "DKIM in the name of a subdomain": (
        lambda: by_stranger(signed(mail(), identity="a@ward.clinic.example")),
        ANNA,
        "dkim",
    ),
    "DKIM that ends in the future": (
        lambda: by_hand(f"{RIGHT}; t=1700000000; x=4000000000"),
        ANNA,
        "dkim",
    ),
    "a broken signature above a right one": (lambda: by_stranger(broken_signature() + signed(mail())), ANNA, "dkim"),
    "twenty foreign signatures above a right one": (
        lambda: by_stranger(20 * foreign_signature() + signed(mail())),
        ANNA,
        "dkim",
    ),
    # Other domains' habits
    "no policy published": (lambda: own("a@small.example"), "a@small.example", "spf"),
    "policy none": (lambda: own("a@watching.example"), "a@watching.example", "spf"),
    "strict alignment, the very domain": (
        lambda: by_stranger(signed(mail("a@strict.example"), "strict.example")),
        "a@strict.example",
        "dkim",
    ),
    "an international domain, written in Unicode": (
        lambda: own("a@münchen.example"),
        "a@xn--mnchen-3ya.example",
        "spf",
    ),
    "an international domain, signed as A-label": (
        lambda: by_stranger(signed(mail("a@MÜNCHEN.example"), "xn--mnchen-3ya.example")),
        "a@xn--mnchen-3ya.example",
        "dkim",
    ),
    # Ways of writing From
    "a display name": (lambda: Letter(mail(f"Anna Rossi <{ANNA}>")), ANNA, "spf"),
    "an address in a quoted name": (lambda: Letter(mail(f'"boss@other.example" <{ANNA}>')), ANNA, "spf"),
    "an address in an encoded word": (lambda: Letter(mail(f"=?utf-8?q?boss=40other.example?= <{ANNA}>")), ANNA, "spf"),
    "an address in brackets in a quoted name": (
        lambda: Letter(mail(f'"<boss@other.example>, x" <{ANNA}>')),
        ANNA,
        "spf",
    ),
    "an address in a comment": (lambda: Letter(mail(f"{ANNA} (boss@other.example (and (more)))")), ANNA, "spf"),
    "capitals in the domain": (lambda: Letter(mail("Anna@Clinic.EXAMPLE")), "Anna@clinic.example", "spf"),
    "needless quotes": (lambda: Letter(mail('"anna"@clinic.example')), ANNA, "spf"),
    "a folded From": (lambda: Letter(mail(f"Anna\r\n <{ANNA}>")), ANNA, "spf"),
    # Mailing lists
    "a list that changes the mail and seals it": (lambda: by_list(sealed(with_footer(signed(mail())))), ANNA, "arc"),
    "a forwarder that signs as little as it may": (lambda: by_list(sealed_by_hand(mail())), ANNA, "arc"),
    "two trusted forwarders": (lambda: by_list(on_two_lists()), ANNA, "arc"),
    "a forwarder that saw SPF, without a policy": (
        lambda: by_list(sealed(with_footer(mail("a@small.example")), says="spf=pass smtp.mailfrom=a@small.example")),
        "a@small.example",
        "arc",
    ),
    "a list that puts itself in From": (
        lambda: by_list(signed(mail("Anna via staff <staff@lists.example>"), "lists.example")),
        "staff@lists.example",
        "dkim spf",
    ),
}


@pytest.mark.parametrize(("letter", "author", "speaks"), PASSING.values(), ids=PASSING)
async def test_an_author_that_something_speaks_for_is_known(
    letter: Callable[[], Letter], author: str, speaks: str, names: NameServer
) -> None:
    verdict = await opened(letter(), names)
    assert (verdict.author, verdict.doubt, verdict.reply) == (author, None, "")
    assert verdict.vouching == frozenset(map(Mechanism, speaks.split()))


UNSPOKEN: dict[str, tuple[Callable[[], Letter], str]] = {
    "a forged author": (lambda: by_stranger(mail()), FORGED),
    "a forged author, and sender too": (lambda: by_stranger(mail(), ANNA), FORGED),
    "a right signature below fifty others": (lambda: by_stranger(50 * foreign_signature() + signed(mail())), FORGED),
    "signed by the forger": (lambda: by_stranger(signed(mail(), "evil.example")), FORGED),
    "a forged author, null sender": (lambda: by_stranger(mail(), ""), FORGED),
    "a forged subdomain that exists": (lambda: by_stranger(mail("a@ward.clinic.example")), FORGED),
    "a forged subdomain that does not exist": (lambda: by_stranger(mail("a@nowhere.clinic.example")), FORGED),
    "a forged author whose domain says nothing": (lambda: by_stranger(mail("a@small.example")), UNVERIFIED),
    "a forged author whose domain only watches": (lambda: by_stranger(mail("a@watching.example")), UNVERIFIED),
    "a forged author whose domain tries its policy out": (lambda: by_stranger(mail("a@trying.example")), UNVERIFIED),
    "a forged author whose organisation tries its policy out": (
        lambda: by_stranger(mail("a@sub.trying.example")),
        UNVERIFIED,
    ),
    "a forged author whose domain has two policies": (lambda: by_stranger(mail("a@two-policies.example")), UNVERIFIED),
    "an author whose domain does not exist": (lambda: by_stranger(mail("a@nowhere.example")), UNVERIFIED),
    "neutral SPF": (lambda: Letter(mail("a@watching.example"), "a@watching.example", STRANGER_IP), UNVERIFIED),
    "softfail of SPF": (lambda: Letter(mail("a@small.example"), "a@small.example", STRANGER_IP), UNVERIFIED),
    "SPF of a foreign domain": (lambda: Letter(mail(), "a@small.example"), FORGED),
    "SPF of a domain that ends alike": (
        lambda: Letter(mail(), "a@notclinic.example", zone={"notclinic.example": {"TXT": ["v=spf1 ip4:192.0.2.25"]}}),
        FORGED,
    ),
    "SPF of a subdomain, no policy published": (
        lambda: Letter(mail("a@small.example"), "b@mail.small.example"),
        UNVERIFIED,
    ),
    "SPF of a subdomain, strict alignment": (lambda: Letter(mail("a@strict.example"), "b@mail.strict.example"), FORGED),
    "SPF of a subdomain that says it is apart": (lambda: by_stranger(mail(), "a@apart.clinic.example"), FORGED),
    "SPF that lets everybody in": (lambda: by_stranger(mail("a@careless.example"), "a@careless.example"), UNVERIFIED),
    "SPF that lets each half of the world in": (
        lambda: by_stranger(mail("a@half.example"), "a@half.example"),
        UNVERIFIED,
    ),
    "SPF of a neighbour below a suffix": (
        lambda: by_stranger(mail("a@good.suffix.example"), "b@bad.suffix.example"),
        FORGED,
    ),
    "SPF of a neighbour below a listed suffix": (
        lambda: by_stranger(mail("a@good.duckdns.org"), "b@bad.duckdns.org"),
        FORGED,
    ),
    "DKIM of a subdomain, strict alignment": (
        lambda: by_stranger(signed(mail("a@strict.example"), "mail.strict.example")),
        FORGED,
    ),
    "a trusted list that saw a forged mail": (
        lambda: by_list(
            sealed(mail(), says="dmarc=fail header.from=clinic.example; spf=pass smtp.mailfrom=evil.example")
        ),
        FORGED,
    ),
    "a trusted list that saw DMARC fail and SPF pass": (
        lambda: by_list(
            sealed(mail(), says="dmarc=fail header.from=clinic.example; spf=pass smtp.mailfrom=clinic.example")
        ),
        FORGED,
    ),
    "a trusted list that saw another author": (
        lambda: by_list(sealed(mail(), says="dmarc=pass header.from=evil.example")),
        FORGED,
    ),
    "a trusted list that does not say which author": (lambda: by_list(sealed(mail(), says="dmarc=pass")), FORGED),
    "a verdict in a comment": (
        lambda: by_list(
            sealed(mail(), says="dmarc=fail (dmarc=pass header.from=clinic.example) header.from=clinic.example")
        ),
        FORGED,
    ),
}


@pytest.mark.parametrize(("letter", "reply"), UNSPOKEN.values(), ids=UNSPOKEN)
async def test_an_author_that_nothing_speaks_for_is_refused(
    letter: Callable[[], Letter], reply: str, names: NameServer
) -> None:
    verdict = await opened(letter(), names)
    assert (verdict.author, verdict.vouching) == ("", frozenset())
    assert verdict.reply.startswith(f"{reply} ")
