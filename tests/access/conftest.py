"""A name server for all tests of this room."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.servers.dns import NameServer, name_server


@pytest.fixture(scope="session")
async def running_name_server() -> AsyncIterator[NameServer]:
    """One server for all; its zone is the test's own."""
    async with name_server() as server:
        yield server


@pytest.fixture
def names(running_name_server: NameServer) -> NameServer:
    """The server, without zone, faults or memory of other tests."""
    server = running_name_server
    server.zone, server.faults, server.asked, server.delay, server.ttl = {}, {}, [], 0.0, 300
    return server
