"""A real listener on loopback with the bridge's own front door; behind it an admission that the test commands."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge import admission
from bridge.access.credentials import Credentials, hash_password
from bridge.access.scram import verifier_beside
from bridge.access.throttle import Throttle
from bridge.access.tokens import Tokens
from bridge.errors import Reason, RecipientRefusal
from bridge.logins import Logins, Proof
from bridge.notices.bounces import BounceKey
from bridge.returns import Returns
from bridge.settings import RelaySettings, demo_settings
from bridge.smtp_doors import DoorSettings
from bridge.smtp_handler import FrontDoor
from bridge.smtp_server import SmtpServer
from bridge.store import directory, mails
from bridge.store.mails import MailedReply, MailResult
from bridge.types import AppPassword, ClientCertificate, Destination, Envelope, Language, Mailbox, Recipient, Target

LOGIN = "clinic@example.test"
PASSWORD = "clinic-demo"
APP_PASSWORD = "abcd-efgh-ijkl-mnop-qrst-uvwx"
SALTS = b"s" * 32
BOUNCE_KEY = BounceKey(1, b"k" * 32)
NUMBER = "<+393331234567@sms.example.test>"


class Directory(directory.Directory):
    """Mailboxes in memory, as the store's directory gives them out."""

    def __init__(self, *mailboxes: Mailbox) -> None:
        self.mailboxes = {mailbox.login: mailbox for mailbox in mailboxes}
        self.networks: dict[str, str] = {}
        self.app_passwords: dict[str, tuple[AppPassword, ...]] = {}
        self.certificates: Mapping[str, ClientCertificate] = {}

    def by_login(self, login: str) -> Mailbox | None:
        return self.mailboxes.get(login.lower())

    def by_id(self, mailbox_id: str) -> Mailbox | None:
        return next((mailbox for mailbox in self.mailboxes.values() if mailbox.id == mailbox_id), None)

    def by_network(self, address: str) -> Mailbox | None:
        return self.mailboxes.get(self.networks.get(address, ""))

    def passwords(self, mailbox_id: str) -> tuple[AppPassword, ...]:
        return self.app_passwords.get(mailbox_id, ())

    def give(self, mailbox: Mailbox, password: str, name: str = "scanner") -> AppPassword:
        """Give a mailbox an app password."""
        there = self.passwords(mailbox.id)
        verifier = verifier_beside([each.verifier for each in there], password, SALTS, mailbox.login)
        new = AppPassword(f"password{len(there) + 1}", name, verifier)
        self.app_passwords[mailbox.id] = (*there, new)
        return new


@dataclasses.dataclass
class Admitted:
    mailbox: Mailbox
    envelope: Envelope
    recipients: tuple[Recipient, ...]
    numbers: tuple[str, ...]
    raw: bytes


class Admission(admission.Admission):
    """Records what was admitted; refuses, breaks or waits on demand."""

    def __init__(self) -> None:
        self.admitted: list[Admitted] = []
        self.keeps = True
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.done = asyncio.Event()

    def check_recipient(self, mailbox: Mailbox, recipient: Recipient) -> tuple[Target, ...]:
        local_part = recipient.address.partition("@")[0].strip('"')
        if not local_part.startswith("+39") or len(local_part) < 10:
            raise RecipientRefusal(Reason.MALFORMED_NUMBER, "This is not a phone number.")
        return (Destination(recipient, local_part, "IT"),)

    async def admit(self, mailbox: Mailbox, envelope: Envelope, targets: Sequence[Target], raw: bytes) -> str:
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        if not self.keeps:
            return "submission"
        self.admitted.append(
            Admitted(
                mailbox,
                envelope,
                tuple(to.recipient for to in targets),
                tuple(to.number for to in targets if isinstance(to, Destination)),
                raw,
            )
        )
        self.done.set()
        return f"submission{len(self.admitted)}"


class Mails(mails.Mails):
    """Records what became of mails of ours; none of them is known to be an answer."""

    def __init__(self) -> None:
        self.settled: list[MailResult] = []

    async def reply(self, mail_id: str) -> MailedReply | None:
        return None

    async def settle(self, result: MailResult) -> bool:
        self.settled.append(result)
        return True


