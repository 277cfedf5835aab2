"""Who gets in: app passwords, SCRAM as clients speak it, guessers, and authenticators that say no."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from structlog.testing import capture_logs

from bridge import clock, logins
from bridge.access import throttle
from bridge.access.credentials import Credentials, hash_password
from bridge.access.passwords import generate
from bridge.access.throttle import Throttle
from bridge.errors import StoreUnavailable
from bridge.logins import Logins
from bridge.types import Mailbox
from tests.smtp.conftest import (
    APP_PASSWORD,
    LOGIN,
    PASSWORD,
    SALTS,
    Client,
    Directory,
    House,
    OpenHouse,
    logins_of,
)
from tests.smtp.test_clients import DOORS, MAIL, TO, _run, _the_mail

OTHER_PASSWORD = "zyxw-vuts-rqpo-nmlk-jihg-fedc"


def plain(login: str, password: str) -> str:
    return "AUTH PLAIN " + base64.b64encode(f"\0{login}\0{password}".encode()).decode()


async def greeted(house: House) -> Client:
    client = await house.connect()
    await client.say("EHLO pc.example.test")
    return client


async def sends(client: Client) -> str:
    """The answer to a mail that is begun, and given up so that nobody waits for its end."""
    answer = await client.say(f"MAIL FROM:<{LOGIN}>")
    await client.say("RSET")
    return answer


@pytest.fixture
def cheap(house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are worked out in no time, wrong ones too."""
    fast = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr("bridge.access.credentials._ARGON2", fast)
    house.directory.mailboxes[LOGIN] = replace(mailbox, password_hash=hash_password(PASSWORD))
    house.front.logins = logins_of(house.directory, Credentials())


class ScramClient:
    """The client's half of RFC 5802, told by nothing of the server's."""

    def __init__(self, login: str, password: str) -> None:
        self.password = password
        self.bare = f"n={login},r=fyko+d2lbbFgONRv9qkxdawL"
        self.server_key = b""
        self.said = b""

    def first(self) -> str:
        return _b64(f"n,,{self.bare}".encode())

    def final(self, challenge: str) -> str:
        server_first = base64.b64decode(challenge).decode()
        nonce, salt, iterations = (part[2:] for part in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(salt), int(iterations))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        self.said = f"{self.bare},{server_first},c=biws,r={nonce}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), self.said, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self.server_key = hmac.digest(salted, b"Server Key", "sha256")
        return _b64(f"c=biws,r={nonce},p={_b64(proof)}".encode())

    def believes(self, challenge: str) -> bool:
        proof = base64.b64decode(base64.b64decode(challenge).removeprefix(b"v="))
        return proof == hmac.digest(self.server_key, self.said, "sha256")


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


async def scram(client: Client, login: str, password: str) -> str:
    """The last answer to a login with SCRAM-SHA-256; the server has proven itself if it is 235."""
    spoken = ScramClient(login, password)
    challenge = await client.say(f"AUTH SCRAM-SHA-256 {spoken.first()}")
    assert challenge.startswith("334 ")
    answer = await client.say(spoken.final(challenge[4:]))
    if not answer.startswith("334 "):
        return answer
    assert spoken.believes(answer[4:])
    return await client.say("")


# ------------------------------------------------------------------------------------------------------ app passwords


@pytest.mark.parametrize("spelled", [APP_PASSWORD, APP_PASSWORD.upper(), APP_PASSWORD.replace("-", "")])
async def test_an_app_password_is_as_good_as_the_other(house: House, mailbox: Mailbox, spelled: str) -> None:
    house.directory.give(mailbox, OTHER_PASSWORD)
    house.directory.give(mailbox, APP_PASSWORD)
    assert (await (await greeted(house)).say(plain(LOGIN, spelled))).startswith("235 2.7.0")
    assert (await (await greeted(house)).say(plain(LOGIN, PASSWORD))).startswith("235 2.7.0")


@pytest.mark.usefixtures("quick")
async def test_an_app_password_opens_its_own_mailbox_only(house: House, mailbox: Mailbox) -> None:
    desk = replace(mailbox, id="m2", login="desk@example.test")
    house.directory.mailboxes[desk.login] = desk
    house.directory.give(desk, APP_PASSWORD)
    client = await greeted(house)
    assert (await client.say(plain(LOGIN, APP_PASSWORD))).startswith("535 5.7.8")
    assert (await client.say(plain(desk.login, generate()))).startswith("535 5.7.8")
    assert (await client.say(plain(desk.login, APP_PASSWORD))).startswith("235 2.7.0")


