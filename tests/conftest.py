"""What holds for every test: none depends on chance or on a quiet machine, and long forms run when asked for."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser, async_playwright, expect

from tests.servers.dovecot import DovecotServer
from tests.servers.postgres import PostgresServer

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Examples may take as long as a busy machine needs, to be made and to be tried."""
settings.register_profile("bridge", UNHURRIED, derandomize=True)
settings.register_profile("search", UNHURRIED)


def pytest_configure(config: pytest.Config) -> None:
    """Properties are tried on the same examples every time; `--long` looks for new ones."""
    settings.load_profile("search" if config.getoption("--long") else "bridge")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --long` runs the long forms: more kills, more mails, more mutations."""
    parser.addoption("--long", action="store_true", help="run the long forms of crash and fuzz tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow stories begin first, so that no long test is left alone at the end when two processes share the work."""
    items.sort(key=lambda item: not {"nodes", "operation", "road", "cli", "filing", "threads"} & set(item.path.parts))


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL, started at the first test that needs it."""
    server = PostgresServer.create()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def dovecot() -> Iterator[DovecotServer]:
    """A real IMAP and LMTP server; each test that asks for `account` has an empty one of its own on it."""
    server = DovecotServer.create()
    yield server
    server.remove()


_ACCOUNTS = itertools.count()


@pytest.fixture
def account() -> str:
    """The name of an account on a mail server that no other test has used."""
    return f"account{next(_ACCOUNTS)}"


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A real Chromium, without a window."""
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield chromium
        await chromium.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium for all tests that need one."""
    expect.set_options(timeout=20_000)
    async with open_browser() as chromium:
        yield chromium
