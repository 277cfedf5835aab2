"""`bridge demo`, `serve` and `simulator` as processes: how they start, stop, and share a machine with each other."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import httpx
import pytest

from bridge.app import Bridge
from bridge.cli.running import MANY_FILES, open_files
from bridge.demo import Demo
from bridge.errors import SettingsError
from bridge.settings import load
from tests.cli.commands import run
from tests.road.demo_process import BRIDGE, DemoProcess, eventually
from tests.servers.ports import free_port
from tests.servers.web import web


def bridge(*arguments: object, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a process that is to end by itself."""
    return subprocess.run(
        [*BRIDGE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(environ or {})},
    )


def answers(url: str) -> bool:
    try:
        return web.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that a test starts; none outlives it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(started: list[subprocess.Popen[str]], ready: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a command that stays, and wait until `ready` answers."""
    process = subprocess.Popen(
        [*BRIDGE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started.append(process)

    def look() -> bool:
        assert process.poll() is None, process.communicate()
        return answers(ready)

    eventually(look)
    return process


def test_a_demo_ends_well_on_ctrl_c_and_sigterm_and_finds_ports_of_its_own(
    tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    command = [*BRIDGE, "demo", "--data-dir", str(tmp_path / "d"), "--smtp-port", "0", "--http-port", "0"]
    for sign in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        said = "".join(takewhile("Ctrl-C stops it.\n".__ne__, process.stdout))
        (url,) = re.findall(r"Phones and mailbox +(\S+)\n", said)
        assert answers(f"{url}healthz")
        assert re.search(r"Mail server +127\.0\.0\.1 port [1-9]\d+ ", said)
        process.send_signal(sign)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")


def test_serve_ends_well(config: Path, started: list[subprocess.Popen[str]]) -> None:
    port = config.read_text().split("[http]\nport = ")[1].split()[0]
    process = start(started, f"http://127.0.0.1:{port}/healthz", "serve", "--config", config)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_simulator_of_its_own_ends_well(tmp_path: Path, started: list[subprocess.Popen[str]]) -> None:
    (tmp_path / "secret").write_text("a secret of two")
    port = free_port()
    process = start(
        started,
        f"http://127.0.0.1:{port}/simulator/api/phones",
        *("simulator", "--secret-file", tmp_path / "secret", "--data-dir", tmp_path / "s"),
        *("--smtp-port", 0, "--http-port", port),
    )
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


# ------------------------------------------------------------------------------------------ two on one machine


def test_a_second_demo_on_the_same_folder(demo: DemoProcess) -> None:
    configuration = (demo.data_dir / "bridge.toml").read_text()
    command = ("demo", "--data-dir", demo.data_dir, "--smtp-port", free_port(), "--http-port", free_port())
    done, fresh = bridge(*command), run(*command, "--fresh")
    assert (done.returncode, done.stdout, fresh.code, fresh.out) == (2, "", 2, "")
    assert {done.stderr, fresh.err} == {
        f'--data-dir = "{demo.data_dir}": a demo runs on this folder already; stop it, or name another folder '
        "and other ports\n"
    }
    assert (demo.data_dir / "bridge.toml").read_text() == configuration
    assert answers(f"{demo.url}/healthz")


@pytest.mark.parametrize("taken", ["smtp", "http"])
async def test_a_second_demo_on_the_same_port(demo: DemoProcess, taken: str, tmp_path: Path) -> None:
    ports = {"smtp_port": 0, "http_port": 0, f"{taken}_port": getattr(demo, f"{taken}_port")}
    with pytest.raises(SettingsError) as refused:
        await Demo(tmp_path / "d", **ports).start()
    (sentence,) = str(refused.value).splitlines()
    assert sentence.startswith(f"--{taken}-port = {ports[f'{taken}_port']}: ")
    assert sentence.endswith("choose another port")


def test_serve_beside_a_running_bridge(demo: DemoProcess) -> None:
    done = bridge("serve", "--config", demo.data_dir / "bridge.toml")
    assert done.returncode == 2
    assert done.stderr.endswith("another bridge is running on this folder; stop it first, or name another folder\n")


async def test_serve_on_a_port_that_is_taken(config: Path, demo: DemoProcess) -> None:
    settings = load(config, {"BRIDGE_SMTP__PORT": str(demo.smtp_port)})
    with pytest.raises(SettingsError) as refused:
        await Bridge(settings).start()
    assert str(refused.value) == (
        f"smtp.port = {demo.smtp_port}: cannot be used (Address already in use); "
        "stop what listens there, or choose another port"
    )


def test_fresh_forgets_a_demo_and_nothing_else(tmp_path: Path) -> None:
    precious = tmp_path / "home"
    precious.mkdir()
    (precious / "thesis.tex").write_text("keep me")
    done = run("demo", "--data-dir", precious, "--fresh")
    assert done.code == 2
    assert done.err == f'--data-dir = "{precious}": is not a demo\'s folder; name another one\n'
    assert (precious / "thesis.tex").read_text() == "keep me"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve"], "Name the configuration file with --config FILE, or start the demo with `bridge demo`."),
        (["serve", "--config", "nowhere.toml"], '--config = "nowhere.toml": no such file'),
        (["simulator"], "Name the file that holds the shared secret with --secret-file FILE."),
        (
            ["simulator", "--secret-file", "nowhere"],
            "The secret cannot be read from nowhere: No such file or directory",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_start_that_lacks_something(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = run(*arguments, environ={"BRIDGE_DATA_DIR": str(tmp_path)})
    assert done.code == 2
    assert done.sentence.startswith(sentence)


# --------------------------------------------------------------------------------------------- answering at once


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        pytest.param(["--help"], ["sqlalchemy", "structlog", "pydantic_settings", "phonenumbers"], id="help"),
        pytest.param(
            ["preview", "-", "--to", "3331234567@sms.example.test"],
            ["sqlalchemy", "structlog", "pydantic_settings", "bridge.app"],
            id="preview",
        ),
        pytest.param(["messages"], ["alembic", "bridge.app", "httpx", "uvicorn", "argon2"], id="messages"),
    ],
)
def test_a_command_loads_only_what_it_needs(demo: DemoProcess, arguments: list[str], absent: list[str]) -> None:
    """Half of the time of a short command is spent on imports; these are the dear ones."""
    python, *module = BRIDGE
    done = subprocess.run(
        [python, "-X", "importtime", *module, *arguments],
        input="Subject: x\n\nHello\n",
        env={**os.environ, "BRIDGE_DATA_DIR": str(demo.data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert loaded.isdisjoint(absent)


def test_a_reader_that_has_seen_enough_is_no_error(demo: DemoProcess) -> None:
    """`bridge messages --help | head -1`."""
    process = subprocess.Popen([*BRIDGE, "messages", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 1
    process.stderr.close()


def test_a_full_door_is_not_short_of_files() -> None:
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, most))
        open_files()
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))
    assert allowed == min(MANY_FILES, most)
