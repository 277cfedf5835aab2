"""Public keys of signers, as they stand in DNS (RFC 6376 section 3.6), and whether a signature is theirs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bridge.access.dns import Resolver
from bridge.access.tags import octets, tags, words
from bridge.access.verdict import Result
from bridge.errors import BridgeError

SHORTEST_RSA, LONGEST_RSA = 1024, 4096
"""Bits. RFC 8301 section 3.2: no verifier takes less than 1024; more than 4096 only costs time."""
LARGEST_EXPONENT = 2**32
"""Real keys have 65537; the time of a check grows with it."""


class Algorithm(StrEnum):
    """Ways of signing that are accepted; rsa-sha1 is none of them (RFC 8301 section 3.1)."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


class Unusable(BridgeError):
    """A signature or its key that cannot be used: the result to report, and why as the sentence."""

    def __init__(self, result: Result, why: str) -> None:
        super().__init__(why)
        self.result = result


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key as its owner published it."""

    key: RSAPublicKey | Ed25519PublicKey
    same_domain: bool
    """Signatures may not speak for subdomains (`t=s`)."""
    testing: bool
    """Its owner is only trying things out (`t=y`): what it signs counts as unsigned."""

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether the signature over these octets is of this key."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, data, PKCS1v15(), SHA256())
            else:
                # RFC 8463 section 3: what is signed is the hash.
                self.key.verify(signature, hashlib.sha256(data).digest())
        except InvalidSignature:
            return False
        return True


async def published_key(resolver: Resolver, selector: str, domain: str, algorithm: Algorithm) -> PublicKey:
    """The key for a signature of this algorithm. Raises `Unusable`, and `DnsFailed` when DNS gives no answer."""
    records = await resolver.texts(f"{selector}._domainkey.{domain}")
    if not records:
        raise Unusable(Result.PERMERROR, "the signer publishes no key under this selector")
    if len(records) > 1:
        # RFC 6376 section 3.6.2.2 leaves open which one counts.
        raise Unusable(Result.PERMERROR, "the signer publishes more than one record under this selector")
    return read_key(records[0], algorithm)


def read_key(record: str, algorithm: Algorithm) -> PublicKey:
    """The key in a record (RFC 6376 section 3.6.1). Raises `Unusable`."""
    try:
        found = tags(record)
        key = octets(found["p"])
    except (ValueError, KeyError):
        raise Unusable(Result.PERMERROR, "the key record cannot be read") from None
    kind = "rsa" if algorithm is Algorithm.RSA else "ed25519"
    # A version stands first or nowhere.
    if found.get("v", "DKIM1") != "DKIM1" or ("v" in found and next(iter(found)) != "v"):
        raise Unusable(Result.PERMERROR, "the key record is of another version")
    if found.get("k", "rsa").lower() != kind:
        raise Unusable(Result.PERMERROR, "the key is of another kind than the signature")
    if "sha256" not in words(found.get("h", "sha256")):
        raise Unusable(Result.PERMERROR, "the key is not for SHA-256")
    if not {"*", "email"} & set(words(found.get("s", "*"))):
        raise Unusable(Result.PERMERROR, "the key is not for mail")
    if not key:
        raise Unusable(Result.PERMERROR, "the key has been revoked")
    flags = words(found.get("t", ""))
    return PublicKey(_loaded(key, algorithm), same_domain="s" in flags, testing="y" in flags)


def _loaded(key: bytes, algorithm: Algorithm) -> RSAPublicKey | Ed25519PublicKey:
    try:
        if algorithm is Algorithm.ED25519:
            return Ed25519PublicKey.from_public_bytes(key)  # RFC 8463 section 4
        loaded = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable(Result.PERMERROR, "the key cannot be read") from None
    if not isinstance(loaded, RSAPublicKey):
        raise Unusable(Result.PERMERROR, "the key is of another kind than the signature")
    if not SHORTEST_RSA <= loaded.key_size <= LONGEST_RSA or loaded.public_numbers().e > LARGEST_EXPONENT:
        raise Unusable(Result.POLICY, f"the key does not have {SHORTEST_RSA} to {LONGEST_RSA} bits")
    return loaded