async def test_a_mailbox_without_a_password_of_its_own_has_app_passwords(house: House, mailbox: Mailbox) -> None:
    bare = replace(mailbox, password_hash="")
    house.directory.mailboxes[LOGIN] = bare
    house.directory.give(bare, APP_PASSWORD)
    assert (await (await greeted(house)).say(plain(LOGIN, APP_PASSWORD))).startswith("235 2.7.0")


async def test_whoever_is_in_with_a_revoked_password_is_out_at_the_next_mail(house: House, mailbox: Mailbox) -> None:
    house.directory.give(mailbox, OTHER_PASSWORD)
    house.directory.give(mailbox, APP_PASSWORD)
    scanner, laptop, by_scram = [await greeted(house) for _ in range(3)]
    await scanner.say(plain(LOGIN, OTHER_PASSWORD))
    await laptop.say(plain(LOGIN, APP_PASSWORD))
    assert (await scram(by_scram, LOGIN, OTHER_PASSWORD)).startswith("235")
    house.directory.app_passwords[mailbox.id] = house.directory.passwords(mailbox.id)[1:]
    for revoked in (scanner, by_scram):
        assert (await sends(revoked)).startswith("530 5.7.0 The login has changed")
    assert (await sends(laptop)).startswith("250")
    assert (await scanner.say(plain(LOGIN, APP_PASSWORD))).startswith("235"), "it may log in again"


async def test_a_changed_password_of_the_mailbox_leaves_app_passwords_alone(house: House, mailbox: Mailbox) -> None:
    house.directory.give(mailbox, APP_PASSWORD)
    client = await greeted(house)
    await client.say(plain(LOGIN, APP_PASSWORD))
    house.directory.mailboxes[LOGIN] = replace(mailbox, password_hash="another")
    assert (await sends(client)).startswith("250")


