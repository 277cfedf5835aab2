"""One demo for all tests of the road that do not break it, and fresh ones for those that do."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.road.demo_process import DemoProcess
from tests.road.mail_server import Relay

_numbers = itertools.count(1000)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    """A demo that runs for the whole session; give every test phones of its own."""
    running = DemoProcess(tmp_path_factory.mktemp("demo")).start()
    yield running
    running.stop()
    assert running.leaks() == []


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    """One Postfix for all tests of a module."""
    running = Relay.create()
    try:
        yield running
    finally:
        running.postfix.remove()


@pytest.fixture
def own_demo(tmp_path: Path) -> Iterator[DemoProcess]:
    """A demo for one test alone, which may kill it."""
    running = DemoProcess(tmp_path).start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()
    assert running.leaks() == []


@pytest.fixture
def phone() -> Callable[[str], str]:
    """Makes phones that no other test uses: the three digits are the fate."""

    def make(fate: str = "000") -> str:
        return f"+39347{next(_numbers)}{fate}"

    return make
