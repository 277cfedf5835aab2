"""Which access tokens are logins, whom they name, and where the keys come from."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from bridge.access import issuer_keys
from bridge.access.issuer_keys import AGAIN, FRESH, STALE, IssuerKeys, KeysUnavailable, read_keys
from bridge.access.tokens import FORGED, LEEWAY, Flaw, Issuer, TokenRefused, Tokens
from tests.servers.issuer import AUDIENCE, EC, ED, RSA, IssuerServer, jwk

OTHER = rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    running = IssuerServer()
    yield running
    running.close()


@pytest.fixture(scope="module")
def tokens(issuer: IssuerServer) -> Tokens:
    keys = IssuerKeys(issuer.keys_url, None)
    return Tokens([Issuer(issuer.name, ("api://other", AUDIENCE), "email", keys)])


@pytest.mark.parametrize("kid", ["r", "e", "d"])
async def test_a_good_token_names_its_login(tokens: Tokens, issuer: IssuerServer, kid: str) -> None:
    named = await tokens.read(issuer.token(kid))
    assert named.login == "clinic@example.test"
    assert abs(named.until.timestamp() - time.time() - 600 - LEEWAY) < 5


GOOD: dict[str, dict[str, Any]] = {
    "one audience of several": {"aud": ["https://elsewhere.example", AUDIENCE]},
    "expired within the leeway": {"exp": -30},
    "not valid yet, within the leeway": {"nbf": 30},
    "an address that was verified": {"email_verified": True},
    "an access token by RFC 9068": {"headers": {"typ": "at+jwt"}},
    "no sub": {"sub": None},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
async def test_what_may_differ(tokens: Tokens, issuer: IssuerServer, changes: dict[str, Any]) -> None:
    """Times are seconds from now."""
    now = int(time.time())
    said = {name: now + value if name in ("exp", "nbf") else value for name, value in changes.items()}
    assert (await tokens.read(issuer.token(**said))).login == "clinic@example.test"


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _part(said: object) -> str:
    return _b64(json.dumps(said).encode())


def _unsigned(issuer: IssuerServer) -> str:
    return f"{_part({'alg': 'none', 'kid': 'r'})}.{_part(issuer.claims())}."


def _signed_with_the_public_key(issuer: IssuerServer) -> str:
    """The best known trick: HS256, with the public key as the secret (RFC 8725 section 2.1)."""
    secret = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    said = f"{_part({'alg': 'HS256', 'kid': 'r'})}.{_part(issuer.claims())}"
    return f"{said}.{_b64(hmac.digest(secret, said.encode(), 'sha256'))}"


def _signed_by_another(issuer: IssuerServer) -> str:
    return jwt.encode(issuer.claims(), OTHER, "RS256", headers={"kid": "r"})


def _with_a_key_of_its_own(issuer: IssuerServer) -> str:
    """Keys that a token brings along prove nothing (RFC 8725 section 2.1, CVE-2018-0114)."""
    return jwt.encode(issuer.claims(), OTHER, "RS256", headers={"kid": "r", "jwk": jwk(OTHER), "jku": "http://x"})


def _changed(issuer: IssuerServer) -> str:
    header, _, signature = issuer.token().split(".")
    return f"{header}.{_part(issuer.claims(email='boss@example.test'))}.{signature}"


def _of_another_curve(issuer: IssuerServer) -> str:
    return jwt.encode(issuer.claims(), ec.generate_private_key(ec.SECP384R1()), "ES384", headers={"kid": "e"})


def _with_another_algorithm(issuer: IssuerServer) -> str:
    """The right key, and an algorithm that the issuer did not say it signs with."""
    return jwt.encode(issuer.claims(), RSA, "PS256", headers={"kid": "r"})


def _critical(issuer: IssuerServer) -> str:
    return issuer.token(headers={"crit": ["x"], "x": 1})


def _deep(issuer: IssuerServer) -> str:
    return f"{_part({'alg': 'RS256', 'kid': 'r'})}.{_b64(b'[' * 6000)}.AAAA"


Make = Callable[[IssuerServer], str]

REFUSED: dict[str, tuple[Make, Flaw]] = {
    "nothing": (lambda _: "", Flaw.MALFORMED),
    "a word": (lambda _: "clinic-demo", Flaw.MALFORMED),
    "two parts": (lambda issuer: issuer.token().rpartition(".")[0], Flaw.MALFORMED),
    "brackets without end": (_deep, Flaw.MALFORMED),
    "a critical extension": (_critical, Flaw.MALFORMED),
    "a token for a logout": (lambda issuer: issuer.token(headers={"typ": "logout+jwt"}), Flaw.MALFORMED),
    "claims that are a list": (lambda _: f"{_part({'alg': 'RS256'})}.{_part([1])}.AAAA", Flaw.MALFORMED),
    "no issuer": (lambda issuer: issuer.token(iss=None), Flaw.ISSUER),
    "an issuer that nobody trusts": (lambda issuer: issuer.token(iss="https://evil.example"), Flaw.ISSUER),
    "an issuer that begins alike": (lambda issuer: issuer.token(iss=issuer.name + "/"), Flaw.ISSUER),
    "issuers that are a list": (
        lambda issuer: f"{_part({'alg': 'RS256'})}.{_part({'iss': [issuer.name]})}.AAAA",
        Flaw.ISSUER,
    ),
    "a key that is not there": (lambda issuer: issuer.token(headers={"kid": "x"}), Flaw.KEY),
    "no key named, of several": (lambda issuer: jwt.encode(issuer.claims(), RSA, "RS256"), Flaw.KEY),
    "not signed": (_unsigned, Flaw.SIGNATURE),
    "signed with the public key": (_signed_with_the_public_key, Flaw.SIGNATURE),
    "signed by somebody else": (_signed_by_another, Flaw.SIGNATURE),
    "a key of its own": (_with_a_key_of_its_own, Flaw.SIGNATURE),
    "changed since": (_changed, Flaw.SIGNATURE),
    "of another curve": (_of_another_curve, Flaw.SIGNATURE),
    "another algorithm": (_with_another_algorithm, Flaw.SIGNATURE),
    "another key's id": (lambda issuer: issuer.token("e", headers={"kid": "d"}), Flaw.SIGNATURE),
    "expired": (lambda issuer: issuer.token(exp=int(time.time()) - 120), Flaw.TIME),
    "not valid yet": (lambda issuer: issuer.token(nbf=int(time.time()) + 120), Flaw.TIME),
    "issued in the future": (lambda issuer: issuer.token(iat=int(time.time()) + 120), Flaw.TIME),
    "it never expires": (lambda issuer: issuer.token(exp=None), Flaw.AUDIENCE),
    "it expires beyond all time": (lambda issuer: issuer.token(exp=10**30), Flaw.TIME),
    "it expires beyond all numbers": (lambda issuer: issuer.token(exp=10**400), Flaw.TIME),
    "for another": (lambda issuer: issuer.token(aud="https://elsewhere.example"), Flaw.AUDIENCE),
    "for nobody": (lambda issuer: issuer.token(aud=None), Flaw.AUDIENCE),
    "for a number": (lambda issuer: issuer.token(aud=[1]), Flaw.AUDIENCE),
    "no login": (lambda issuer: issuer.token(email=None), Flaw.LOGIN),
    "an empty login": (lambda issuer: issuer.token(email=""), Flaw.LOGIN),
    "logins in a list": (lambda issuer: issuer.token(email=["clinic@example.test"]), Flaw.LOGIN),
    "an address that nobody verified": (lambda issuer: issuer.token(email_verified=False), Flaw.LOGIN),
}


@pytest.mark.parametrize(("make", "flaw"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_login(tokens: Tokens, issuer: IssuerServer, make: Make, flaw: Flaw) -> None:
    with pytest.raises(TokenRefused) as refused:
        await tokens.read(make(issuer))
    assert refused.value.flaw is flaw


def test_what_no_issuer_has_signed_is_forged() -> None:
    assert set(Flaw) - FORGED == {Flaw.TIME, Flaw.AUDIENCE, Flaw.LOGIN}


async def test_whatever_is_said_is_a_login_or_refused(tokens: Tokens, issuer: IssuerServer) -> None:
    good = issuer.token()
    await tokens.read(good)

    @given(st.integers(0, len(good) - 1), st.sampled_from("AZaz09-_.=+/ \x00é"))
    def one(place: int, letter: str) -> None:
        read = tokens.read(good[:place] + letter + good[place + 1 :])
        # The last letter of a part may stand for fewer bits than it has: then it is the same token.
        with pytest.raises((TokenRefused, StopIteration)) as end:
            read.send(None)
        if isinstance(end.value, StopIteration):
            assert end.value.value.login == "clinic@example.test"

    one()


# ---------------------------------------------------------------------------------------------------------------- keys


class Clock:
    """Seconds that the test counts."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_only_keys_that_tokens_may_be_signed_with_are_read() -> None:
    small = rsa.generate_private_key(65537, 1024)
    listed = [
        jwk(RSA, kid="good"),
        jwk(EC, kid="ec", use="sig"),
        jwk(ED, kid="ed", alg="EdDSA"),
        jwk(RSA, kid="to encrypt", use="enc"),
        jwk(RSA, kid="another algorithm", alg="RS512"),
        jwk(RSA, kid="private", d="AQAB"),
        jwk(small, kid="small"),
        jwk(ec.generate_private_key(ec.SECP384R1()), kid="curve"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "RSA", "kid": "empty"},
        {"kty": "RSA", "n": 1, "e": [], "kid": "wrong types"},
        {"kty": ["RSA"], "kid": "wrong kind"},
        "no key",
        None,
    ]
    found = read_keys(json.dumps({"keys": listed}).encode())
    assert {kid: key.algorithm_name for kid, key in found.items()} == {"good": "RS256", "ec": "ES256", "ed": "EdDSA"}
    for wrong in (b"", b"[]", b"{}", b'{"keys": {}}', b"\xff"):
        with pytest.raises(ValueError, match=r"."):
            read_keys(wrong)


