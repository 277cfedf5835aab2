"""`bridge serve` for departments that share three numbers, before a real Dovecot, over weeks and restarts."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from tests.operation.served import Served
from tests.road.demo_process import PATIENCE, eventually
from tests.servers.dovecot import DovecotServer
from tests.servers.web import web

NUMBERS = tuple(f"+39020000000{n}" for n in (1, 2, 3))


@dataclass
class Departments(Served):
    """The clinic of every test, which is the fallback and never writes, and departments with a pool."""

    logins: Sequence[str] = ()
    days: float = 0
    """How far the clock of both processes is ahead."""
    _arguments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _doors: dict[str, smtplib.SMTP] = field(default_factory=dict)

    @staticmethod
    def before(dovecot: DovecotServer, served: Departments) -> Departments:
        """Start it all; replies go to Dovecot by LMTP."""
        served.own_relay, served.relay_port = True, dovecot.lmtp_port
        try:
            served.start()
            pool = [argument for number in NUMBERS[1:] for argument in ("--pool", number)]
            secret = ("--password-file", str(served.folder / "password"))
            for login in served.logins:
                served.command("mailbox", "add", login, "--sender", NUMBERS[0], *pool, *secret)
        except BaseException:
            served.close()
            raise
        return served

    def kill(self) -> None:
        """End the bridge as a power cut would, and start it again."""
        assert self.bridge is not None
        self.bridge.kill()
        self.bridge.wait(PATIENCE)
        self.start_bridge()

    def restart(self) -> None:
        """Stop the bridge as a supervisor would, and start it again."""
        assert self.bridge is not None
        self.bridge.terminate()
        self.bridge.wait(PATIENCE)
        self.start_bridge()

    def pass_days(self, days: float) -> None:
        """Stop everything, and start it so many days later."""
        self.stop()
        self.days += days
        self.simulator = self._spawn("phones.log", *self._arguments["phones.log"])
        self.start_bridge()

    def mail(self, login: str, mail: EmailMessage) -> None:
        """Send a mail, and if the bridge goes away meanwhile, send it again, as a mail client does."""

        def sent() -> bool:
            try:
                if login not in self._doors:
                    self._doors[login] = self.smtp(login)
                self._doors[login].send_message(mail, login)
            except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, OSError):
                if (door := self._doors.pop(login, None)) is not None:
                    door.close()
                return False
            return True

        eventually(sent)

    def phone(self, number: str) -> list[tuple[str, str]]:
        """The texts that a phone has: number they came from, and words."""
        found = web.get(f"{self.phones}/phones/{number}", timeout=PATIENCE).json()
        return [(text["from"], text["text"]) for text in found["messages"]]

    def answers(self, phone: str, number: str, text: str) -> None:
        """The phone writes to a number."""
        sms = {"text": text, "to": number}
        answer = web.post(f"{self.phones}/phones/{phone}/replies", json=sms, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text

    def close(self) -> None:
        """Stop everything."""
        for door in self._doors.values():
            door.close()
        self.stop()

    def _configuration(self) -> str:
        return super()._configuration().replace("[relay]\n", '[relay]\nprotocol = "lmtp"\n')

    def _spawn(self, log: str, *arguments: str) -> subprocess.Popen[bytes]:
        self._arguments[log] = arguments
        command = [sys.executable, "-m", "tests.threads.later", str(self.days), *arguments]
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
