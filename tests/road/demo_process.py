"""A running `bridge demo` as its users meet it: a process, a mail port, a web port.

Commands beside it run in the test's own process: to start Python for each takes far longer than what most of them do.
"""

from __future__ import annotations

import os
import smtplib
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.cli.commands import run
from tests.servers.ports import free_port
from tests.servers.web import web

T = TypeVar("T")

LOGIN, PASSWORD = "clinic@example.test", "clinic-demo"
DESK, DESK_PASSWORD = "front-desk@example.test", "desk-demo"
SENDER = "+390200000001"
DOMAIN = "sms.example.test"
PATIENCE = 30.0


def eventually(look: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """What `look` finds, as soon as it finds something; fails when it does not in `patience` seconds.

    No more than half of the time is spent on looking, so that something is left for what is waited for.
    """
    deadline = time.monotonic() + patience
    while True:
        began = time.monotonic()
        found = look()
        if found:
            return found
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"nothing came within {patience:g} s")
        time.sleep(max(0.02, now - began))


@dataclass
class DemoProcess:
    """`bridge demo` on ports and in a folder of its own. Its log goes to `log_path`, over restarts."""

    folder: Path
    smtp_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    secrets: set[str] = field(default_factory=set)
    """Every number and text that went through the demo; none of them may be in its log."""

    @property
    def log_path(self) -> Path:
        """Everything the demo ever wrote to standard error."""
        return self.folder / "log"

    @property
    def data_dir(self) -> Path:
        """Where the demo keeps what it remembers."""
        return self.folder / "data"

    def start(self) -> DemoProcess:
        """Start and wait until `/healthz` answers."""
        with self.log_path.open("ab") as log, (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [
                    *BRIDGE,
                    "demo",
                    "--data-dir",
                    str(self.data_dir),
                    "--smtp-port",
                    str(self.smtp_port),
                    "--http-port",
                    str(self.http_port),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        eventually(self._ready)
        return self

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            return web.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """Ask it to stop, as a supervisor would; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def leaks(self) -> list[str]:
        """The lines of the log that hold a number or a text that went through the demo."""
        marks = [mark for mark in self.secrets if len(mark) >= 6]
        return [line for line in self.log_path.read_text().splitlines() if any(mark in line for mark in marks)]

    def _remember(self, numbers: Sequence[str], text: str) -> None:
        self.secrets.update(number.lstrip("+") for number in numbers)
        self.secrets.update(line.strip() for line in text.splitlines())

    @property
    def url(self) -> str:
        """The phone page."""
        return f"http://127.0.0.1:{self.http_port}"

    def smtp(self, login: str = LOGIN, password: str = PASSWORD) -> smtplib.SMTP:
        """A connection that has logged in."""
        client = smtplib.SMTP(timeout=PATIENCE)
        try:
            client.connect("127.0.0.1", self.smtp_port)
            client.login(login, password)
        except BaseException:
            client.close()
            raise
        return client

    def send(
        self,
        numbers: str | Sequence[str],
        text: str,
        *,
        login: str = LOGIN,
        password: str = PASSWORD,
        subject: str = "Appointment",
        headers: Mapping[str, str] | None = None,
        rcpt_options: Sequence[str] = (),
        mail_options: Sequence[str] = (),
    ) -> str:
        """Send a mail to phones by their numbers; its Message-ID."""
        phones = [numbers] if isinstance(numbers, str) else list(numbers)
        self._remember(phones, text)
        addresses = [f"{number}@{DOMAIN}" for number in phones]
        mail = compose(login, addresses, text, subject=subject, headers=headers)
        with self.smtp(login, password) as client:
            client.send_message(
                mail, login, addresses, rcpt_options=list(rcpt_options), mail_options=list(mail_options)
            )
        return str(mail["Message-ID"])

    def phone(self, number: str) -> list[dict[str, Any]]:
        """What a phone got, oldest first."""
        answer = web.get(f"{self.url}/simulator/api/phones/{number}", timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def texts_back(self, number: str, text: str, to: str | None = None, answers: str | None = None) -> str:
        """The phone writes; the id of its SMS. The network says that it answers the text of the id `answers`."""
        self._remember([number], text)
        body = {"text": text, "to": to, "answers": answers}
        answer = web.post(f"{self.url}/simulator/api/phones/{number}/replies", json=body, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def switch(self, number: str, what: str) -> None:
        """Switch a phone `off` or `on`."""
        web.post(f"{self.url}/simulator/api/phones/{number}/{what}", timeout=PATIENCE).raise_for_status()

    def mails(self, address: str = LOGIN) -> list[dict[str, Any]]:
        """The list of what the bridge mailed to an address, oldest first."""
        answer = web.get(f"{self.url}/simulator/api/mail/{address}", timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def mail(self, mail_id: str, address: str = LOGIN) -> EmailMessage:
        """One mail whole."""
        answer = web.get(f"{self.url}/simulator/api/mail/{address}/{mail_id}", timeout=PATIENCE)
        assert answer.headers["content-type"].startswith("message/rfc822")
        return message_from_bytes(answer.content, policy=policy.default)

    def answers_to(self, message_id: str, address: str = LOGIN) -> list[EmailMessage]:
        """Every mail in the mailbox that answers this one, oldest first."""
        return [self.mail(entry["id"], address) for entry in self.mails(address) if entry["in_reply_to"] == message_id]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another `bridge` command on this demo's folder."""
        done = run(*arguments, environ={"BRIDGE_DATA_DIR": str(self.data_dir)})
        return subprocess.CompletedProcess(arguments, done.code, done.out, done.err)

    def states(self) -> dict[str, str]:
        """State of the newest message to each phone, read beside the running bridge."""
        with closing(sqlite3.connect(f"file:{self.data_dir / 'bridge.db'}?mode=ro", uri=True)) as database:
            return dict(database.execute("SELECT number, state FROM message ORDER BY id").fetchall())


def status_blocks(report: EmailMessage) -> list[Message]:
    """The blocks of a delivery report's machine-readable part: first the mail's, then one a recipient (RFC 3464)."""
    part = list(report.iter_parts())[1]
    assert part.get_content_type() == "message/delivery-status"
    blocks = part.get_payload()
    assert isinstance(blocks, list)
    return [block for block in blocks if isinstance(block, Message)]


BRIDGE = [sys.executable, "-m", "bridge"]


def compose(
    sender: str,
    addresses: Sequence[str],
    text: str,
    *,
    subject: str = "Appointment",
    headers: Mapping[str, str] | None = None,
) -> EmailMessage:
    """A mail as an ordinary client writes it."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(addresses)
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{uuid.uuid4()}@client.example.test>"
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(text)
    return mail
