"""The whole road by SMPP: a mail becomes a text, its receipts and the phone's answer become mails."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.access.credentials import hash_password
from bridge.app import Bridge
from bridge.demo_mailboxes import demo_mailbox
from bridge.gateways.smpp.status import OK
from bridge.settings import GatewaySettings, SendingSettings, Settings, demo_settings
from bridge.store.store import Store
from tests.gateways.smpp.smsc import Smsc, run_smsc
from tests.road.demo_process import DOMAIN, LOGIN, PASSWORD, PATIENCE, compose, eventually
from tests.servers.mail_server import MailServer, listening
from tests.servers.ports import free_port

PHONE = "+393331234567"
LONG = "Your visit is tomorrow at nine. Please bring the letter of your doctor. " * 3


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    async with run_smsc() as running:
        yield running


@pytest.fixture
def settings(smsc: Smsc, tmp_path: Path) -> Settings:
    """A bridge whose only way to phones is the SMSC."""
    gateway = GatewaySettings(
        kind="smpp", url=f"smpp://127.0.0.1:{smsc.port}", account="bridge", secret=SecretStr("s3cret-pw")
    )
    return demo_settings(tmp_path, free_port(), free_port(), free_port(), "a secret of a test").model_copy(
        update={"gateways": {"smsc": gateway}, "sending": SendingSettings(gateway="smsc")}
    )


@pytest.fixture
def mailboxes(settings: Settings) -> Iterator[MailServer]:
    """Where reports and answers go."""
    server = MailServer()
    with listening(server, settings.relay.port):
        yield server


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Bridge]:
    """The bridge, until the block ends."""
    bridge = Bridge(settings)
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.stop()


def send(settings: Settings, text: str) -> None:
    with smtplib.SMTP("127.0.0.1", settings.smtp.port, timeout=PATIENCE) as client:
        client.login(LOGIN, PASSWORD)
        mail = compose(LOGIN, [f"{PHONE}@{DOMAIN}"], text)
        mail["Return-Receipt-To"] = LOGIN
        client.send_message(mail)


async def mailed(mailboxes: MailServer, count: int) -> EmailMessage:
    """The mail number `count` that came."""
    await asyncio.to_thread(eventually, lambda: len(mailboxes.mails) >= count)
    return mailboxes.mails[count - 1]


def words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_a_long_text_its_receipts_and_a_long_answer(
    smsc: Smsc, settings: Settings, mailboxes: MailServer
) -> None:
    async with Store(settings) as store:
        await store.mailboxes.add(demo_mailbox(LOGIN, hash_password(PASSWORD)))
    async with running(settings):
        await asyncio.to_thread(send, settings, LONG)
        await smsc.submitted(2)
        assert [seen.octets[4:6] for seen in smsc.submits] == [b"\2\1", b"\2\2"]
        for number in (2, 1):
            receipt = f"id:id-{number} sub:001 dlvrd:001 done date:2611220140 stat:DELIVRD err:000 text:"
            assert await smsc.link.deliver(receipt.encode(), 4) == OK
        report = await mailed(mailboxes, 1)
        assert report.get_content_type() == "multipart/report"
        assert "Action: delivered" in report.as_string()
        assert await smsc.link.deliver(b"\5\0\3\x07\2\1I shall come, ", 0x40) == OK
    async with running(settings):  # the first half of the answer was confirmed, and outlives the bridge
        while len(smsc.links) < 2:
            await smsc.next_bind()
        assert await smsc.link.deliver(b"\5\0\3\x07\2\2thank you.", 0x40) == OK
        answer = await mailed(mailboxes, 2)
        assert "I shall come, thank you." in words(answer)
        assert answer["To"] == LOGIN
        assert "Appointment" in answer["Subject"]
    assert len(smsc.submits) == 2
