"""Mail programs as people and scripts run them, each handing in one mail at one listener."""

from __future__ import annotations

import asyncio
import json
import os
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from tests.servers.npm_smsc import FOLDER, MODULES
from tests.smtp.conftest import LOGIN, PASSWORD, House

DOORS = ["loopback", "starttls", "implicit"]
"""How one comes to a login: in the clear on the machine itself, by STARTTLS, with TLS from the first byte."""


@dataclass(frozen=True)
class Way:
    """How a program comes to a listener."""

    port: int
    authority: Path
    """Who signed the server's certificate."""
    tls: str = ""
    """`starttls`, `implicit`, or neither."""
    login: str = ""
    """The login, and by which mechanism; neither where the server asks for none."""
    mechanism: str = ""
    password: str = PASSWORD
    """Or an access token, for the mechanisms that take one."""
    certificate: Path | None = None
    """A certificate of the program's own and its key, to show in the handshake."""

    @staticmethod
    def into(house: House, authority: Path, door: str, mechanism: str, password: str = PASSWORD) -> Way:
        """The way by one of `DOORS`, with a login; without one where no mechanism is named."""
        port = house.tls_port if door == "implicit" else house.port
        tls = door if door in ("starttls", "implicit") else ""
        return Way(port, authority, tls, LOGIN if mechanism else "", mechanism, password)


@dataclass(frozen=True)
class Order:
    """What is handed in. Programs that can ask for reports of failure and delay, with the header alone."""

    sender: str
    to: tuple[str, ...]
    raw: bytes


PLUS = "clinic+recall@example.test"
"""An address of the mailbox that logs in, with a detail behind the plus (RFC 5233)."""
TO = "+393331234567@sms.example.test"
OTHER = "+393477654321@sms.example.test"
MAIL = (
    f"Date: Sun, 22 Nov 2026 10:00:00 +0100\r\nFrom: {PLUS}\r\nTo: {TO}, {OTHER}\r\nSubject: appointment\r\n"
    "Message-ID: <1@pc.example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\n.Tomorrow at 10, città\r\n..\r\n.\r\nRoom 5\r\n"
).encode()
ORDER = Order(PLUS, (TO, OTHER), MAIL)
"""A mail with dots where SMTP doubles them, and octets beyond ASCII."""


@dataclass(frozen=True)
class Program:
    """A mail program, and what it does to a mail."""

    send: Callable[[Way, Order, Path], Awaitable[None]]
    """Hands in a mail, with a folder for its settings. Fails with all that the program said."""
    asks_for_reports: bool
    keeps: bool = True
    """The mail is handed in as it is; else the program writes its own from the same words."""


