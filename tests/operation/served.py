"""`bridge serve` as its operator meets it: a process on SQLite, and the simulated phone network as another one."""

from __future__ import annotations

import json
import os
import smtplib
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from tests.cli.commands import run
from tests.road.demo_process import BRIDGE, DOMAIN, LOGIN, PASSWORD, PATIENCE, SENDER, compose, eventually
from tests.servers.ports import free_port
from tests.servers.web import web

SECRET = "a secret of two processes"


@dataclass
class Served:
    """`start` starts both. The bridge's data are on a disk of their own, or can be: nothing else is in `data_dir`."""

    folder: Path
    data_dir: Path
    sections: str = ""
    """Sections of the configuration beyond those of every test."""
    others: Sequence[str] = ()
    """Logins beside that of the clinic, with the same password."""
    gateway: str = ""
    """Keys of its gateway beyond those of every test."""
    relay_port: int = field(default_factory=free_port)
    """Where reports and replies go; the phone network's catch-all mailbox listens there unless `own_relay` is set."""
    own_relay: bool = False
    """The test has a mail server of its own."""
    smtp_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    phones_port: int = field(default_factory=free_port)
    bridge: subprocess.Popen[bytes] | None = None
    simulator: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        """The bridge's configuration."""
        return self.folder / "bridge.toml"

    @property
    def phones(self) -> str:
        """The calls of the phone network."""
        return f"http://127.0.0.1:{self.phones_port}/simulator/api"

    def start(self) -> Served:
        """Write the configuration, add the mailbox, start both; the bridge answers when this returns."""
        (self.folder / "secret").write_text(SECRET)
        (self.folder / "secret").chmod(0o600)
        (self.folder / "password").write_text(PASSWORD)
        self.config.write_text(self._configuration())
        for login in (LOGIN, *self.others):
            self.command("mailbox", "add", login, "--sender", SENDER, "--password-file", str(self.folder / "password"))
        arguments = ["--data-dir", str(self.folder / "phones"), "--secret-file", str(self.folder / "secret")]
        arguments += ["--http-port", str(self.phones_port)]
        arguments += ["--smtp-port", str(free_port() if self.own_relay else self.relay_port)]
        arguments += ["--hooks-url", f"http://127.0.0.1:{self.http_port}/hooks/main"]
        self.simulator = self._spawn("phones.log", "simulator", *arguments)
        eventually(lambda: _answers(f"{self.phones}/phones"))
        self.start_bridge()
        return self

    def start_bridge(self) -> None:
        """Start the bridge alone."""
        self.bridge = self._spawn("log", "serve", "--config", str(self.config))
        eventually(lambda: _answers(f"http://127.0.0.1:{self.http_port}/healthz"))

    def stop(self) -> None:
        """Stop both, as a supervisor would."""
        for process in (self.bridge, self.simulator):
            if process is not None:
                process.terminate()
        for process in (self.bridge, self.simulator):
            if process is not None:
                process.wait(PATIENCE)

    def smtp(self, login: str = LOGIN) -> smtplib.SMTP:
        """A connection that has logged in."""
        client = smtplib.SMTP(timeout=PATIENCE)
        try:
            client.connect("127.0.0.1", self.smtp_port)
            client.login(login, PASSWORD)
        except BaseException:
            client.close()
            raise
        return client

    def send(self, numbers: str | Sequence[str], text: str, login: str = LOGIN) -> None:
        """Text phones; raises what smtplib raises."""
        addresses = [f"{number}@{DOMAIN}" for number in ([numbers] if isinstance(numbers, str) else numbers)]
        with self.smtp(login) as client:
            client.send_message(compose(login, addresses, text), login, addresses)

    def answer(self, number: str, text: str) -> tuple[int, str]:
        """What the final dot of a mail to a phone is answered, or what was answered before it came to that."""
        with self.smtp() as client:
            for code, said in (client.mail(LOGIN), client.rcpt(f"{number}@{DOMAIN}")):
                if code != 250:
                    return code, said.decode()
            code, said = client.data(compose(LOGIN, [f"{number}@{DOMAIN}"], text).as_bytes())
            return code, said.decode()

    def texts_back(self, number: str, text: str) -> None:
        """The phone answers the number that texted it last."""
        answer = web.post(f"{self.phones}/phones/{number}/replies", json={"text": text}, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text

    def texts(self) -> Counter[str]:
        """How many texts each phone got."""
        phones = web.get(f"{self.phones}/phones", timeout=PATIENCE).json()
        return Counter({phone["number"]: phone["messages"] for phone in phones})

    def mails(self) -> list[dict[str, Any]]:
        """What came into the catch-all mailbox for the clinic."""
        found: list[dict[str, Any]] = web.get(f"{self.phones}/mail/{LOGIN}", timeout=PATIENCE).json()
        return found

    def reply(self) -> EmailMessage | None:
        """The first mail that came back, or None."""
        for entry in self.mails():
            mail = web.get(f"{self.phones}/mail/{LOGIN}/{entry['id']}", timeout=PATIENCE)
            return message_from_bytes(mail.content, policy=policy.default)
        return None

    def states(self) -> dict[str, str]:
        """State of the newest message to each phone."""
        return dict(self.rows("SELECT number, state FROM message ORDER BY id"))

    def rows(self, query: str) -> list[Any]:
        """Read in the database beside the running bridge."""
        with closing(sqlite3.connect(f"file:{self.data_dir / 'bridge.db'}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    def later(self) -> None:
        """What waits for its next try has waited long enough: what was put off for minutes is due now."""
        with closing(sqlite3.connect(self.data_dir / "bridge.db", timeout=PATIENCE)) as database, database:
            database.execute("UPDATE mail SET due_at = created_at WHERE state = 'queued' AND lease_owner IS NULL")

    def ready(self) -> tuple[int, dict[str, Any]]:
        """What `/readyz` says."""
        answer = web.get(f"http://127.0.0.1:{self.http_port}/readyz", timeout=PATIENCE)
        return answer.status_code, answer.json()

    def metrics(self) -> list[str]:
        """The lines of `/metrics`."""
        return web.get(f"http://127.0.0.1:{self.http_port}/metrics", timeout=PATIENCE).text.splitlines()

    def logged(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """The lines of the log about an event, with these fields among theirs."""
        lines = [json.loads(line) for line in (self.folder / "log").read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event and fields.items() <= line.items()]

    def check(self) -> tuple[int, str]:
        """`bridge check`: its exit code, and everything it said."""
        done = run("check", "--config", self.config)
        return done.code, done.out + done.err

    def command(self, *arguments: str) -> str:
        """Another `bridge` command on this bridge, in the test's own process; what it prints."""
        done = run(*arguments, "--config", self.config)
        assert done.code == 0, done.err
        return done.out

    def _configuration(self) -> str:
        return f"""
data_dir = "{self.data_dir}"
[smtp]
port = {self.smtp_port}
plaintext_login = true
disk_reserve = 1_000_000
[http]
port = {self.http_port}
[relay]
host = "127.0.0.1"
port = {self.relay_port}
tls = "none"
[gateways.main]
kind = "simulator"
url = "http://127.0.0.1:{self.phones_port}/simulator/provider"
secret_file = "{self.folder / "secret"}"
{self.gateway}
[sending]
gateway = "main"
[operator]
refusing_for = 1
disk_free_below = 2_000_000
{self.sections}
"""

    def _spawn(self, log: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                [*BRIDGE, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )


def _answers(url: str) -> bool:
    try:
        return web.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False
