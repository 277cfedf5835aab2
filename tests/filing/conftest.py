"""A whole bridge whose clinic has its conversations filed, on a real Dovecot behind a proxy that can break things."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest
from pydantic import SecretStr

from bridge.access.credentials import hash_password
from bridge.app import Bridge
from bridge.demo_mailboxes import PASSWORDS, demo_mailbox
from bridge.settings import FilingSettings, Settings, TlsMode, demo_settings
from bridge.simulator.server import Simulator
from bridge.store.store import Store
from tests.servers.dovecot import PASSWORD, DovecotServer
from tests.servers.faulty import Faulty, faulty
from tests.servers.ports import free_port
from tests.servers.web import NOBODY

LOGIN, DESK = "clinic@example.test", "front-desk@example.test"
PATIENCE = 30.0
_SECRET = "a secret of two"


@pytest.fixture
async def proxy(dovecot: DovecotServer) -> AsyncIterator[Faulty]:
    """What stands between the bridge and Dovecot."""
    async with faulty(dovecot.port) as passing:
        yield passing


def filing(port: int, account: str, **changes: object) -> FilingSettings:
    """The section of one mailbox."""
    return FilingSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "tls": TlsMode.NONE, "username": account, "password": SecretStr(PASSWORD)}
        | changes
    )


@dataclass
class Office:
    """A running bridge, the phones, and what a clinic does with them."""

    bridge: Bridge
    http: httpx.AsyncClient

    async def send(self, numbers: Sequence[str], text: str, login: str = LOGIN, name: str = "", **headers: str) -> str:
        """Mail a text to phones, all of one name if there is one; the mail's Message-ID."""
        mail = EmailMessage()
        mail["From"], mail["To"] = login, [Address(name, number, "sms.example.test") for number in numbers]
        mail["Subject"] = headers.get("subject", "Your visit")
        mail["Message-ID"] = f"<{time.monotonic_ns()}@client.example.test>"
        mail.set_content(text)
        await aiosmtplib.send(
            mail,
            hostname="127.0.0.1",
            port=self.bridge.door.port,
            username=login,
            password=PASSWORDS[login],
            start_tls=False,
        )
        return str(mail["Message-ID"])

    async def arrives(self, number: str, count: int = 1) -> None:
        """Wait until a phone has so many texts."""
        await eventually(lambda: self._texts(number, count))

    async def texts_back(self, number: str, text: str, to: str | None = None) -> None:
        """The phone answers the number that texted it last, or writes to another."""
        sms = {"text": text} | ({"to": to} if to is not None else {})
        answer = await self.http.post(f"/simulator/api/phones/{number}/replies", json=sms)
        assert answer.status_code == 201

    async def _texts(self, number: str, count: int) -> bool:
        found = (await self.http.get(f"/simulator/api/phones/{number}")).json()
        return len(found["messages"]) >= count


async def eventually(look: Callable[[], object], patience: float = PATIENCE) -> None:
    """Look again and again until `look`, or what it awaits, is true."""
    async with asyncio.timeout(patience):
        while True:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.05)


def office_settings(
    folder: Path, filings: dict[str, FilingSettings], mail_port: int, changes: Mapping[str, object]
) -> Settings:
    """The demo's settings with folders to file in, and with sections replaced by those of `changes`."""
    settings = demo_settings(folder, free_port(), free_port(), mail_port, _SECRET)
    return settings.model_copy(update={"filing": filings, **changes})


@asynccontextmanager
async def office(folder: Path, filings: dict[str, FilingSettings], **changes: object) -> AsyncIterator[Office]:
    """A bridge with the phone network in one process, on loopback."""
    mail_port = free_port()
    settings = office_settings(folder, filings, mail_port, changes)
    base = f"http://127.0.0.1:{settings.http.port}"
    simulator = Simulator(folder, f"{base}/hooks/simulator", _SECRET, mail_port=mail_port)
    await simulator.start()
    async with Store(settings) as store:
        for login, password in PASSWORDS.items():
            if store.directory.by_login(login) is None:
                await store.mailboxes.add(demo_mailbox(login, hash_password(password)))
    bridge = Bridge(settings, simulator.routes)
    await bridge.start()
    try:
        async with httpx.AsyncClient(base_url=base, verify=NOBODY) as http:
            yield Office(bridge, http)
    finally:
        await simulator.hang_up()
        await bridge.stop()
        await simulator.stop()


def subfolder(dovecot: DovecotServer, account: str, number: str) -> list[EmailMessage]:
    """The mails filed for one phone, in the order of filing."""
    name = f".SMS.{number}"
    if not (dovecot.maildir(account) / name / "dovecot-uidlist").exists():
        return []
    return [message_from_bytes(raw, policy=policy.default) for raw in dovecot.mails(account, name)]


def words(mail: EmailMessage) -> str:
    """What a person reads in a mail, above the small print of one with an answer."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").partition("\n\n-- \n")[0].strip()
