"""OAUTHBEARER and XOAUTH2 over the wire: real clients, and every way to be refused."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.access.issuer_keys import IssuerKeys
from bridge.access.tokens import Issuer, Tokens
from bridge.smtp_auth import read_oauthbearer, read_plain, read_xoauth2
from bridge.smtp_syntax import BadCommand
from tests.servers.issuer import AUDIENCE, IssuerServer
from tests.smtp.conftest import LOGIN, PASSWORD, House, OpenHouse, logins_of
from tests.smtp.programs import DOORS, MAIL, ORDER, PROGRAMS, Way
from tests.smtp.test_logins import greeted, sends


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    running = IssuerServer()
    yield running
    running.close()


def trusting_tokens(issuer: IssuerServer) -> Tokens:
    return Tokens([Issuer(issuer.name, (AUDIENCE,), "email", IssuerKeys(issuer.keys_url, None))])


@pytest.fixture
async def token_house(open_house: OpenHouse, issuer: IssuerServer, credentials: Credentials) -> House:
    return let_tokens(await open_house(), issuer, credentials)


def let_tokens(house: House, issuer: IssuerServer, credentials: Credentials) -> House:
    house.front.logins = logins_of(house.directory, credentials, tokens=trusting_tokens(issuer))
    return house


def _b64(said: str) -> str:
    return base64.b64encode(said.encode()).decode()


def oauthbearer(token: str, login: str = LOGIN) -> str:
    named = f"a={login}" if login else ""
    said = (f"n,{named},", "host=x", "port=587", f"auth=Bearer {token}", "", "")
    return f"AUTH OAUTHBEARER {_b64(chr(1).join(said))}"


def xoauth2(token: str, login: str = LOGIN) -> str:
    said = (f"user={login}", f"auth=Bearer {token}", "", "")
    return f"AUTH XOAUTH2 {_b64(chr(1).join(said))}"


Say = Callable[..., str]


async def test_they_are_offered_where_an_issuer_is_trusted(house: House, token_house: House) -> None:
    with_tokens = await token_house.connect()
    offered = "PLAIN LOGIN SCRAM-SHA-256 OAUTHBEARER XOAUTH2"
    assert f"AUTH {offered}\n" in await with_tokens.say("EHLO pc")
    page = (Path(__file__).parents[2] / "docs" / "smtp.md").read_text(encoding="utf-8")
    assert [mechanism for mechanism in offered.split() if f"\n| {mechanism} |" not in page] == []
    without = await greeted(house)
    for mechanism in ("OAUTHBEARER", "XOAUTH2"):
        assert (await without.say(f"AUTH {mechanism}")).startswith("504 5.5.4")


@pytest.mark.parametrize("kid", ["r", "e", "d"])
@pytest.mark.parametrize("say", [oauthbearer, xoauth2])
async def test_a_good_token_is_a_login(token_house: House, issuer: IssuerServer, say: Say, kid: str) -> None:
    client = await greeted(token_house)
    assert (await client.say(say(issuer.token(kid)))).startswith("235 2.7.0")
    assert (await sends(client)).startswith("250")


async def test_nobody_need_be_named(token_house: House, issuer: IssuerServer) -> None:
    assert (await (await greeted(token_house)).say(oauthbearer(issuer.token(), ""))).startswith("235")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("say", "status", "dummy"),
    [(oauthbearer, "invalid_token", "AQ=="), (xoauth2, "401", ""), (xoauth2, "401", "*"), (xoauth2, "401", "?")],
    ids=["oauthbearer", "xoauth2", "given up", "nonsense"],
)
async def test_a_refused_token_is_told_in_a_challenge_first(
    token_house: House, issuer: IssuerServer, say: Say, status: str, dummy: str
) -> None:
    """RFC 7628 section 3.2.3: a challenge with JSON, an answer that says nothing, then 535; thrice, and it is over."""
    client = await greeted(token_house)
    for left in (2, 1, 0):
        challenge = await client.say(say(issuer.token(exp=int(time.time()) - 3600)))
        assert json.loads(base64.b64decode(challenge.removeprefix("334 ")))["status"] == status
        assert (await client.say(dummy)).startswith("535 5.7.8 The access token is no login here.")
        if left:
            assert (await sends(client)).startswith("530 5.7.0")
    assert (await client.rest()).startswith(b"421 4.7.0")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("say", [oauthbearer, xoauth2])
async def test_a_token_opens_the_mailbox_that_it_names(token_house: House, issuer: IssuerServer, say: Say) -> None:
    client = await greeted(token_house)
    for token, login in (
        (issuer.token(email="nobody@example.test"), "nobody@example.test"),
        (issuer.token(email="boss@example.test"), LOGIN),
        (issuer.token(), "desk@example.test"),
    ):
        assert (await client.say(say(token, login))).startswith("334 ")
        assert (await client.say("")).startswith("535 5.7.8")


NOT_UNDERSTOOD = {
    "no base64": "AUTH OAUTHBEARER ???",
    "no GS2 header": f"AUTH OAUTHBEARER {_b64('auth=Bearer x' + chr(1) * 2)}",
    "channel binding": f"AUTH OAUTHBEARER {_b64('p=tls-unique,,' + chr(1) + 'auth=Bearer x' + chr(1) * 2)}",
    "no end": f"AUTH OAUTHBEARER {_b64('n,,' + chr(1) + 'auth=Bearer x')}",
    "no login": f"AUTH XOAUTH2 {_b64('auth=Bearer x' + chr(1) * 2)}",
    "NUL": f"AUTH XOAUTH2 {_b64('user=a' + chr(0) + chr(1) + 'auth=Bearer x' + chr(1) * 2)}",
}


@pytest.mark.parametrize("command", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
async def test_what_is_not_understood_costs_no_try(token_house: House, command: str) -> None:
    client = await greeted(token_house)
    for _ in range(4):
        assert (await client.say(command)).startswith("501 5.5.2")
    assert (await sends(client)).startswith("530 5.7.0")


@pytest.mark.usefixtures("quick")
async def test_a_client_without_a_token_learns_that_it_needs_one(token_house: House) -> None:
    """RFC 7628 section 4.3."""
    client = await greeted(token_house)
    challenge = await client.say(f"AUTH OAUTHBEARER {_b64('n,,' + chr(1) + 'auth=' + chr(1) * 2)}")
    assert json.loads(base64.b64decode(challenge[4:])) == {"status": "invalid_token"}
    assert (await client.say("AQ==")).startswith("535 5.7.8")


async def test_a_login_ends_with_its_token(
    token_house: House, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await greeted(token_house)
    await client.say(oauthbearer(issuer.token(exp=int(time.time()) - 30)))  # their clock may be behind
    assert (await sends(client)).startswith("250")
    now = clock.now() + timedelta(seconds=31)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert (await sends(client)).startswith("530 5.7.0 The login has changed")


async def test_an_issuer_that_is_away_is_no_wrong_password(token_house: House, issuer: IssuerServer) -> None:
    issuer.answer = (503, b"")
    try:
        client = await greeted(token_house)
        for _ in range(4):
            assert (await client.say(xoauth2(issuer.token()))).startswith("454 4.7.0")
        assert (await sends(client)).startswith("530 5.7.0")
    finally:
        issuer.answer = None


@pytest.mark.usefixtures("quick")
async def test_forged_tokens_lock_an_address_and_expired_ones_do_not(token_house: House, issuer: IssuerServer) -> None:
    async def fail(token: str) -> str:
        client = await greeted(token_house)
        answer = await client.say(xoauth2(token))
        return answer if answer.startswith("421") else await client.say("")

    for n in range(20):
        assert (await fail(issuer.token(exp=int(time.time()) - 3600 - n))).startswith("535")
    for n in range(15):
        assert (await fail(issuer.token(jti=f"{n}")[:-8] + "AAAAAAAA")).startswith("535")
    assert (await fail(issuer.token())).startswith("421 4.7.0")


@pytest.mark.usefixtures("quick")
async def test_no_token_reaches_the_log(token_house: House, issuer: IssuerServer) -> None:
    with capture_logs() as logged:
        client = await greeted(token_house)
        expired = issuer.token(exp=int(time.time()) - 3600)
        await client.say(xoauth2(expired))
        await client.say("")
        await client.say(xoauth2(issuer.token()))
    (refused,) = [entry for entry in logged if entry["event"] == "login.refused"]
    assert refused["why"] == "expired or not yet valid"
    assert not any(secret in str(logged) for secret in (*expired.split("."), LOGIN))


# ------------------------------------------------------------------------------------------------------- real clients


CLIENTS = [("curl", door) for door in DOORS] + [("msmtp", "starttls")]


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
@pytest.mark.parametrize(("program", "door"), CLIENTS)
async def test_a_mail_program_with_a_token(
    open_house: OpenHouse,
    issuer: IssuerServer,
    credentials: Credentials,
    authority_file: Path,
    tmp_path: Path,
    program: str,
    door: str,
    mechanism: str,
) -> None:
    house = let_tokens(await open_house(plaintext_login=door == "loopback"), issuer, credentials)
    way = Way.into(house, authority_file, door, mechanism, issuer.token())
    await PROGRAMS[program].send(way, ORDER, tmp_path)
    assert [mail.raw for mail in house.admission.admitted] == [MAIL]


async def test_the_password_still_works(token_house: House) -> None:
    client = await greeted(token_house)
    assert (await client.say(f"AUTH PLAIN {_b64(f'{chr(0)}{LOGIN}{chr(0)}{PASSWORD}')}")).startswith("235")


@given(st.binary(max_size=200) | st.text("nyap=,\x00\x01userathBeoxk. ").map(str.encode))
def test_nothing_breaks_the_reading_of_answers(response: bytes) -> None:
    for read in (read_oauthbearer, read_xoauth2, read_plain):
        try:
            login, token = read(response)
        except BadCommand:
            continue
        assert "\0" not in login + token
