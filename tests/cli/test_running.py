"""`bridge demo`, `serve` and `simulator` as processes: how they start, stop, and share a machine with each other."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

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


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_demo_ends_well_and_what_it_kept_is_there_again(
    tmp_path: Path, sign: signal.Signals, started: list[subprocess.Popen[str]]
) -> None:
    ports = free_port(), free_port()
    command = ["demo", "--data-dir", tmp_path / "d", "--smtp-port", ports[0], "--http-port", ports[1]]
    for _ in range(2):
        process = start(started, f"http://127.0.0.1:{ports[1]}/healthz", *command)
        process.send_signal(sign)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")
        assert f"Mail server          127.0.0.1 port {ports[0]}" in out


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_serve_ends_well(config: Path, sign: signal.Signals, started: list[subprocess.Popen[str]]) -> None:
    port = config.read_text().split("[http]\nport = ")[1].split()[0]
    process = start(started, f"http://127.0.0.1:{port}/healthz", "serve", "--config", config)
    process.send_signal(sign)
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


def test_ports_are_chosen_when_asked(tmp_path: Path, started: list[subprocess.Popen[str]]) -> None:
    command = [*BRIDGE, "demo", "--data-dir", str(tmp_path / "d"), "--smtp-port", "0", "--http-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    started.append(process)
    assert process.stdout is not None
    url = next(line.split()[-1] for line in process.stdout if "Phones and mailbox" in line)
    assert answers(f"{url}healthz")


# ------------------------------------------------------------------------------------------ two on one machine


def test_a_second_demo_on_the_same_folder(demo: DemoProcess) -> None:
    configuration = (demo.data_dir / "bridge.toml").read_text()
    for more in ([], ["--fresh"]):
        done = bridge(
            "demo", "--data-dir", demo.data_dir, "--smtp-port", free_port(), "--http-port", free_port(), *more
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f'--data-dir = "{demo.data_dir}": a demo runs on this folder already; stop it, or name another folder '
            "and other ports\n"
        )
    assert (demo.data_dir / "bridge.toml").read_text() == configuration
    assert answers(f"{demo.url}/healthz")


@pytest.mark.parametrize("taken", ["smtp", "http"])
def test_a_second_demo_on_the_same_port(demo: DemoProcess, taken: str, tmp_path: Path) -> None:
    port = demo.smtp_port if taken == "smtp" else demo.http_port
    free = "http" if taken == "smtp" else "smtp"
    done = bridge("demo", "--data-dir", tmp_path / "d", f"--{taken}-port", port, f"--{free}-port", free_port())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"--{taken}-port = {port}: ")
    assert "choose another port" in done.stderr
    assert done.stderr.count("\n") == 1


def test_serve_beside_a_running_bridge(demo: DemoProcess) -> None:
    done = bridge("serve", "--config", demo.data_dir / "bridge.toml")
    assert done.returncode == 2
    assert done.stderr.endswith("another bridge is running on this folder; stop it first, or name another folder\n")


def test_serve_on_a_port_that_is_taken(config: Path, demo: DemoProcess) -> None:
    done = bridge("serve", "--config", config, environ={"BRIDGE_SMTP__PORT": str(demo.smtp_port)})
    assert done.returncode == 2
    assert done.stderr.endswith(
        f"smtp.port = {demo.smtp_port}: cannot be used (Address already in use); "
        "stop what listens there, or choose another port\n"
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
