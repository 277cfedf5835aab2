"""The fixture of the simulator's tests: a running world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.simulator.world import Bridge, World, run_world


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A simulator, its gateway and the hooks, on loopback."""
    async with run_world(tmp_path, Bridge()) as running:
        yield running