@dataclasses.dataclass
class House:
    """A running front door and what a test may turn in it."""

    server: SmtpServer
    front: FrontDoor
    directory: Directory
    admission: Admission
    mails: Mails
    settings: DoorSettings
    clients: list[Client] = dataclasses.field(default_factory=list)

    @property
    def port(self) -> int:
        assert self.server.port is not None
        return self.server.port

    @property
    def tls_port(self) -> int:
        assert self.server.tls_port is not None
        return self.server.tls_port

    async def emptied(self) -> None:
        """Wait for the server's side of all connections to end."""
        async with asyncio.timeout(20):
            for connection in list(self.server.connections):
                await asyncio.wait([connection.task])

    async def connect(self, *, tls: ssl.SSLContext | None = None) -> Client:
        port = self.tls_port if tls is not None else self.port
        host = "localhost" if tls is not None else None
        client = Client(*await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=host, limit=1 << 20))
        self.clients.append(client)
        await client.reply()
        return client

    async def logged_in(self) -> Client:
        client = await self.connect()
        await client.say("EHLO client.example.test")
        assert (await client.say("AUTH PLAIN AGNsaW5pY0BleGFtcGxlLnRlc3QAY2xpbmljLWRlbW8=")).startswith("235")
        return client

    async def at_data(self) -> Client:
        """A client that has got its 354."""
        client = await self.logged_in()
        await client.say(f"MAIL FROM:<{LOGIN}>")
        await client.say(f"RCPT TO:{NUMBER}")
        assert (await client.say("DATA")).startswith("354")
        return client


class Client:
    """A client that says exactly what it is told, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def reply(self) -> str:
        """The next reply, its lines joined by a line feed; empty when the server has closed."""
        lines: list[str] = []
        while True:
            async with asyncio.timeout(20):
                line = (await self.reader.readline()).decode("ascii")
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, command: str) -> str:
        await self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def mail(self, content: bytes) -> str:
        """Send a mail after the 354."""
        await self.send(content + b"\r\n.\r\n")
        return await self.reply()

    async def flood(self, octets: bytes) -> None:
        """Send the same again and again, far beyond any limit. Raises ConnectionError when the server cuts it off."""
        for _ in range(2000):
            await self.send(octets)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(20):
            return await self.reader.read()

    async def close(self) -> None:
        self.writer.close()
        try:
            async with asyncio.timeout(20):
                await self.writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            # The server may have hung up first, and in its own way.
            return


OpenHouse = Callable[..., Awaitable[House]]


def resident() -> int:
    """Octets of memory that the process has."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.fixture(scope="session")
def password_hash() -> str:
    return hash_password(PASSWORD)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def authority_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client needs to believe the server's certificate."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
async def credentials() -> Credentials:
    return Credentials()


@pytest.fixture(scope="session")
def mailbox(password_hash: str) -> Mailbox:
    return Mailbox(
        id="m1",
        organisation_id="o1",
        login=LOGIN,
        addresses=("@example.test",),
        region="IT",
        countries=("IT",),
        language=Language.ITALIAN,
        timezone="Europe/Rome",
        sender="+390200000001",
        password_hash=password_hash,
    )


def logins_of(
    directory: directory.Directory, credentials: Credentials, *, scram: bool = True, tokens: Tokens | None = None
) -> Logins:
    """Who decides about logins, and has seen none yet."""
    return Logins(directory, credentials, Throttle(), salts=SALTS, scram=scram, used=_unwritten, tokens=tokens)


async def _unwritten(proof: Proof, mark: str, at: datetime) -> None:
    """Nobody asks when an app password was used."""


@pytest.fixture
async def open_house(certificate: Path, credentials: Credentials, mailbox: Mailbox) -> AsyncIterator[OpenHouse]:
    """Starts front doors with the settings a test asks for; they are stopped at its end."""
    async with opening(certificate, credentials, mailbox) as start:
        yield start


@asynccontextmanager
async def opening(certificate: Path, credentials: Credentials, mailbox: Mailbox) -> AsyncIterator[OpenHouse]:
    """Starts front doors; they are stopped at the end of the block."""
    houses: list[House] = []

    async def start(bounces_from: Sequence[str] = (), *, scram: bool = True, **changes: Any) -> House:
        settings = DoorSettings(
            port=0,
            tls_port=0,
            hostname="bridge.example.test",
            certificate=certificate,
            plaintext_login=True,
            max_mail_bytes=100_000,
            command_timeout=30.0,
            data_timeout=30.0,
        )
        settings = dataclasses.replace(settings, **changes)
        known, recording, ours = Directory(mailbox), Admission(), Mails()
        house_settings = demo_settings(Path(), 2525, 8025, 2526, "a-shared-secret").model_copy(
            update={"relay": RelaySettings(bounces_from=tuple(bounces_from))}
        )
        back = Returns(
            ours, known, settings=house_settings, key=BOUNCE_KEY, sign=lambda mail: mail, mailed=lambda: None
        )
        logins = logins_of(known, credentials, scram=scram)
        front = FrontDoor(known, logins, recording, back, disk_full=lambda: False)
        house = House(SmtpServer(settings, front), front, known, recording, ours, settings)
        await house.server.start()
        houses.append(house)
        return house

    try:
        yield start
    finally:
        for house in houses:
            if house.admission.gate is not None:
                house.admission.gate.set()
            for client in house.clients:
                await client.close()
            await house.server.stop(1.0)


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    return await open_house()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong passwords cost a thousandth of their time."""
    monkeypatch.setattr("bridge.smtp_login.LOGIN_DELAY", 0.001)
