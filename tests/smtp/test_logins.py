"""Who gets in: app passwords, SCRAM as clients speak it, guessers, and authenticators that say no."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.access.passwords import generate
from bridge.access.throttle import Throttle
from bridge.errors import StoreUnavailable
from bridge.logins import Logins, Proof
from bridge.types import Mailbox
from tests.smtp.conftest import (
    APP_PASSWORD,
    LOGIN,
    NUMBER,
    PASSWORD,
    SALTS,
    Client,
    Directory,
    House,
    OpenHouse,
)
from tests.smtp.programs import DOORS, MAIL, ORDER, PROGRAMS, Way

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


async def test_a_network_that_becomes_another_mailbox_s_brings_no_mail_of_the_old_one(
    house: House, mailbox: Mailbox
) -> None:
    """Its sender was held against the old one's addresses."""
    desk = replace(mailbox, id="m2", login="desk@example.test", addresses=())
    house.directory.mailboxes[desk.login] = desk
    house.directory.networks["127.0.0.1"] = LOGIN
    client = await greeted(house)
    assert (await client.say(f"MAIL FROM:<{LOGIN}>")).startswith("250")
    house.directory.networks["127.0.0.1"] = desk.login
    assert (await client.say(f"RCPT TO:{NUMBER}")).startswith("530 5.7.0")
    assert (await client.say("RSET")).startswith("250")


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

    async def used(self, proof: Proof, mark: str, at: datetime) -> None:
        await self.gate.wait()
        if self.fails:
            raise StoreUnavailable("The database is away.")
        self.written.append(mark)


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
    way = Way.into(house, authority_file, door, "SCRAM-SHA-256", APP_PASSWORD)
    await PROGRAMS["msmtp"].send(way, ORDER, tmp_path)
    assert [mail.raw for mail in house.admission.admitted] == [MAIL]