async def test_a_login_with_an_app_password_works_out_no_argon2(
    house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.directory.give(mailbox, APP_PASSWORD)
    monkeypatch.delattr("pwdlib.PasswordHash.verify")
    assert (await (await greeted(house)).say(plain(LOGIN, APP_PASSWORD))).startswith("235 2.7.0")


class Uses:
    """Writes uses down, or cannot."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.gate = asyncio.Event()
        self.fails = False

    async def used(self, password_id: str, at: datetime) -> None:
        await self.gate.wait()
        if self.fails:
            raise StoreUnavailable("The database is away.")
        self.written.append(password_id)


async def test_a_use_is_noted_once_an_hour_behind_the_login(
    mailbox: Mailbox, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    known, uses = Directory(mailbox), Uses()
    mine = known.give(mailbox, APP_PASSWORD)
    decider = Logins(known, credentials, Throttle(), salts=SALTS, scram=True, used=uses.used)

    async def log_in() -> None:
        assert (await decider.by_password(LOGIN, APP_PASSWORD, "192.0.2.1")).mark == mine.id

    await log_in()  # does not wait for what is written
    uses.gate.set()
    await log_in()
    await asyncio.gather(*decider.noting)
    assert uses.written == [mine.id]
    now += timedelta(hours=1)
    uses.fails = True
    with capture_logs() as logged:
        await log_in()
        await asyncio.gather(*decider.noting)
    assert [entry["event"] for entry in logged] == ["login.use_not_noted"]


# --------------------------------------------------------------------------------------------------------------- SCRAM


async def test_scram_takes_every_app_password_and_proves_the_server(house: House, mailbox: Mailbox) -> None:
    for password in (OTHER_PASSWORD, APP_PASSWORD):
        house.directory.give(mailbox, password)
    for password in (OTHER_PASSWORD, APP_PASSWORD):
        client = await greeted(house)
        assert (await scram(client, LOGIN, password)).startswith("235 2.7.0")
        assert (await sends(client)).startswith("250")


@pytest.mark.usefixtures("quick")
async def test_scram_refuses_what_is_wrong_after_three_tries(house: House, mailbox: Mailbox) -> None:
    """Among them the mailbox's own password, of which there is no verifier."""
    house.directory.give(mailbox, APP_PASSWORD)
    client = await greeted(house)
    assert (await scram(client, LOGIN, PASSWORD)).startswith("535 5.7.8")
    assert (await scram(client, "nobody@example.test", APP_PASSWORD)).startswith("535 5.7.8")
    assert (await sends(client)).startswith("530 5.7.0")
    assert (await scram(client, LOGIN, OTHER_PASSWORD)).startswith("535 5.7.8")
    assert (await client.rest()).startswith(b"421 4.7.0")


async def test_a_login_that_does_not_exist_has_a_salt_that_stays(house: House, mailbox: Mailbox) -> None:
    async def salt(login: str) -> str:
        client = await greeted(house)
        challenge = await client.say("AUTH SCRAM-SHA-256 " + _b64(f"n,,n={login},r=x".encode()))
        await client.say("*")
        return base64.b64decode(challenge[4:]).decode().split(",")[1]

    nobody = await salt("nobody@example.test")
    assert nobody == await salt("Nobody@example.test")
    before = await salt(LOGIN)
    assert len(before) == len(nobody)
    house.directory.give(mailbox, APP_PASSWORD)
    assert await salt(LOGIN) == before


async def test_scram_is_offered_only_where_it_is_switched_on(open_house: OpenHouse) -> None:
    house = await open_house(scram=False)
    client = await house.connect()
    assert "AUTH PLAIN LOGIN\n" in await client.say("EHLO pc")
    assert (await client.say("AUTH SCRAM-SHA-256")).startswith("504 5.5.4")


@pytest.mark.parametrize("door", DOORS)
async def test_msmtp_with_scram(
    open_house: OpenHouse, mailbox: Mailbox, authority_file: Path, tmp_path: Path, door: str
) -> None:
    house = await open_house(plaintext_login=door == "loopback")
    house.directory.give(mailbox, OTHER_PASSWORD)
    house.directory.give(mailbox, APP_PASSWORD)
    tls = {"loopback": "tls off", "starttls": "tls_starttls on", "implicit-tls": "tls_starttls off"}[door]
    trust = f"tls on\ntls_trust_file {authority_file}\n" if door != "loopback" else ""
    settings = tmp_path / "msmtprc"
    settings.write_text(
        f"account default\nhost localhost\nport {house.tls_port if door == 'implicit-tls' else house.port}\n"
        f"{trust}{tls}\nauth scram-sha-256\nuser {LOGIN}\npassword {APP_PASSWORD}\nfrom {LOGIN}\n"
    )
    settings.chmod(0o600)
    await _run("msmtp", "--file", str(settings), TO, stdin=MAIL.replace("\r\n", "\n"))
    assert _the_mail(house).raw.endswith(MAIL.encode())


# ------------------------------------------------------------------------------------------------------------ guessing


@pytest.mark.usefixtures("quick", "cheap")
async def test_fifteen_wrong_passwords_and_the_address_is_not_listened_to(house: House) -> None:
    """Three on each connection; then the right one is not looked at either, and the connection ends."""
    for begin in range(0, 15, 3):
        client = await greeted(house)
        for n in range(begin, begin + 3):
            assert (await client.say(plain("nobody@example.test", f"wrong {n}"))).startswith("535 5.7.8")
        assert (await client.rest()).startswith(b"421 4.7.0 Too many wrong logins")
    client = await greeted(house)
    with capture_logs() as logged:
        assert (await client.say(plain(LOGIN, PASSWORD))).startswith("421 4.7.0 Too many wrong logins")
        assert await client.rest() == b""
    assert [entry["by"] for entry in logged if entry["event"] == "login.locked"] == ["address"]
    assert not any(secret in str(logged) for secret in (LOGIN, PASSWORD, "nobody"))


@pytest.mark.usefixtures("quick", "cheap")
async def test_the_owner_gets_in_from_where_he_was_before(house: House) -> None:
    await (await greeted(house)).say(plain(LOGIN, PASSWORD))
    for begin in range(0, 30, 3):
        client = await greeted(house)
        for n in range(begin, begin + 3):
            await client.say(plain(LOGIN, f"wrong {n}"))
    assert (await (await greeted(house)).say(plain(LOGIN, PASSWORD))).startswith("235")


async def test_guesses_at_the_same_time_are_counted_before_they_are_worked_out(
    mailbox: Mailbox, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred connections at once are not a hundred guesses."""
    worked_out = 0

    async def verify(self: Credentials, login: str, password_hash: str, password: str) -> bool:
        nonlocal worked_out
        worked_out += 1
        await asyncio.sleep(0)
        return False

    monkeypatch.setattr(Credentials, "verify", verify)
    decider = Logins(Directory(mailbox), credentials, Throttle(), salts=SALTS, scram=True, used=Uses().used)
    guesses = (decider.by_password(LOGIN, f"wrong {n}", "203.0.113.66") for n in range(100))
    ends = await asyncio.gather(*guesses, return_exceptions=True)
    assert throttle.MOST <= worked_out < throttle.MOST + logins.AT_ONCE
    assert all(isinstance(end, logins.WrongLogin | throttle.Locked) for end in ends)


@pytest.mark.usefixtures("quick", "cheap")
async def test_each_wrong_password_takes_longer_over_all_connections(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float, result: Any = None) -> None:
        if seconds:
            slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr("bridge.smtp_login.LOGIN_DELAY", 1.0)
    monkeypatch.setattr("bridge.smtp_login.asyncio.sleep", note)
    for n in range(12):
        await (await greeted(house)).say(plain("nobody@example.test", f"wrong {n}"))
    assert slept == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]


async def test_unknown_logins_take_as_long_as_known_ones(
    mailbox: Mailbox, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in work, not in time: each is one PBKDF2 for what may be an app password, and one argon2 for either."""
    worked: list[str] = []
    verify, pbkdf2 = Credentials.verify, hashlib.pbkdf2_hmac

    async def argon2(self: Credentials, login: str, password_hash: str, password: str) -> bool:
        worked.append("argon2")
        return await verify(self, login, password_hash, password)

    def counted(*arguments: Any) -> bytes:
        worked.append(f"pbkdf2 {arguments[3]}")
        return pbkdf2(*arguments)

    monkeypatch.setattr(Credentials, "verify", argon2)
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    known = Directory(mailbox)
    known.give(mailbox, APP_PASSWORD)
    decider = Logins(known, credentials, Throttle(), salts=SALTS, scram=True, used=Uses().used)

    async def work(login: str, password: str) -> list[str]:
        worked.clear()
        with pytest.raises(logins.WrongLogin):
            await decider.by_password(login, password, "192.0.2.1")
        return list(worked)

    assert await work(LOGIN, "wrong") == await work("nobody@example.test", "wrong") == ["argon2"]
    assert await work(LOGIN, OTHER_PASSWORD) == await work("nobody@example.test", OTHER_PASSWORD)
    assert worked == ["pbkdf2 4096", "argon2"]


# -------------------------------------------------------------------------------------- authenticators that say no


class No(Logins):
    """Says no in ways that Python takes for yes, or not at all."""

    def __init__(self, house: House, answer: Any) -> None:
        self.mechanisms = house.front.logins.mechanisms
        self.answer = answer

    def by_password(self, login: str, password: str, address: str) -> Any:
        return self.answer()


async def _later(answer: Any) -> Any:
    return answer


async def _never() -> Any:
    raise PermissionError("no")


ANSWERS = {
    "False": lambda: False,
    "None": lambda: None,
    "a coroutine that says False": lambda: _later(False),
    "a coroutine that says None": lambda: _later(None),
    "a coroutine that says True": lambda: _later(True),
    "a coroutine that says a string": lambda: _later("rejected"),
    "a coroutine that raises": _never,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_authenticator_that_says_no_never_yields_235(house: House, answer: Any) -> None:
    """Trap: aiosmtpd takes the coroutine of a rejecting authenticator for a yes."""
    house.front.logins = No(house, answer)
    client = await greeted(house)
    assert (await client.say(plain(LOGIN, PASSWORD))).startswith("451 4.3.0")
    assert (await sends(client)).startswith("530 5.7.0")


def test_what_an_app_password_costs() -> None:
    """A hundred times less than argon2, which takes a tenth of a second by design."""
    from bridge.access.scram import Verifier

    begun = time.process_time()
    for _ in range(20):
        Verifier.of(APP_PASSWORD, b"x" * 16)
    assert (time.process_time() - begun) / 20 < 0.02
