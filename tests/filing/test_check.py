"""`bridge check` on filing and signing: what is right, what is wrong, and what waits for what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import Done, run
from tests.cli.conftest import demo
from tests.road.demo_process import LOGIN, DemoProcess
from tests.servers.dovecot import PASSWORD, DovecotServer
from tests.servers.mail_server import silent
from tests.servers.ports import free_port

__all__ = ["demo"]

Check = Callable[..., Done]


@pytest.fixture
def check(demo: DemoProcess, dovecot: DovecotServer, account: str, tmp_path: Path) -> Check:
    """`bridge check` on the demo's settings with one mailbox filed for."""

    def command(
        login: str = LOGIN, password: str = PASSWORD, folder: str = "SMS/{number}", port: int = dovecot.port
    ) -> Done:
        section = f"""
[filing."{login}"]
host = "127.0.0.1"
port = {port}
tls = "none"
username = "{account}"
password = "{password}"
folder = "{folder}"
"""
        file = demo.data_dir / f"{tmp_path.name}.toml"
        file.write_text((demo.data_dir / "bridge.toml").read_text() + section)
        return run("check", "--config", file)

    return command


def test_an_account_that_answers_is_well(check: Check) -> None:
    done = check()
    assert (done.code, done.err) == (0, "")
    assert f"ok     filing {LOGIN}\n" in done.out


def test_nobody_waits_long_for_a_server_that_is_silent(check: Check) -> None:
    port = free_port()
    with silent(port):
        done = check(port=port)
    assert done.code == 1
    assert done.err == (
        f"wrong  filing {LOGIN}: The IMAP server 127.0.0.1:{port} is silent. "
        "See that it runs, and that nothing is in between.\n"
    )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"password": "wrong"}, f"wrong  filing {LOGIN}: The IMAP server 127.0.0.1:", id="login"),
        pytest.param(
            {"login": "nobody@example.test"},
            "wrong  filing nobody@example.test: is no mailbox. See `bridge mailbox list`.\n",
            id="mailbox",
        ),
        pytest.param({"folder": "SMS/{name}"}, "only {number}, {contact} and {year} can be filled in\n", id="folder"),
    ],
)
def test_what_is_wrong_is_said(check: Check, changed: dict[str, str], says: str) -> None:
    done = check(**changed)
    assert done.code == 1
    assert says in done.err
    assert done.err.count("\n") == 1