async def test_keys_are_fetched_once_and_again_when_they_are_old(issuer: IssuerServer) -> None:
    clock = Clock()
    keys = IssuerKeys(issuer.keys_url, None, clock)
    before = issuer.asked
    for _ in range(5):
        assert await keys.key("r") is not None
    assert issuer.asked == before + 1
    clock.now += FRESH
    assert await keys.key("r") is not None
    assert issuer.asked == before + 2


async def test_a_new_key_is_asked_for_and_a_flood_of_unknown_ones_is_not(issuer: IssuerServer) -> None:
    clock, before = Clock(), list(issuer.keys)
    keys = IssuerKeys(issuer.keys_url, None, clock)
    await keys.key("r")
    try:
        issuer.keys = [*before, jwk(OTHER, kid="new")]
        asked = issuer.asked
        assert [await keys.key(f"{n}") for n in range(50)] == [None] * 50
        assert issuer.asked == asked
        clock.now += AGAIN
        assert await keys.key("new") is not None
        assert issuer.asked == asked + 1
    finally:
        issuer.keys = before


AWAY = {
    "refuses": (500, b""),
    "redirects": (302, b""),
    "says something else": (200, b"<html>"),
    "says too much": (200, b" " * (issuer_keys.MOST_OCTETS + 1)),
}


