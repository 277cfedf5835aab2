"""Signed mails are opened, encrypted ones are refused: S/MIME and OpenPGP."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import MailRefusal, Reason
from bridge.reading import headers
from bridge.reading.armour import without_armour
from bridge.reading.html import MAX_TAGS
from bridge.reading.mime import read_body
from bridge.reading.smime import MAX_NESTING, MAX_PIECES, signed_content

PART = b"Content-Type: text/plain; charset=utf-8\r\n\r\nLa visita \xc3\xa8 alle 9.\r\n"
TEXT = "La visita è alle 9."


def read(raw: bytes) -> str:
    fields, _, start = headers.split(raw, 0, len(raw))
    return read_body(raw[start:], fields).text.strip()


def mail(der: bytes, kind: str = "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m") -> bytes:
    return f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n\n".encode() + base64.encodebytes(der)


@pytest.fixture(scope="module")
def signed() -> bytes:
    """`PART` in a signature of today's usual kind, in the form with lengths (DER)."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Clinica")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    signature = pkcs7.PKCS7SignatureBuilder().set_data(PART).add_signer(certificate, key, hashes.SHA256())
    return signature.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
DATA = bytes.fromhex("06092a864886f70d010701")


def open_ended(tag: int, contents: bytes) -> bytes:
    """An element without length (X.690 section 8.1.3.6)."""
    return bytes([tag, 0x80]) + contents + b"\0\0"


def string(contents: bytes) -> bytes:
    return b"\x04\x82" + len(contents).to_bytes(2, "big") + contents


def without_lengths(*pieces: bytes, kind: bytes = SIGNED_DATA) -> bytes:
    """A signature in the form that Outlook, Thunderbird and OpenSSL stream (BER), its content in pieces."""
    octets = open_ended(0x24, b"".join(pieces))
    inner = open_ended(0x30, DATA + open_ended(0xA0, octets))
    return open_ended(0x30, kind + open_ended(0xA0, open_ended(0x30, b"\x02\x01\x01\x31\x00" + inner + b"\x31\x00")))


def test_the_words_in_a_signature_are_read(signed: bytes) -> None:
    assert read(mail(signed)) == TEXT
    assert read(mail(signed, "application/x-pkcs7-mime")) == TEXT
    assert read(mail(signed, "application/octet-stream; name=SMIME.P7M")) == TEXT
    assert read(mail(without_lengths(string(PART[:20]), string(PART[20:])))) == TEXT


def test_a_signature_may_stand_in_a_multipart_and_hold_another(signed: bytes) -> None:
    twice = mail(without_lengths(string(mail(without_lengths(string(PART))))))
    assert read(twice) == TEXT
    both = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + mail(signed) + b"\n--b\n\nA domani\n--b--\n"
    assert read(both) == TEXT + "\n\nA domani"


@pytest.mark.parametrize(
    "kind",
    [
        "application/pkcs7-mime; name=contratto.pdf.p7m",
        "application/octet-stream; name=fattura.xml.P7M",
        "application/pkcs7-mime\nContent-Disposition: attachment; filename=fattura.xml.p7m",
    ],
)
def test_a_file_that_somebody_signed_is_an_attachment(kind: str) -> None:
    """Italy signs its contracts and bills so; their octets are no words."""
    file = mail(without_lengths(string(b"<Fattura>50</Fattura>")), kind)
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nIn allegato il consenso.\n--b\n" + file + b"\n--b--\n"
    fields, _, start = headers.split(raw, 0, len(raw))
    body = read_body(raw[start:], fields)
    assert body.text == "In allegato il consenso."
    assert body.warnings == ("1 attachment was left out: an SMS carries text only.",)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(
            mail(without_lengths(string(PART), kind=ENVELOPED_DATA), "application/pkcs7-mime"),
            "encrypted",
            id="encrypted",
        ),
        pytest.param(mail(b"\x30\x80\x06"), "signed in a form", id="broken"),
        pytest.param(mail(without_lengths(string(PART))[:90]), "signed in a form", id="cut short"),
        pytest.param(mail(without_lengths(*[b"\x04\0"] * MAX_PIECES)), "signed in a form", id="too many pieces"),
        pytest.param(mail(without_lengths(b"\x24\x80" * (MAX_NESTING + 1))), "signed in a form", id="too deep"),
    ],
)
def test_what_cannot_be_opened_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(MailRefusal, match=said) as caught:
        read(raw)
    assert caught.value.reason is Reason.ENCRYPTED


def test_words_behind_a_signature_that_is_too_large_to_be_looked_through_are_read() -> None:
    large = b"Content-Type: text/html\n\n" + b"<br>" * (MAX_TAGS + 1)
    wrapped = mail(without_lengths(*(string(large[at : at + 9_000]) for at in range(0, len(large), 9_000))))
    html = b"Content-Type: text/html\n\n<p>Ciao</p><div id=Signature>Studio Rossi</div>\n"
    parts = b"--c\n\nCiao\n--c\n" + html + b"--c\n" + wrapped + b"--c--\n"
    outer = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n"
    assert read(outer + parts + b"--b\n\nA domani\n--b--\n") == "Ciao\n\nA domani"


@given(st.data())
def test_a_damaged_signature_is_opened_or_not_and_soon(data: st.DataObject) -> None:
    whole = bytearray(without_lengths(string(PART), string(b"x")))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        whole[at : at + data.draw(st.sampled_from([0, 1, 5]))] = data.draw(st.binary(max_size=4))
    opened = signed_content(bytes(whole))
    assert opened is None or len(opened) <= len(whole)


@pytest.mark.parametrize(
    "data",
    [b"\x1f" + b"\xff" * 5_000_000, b"\x30\x80" * 2_000_000, without_lengths(*[b"\x24\x80\0\0"] * 1_000_000)],
    ids=["one tag", "deep", "empty pieces"],
)
def test_a_hostile_signature_takes_no_time(data: bytes) -> None:
    before = time.process_time()
    assert signed_content(data) is None
    assert time.process_time() - before < 1


SIGNED = """-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Ciao Mario,
- - porti la tessera
- --\x20
Clinica
-----BEGIN PGP SIGNATURE-----

iQEzBAEBCAAdFiEE
=abcd
-----END PGP SIGNATURE-----
"""
WORDS = "Ciao Mario,\n- porti la tessera\n-- \nClinica\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(SIGNED, WORDS, id="whole"),
        pytest.param("Prima\n" + SIGNED + "Dopo", "Prima\n" + WORDS + "Dopo", id="words around it"),
        pytest.param(SIGNED.replace("Hash: SHA256\n", ""), WORDS, id="no hash named"),
        pytest.param(SIGNED.partition("-----BEGIN PGP SIGNATURE")[0], WORDS, id="no signature"),
        pytest.param(SIGNED.partition("-----END")[0], WORDS, id="signature cut short"),
        pytest.param("Il testo -----BEGIN PGP SIGNED MESSAGE----- resta", None, id="spoken of"),
        pytest.param("- niente\n-- \nfirma", None, id="not signed"),
    ],
)
def test_openpgp_armour_is_taken_off(text: str, words: str | None) -> None:
    assert without_armour(text) == (text if words is None else words)


def test_signed_words_are_read_and_an_encrypted_mail_that_is_spoken_of_is_none() -> None:
    assert read(b"Subject: x\n\n" + SIGNED.encode()) == WORDS.strip()
    assert read(b"Subject: x\n\n> -----BEGIN PGP MESSAGE-----\nCiao").endswith("Ciao")
