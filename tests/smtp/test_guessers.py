"""Who guesses: slowed down, then locked, without locking the owner out; and authenticators that say no."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from structlog.testing import capture_logs

from bridge import logins
from bridge.access import throttle
from bridge.access.credentials import Credentials, hash_password
from bridge.logins import Logins
from bridge.types import Mailbox
from tests.smtp.conftest import APP_PASSWORD, LOGIN, PASSWORD, Directory, House, logins_of
from tests.smtp.test_logins import OTHER_PASSWORD, greeted, plain, sends


@pytest.fixture
def cheap(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap(house, monkeypatch)


def make_cheap(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are worked out in no time, wrong ones too."""
    fast = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr("bridge.access.credentials._ARGON2", fast)
    monkeypatch.setattr("bridge.access.credentials._DECOY", fast.hash("nobody's"))
    mailbox = house.directory.mailboxes[LOGIN]
    house.directory.mailboxes[LOGIN] = replace(mailbox, password_hash=hash_password(PASSWORD))
    house.front.logins = logins_of(house.directory, Credentials())


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
    decider = logins_of(Directory(mailbox), credentials)
    guesses = (decider.by_password(LOGIN, f"wrong {n}", "203.0.113.66") for n in range(100))
    ends = await asyncio.gather(*guesses, return_exceptions=True)
    assert throttle.MOST <= worked_out < throttle.MOST + logins.AT_ONCE
    assert all(isinstance(end, logins.WrongLogin | throttle.Locked) for end in ends)


async def test_the_same_wrong_password_is_worked_out_once(
    mailbox: Mailbox, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the mailbox has another one, and for each address by itself: nobody learns what others tried."""
    worked_out = 0
    verify = Credentials.verify

    async def counted(self: Credentials, login: str, password_hash: str, password: str) -> bool:
        nonlocal worked_out
        worked_out += 1
        return await verify(self, login, password_hash, password)

    monkeypatch.setattr(Credentials, "verify", counted)
    known = Directory(mailbox)
    decider = logins_of(known, credentials)

    async def wrong(address: str) -> int:
        with pytest.raises(logins.WrongLogin):
            await decider.by_password(LOGIN, "last year's", address)
        return worked_out

    assert [await wrong("192.0.2.1"), await wrong("192.0.2.1"), await wrong("192.0.2.2")] == [1, 1, 2]
    known.mailboxes[LOGIN] = replace(mailbox, password_hash=hash_password("last year's"))
    assert (await decider.by_password(LOGIN, "last year's", "192.0.2.1")).mailbox.login == LOGIN


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
    decider = logins_of(known, credentials)

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
