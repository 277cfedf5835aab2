"""Mails as the open Internet brings them: written here, signed by dkimpy, sealed by forwarders; and all their zones."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dkim.canonicalization import Relaxed

from bridge import clock
from bridge.access.judge import judge
from bridge.access.verdict import Verdict
from bridge.types import Envelope
from tests.servers.dns import NameServer, Records

CLINIC_IP, STRANGER_IP, LIST_IP = "192.0.2.25", "198.51.100.66", "203.0.113.9"
ANNA = "anna@clinic.example"
FORGED, UNVERIFIED, MALFORMED = "550 5.7.26", "550 5.7.1", "550 5.6.0"
EVE = "eve@evil.example"
RIGHT = "v=1; a=rsa-sha256; d=clinic.example; s=s1"
"""Tags of a signature by the clinic."""
TRUSTED = frozenset({"lists.example", "relay.example"})

SHORT_PEM = b"""-----BEGIN RSA PRIVATE KEY-----
MIIBOwIBAAJBAKtmyM4ii9fopHDkwGhQqmhey1+POE4Et6g5akWyeJMZddVUZZ9z
N09X03s8PoO1JUwMmjhjajUqtUs1M2SVMmcCAwEAAQJBAJLen0CrL4NR8N5f1VNN
k8edOs1mbsvDlRAMKrkQRetc5awuv/OjXrNhhC/7dB2WsaEdukrzw33eXvucPCNJ
lKECIQDUE63+IiQsYe1qwFrPBk2H0fpOpfICgz1Ot2UnDAwJsQIhAM7mfuJ9Oak8
mS/2pD1hieGqfLuz240YieCAydhVduuXAiAY8WeZaDKQ9cOStqT3jGo5+zxRW7sn
CICBbZh8CzKvQQIhAMyKxqn2jsimpfLq7JfaE8vLFiEiwEyPE8+kwudiJnzlAiBw
t67ddTKdt+dYqMvVYYwevFrEFDJOiX+7r+JZippF6Q==
-----END RSA PRIVATE KEY-----
"""
SHORT_RECORD = (
    "v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKtmyM4ii9fopHDkwGhQqmhey1+POE4E"
    "t6g5akWyeJMZddVUZZ9zN09X03s8PoO1JUwMmjhjajUqtUs1M2SVMmcCAwEAAQ=="
)
"""512 bits, which anybody can break in an afternoon: nothing makes such keys any more, so here is one."""


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """One key of each size for all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ed25519_key() -> Ed25519PrivateKey:
    """One for all tests."""
    return Ed25519PrivateKey.generate()


@cache
def rsa_pem(bits: int = 2048) -> bytes:
    """The private key as dkimpy and OpenDKIM read it."""
    if bits == 512:
        return SHORT_PEM
    return rsa_key(bits).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@cache
