"""What the stories of the command line share: a running demo, and an installation that nothing runs on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import run
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
    return _configured(tmp_path)


@pytest.fixture(scope="session")
def _tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as the first command leaves it."""
    folder = tmp_path_factory.mktemp("installed")
    assert run("db", "upgrade", "--config", _configured(folder)).code == 0
    return folder / "data"


@pytest.fixture
def installed(config: Path, _tables: Path) -> Path:
    """The same with every table and no row: a copy, since to make the tables takes longer than most commands."""
    shutil.copytree(_tables, config.parent / "data")
    return config


def _configured(folder: Path) -> Path:
    file = folder / "bridge.toml"
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
