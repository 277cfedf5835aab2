"""What holds for every test: properties may take their time on a busy machine, and long forms run when asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings
from playwright.async_api import Browser, async_playwright, expect

from tests.servers.postgres import PostgresServer

settings.register_profile("bridge", deadline=None)
settings.load_profile("bridge")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --long` runs the long forms: more kills, more mails, more mutations."""
    parser.addoption("--long", action="store_true", help="run the long forms of crash and fuzz tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow stories begin first, so that no long test is left alone at the end when two processes share the work."""
    items.sort(key=lambda item: not {"nodes", "operation", "road", "cli", "filing"} & set(item.path.parts))


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
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium, without a window."""
    expect.set_options(timeout=20_000)
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield chromium
        await chromium.close()
