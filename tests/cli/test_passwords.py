"""`bridge passwords`: one password for each program, shown once, taken away by its name."""

from __future__ import annotations

import re
import smtplib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import Done, run
from tests.cli.conftest import configured, copied
from tests.road.demo_process import LOGIN as DEMO_LOGIN
from tests.road.demo_process import DemoProcess, eventually

LOGIN = "reception@clinic.example"
OTHER = "radiology@clinic.example"
Passwords = Callable[..., Done]


@pytest.fixture(scope="module")
def with_mailboxes(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = copied(tables, configured(tmp_path_factory.mktemp("passwords")))
    for login in (LOGIN, OTHER):
        add = ("mailbox", "add", login, "--sender", "+390200000042", "--network", "10.0.0.0/8")
        assert run(*add, "--config", config).code == 0
    return config


@pytest.fixture
def passwords(config: Path, with_mailboxes: Path) -> Passwords:
    copied(with_mailboxes, config)

    def command(*arguments: object) -> Done:
        return run("passwords", *arguments, "--config", config)

    return command


def test_one_is_made_shown_once_listed_and_revoked(passwords: Passwords, config: Path) -> None:
    assert "There are no app passwords" in passwords("list").out
    scanner = passwords("add", LOGIN, "Scanner, 2nd floor")
    assert (scanner.code, scanner.err) == (0, "")
    assert re.fullmatch(r"([a-z2-7]{4}-){5}[a-z2-7]{4}\n", scanner.out)
    thunderbird = passwords("add", LOGIN, "Thunderbird")
    assert thunderbird.out != scanner.out
    assert passwords("add", OTHER, "Scanner, 2nd floor").code == 0
    kept = sqlite3.connect(config.parent / "data" / "bridge.db").execute("SELECT verifier FROM app_password").fetchall()
    assert len(kept) == 3
    assert not any(said.out.strip() in verifier for said in (scanner, thunderbird) for (verifier,) in kept)
    document = passwords("list", LOGIN, "--json").document
    assert [(each["mailbox"], each["name"], each["used_at"]) for each in document] == [
        (LOGIN, "Scanner, 2nd floor", None),
        (LOGIN, "Thunderbird", None),
    ]
    day = document[0]["created_at"][:10]
    assert f"{OTHER}  Scanner, 2nd floor  made on {day}  never used\n" in passwords("list").out
    revoked = passwords("revoke", LOGIN, "thunderbird")
    assert (revoked.code, revoked.out) == (0, f"Nobody logs in to {LOGIN} with thunderbird any more.\n")
    assert [each["name"] for each in passwords("list", LOGIN, "--json").document] == ["Scanner, 2nd floor"]
    again = passwords("revoke", LOGIN, "Thunderbird")
    assert (again.code, f"{LOGIN} has no app password Thunderbird" in again.sentence) == (1, True)


def test_those_of_a_mailbox_have_one_salt(passwords: Passwords, config: Path) -> None:
    """A client of SCRAM is told it before anybody can know which password it has."""
    for name in ("one", "two", "three"):
        passwords("add", LOGIN, name)
    passwords("revoke", LOGIN, "one")
    passwords("add", LOGIN, "four")
    passwords("add", OTHER, "one")
    rows = sqlite3.connect(config.parent / "data" / "bridge.db").execute(
        "SELECT login, verifier FROM app_password JOIN mailbox ON mailbox.id = mailbox_id"
    )
    salts = [(login, verifier.split("$")[1]) for login, verifier in rows]
    assert len(salts) == 4
    assert len(set(salts)) == 2


REFUSED = {
    "the name is taken": (("add", LOGIN, "scanner"), 1, "has the app password scanner already"),
    "no such mailbox": (("add", "nobody@clinic.example", "x"), 1, "There is no mailbox nobody@clinic.example"),
    "no name": (("add", LOGIN, " "), 2, "1 to 60 characters"),
    "a long name": (("add", LOGIN, "x" * 61), 2, "1 to 60 characters"),
    "a name of two lines": (("add", LOGIN, "x\ny"), 2, "on one line"),
    "nothing to revoke": (("revoke", LOGIN, "x"), 1, "has no app password x"),
}


@pytest.mark.parametrize(("arguments", "code", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_said(
    passwords: Passwords, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    assert passwords("add", LOGIN, "Scanner").code == 0
    done = passwords(*arguments)
    assert (done.code, sentence in done.sentence) == (code, True)


def test_a_mailbox_that_is_removed_takes_its_passwords_along(passwords: Passwords, config: Path) -> None:
    passwords("add", LOGIN, "one")
    assert run("mailbox", "remove", LOGIN, "--config", config).code == 0
    assert passwords("list", "--json").document == []


def test_there_is_a_limit(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.store.named.MOST", 1)
    passwords("add", LOGIN, "one")
    beyond = passwords("add", LOGIN, "two")
    assert (beyond.code, "which is the most" in beyond.sentence) == (1, True)


def test_a_running_bridge_takes_it_as_soon_as_it_is_made_and_until_it_is_revoked(demo: DemoProcess) -> None:
    def command(*arguments: object) -> Done:
        return run("passwords", *arguments, environ={"BRIDGE_DATA_DIR": str(demo.data_dir)})

    password = command("add", DEMO_LOGIN, "Scanner").out.strip()

    def logged_in() -> smtplib.SMTP | None:
        try:
            return demo.smtp(DEMO_LOGIN, password)
        except smtplib.SMTPAuthenticationError:
            return None

    def used() -> bool:
        (scanner,) = (each for each in command("list", "--json").document if each["name"] == "Scanner")
        return scanner["used_at"] is not None

    with eventually(logged_in) as client:
        assert client.mail(DEMO_LOGIN)[0] == 250
        client.rset()
        assert eventually(used)
        assert command("revoke", DEMO_LOGIN, "Scanner").code == 0

        def shut_out() -> bool:
            code, _ = client.mail(DEMO_LOGIN)
            client.rset()
            return code == 530

        assert eventually(shut_out)
    assert password not in demo.log_path.read_text()


def test_a_mailbox_may_have_app_passwords_only(passwords: Passwords, config: Path) -> None:
    bare = "lab@clinic.example"
    added = run("mailbox", "add", bare, "--sender", "+390200000042", "--password-file", "none", "--config", config)
    assert (added.code, "once it has an app password" in added.out) == (0, True)
    assert run("mailbox", "set", LOGIN, "--password-file", "-", "--config", config, stdin=b"a secret").code == 0
    assert run("mailbox", "set", LOGIN, "--password-file", "none", "--config", config).code == 0
    hashes = sqlite3.connect(config.parent / "data" / "bridge.db").execute("SELECT password_hash FROM mailbox")
    assert {written for (written,) in hashes} == {""}
    assert passwords("add", bare, "analyser").code == 0