@pytest.mark.parametrize("answer", AWAY.values(), ids=AWAY)
async def test_an_issuer_that_is_away_is_believed_for_a_day(issuer: IssuerServer, answer: tuple[int, bytes]) -> None:
    clock = Clock()
    keys, unlucky = (IssuerKeys(issuer.keys_url, None, clock) for _ in range(2))
    await keys.key("r")
    try:
        issuer.answer = answer
        with pytest.raises(KeysUnavailable):
            await unlucky.key("r")
        clock.now += STALE - AGAIN
        assert await keys.key("r") is not None
        clock.now += AGAIN
        with pytest.raises(KeysUnavailable):
            await keys.key("r")
    finally:
        issuer.answer = None
    with pytest.raises(KeysUnavailable):
        await keys.key("r")  # not so soon after the last try
    clock.now += AGAIN
    assert await keys.key("r") is not None


async def test_a_file_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    keys = IssuerKeys("", file)
    with pytest.raises(KeysUnavailable):
        await keys.key("one")
    file.write_text(json.dumps({"keys": [jwk(RSA, kid="one")]}))
    assert await keys.key("one") is not None
    assert await keys.key(None) is not None
    assert await keys.key("two") is None
    file.write_text(json.dumps({"keys": [jwk(RSA, kid="two"), jwk(EC, kid="three")]}))
    assert await keys.key("one") is None
    assert await keys.key("two") is not None
    file.write_text("half a fi")
    assert await keys.key("two") is not None, "a file that is just being written takes nothing away"
