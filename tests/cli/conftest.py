"""What the stories of the command line share: a running demo, and an installation that nothing runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.road.demo_process import DemoProcess
from tests.servers.ports import free_port


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    """A running demo; each test brings phones and mailboxes of its own."""
    running = DemoProcess(tmp_path_factory.mktemp("demo")).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a bridge that does not run; its database is made by the first command."""
    file = tmp_path / "bridge.toml"
    file.write_text(
        f"""
data_dir = "data"
[smtp]
port = {free_port()}
[http]
port = {free_port()}
[gateways.one]
kind = "simulator"
url = "http://127.0.0.1:{free_port()}"
secret = "a secret of two"
[sending]
gateway = "one"
"""
    )
    return file
