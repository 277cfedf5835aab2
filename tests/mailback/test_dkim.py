"""The bridge's mails are signed so that a verifier agrees, and nobody can bend where an answer goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from bridge import canonical
from bridge.errors import SettingsError
from bridge.mailback.dkim import Signer

MAIL = (
    b"From: +39 333 123 4567 <393331234567@sms.example.test>\r\n"
    b"To: clinic@example.test\r\n"
    b"Subject: Re: Visit\r\n =?utf-8?q?domani?=\r\n"
    b"Date: Mon, 02 Nov 2026 10:30:00 +0100\r\n"
    b"Message-ID: <01notice@sms.example.test>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n"
    b"S\xc3\xac, vengo.  \r\n\r\n.dot\r\n\r\n"
)

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519_KEY = ed25519.Ed25519PrivateKey.generate()


def pem(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    lock: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption())


def signer(folder: Path, key: bytes) -> Signer:
    file = folder / "dkim.pem"
    file.write_bytes(key)
    return Signer("sms.example.test", "s2026", file)


def dns_of(signer: Signer) -> Callable[..., bytes | None]:
    def answer(name: bytes, timeout: int = 5) -> bytes | None:
        assert timeout
        return signer.record.encode() if name == f"{signer.record_name}.".encode() else None

    return answer


@pytest.mark.parametrize(
    "key",
    [pem(RSA_KEY), pem(RSA_KEY, PrivateFormat.TraditionalOpenSSL), pem(ED25519_KEY)],
    ids=["RSA", "RSA as openssl writes it", "Ed25519"],
)
def test_a_signed_mail_is_verified_by_what_stands_in_dns(tmp_path: Path, key: bytes) -> None:
    signs = signer(tmp_path, key)
    signed = signs.sign(MAIL)
    assert signed.endswith(MAIL)
    assert signed.startswith(b"DKIM-Signature: ")
    assert max(map(len, signed.split(b"\r\n"))) <= 998  # RFC 5322 section 2.1.1
    assert dkim.verify(signed, dnsfunc=dns_of(signs), minkey=2048)


LINES = st.lists(st.text("a \t=.\x00é", max_size=12).map(str.encode), max_size=8).map(b"\r\n".join)
FIELDS = st.sampled_from([b"To: a@b.test", b"subject:\tx  y\r\n\tz ", b"X-Any: 1", b"CC:", b"References: <a>\r\n <b>"])


@given(st.lists(FIELDS, max_size=6), LINES, st.sampled_from([RSA_KEY, ED25519_KEY]), st.sampled_from([1, 7, 65_536]))
def test_a_verifier_agrees_on_any_mail(
    tmp_path_factory: pytest.TempPathFactory,
    fields: list[bytes],
    body: bytes,
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    piece: int,
) -> None:
    """However much of the body is looked at together."""
    signs = signer(tmp_path_factory.mktemp("dkim"), pem(key))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "PIECE", piece)
        signed = signs.sign(b"\r\n".join([*fields, b"From: clinic@example.test", b"", body, b""]))
    assert dkim.verify(signed, dnsfunc=dns_of(signs), minkey=2048)


@pytest.mark.parametrize(
    "added",
    [
        b"From: bank@example.test",
        b"Reply-To: thief@example.test",
        b"To: thief@example.test",
        b"Cc: thief@example.test",
        b"Subject: pay now",
        b"Date: Tue, 03 Nov 2026 10:30:00 +0100",
        b"Message-ID: <another@example.test>",
        b"In-Reply-To: <another@example.test>",
        b"References: <another@example.test>",
        b"Content-Type: text/html",
        b"Content-Transfer-Encoding: base64",
    ],
)
def test_no_field_can_be_added_on_the_way(tmp_path: Path, added: bytes) -> None:
    signs = signer(tmp_path, pem(ED25519_KEY))
    signed = signs.sign(MAIL)
    head, blank, body = signed.partition(b"\r\n\r\n")
    for forged in (added + b"\r\n" + signed, head + b"\r\n" + added + blank + body):
        assert not dkim.verify(forged, dnsfunc=dns_of(signs))


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        (b"vengo", b"non vengo", False),
        (b"clinic@", b"thief@", False),
        (b"Re: Visit\r\n =?utf-8", b"Re: Visit =?utf-8", True),
        (b"vengo.  \r\n", b"vengo.\r\n", True),
        (b".dot\r\n\r\n", b".dot\r\n", True),
    ],
    ids=["text", "addressee", "unfolded", "blanks at a line's end", "empty lines at the end"],
)
def test_a_change_of_meaning_is_seen_and_one_of_form_is_not(
    tmp_path: Path, old: bytes, new: bytes, passes: bool
) -> None:
    signs = signer(tmp_path, pem(ED25519_KEY))
    signed = signs.sign(MAIL)
    assert old in signed
    assert dkim.verify(signed.replace(old, new), dnsfunc=dns_of(signs)) is passes


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        (None, "a file that the bridge may read"),
        (b"", "in PEM, without passphrase"),
        (b"-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n", "in PEM, without passphrase"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "at least 2048 bits"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "an RSA key"),
        (pem(ED25519_KEY, lock=BestAvailableEncryption(b"locked")), "without passphrase"),
    ],
    ids=["missing", "empty", "damaged", "short", "another kind", "locked"],
)
def test_a_key_that_cannot_sign_is_refused_with_what_to_do(tmp_path: Path, key: bytes | None, remedy: str) -> None:
    file = tmp_path / "dkim.pem"
    if key is not None:
        file.write_bytes(key)
    with pytest.raises(SettingsError, match=remedy) as refused:
        Signer("sms.example.test", "s2026", file)
    assert refused.value.key == "dkim.key_file"


@pytest.mark.parametrize(
    ("domain", "selector", "key"),
    [
        ("", "s", "dkim.domain"),
        ("a..b", "s", "dkim.domain"),
        ("a\r\nb", "s", "dkim.domain"),
        ("a.b", "s; t", "dkim.selector"),
    ],
    ids=["none", "empty label", "two lines", "two tags"],
)
def test_names_that_are_none_are_refused(tmp_path: Path, domain: str, selector: str, key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Signer(domain, selector, tmp_path / "dkim.pem")
    assert refused.value.key == key
