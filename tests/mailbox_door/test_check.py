"""`bridge check` on watched mailboxes, and the settings that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli import check_imap
from bridge.consent.renewal import Consents
from bridge.mailback.configured import open_watched
from bridge.settings import Settings, load
from tests.servers.dovecot import PASSWORD, DovecotServer
from tests.servers.mail_server import silent
from tests.servers.ports import free_port


def settings(folder: Path, account: str, port: int, password: str = PASSWORD, more: str = "") -> Settings:
    """Settings with one watched mailbox, read from a file."""
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o600)
    file = folder / "bridge.toml"
    file.write_text(f"""
data_dir = "."
[sending]
gateway = "main"
[gateways.main]
kind = "simulator"
url = "http://127.0.0.1:8026/simulator/provider"
secret = "a secret of two"
[watch."SMS@clinic.example"]
host = "127.0.0.1"
port = {port}
tls = "none"
username = "{account}"
password_file = "password"
authserv_ids = ["mx.google.com"]
{more}
""")
    return load(file, {})


async def test_a_mailbox_that_can_be_opened_is_well(dovecot: DovecotServer, account: str, tmp_path: Path) -> None:
    found = settings(tmp_path, account, dovecot.port)
    assert found.answers_through == "SMS@clinic.example"
    assert PASSWORD in found.secrets()
    assert list(open_watched(found, Consents(found))) == ["SMS@clinic.example"]
    assert await check_imap.watched(found, Consents(found)) == [("watch SMS@clinic.example", "")]


@pytest.mark.parametrize(
    ("password", "more", "complaint"),
    [
        pytest.param("wrong", "", "does not accept the login: check user name and password.", id="a wrong password"),
        pytest.param(PASSWORD, 'folder = "Phones"', "does not open the folder that is to be watched", id="no folder"),
    ],
)
async def test_what_is_wrong_is_said(
    dovecot: DovecotServer, account: str, tmp_path: Path, password: str, more: str, complaint: str
) -> None:
    found = settings(tmp_path, account, dovecot.port, password, more)
    ((part, said),) = await check_imap.watched(found, Consents(found))
    assert part == "watch SMS@clinic.example"
    assert complaint in said


async def test_nobody_waits_long_for_a_server_that_is_silent(
    account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_imap, "PROBE", 0.2)
    port = free_port()
    with silent(port):
        found = settings(tmp_path, account, port, more="answers = false")
        ((_, said),) = await check_imap.watched(found, Consents(found))
    assert said == f"The IMAP server 127.0.0.1:{port} is silent. See that it runs, and that nothing is in between."
