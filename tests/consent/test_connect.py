"""`bridge mailbox connect`: from the consent of a person to a mailbox that the bridge opens, on a real Dovecot."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bridge.cli import check_imap
from bridge.consent import device, kept
from bridge.consent.renewal import Consents
from bridge.mailback.configured import open_folders, open_watched
from bridge.settings import Settings, load
from tests.cli.commands import Done, run
from tests.consent.conftest import ANNA, write_settings
from tests.mailback.imap import filed
from tests.servers.dovecot import DovecotServer
from tests.servers.tokens import USER_CODE, TokenServer
from tests.servers.web import NOBODY


@pytest.fixture
def provider(dovecot: DovecotServer, account: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    """The one that Dovecot asks whose a token is; the owner of the account signs in there."""
    monkeypatch.setattr(device, "LEAST_INTERVAL", 0.01)
    server = dovecot.tokens
    server.user = account
    yield server
    server.users.clear()
    server.consents.clear()
    server.asked.clear()
    server.until_decided, server.status, server.rotates = [], None, False


def accounts(dovecot: DovecotServer, account: str) -> str:
    """Sections for one account that is watched, and filed in."""
    login = f"""
host = "127.0.0.1"
port = {dovecot.port}
tls = "none"
auth = "xoauth2"
username = "{account}"
oauth = "main"
"""
    return f"""
[watch."sms@clinic.example"]
authserv_ids = ["mx.google.com"]
{login}
[filing."{ANNA}"]
{login}
"""


@pytest.fixture
def file(dovecot: DovecotServer, account: str, provider: TokenServer, tmp_path: Path) -> Path:
    """The configuration."""
    return write_settings(tmp_path, provider, accounts=accounts(dovecot, account))


def connect(address: str, file: Path) -> Done:
    return run("mailbox", "connect", address, "--config", file)


async def opened(settings: Settings) -> list[str]:
    """What `bridge check` says of the accounts."""
    consents = Consents(settings)
    found = [*await check_imap.watched(settings, consents), *await check_imap.folders(settings, consents)]
    return [complaint for _, complaint in found]


async def test_a_consent_opens_the_mailbox_for_everything(
    provider: TokenServer, account: str, file: Path, dovecot: DovecotServer
) -> None:
    settings = load(file, {})
    for complaint in await opened(settings):
        assert f"nobody has consented yet for {account}; run `bridge mailbox connect {account}`." in complaint
    provider.until_decided = ["authorization_pending"]
    done = connect("SMS@clinic.example", file)
    assert (done.code, done.err) == (0, "")
    assert f"Open {provider.base}/devices in a browser, on any machine, and type in the code {USER_CODE}\n" in done.out
    assert done.out.endswith(
        f"The bridge can log in as {account} now. `bridge check` says whether that opens the mailbox.\n"
    )
    (refresh,) = (each for each, user in provider.consents.items() if user == account)
    assert refresh not in done.out
    held = kept.place(settings.data_dir, "main", account)
    assert (kept.read(held), stat.S_IMODE(held.stat().st_mode)) == (refresh, 0o600)
    provider.asked.clear()
    assert await opened(settings) == ["", ""]
    assert len(provider.asked) == 1, "one token for both"
    consents = Consents(settings)
    inbox = await open_watched(settings, consents)["sms@clinic.example"].open()
    assert (await inbox.enter("INBOX")).answer.ok
    await inbox.logout()
    folders = open_folders(settings, consents)[ANNA]
    await folders.file(filed())
    await folders.close()
    assert f"Login: user=<{account}>, method=XOAUTH2" in dovecot.log()


async def test_a_consent_that_is_withdrawn_is_told_by_check(provider: TokenServer, account: str, file: Path) -> None:
    connect(account, file)
    provider.consents.clear()
    for complaint in await opened(load(file, {})):
        assert f"run `bridge mailbox connect {account}`." in complaint
        assert "takes the consent for" in complaint
    assert connect(account, file).code == 0
    assert await opened(load(file, {})) == ["", ""]


async def test_somebody_else_who_signs_in_opens_nothing(provider: TokenServer, account: str, file: Path) -> None:
    provider.user = "eve"
    connect(account, file)
    for complaint in await opened(load(file, {})):
        assert "sign in there as somebody who may open the mailbox; or it is for other rights" in complaint


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        pytest.param(
            lambda server: server.until_decided.append("access_denied"),
            "The page was answered with no, so nothing is kept.",
            id="no",
        ),
        pytest.param(
            lambda server: setattr(server, "status", (400, b'{"error": "invalid_scope"}')),
            "The provider refuses [oauth.main] (invalid_scope): the registration lacks the rights to mail.",
            id="no rights",
        ),
        pytest.param(
            lambda server: setattr(server, "status", (502, b"")),
            "The provider does not answer as it should (HTTP 502). Try again in a while.",
            id="away",
        ),
    ],
)
def test_what_went_wrong_is_one_sentence(
    provider: TokenServer, account: str, file: Path, prepare: object, sentence: str
) -> None:
    assert callable(prepare)
    prepare(provider)
    done = connect(account, file)
    assert (done.code, done.err) == (1, f"{sentence}\n")
    assert not (file.parent / "data").exists()


def test_without_a_refresh_token_nothing_is_kept(
    provider: TokenServer, account: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "consented", lambda user: None)
    done = connect(account, file)
    assert done.code == 1
    assert done.err.startswith("The provider gave no refresh token")
    assert not (file.parent / "data").exists()


def test_an_address_that_is_not_in_the_settings_is_said(file: Path) -> None:
    done = connect("nobody@clinic.example", file)
    assert done.code == 2
    assert done.sentence.startswith("No [watch], [filing] or [relay] logs in as nobody@clinic.example with oauth")


def test_a_browser_where_there_is_no_page_for_it_is_said(provider: TokenServer, account: str, file: Path) -> None:
    done = run("mailbox", "connect", account, "--browser", "--config", file)
    assert (done.code, done.sentence) == (2, "[oauth.main] has no authorize_url. Write it, or leave --browser out.")


def test_an_address_that_is_pasted_connects(
    dovecot: DovecotServer, account: str, provider: TokenServer, tmp_path: Path
) -> None:
    """As when the browser runs on another machine than the bridge."""
    both = f'authorize_url = "{provider.base}/authorize"\n{accounts(dovecot, account)}'
    file = write_settings(tmp_path, provider, accounts=both)
    command = [sys.executable, "-m", "bridge", "mailbox", "connect", account, "--browser", "--config", str(file)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, text=True
    ) as process:
        assert process.stdout is not None
        page = next(line.strip() for line in process.stdout if line.startswith("  http"))
        with httpx.Client(verify=NOBODY, trust_env=False) as browser:
            sent = browser.get(page).headers["Location"]
        out, err = process.communicate(f"what?\n{sent}\n", timeout=60)
    assert (process.returncode, err) == (0, "That is not the address that the browser was sent to. Copy all of it.\n")
    assert out.endswith("says whether that opens the mailbox.\n")
    assert provider.consents[kept.read(kept.place(tmp_path / "data", "main", account))] == account
