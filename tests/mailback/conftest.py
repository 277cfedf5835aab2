"""Mail servers for the relay: aiosmtpd as the kind one, and a scripted one that says and does what a test wants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bridge.mailback.relay import RelaySettings
from bridge.settings import TlsMode
from bridge.types import OutgoingMail
from tests.servers.courier import CourierServer
from tests.servers.cyrus import CyrusServer
from tests.servers.imap_account import Account, ImapServer

USER, PASSWORD = "bridge", "correct horse"

MAIL = OutgoingMail(
    id="01notice",
    envelope_from="",
    envelope_to="clinic@example.test",
    raw=b"Message-ID: <01notice@sms.example.test>\r\nSubject: Re: Visit\r\n\r\nDelivered.\r\n.hidden dot\r\n",
)


@dataclass
class Sink:
    """What a kind server was given, and how often it was connected to."""

    port: int = 0
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    connections: int = 0
    logins: list[bytes] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        assert envelope.mail_from is not None
        self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 2.0.0 taken"

    def login(self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@asynccontextmanager
async def serving(make: Callable[[Sink], SMTP], context: ssl.SSLContext | None = None) -> AsyncIterator[Sink]:
    """aiosmtpd on loopback, as `make` makes it for each connection; with `context` TLS from the first byte."""
    into = Sink()

    def protocol() -> SMTP:
        into.connections += 1
        return make(into)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=context)
    into.port = server.sockets[0].getsockname()[1]
    try:
        yield into
    finally:
        server.close()


@asynccontextmanager
async def sink(context: ssl.SSLContext | None = None, *, implicit: bool = False, **options: Any) -> AsyncIterator[Sink]:
    """A server; with `context` it offers STARTTLS, or speaks TLS from the first byte when `implicit`."""
    tls = None if implicit else context

    def make(into: Sink) -> SMTP:
        return SMTP(into, hostname="mail.example.test", tls_context=tls, authenticator=into.login, **options)

    async with serving(make, context if implicit else None) as into:
        yield into


@dataclass
class Scripted:
    """A server of fixed answers: one line for each command, by the command's first word."""

    answers: dict[str, str | None]
    """None: hang up instead of answering. Missing: 250."""
    silent_on: str = ""
    """The command that is never answered, while the connection stays open."""
    port: int = 0
    connections: int = 0
    heard: list[str] = field(default_factory=list)
    """The first words of what clients said, and"""
    lines: list[bytes] = field(default_factory=list)
    """all of it, but for mails."""
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server has fallen silent."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has left."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._dialogue(reader, writer)
        except ConnectionError:
            self.heard.append("RESET")
        finally:
            self.gone.set()
            writer.close()

    async def _dialogue(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._say("CONNECT", writer, "220 mail.example.test"):
            return
        while line := await reader.readline():
            command = line.split()[0].decode().upper()
            self.heard.append(command)
            self.lines.append(line)
            if not await self._say(command, writer, "354 go on" if command == "DATA" else "250 ok"):
                return
            if command == "DATA" and "DATA" not in self.answers:
                await reader.readuntil(b"\r\n.\r\n")
                self.heard.append("DOT")
                if not await self._say("DOT", writer, "250 ok"):
                    return
            if command == "QUIT":
                return

    async def _say(self, command: str, writer: asyncio.StreamWriter, usual: str) -> bool:
        if command == self.silent_on:
            self.silent.set()
            return True
        answer = self.answers.get(command, usual)
        if answer is None:
            return False
        writer.write(answer.encode() + b"\r\n")
        await writer.drain()
        return not answer.startswith("421")


@asynccontextmanager
async def scripted(answers: dict[str, str | None] | None = None, **options: Any) -> AsyncIterator[Scripted]:
    """A scripted server on loopback."""
    script = Scripted(answers or {}, **options)
    server = await asyncio.start_server(script.talk, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()


def reaching(port: int, tls: TlsMode = TlsMode.NONE, **changes: Any) -> RelaySettings:
    """Settings for a server on loopback, with short times."""
    values: dict[str, Any] = {"timeout": 5.0, "data_timeout": 5.0, "hostname": "bridge.example.test"}
    return RelaySettings(host="127.0.0.1", port=port, tls=tls, **(values | changes))


@dataclass(frozen=True)
class Certificates:
    """A server's TLS side, and the authority a client must know to trust it."""

    server: ssl.SSLContext
    authority: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def issue(folder: Path, *names: str) -> Certificates:
    """A certificate for `names`, from an authority of its own."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return Certificates(context, folder / "ca.pem")


@pytest.fixture(scope="session", params=["dovecot", "cyrus", "cyrus with slashes", "courier"])
def imap_server(request: pytest.FixtureRequest) -> Iterator[ImapServer]:
    """One real IMAP server after another."""
    if request.param == "dovecot":
        yield request.getfixturevalue("dovecot")
        return
    slashes = "slashes" in request.param
    cyrus = "cyrus" in request.param
    server = CyrusServer.create(slashes=slashes) if cyrus else CourierServer.create()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def box(imap_server: ImapServer, account: str) -> Account:
    """An empty account on it."""
    return Account(imap_server, account)