def rsa_record(bits: int = 2048, tags: str = "v=DKIM1; k=rsa; ") -> str:
    """The key record to publish."""
    der = rsa_key(bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{tags}p={base64.b64encode(der).decode()}"


@cache
def ed25519_record() -> str:
    """The same for Ed25519."""
    raw = ed25519_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"


@cache
def zone() -> Mapping[str, Records]:
    """Everybody's names: a clinic that forbids forgery, and others with other habits."""
    key = [rsa_record()]
    return {
        "clinic.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
        "_dmarc.clinic.example": {"TXT": ["v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:a@clinic.example"]},
        "s1._domainkey.clinic.example": {"TXT": key},
        "ed._domainkey.clinic.example": {"TXT": [ed25519_record()]},
        "short._domainkey.clinic.example": {"TXT": [rsa_record(1024)]},
        "shorter._domainkey.clinic.example": {"TXT": [SHORT_RECORD]},
        "testing._domainkey.clinic.example": {"TXT": [rsa_record(2048, "v=DKIM1; t=y; ")]},
        "own._domainkey.clinic.example": {"TXT": [rsa_record(2048, "v=DKIM1; t=s; ")]},
        "tls._domainkey.clinic.example": {"TXT": [rsa_record(2048, "v=DKIM1; s=tlsrpt; ")]},
        "sha1._domainkey.clinic.example": {"TXT": [rsa_record(2048, "v=DKIM1; h=sha1; ")]},
        "revoked._domainkey.clinic.example": {"TXT": ["v=DKIM1; k=rsa; p="]},
        "twice._domainkey.clinic.example": {"TXT": [rsa_record(), ed25519_record()]},
        "broken._domainkey.clinic.example": {"TXT": ["v=DKIM1; k=rsa; p=AAAA"]},
        "mail.clinic.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 a -all"]},
        "s1._domainkey.mail.clinic.example": {"TXT": key},
        "ward.clinic.example": {"A": [CLINIC_IP]},
        "small.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 ip4:192.0.2.0/24 ~all"]},
        "s1._domainkey.small.example": {"TXT": key},
        "mail.small.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 a -all"]},
        "watching.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 include:_spf.hoster.example ?all"]},
        "_dmarc.watching.example": {"TXT": ["v=DMARC1; p=none"]},
        "_spf.hoster.example": {"TXT": ["v=spf1 ip4:192.0.2.0/28 ip6:2001:db8:25::/48 ip4:192.0.2.16/28 -all"]},
        "strict.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 -all"]},
        "_dmarc.strict.example": {"TXT": ["v=DMARC1; p=quarantine; adkim=s; aspf=s"]},
        "mail.strict.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
        "s1._domainkey.mail.strict.example": {"TXT": key},
        "s1._domainkey.strict.example": {"TXT": key},
        "trying.example": {"A": [CLINIC_IP]},
        "sub.trying.example": {"A": [CLINIC_IP]},
        "_dmarc.trying.example": {"TXT": ["v=DMARC1; p=reject; t=y"]},
        "xn--mnchen-3ya.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 ip4:192.0.2.25 -all"]},
        "s1._domainkey.xn--mnchen-3ya.example": {"TXT": key},
        "careless.example": {"A": [CLINIC_IP], "TXT": ["v=spf1 +all"]},
        "_dmarc.careless.example": {"TXT": ["v=DMARC1; p=reject"]},
        "half.example": {"TXT": ["v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"]},
        "two-policies.example": {"A": [CLINIC_IP]},
        "_dmarc.two-policies.example": {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=quarantine"]},
        "evil.example": {"A": [STRANGER_IP], "TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
        "s1._domainkey.evil.example": {"TXT": key},
        # Strangers under one suffix: one whose operator says so, one that only the Public Suffix List knows.
        "_dmarc.suffix.example": {"TXT": ["v=DMARC1; p=reject; psd=y"]},
        "good.suffix.example": {"A": [CLINIC_IP]},
        "bad.suffix.example": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
        "mail.good.suffix.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
        "_dmarc.duckdns.org": {"TXT": ["v=DMARC1; p=reject"]},
        "good.duckdns.org": {"A": [CLINIC_IP]},
        "bad.duckdns.org": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
        "_dmarc.apart.clinic.example": {"TXT": ["v=DMARC1; p=none; psd=n"]},
        "apart.clinic.example": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
        "lists.example": {"A": [LIST_IP], "TXT": ["v=spf1 ip4:203.0.113.0/24 -all"]},
        "s1._domainkey.lists.example": {"TXT": key},
        "s1._domainkey.relay.example": {"TXT": key},
        "s1._domainkey.stranger.example": {"TXT": key},
    }


@dataclass(frozen=True)
class Letter:
    """One mail as it arrives. What is not said is how the clinic's own server would send it."""

    raw: bytes
    mail_from: str = ANNA
    ip: str = CLINIC_IP
    helo: str = "mail.clinic.example"
    trusted: frozenset[str] = TRUSTED
    zone: Mapping[str, Records] = field(default_factory=dict)
    """Names that are otherwise than in `zone()`."""


async def opened(letter: Letter, server: NameServer) -> Verdict:
    """The verdict on a letter, by a resolver that remembers nothing of the letters before."""
    server.zone = {**zone(), **letter.zone}
    envelope = Envelope(letter.mail_from, clock.now())
    return await judge(letter.raw, envelope, letter.ip, letter.helo, server.resolver(), letter.trusted)


def mail(
    author: str = ANNA, *extra: str, body: str = "Your visit is on Monday at 10.\r\n", subject: str = "Visit"
) -> bytes:
    """A mail with header fields in the usual order, `extra` ones in front."""
    lines = (
        *extra,
        f"From: {author}",
        "To: +393331234567@sms.example.test",
        f"Subject: {subject}",
        "Date: Sun, 22 Nov 2026 10:00:00 +0100",
        "Message-ID: <one@clinic.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def signed(
    raw: bytes,
    domain: str = "clinic.example",
    selector: str = "s1",
    *,
    algorithm: str = "rsa-sha256",
    bits: int = 2048,
    form: str = "relaxed/relaxed",
    names: str = "from:to:subject:date:message-id",
    identity: str = "",
    part: bool = False,
) -> bytes:
    """The mail with a signature by dkimpy on top."""
    if algorithm == "ed25519-sha256":
        key = base64.b64encode(ed25519_key().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    else:
        key = rsa_pem(bits)
    header, body = form.encode().split(b"/")
    signature: bytes = dkim.sign(
        raw,
        selector.encode(),
        domain.encode(),
        key,
        identity=identity.encode() or None,
        canonicalize=(header, body),
        signature_algorithm=algorithm.encode(),
        include_headers=[name.encode() for name in names.split(":")],
        length=part,
    )
    return signature + raw


def signed_by_hand(raw: bytes, tags: str, names: str = "from:to:subject:date", field: str = "DKIM-Signature") -> bytes:
    """The mail with a relaxed RSA signature whose other tags are as they stand: what dkimpy would not write."""
    head, _, body = raw.partition(b"\r\n\r\n")
    body_hash = base64.b64encode(hashlib.sha256(Relaxed.canonicalize_body(body)).digest()).decode()
    lines = head.replace(b"\r\n ", b" ").split(b"\r\n")
    fields = [tuple(line.split(b":", 1)) for line in lines]
    covered = [each for name in names.split(":") for each in reversed(fields) if each[0].lower() == name.encode()]
    value = f" {tags}; c=relaxed/relaxed; h={names}; bh={body_hash}; b=".encode()
    return _by_hand([*covered, (field.encode(), value)]) + raw


def sealed_by_hand(raw: bytes, names: str = "from:subject", tags: str = "") -> bytes:
    """What a trusted forwarder passes on that signs as it likes: these fields, with these tags."""
    seen = (b"ARC-Authentication-Results", b" i=1; mx.lists.example; dmarc=pass header.from=clinic.example")
    who = "i=1; a=rsa-sha256; d=lists.example; s=s1"
    passed = signed_by_hand(raw, f"{who}{tags}", names, "ARC-Message-Signature")
    signature = passed.partition(b"\r\n")[0].split(b":", 1)
    seal = _by_hand([seen, (signature[0], signature[1]), (b"ARC-Seal", f" {who}; cv=none; b=".encode())])
    return seal + b":".join(seen) + b"\r\n" + passed


def _by_hand(fields: list[tuple[bytes, ...]]) -> bytes:
    """The last of these fields with its signature over all of them."""
    over = Relaxed.canonicalize_headers([(name, value + b"\r\n") for name, value in fields])
    octets = b"".join(name + b":" + value for name, value in over).removesuffix(b"\r\n")
    signature = base64.b64encode(rsa_key(2048).sign(octets, padding.PKCS1v15(), SHA256()))
    return b":".join(fields[-1]) + signature + b"\r\n"


def sealed(raw: bytes, domain: str = "lists.example", says: str = "dmarc=pass header.from=clinic.example") -> bytes:
    """The mail as a forwarder passes it on: with what it saw, and an ARC set by dkimpy on top."""
    seen = f"Authentication-Results: mx.{domain}; {says}\r\n".encode() + raw
    added: list[bytes] = dkim.arc_sign(seen, b"s1", domain.encode(), rsa_pem(), f"mx.{domain}".encode())
    assert len(added) == 3
    return b"".join(added) + raw


def by_stranger(raw: bytes, mail_from: str = EVE, ip: str = STRANGER_IP) -> Letter:
    return Letter(raw, mail_from, ip, "mail.evil.example")


def by_list(raw: bytes, trusted: frozenset[str] = TRUSTED) -> Letter:
    """A mailing list passes it on under its own envelope."""
    return Letter(raw, "bounces@lists.example", LIST_IP, "mx.lists.example", trusted)


def with_footer(raw: bytes) -> bytes:
    """What a mailing list does to a mail: no signature over it is right any more."""
    return raw.replace(b"Subject: Visit", b"Subject: [staff] Visit") + b"-- \r\nThe staff list\r\n"


def without_seal(raw: bytes) -> bytes:
    return raw[raw.index(b"ARC-Message-Signature") :]


def on_two_lists(second: str = "arc=pass") -> bytes:
    first = sealed(with_footer(signed(mail())), "relay.example", "dkim=pass header.i=@clinic.example; dmarc=none")
    return sealed(with_footer(first), "lists.example", f"{second}; dmarc=fail header.from=clinic.example; dkim=fail")


def own(author: str) -> Letter:
    """From the author's own server, with the author as its sender."""
    return Letter(mail(author), author)


def signature(raw: bytes) -> bytes:
    """The topmost field of a signed mail."""
    return raw[: raw.index(b"\r\nFrom:") + 2]


def broken_signature() -> bytes:
    return signature(signed(mail(subject="Another one")))


def foreign_signature() -> bytes:
    return signature(signed(mail(), "evil.example"))


def by_hand(tags: str) -> Letter:
    """Signed by the clinic, with these tags."""
    return by_stranger(signed_by_hand(mail(), tags))


def as_if(field: str, value: str = "") -> Letter:
    """Signed by the clinic, then changed in one place on the way."""
    return by_stranger(signed(mail()).replace(field.encode(), value.encode(), 1))


def keyed(selector: str, bits: int = 2048) -> Letter:
    """Signed with another key of the clinic."""
    return by_stranger(signed(mail(), selector=selector, bits=bits))