async def run(*command: str, stdin: bytes = b"", **environment: str) -> str:
    """What a program says; fails with it where the program does."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | environment,
    )
    output, _ = await process.communicate(stdin)
    said = output.decode(errors="replace")
    assert process.returncode == 0, said
    return said


async def _smtplib(way: Way, order: Order, folder: Path) -> None:
    trusting = ssl.create_default_context(cafile=way.authority)

    def send() -> None:
        client: smtplib.SMTP
        if way.tls == "implicit":
            client = smtplib.SMTP_SSL("localhost", way.port, context=trusting)
        else:
            client = smtplib.SMTP("localhost", way.port)
        with client:
            if way.tls == "starttls":
                client.starttls(context=trusting)
            client.ehlo()
            if way.login:
                client.user, client.password = way.login, way.password
                client.auth(way.mechanism, client.auth_plain if way.mechanism == "PLAIN" else client.auth_login)
            asking = ["BODY=8BITMIME", "RET=HDRS"], ["NOTIFY=FAILURE,DELAY"]
            client.sendmail(order.sender, order.to, order.raw, *asking)

    await asyncio.to_thread(send)


async def _swaks(way: Way, order: Order, folder: Path) -> None:
    address = ["--server", "127.0.0.1", "--port", str(way.port), "--from", order.sender, "--to", ",".join(order.to)]
    verifying = ["--tls-verify", "--tls-ca-path", str(way.authority)]
    tls = {"": [], "starttls": ["--tls", *verifying], "implicit": ["--tls-on-connect", *verifying]}[way.tls]
    user = ["--auth", way.mechanism, "--auth-user", way.login, "--auth-password", way.password] if way.login else []
    # Without POSIXLY_CORRECT swaks takes the plus of a number for the beginning of an option.
    command = ["swaks", "--ehlo", "pc.example.test", *address, *tls, *user, "--data", "-"]
    await run(*command, stdin=order.raw.removesuffix(b"\r\n"), POSIXLY_CORRECT="1")  # swaks adds a line end


async def _curl(way: Way, order: Order, folder: Path) -> None:
    url = f"{'smtps' if way.tls == 'implicit' else 'smtp'}://127.0.0.1:{way.port}/pc.example.test"
    tls = ["--ssl-reqd"] if way.tls == "starttls" else []
    by = ["--login-options", f"AUTH={way.mechanism}"]
    if way.mechanism in ("OAUTHBEARER", "XOAUTH2"):
        user = ["--user", way.login, "--oauth2-bearer", way.password, *by]
    else:
        user = ["--user", f"{way.login}:{way.password}", *by] if way.login else []
    to = [word for each in order.to for word in ("--mail-rcpt", each)]
    shown = ["--cert", str(way.certificate)] if way.certificate else []
    command = ["curl", "--silent", "--show-error", "--url", url, *tls, "--cacert", str(way.authority), *shown, *user]
    await run(*command, "--mail-from", order.sender, *to, "--upload-file", "-", stdin=order.raw)


async def _msmtp(way: Way, order: Order, folder: Path) -> None:
    """As scripts call it: in place of sendmail(8), with the recipients taken from the mail."""
    tls = {"": "tls off", "starttls": "tls on\ntls_starttls on", "implicit": "tls on\ntls_starttls off"}[way.tls]
    trust = f"tls_trust_file {way.authority}\n" if way.tls else ""
    trust += f"tls_cert_file {way.certificate}\ntls_key_file {way.certificate}\n" if way.certificate else ""
    settings, password = folder / "msmtprc", folder / "password"
    password.write_text(way.password)
    login = f"auth {way.mechanism.lower()}\nuser {way.login}\n" if way.login else ""
    login += f"passwordeval cat {password}\n" if way.password else ""
    settings.write_text(
        f"account default\nhost localhost\nport {way.port}\ndomain pc.example.test\n{tls}\n{trust}{login}"
        f"from {order.sender}\nset_date_header off\ndsn_notify failure,delay\ndsn_return headers\n"
    )
    settings.chmod(0o600)  # msmtp reads no password that others could read too
    await run("msmtp", "--file", str(settings), "--read-recipients", stdin=order.raw.replace(b"\r\n", b"\n"))


async def _mutt(way: Way, order: Order, folder: Path) -> None:
    """By its own SMTP, not a sendmail beside it."""
    scheme, tls = "smtps" if way.tls == "implicit" else "smtp", "yes" if way.tls else "no"
    user = f"{way.login.replace('@', '%40')}@" if way.login else ""
    login = f'set smtp_pass="{way.password}"\nset smtp_authenticators="{way.mechanism.lower()}"\n' if way.login else ""
    settings = folder / "muttrc"
    settings.write_text(
        f'set smtp_url="{scheme}://{user}localhost:{way.port}/"\n{login}'
        f"set ssl_starttls={tls}\nset ssl_force_tls={tls}\n"
        f'set ssl_usesystemcerts=no\nset ssl_ca_certificates_file="{way.authority}"\n'
        f'set from="{order.sender}"\nset hostname="pc.example.test"\nset charset="utf-8"\nset copy=no\n'
        'set dsn_notify="failure,delay"\nset dsn_return="hdrs"\n'
    )
    mail = message_from_bytes(order.raw, policy=policy.default)
    command = ["mutt", "-n", "-F", str(settings), "-s", str(mail["Subject"]), "--", *order.to]
    words = mail.get_content().replace("\r\n", "\n").encode()
    await run(*command, stdin=words, HOME=str(folder), TMPDIR=str(folder), LC_ALL="C.UTF-8")


async def _nodemailer(way: Way, order: Order, folder: Path) -> None:
    options = {
        "host": "127.0.0.1",
        "port": way.port,
        "name": "pc.example.test",
        "secure": way.tls == "implicit",
        "requireTLS": way.tls == "starttls",
        "ignoreTLS": not way.tls,
        "tls": {"ca": way.authority.read_text(), "servername": "localhost"},
        "auth": {"user": way.login, "pass": way.password} if way.login else None,
        "authMethod": way.mechanism or None,
    }
    asked = {
        "options": options,
        "envelope": {"from": order.sender, "to": order.to, "use8BitMime": True},
        "dsn": {"return": "headers", "notify": ["failure", "delay"]},
    }
    await run("node", str(FOLDER / "send.js"), json.dumps(asked), stdin=order.raw, NODE_PATH=str(MODULES))


PROGRAMS = {
    "smtplib": Program(_smtplib, asks_for_reports=True),
    "swaks": Program(_swaks, asks_for_reports=False),
    "curl": Program(_curl, asks_for_reports=False),
    "msmtp": Program(_msmtp, asks_for_reports=True),
    "mutt": Program(_mutt, asks_for_reports=True, keeps=False),
    "nodemailer": Program(_nodemailer, asks_for_reports=True),
}
