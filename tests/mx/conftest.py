"""The MX door on loopback: a real listener, a real store, and names that a small name server knows."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.admission import Admission
from bridge.routing import Route, Routes
from bridge.smtp_doors import DoorSettings
from bridge.smtp_mx import MxDoor
from bridge.smtp_server import SmtpServer
from bridge.trials import Trials
from tests.access.letters import rsa_record
from tests.servers.dns import NameServer, Records, name_server
from tests.smtp.conftest import Client, authority, certificate, trusting
from tests.stations.conftest import returns_of, rulings_of
from tests.store.conftest import DOMAIN, GATEWAY, StoreRoom, sqlite_room, template

__all__ = ["authority", "certificate", "sqlite_room", "template", "trusting"]

ANNA = "anna@clinic.example"
PHONE, OTHER = f"+393331234567@{DOMAIN}", f"+393477654321@{DOMAIN}"
LANDLINE = f"+390612345678@{DOMAIN}"
"""A phone that is not texted."""

HERE: dict[str, Records] = {
    "clinic.example": {"A": ["127.0.0.1"], "TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
    "_dmarc.clinic.example": {"TXT": ["v=DMARC1; p=reject"]},
    "s1._domainkey.clinic.example": {"TXT": [rsa_record()]},
    "small.example": {"A": ["127.0.0.1"], "TXT": ["v=spf1 -all"]},
    "xn--mnchen-3ya.example": {"A": ["127.0.0.1"], "TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
    "other.example": {"A": ["127.0.0.1"], "TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
    "s1._domainkey.other.example": {"TXT": [rsa_record()]},
    "s1._domainkey.lists.example": {"TXT": [rsa_record()]},
    "lists.example": {"A": ["127.0.0.1"], "TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
}
"""Everybody sends from this machine; the clinic's own provider may, and so may the mailing list."""
AWAY: dict[str, Records] = {
    "clinic.example": {"A": ["192.0.2.25"], "TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "lists.example": {"A": ["192.0.2.25"], "TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
}
"""They send from elsewhere, so SPF does not speak for a mail from here."""


def letter(
    author: str = f"Anna <{ANNA}>",
    *extra: str,
    to: str = PHONE,
    text: str = "Your visit is on Monday at 10.",
    message_id: str = "<1@clinic.example>",
    date: datetime | None = None,
    subject: str = "Visit",
) -> bytes:
    """A mail as somebody's provider sends it, `extra` header fields on top."""
    lines = (
        *extra,
        f"From: {author}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {format_datetime(date or clock.now())}",
        f"Message-ID: {message_id}",
    )
    return ("\r\n".join(lines) + f"\r\n\r\n{text}\r\n").encode()


@dataclass
class Mx:
    """The running door, who stands behind it, and what it took."""

    server: SmtpServer
    door: MxDoor
    names: NameServer
    room: StoreRoom
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        """A connection that was greeted."""
        assert self.server.port is not None
        client = await self.strange()
        assert (await client.reply()).startswith("220 bridge.example.test ESMTP")
        return client

    async def strange(self) -> Client:
        """A connection of which nothing was read yet."""
        assert self.server.port is not None
        client = Client(*await asyncio.open_connection("127.0.0.1", self.server.port, limit=1 << 20))
        self.clients.append(client)
        return client

    async def greeted(self, name: str = "mx.provider.example") -> Client:
        """A mail server that has said EHLO."""
        client = await self.connect()
        assert (await client.say(f"EHLO {name}")).startswith("250")
        return client

    async def brings(self, raw: bytes, *recipients: str, sender: str = ANNA, client: Client | None = None) -> str:
        """The answer to a mail, of which every recipient is noted."""
        client = client or await self.greeted()
        assert (await client.say(f"MAIL FROM:<{sender}>")).startswith("250")
        for recipient in recipients or (PHONE,):
            assert (await client.say(f"RCPT TO:<{recipient}>")).startswith("250")
        assert (await client.say("DATA")).startswith("354")
        return await client.mail(raw.removesuffix(b"\r\n"))

    async def texts(self) -> list[tuple[str, str]]:
        """Phone and words of every message, the oldest first; words are empty where it was refused."""
        views = await self.room.store.ledger.messages(state=None, number=None, login=None, limit=100)
        found = []
        for view in reversed(views):
            trace = await self.room.store.ledger.trace(view.id)
            found.append((view.number, trace.text if trace is not None and view.reason is None else ""))
        return found


OpenMx = Callable[..., Awaitable[Mx]]


@pytest.fixture(scope="session")
async def names() -> AsyncIterator[NameServer]:
    """One name server for all."""
    async with name_server() as server:
        yield server


@pytest.fixture
async def open_mx(sqlite_room: StoreRoom, names: NameServer) -> AsyncIterator[OpenMx]:
    """Opens doors with the settings a test asks for; they are closed at its end."""
    async with opening(sqlite_room, names) as start:
        yield start


@asynccontextmanager
async def opening(room: StoreRoom, names: NameServer) -> AsyncIterator[OpenMx]:
    """Opens doors on a store; they are closed at the end of the block."""
    opened: list[Mx] = []

    async def start(trusted: Sequence[str] = (), window: timedelta = timedelta(days=1), **changes: Any) -> Mx:
        names.zone, names.faults, names.asked, names.delay = dict(HERE), {}, [], 0.0
        await room.store.mailboxes.add(
            replace(room.mailbox, login=ANNA, addresses=("front@small.example", "@münchen.example"))
        )
        await room.store.directory.refresh()
        door = MxDoor(
            room.store.directory,
            admission_of(room),
            returns_of(room),
            resolver=names.resolver(),
            trusted_forwarders=trusted,
            resubmission_window=window,
            disk_full=lambda: False,
        )
        limits = DoorSettings(port=0, hostname="bridge.example.test", max_mail_bytes=100_000, max_recipients=100)
        mx = Mx(SmtpServer(dataclasses.replace(limits, **changes), door), door, names, room)
        await mx.server.start()
        opened.append(mx)
        return mx

    try:
        yield start
    finally:
        for mx in opened:
            for client in mx.clients:
                await client.close()
            await mx.server.stop(1.0)


@pytest.fixture
async def mx(open_mx: OpenMx) -> Mx:
    """A door as it usually is."""
    return await open_mx()


def admission_of(room: StoreRoom) -> Admission:
    """The one way in, on the store of a test."""
    return Admission(
        room.outbox,
        room.store.directory,
        domains={DOMAIN},
        routes=Routes((Route(GATEWAY),)),
        credentials=Credentials(),
        taken=lambda: None,
        trials=Trials(room.mails, domain=DOMAIN, mailed=lambda: None, sign=lambda mail: mail),
        rulings=rulings_of(room),
        threads=room.store.threads,
        beyond_thread=5,
    )
