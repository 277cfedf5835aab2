"""Logins: right once is remembered, changed is forgotten, unknown takes as long as wrong."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import extract_parameters
from pwdlib import PasswordHash

from bridge.access import credentials as module
from bridge.access.credentials import Credentials, hash_password
from tests.smtp.conftest import LOGIN, PASSWORD


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that argon2 was run for."""
    ran: list[str] = []
    verify = PasswordHash.verify

    def count(self: PasswordHash, password: str | bytes, hash: str | bytes) -> bool:
        ran.append(str(hash))
        return verify(self, password, hash)

    monkeypatch.setattr(PasswordHash, "verify", count)
    return ran


async def test_a_right_password_is_worked_out_once(password_hash: str, counted: list[str]) -> None:
    credentials = Credentials()
    answers = await asyncio.gather(*(credentials.verify(LOGIN, password_hash, PASSWORD) for _ in range(8)))
    assert all(answers)
    assert len(counted) <= module.CONCURRENT_HASHES
    assert await credentials.verify(LOGIN, password_hash, PASSWORD)
    assert len(counted) <= module.CONCURRENT_HASHES


async def test_a_wrong_password_is_worked_out_each_time(password_hash: str, counted: list[str]) -> None:
    credentials = Credentials()
    assert not await credentials.verify(LOGIN, password_hash, "wrong")
    assert not await credentials.verify(LOGIN, password_hash, "wrong")
    assert len(counted) == 2


async def test_a_changed_password_is_forgotten_at_once(password_hash: str) -> None:
    credentials = Credentials()
    assert await credentials.verify(LOGIN, password_hash, PASSWORD)
    assert not await credentials.verify(LOGIN, hash_password("another"), PASSWORD)


async def test_a_password_is_not_remembered_for_another_login(password_hash: str, counted: list[str]) -> None:
    credentials = Credentials()
    await credentials.verify(LOGIN, password_hash, PASSWORD)
    await credentials.verify("desk@example.test", password_hash, PASSWORD)
    assert len(counted) == 2


async def test_an_unknown_login_costs_the_same_work(counted: list[str]) -> None:
    credentials = Credentials()
    assert not await credentials.verify("nobody@example.test", "", "guess")
    assert not await credentials.verify("nobody@example.test", "", "guess")
    assert len(counted) == 2
    assert [extract_parameters(hash) for hash in counted] == [extract_parameters(hash_password("guess"))] * 2


async def test_only_so_many_logins_are_remembered(
    password_hash: str, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    credentials = Credentials()
    for login in ("a", "b", "a", "c", "a", "b"):
        assert await credentials.verify(login, password_hash, PASSWORD)
    assert len(counted) == 4
