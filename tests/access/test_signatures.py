"""Signatures and seals that are wrong, and what is said to be wrong with them."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.access.dkim_keys import Algorithm, Unusable, read_key
from tests.access.letters import (
    FORGED,
    RIGHT,
    Letter,
    as_if,
    by_hand,
    by_list,
    by_stranger,
    keyed,
    mail,
    on_two_lists,
    opened,
    rsa_key,
    sealed,
    sealed_by_hand,
    signed,
    signed_by_hand,
    with_footer,
    without_seal,
)
from tests.servers.dns import NameServer

BROKEN: dict[str, tuple[Callable[[], Letter], str]] = {
    "a changed body": (lambda: as_if("Monday", "Friday"), "the body was changed"),
    "a longer body": (lambda: by_stranger(signed(mail()) + b"Send money.\r\n"), "the body was changed"),
    "a changed Subject": (
        lambda: as_if("Subject: Visit", "Subject: Money"),
        "the header was changed, or the signature is not of this key",
    ),
    "a changed author": (
        lambda: as_if("From: anna", "From: boss"),
        "the header was changed, or the signature is not of this key",
    ),
    "a changed case, simple form": (
        lambda: by_stranger(signed(mail(), form="simple/simple").replace(b"Subject:", b"SUBJECT:")),
        "the header was changed, or the signature is not of this key",
    ),
    "another one's signature with our name": (
        lambda: by_stranger(signed(mail(), "evil.example").replace(b"evil.example", b"clinic.example")),
        "the header was changed, or the signature is not of this key",
    ),
    "a signature of RSA and SHA-1": (
        lambda: by_stranger(signed(mail(), algorithm="rsa-sha1")),
        "the signature is made with an algorithm that is not accepted",
    ),
    "a signature over a part of the body": (
        lambda: by_stranger(signed(mail(), part=True) + b"Send money.\r\n"),
        "only a part of the body is signed",
    ),
    "a signature that has expired": (
        lambda: by_hand(f"{RIGHT}; t=1500000000; x=1600000000"),
        "the signature has expired",
    ),
    "a signature that ends before it begins": (
        lambda: by_hand(f"{RIGHT}; t=1700000000; x=1700000000"),
        "the signature has expired",
    ),
    "a signature made in the future": (
        lambda: by_hand(f"{RIGHT}; t=4000000000"),
        "the signature is made in the future",
    ),
    "a signature without From": (
        lambda: by_stranger(signed_by_hand(mail(), RIGHT, names="to:subject:date")),
        "From is not signed",
    ),
    "a signature that leaves Subject open": (
        lambda: by_stranger(signed(mail(), names="from:to:date:message-id")),
        "Subject is not signed",
    ),
    "a signature of another version": (
        lambda: by_hand("v=2; a=rsa-sha256; d=clinic.example; s=s1"),
        "the signature is of another version",
    ),
    "a signature that speaks for another domain": (
        lambda: by_hand(f"{RIGHT}; i=a@evil.example"),
        "the signature speaks for a foreign domain",
    ),
    "a signature with a tag twice": (lambda: by_hand(f"{RIGHT}; d=clinic.example"), "the signature cannot be read"),
    "a signature whose key is elsewhere": (lambda: by_hand(f"{RIGHT}; q=http/get"), "the key is not published in DNS"),
    "a key that is not there": (lambda: keyed("none"), "the signer publishes no key under this selector"),
    "a key that was revoked": (lambda: keyed("revoked"), "the key has been revoked"),
    "a key of 512 bits": (lambda: keyed("shorter", bits=512), "the key does not have 1024 to 4096 bits"),
    "a key that is only tested": (lambda: keyed("testing"), "the signer is only testing"),
    "a key that is not for mail": (lambda: keyed("tls"), "the key is not for mail"),
    "a key for SHA-1": (lambda: keyed("sha1"), "the key is not for SHA-256"),
    "a key that cannot be read": (lambda: keyed("broken"), "the key cannot be read"),
    "a key of another kind": (lambda: keyed("ed"), "the key is of another kind than the signature"),
    "two keys under one selector": (
        lambda: keyed("twice"),
        "the signer publishes more than one record under this selector",
    ),
    "a key that is not for subdomains": (
        lambda: by_stranger(signed(mail(), selector="own", identity="a@ward.clinic.example")),
        "the key is not for subdomains",
    ),
    "a list that changes the mail": (lambda: by_list(with_footer(signed(mail()))), "the body was changed"),
    "a list that nobody trusts": (
        lambda: by_list(sealed(with_footer(signed(mail())), "stranger.example")),
        "the forwarder is not one that is trusted",
    ),
    "a mail changed behind the seal": (
        lambda: by_list(sealed(mail()).replace(b"Monday", b"Friday")),
        "the body was changed",
    ),
    "a seal over a signature without From": (
        lambda: by_list(sealed_by_hand(mail(), "subject:date")),
        "the chain's last signature is over the wrong fields",
    ),
    "a signature over seals": (
        lambda: by_list(sealed_by_hand(mail(), "from:arc-seal")),
        "the chain's last signature is over the wrong fields",
    ),
    "a seal over a part of the body": (
        lambda: by_list(sealed_by_hand(mail(), tags="; l=32")),
        "the chain's last signature is over the wrong fields",
    ),
    "a first seal that is not right, sealed again": (
        lambda: by_list(sealed(sealed(mail()).replace(b"dmarc=pass", b"dmarc=none"), says="arc=pass")),
        "the chain has a seal that is not right",
    ),
    "a verdict changed behind the seal": (
        lambda: by_list(
            sealed(mail(), says="dmarc=fail header.from=clinic.example").replace(b"dmarc=fail", b"dmarc=pass")
        ),
        "the chain has a seal that is not right",
    ),
    "a chain without its seal": (
        lambda: by_list(without_seal(sealed(mail()))),
        "the chain has a set that is not whole",
    ),
    "a chain with a set missing": (
        lambda: by_list(on_two_lists().replace(b"i=1", b"i=3")),
        "the chain has a gap, or too many sets",
    ),
    "a chain that was broken before": (
        lambda: by_list(sealed(mail()).replace(b"cv=none", b"cv=fail")),
        "the chain was broken before it was sealed",
    ),
    "the first of two forwarders is a stranger": (
        lambda: by_list(on_two_lists(), frozenset({"lists.example"})),
        "the body was changed",
    ),
    "the second of two forwarders is a stranger": (
        lambda: by_list(on_two_lists(), frozenset({"relay.example"})),
        "the forwarder is not one that is trusted",
    ),
    "the second forwarder found the chain broken": (
        lambda: by_list(on_two_lists("arc=fail")),
        "the chain was broken before it was sealed",
    ),
}


@pytest.mark.parametrize(("letter", "why"), BROKEN.values(), ids=BROKEN)
async def test_a_signature_or_seal_that_is_wrong_speaks_for_nobody(
    letter: Callable[[], Letter], why: str, names: NameServer
) -> None:
    verdict = await opened(letter(), names)
    assert (verdict.author, verdict.vouching) == ("", frozenset())
    assert verdict.reply.startswith(f"{FORGED} ")
    assert verdict.arc is not None
    assert why in {*(check.why for check in verdict.dkim), verdict.arc.why}


def test_a_key_with_a_large_exponent_is_not_used() -> None:
    """Each check with it would take a hundred times as long."""
    modulus = rsa_key(2048).public_key().public_numbers().n
    for exponent, used in ((65537, True), (2**40 + 1, False)):
        key = RSAPublicNumbers(exponent, modulus).public_key()
        record = base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
        if used:
            assert read_key(f"p={record}", Algorithm.RSA)
        else:
            with pytest.raises(Unusable):
                read_key(f"p={record}", Algorithm.RSA)
