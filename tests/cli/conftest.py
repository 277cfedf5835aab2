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
    return configured(tmp_path)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of an installation with every table and no row; tests work on copies of it.

    To make the tables, or the hash of a password, takes longer than most commands.
    """
    config = configured(tmp_path_factory.mktemp("tables"))
    assert run("db", "upgrade", "--config", config).code == 0
    return config


def copied(installation: Path, config: Path) -> Path:
    """`config`, with the data of another installation."""
    shutil.copytree(installation.parent / "data", config.parent / "data")
    return config


def configured(folder: Path) -> Path:
    """A configuration file in this folder, on ports of its own."""
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
