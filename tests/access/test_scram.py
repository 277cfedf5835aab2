"""SCRAM-SHA-256 as RFC 7677 shows it, and whatever is not it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access.passwords import as_generated, generate
from bridge.access.scram import Exchange, Verifier, decoy, read_first, verifier_beside
from bridge.smtp_syntax import BadCommand

SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT = "rOprNGfwEbeRWgbNEkqO"
SERVER = CLIENT + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
FIRST = f"n,,n=user,r={CLIENT}".encode()
FINAL = f"c=biws,r={SERVER},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode()
"""The exchange of RFC 7677 section 3: the user `user` with the password `pencil`."""


def exchange(*verifiers: Verifier, first: bytes = FIRST) -> Exchange:
    return Exchange(read_first(first), SERVER, verifiers)


PENCIL = Verifier.of("pencil", SALT)
CRAYON = Verifier.of("crayon", SALT)


def test_the_example_of_the_rfc() -> None:
    begun = exchange(PENCIL)
    assert begun.server_first == f"r={SERVER},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert begun.finish(FINAL) == (0, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_any_of_several_passwords_is_found() -> None:
    assert exchange(CRAYON, PENCIL, CRAYON).finish(FINAL) == exchange(PENCIL, PENCIL).finish(FINAL)
    assert exchange(CRAYON).finish(FINAL) is None


def test_a_decoy_looks_like_a_login_and_is_none() -> None:
    one, again, other = decoy(b"key", "user"), decoy(b"key", "USER"), decoy(b"key", "other")
    assert one == again
    assert (len(one.salt), one.iterations) == (len(SALT), PENCIL.iterations)
    assert one.salt != other.salt != decoy(b"another key", "other").salt
    assert exchange(one).finish(FINAL) is None


def test_the_first_verifier_does_not_show() -> None:
    """Somebody who asks before and after hears the same salt."""
    first = Verifier.read(verifier_beside((), "pencil", b"key", "user"))
    assert first.salt == decoy(b"key", "user").salt
    assert first.matches(Verifier.of("pencil", first.salt))
    second = Verifier.read(verifier_beside([str(PENCIL)], "crayon", b"key", "user"))
    assert second == CRAYON


def test_a_verifier_is_written_and_read() -> None:
    assert str(PENCIL).startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    assert Verifier.read(str(PENCIL)) == PENCIL
    for wrong in ("", "SCRAM-SHA-1$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$4096:?$AAAA:AAAA", "$argon2id$v=19$"):
        with pytest.raises(ValueError, match=r"."):
            Verifier.read(wrong)


def test_a_name_with_a_comma_and_an_equals_sign() -> None:
    assert read_first(b"y,a=a=2Cb=3D,n=a=2Cb=3D,r=x,ext=1").login == "a,b="


REFUSED_FIRSTS = {
    "empty": b"",
    "no nonce": b"n,,n=user",
    "empty nonce": b"n,,n=user,r=",
    "empty name": b"n,,n=,r=x",
    "a name that is not escaped": b"n,,n=a=b,r=x",
    "channel binding": b"p=tls-exporter,,n=user,r=x",
    "another's name": b"n,a=boss,n=user,r=x",
    "an extension that must be known": b"n,,m=x,n=user,r=x",
    "a comma in the nonce": b"n,,n=user,r=,x",
    "a line feed": b"n,,n=us\ner,r=x",
    "NUL": b"n,,n=us\0er,r=x",
    "no UTF-8": b"n,,n=\xff,r=x",
    "no GS2 header": b"n=user,r=x",
}


@pytest.mark.parametrize("message", REFUSED_FIRSTS.values(), ids=REFUSED_FIRSTS)
def test_what_is_no_first_message(message: bytes) -> None:
    with pytest.raises(BadCommand, match=r"^501 5\.5\."):
        read_first(message)


REFUSED_FINALS = {
    "empty": b"",
    "no proof": f"c=biws,r={SERVER}".encode(),
    "the client's nonce alone": FINAL.replace(SERVER.encode(), CLIENT.encode()),
    "another nonce": FINAL.replace(b"$k0,", b"$k1,"),
    "another header": FINAL.replace(b"biws", b"eSws"),
    "a header that is no base64": FINAL.replace(b"biws", b"biw="),
    "a proof that is no base64": FINAL.replace(b"dVQ=", b"dV=="[:3]),
    "something behind the proof": FINAL + b",x=y",
    "no UTF-8": FINAL + b"\xff",
}


@pytest.mark.parametrize("message", REFUSED_FINALS.values(), ids=REFUSED_FINALS)
def test_what_is_no_final_message(message: bytes) -> None:
    with pytest.raises(BadCommand, match=r"^501 5\.5\.2"):
        exchange(PENCIL).finish(message)


@pytest.mark.parametrize("octets", [0, 1, 31, 33, 64])
def test_a_proof_of_another_length_proves_nothing(octets: int) -> None:
    proof = base64.b64encode(b"x" * octets).decode() or "===="
    message = f"c=biws,r={SERVER},p={proof}".encode()
    try:
        assert exchange(PENCIL).finish(message) is None
    except BadCommand:
        assert octets == 0


@given(st.binary(max_size=300))
def test_nothing_breaks_it(message: bytes) -> None:
    for read in (read_first, exchange(PENCIL).finish):
        try:
            read(message)
        except BadCommand:
            continue
        # Hypothesis knows neither the nonce nor the password.
        assert read is read_first


@given(st.binary(min_size=32, max_size=32))
def test_no_proof_but_the_right_one(proof: bytes) -> None:
    message = f"c=biws,r={SERVER},p={base64.b64encode(proof).decode()}".encode()
    assert exchange(PENCIL, CRAYON).finish(message) is None


def test_generated_passwords_are_recognised_as_people_copy_them() -> None:
    password = generate()
    assert as_generated(password) == password
    assert as_generated(password.upper()) == as_generated(password.replace("-", " ")) == password
    assert as_generated(password.replace("-", "")) == password
    for other in ("", "clinic-demo", password[:-1], password + "a", password.replace("-", "_"), "0" * 24, "é" * 24):
        assert as_generated(other) is None
    assert len({generate() for _ in range(1000)}) == 1000
