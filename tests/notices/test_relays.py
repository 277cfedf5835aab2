"""Reports through real Postfix and Exim: with the null sender, unchanged to the octet, and read as before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bridge import notices
from bridge.mailback.relay import Relay, RelaySettings
from bridge.settings import TlsMode
from tests.notices import grammar
from tests.notices.reports import SAMPLES
from tests.notices.samples import DOMAIN, HOSTNAME, a_report
from tests.servers.exim import EximServer, everything_to
from tests.servers.ports import free_port
from tests.servers.postfix import PostfixServer

PATIENCE = 30.0
KINDS = [
    "translated: phone off",
    "own: nobody knows",
    "late: phone",
    "several phones, all kinds",
    "words in it",
    "a long subject beyond ASCII",
    "8-bit header given back",
    "UTF-8 header given back",
    "a line of 3,000 octets given back",
    "1,000 phones",
]


class Mailboxes:
    """Where the relays deliver to."""

    def __init__(self) -> None:
        self.came: list[tuple[str, bytes]] = []
        """Envelope sender and content."""
        self.changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.came.append((envelope.mail_from or "", envelope.content))
        self._loop.call_soon_threadsafe(self.changed.set)
        return "250 2.0.0 taken"


def _postfix(port: int) -> PostfixServer:
    return PostfixServer.create({"relayhost": f"[127.0.0.1]:{port}", "smtpd_recipient_limit": "5"})


def _exim(port: int) -> EximServer:
    return EximServer.create(everything_to(port))


@pytest.fixture
async def mailboxes() -> AsyncIterator[tuple[Mailboxes, int]]:
    kept, port = Mailboxes(), free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port, data_size_limit=2**25, enable_SMTPUTF8=True)
    controller.start()
    yield kept, port
    controller.stop()


@pytest.fixture(params=[_postfix, _exim], ids=["postfix", "exim"])
def relay(mailboxes: tuple[Mailboxes, int], request: pytest.FixtureRequest) -> Iterator[PostfixServer | EximServer]:
    create: Callable[[int], PostfixServer | EximServer] = request.param
    server = create(mailboxes[1])
    yield server
    server.remove()


async def test_reports_arrive_as_they_left(mailboxes: tuple[Mailboxes, int], relay: PostfixServer | EximServer) -> None:
    """One mail server for all, since starting one takes longer than all that follows."""
    kept, _ = mailboxes
    client = Relay(RelaySettings(host="127.0.0.1", port=relay.port, tls=TlsMode.NONE))
    sent = [SAMPLES[name].mail for name in KINDS]
    for mail in sent:
        await client.send(mail)
    await client.close()
    async with asyncio.timeout(PATIENCE):
        while len(kept.came) < len(sent):
            kept.changed.clear()
            await kept.changed.wait()
    assert {sender for sender, _ in kept.came} <= {"", "<>"}
    for mail in sent:
        (raw,) = [raw for _, raw in kept.came if raw.endswith(mail.raw)]
        above = grammar.fields(raw.removesuffix(mail.raw).rstrip(b"\r\n"))
        assert {name for name, _ in above} == {"Received"}
        assert grammar.delivery_status(raw) == grammar.delivery_status(mail.raw)


async def test_a_report_to_an_address_beyond_ascii(
    mailboxes: tuple[Mailboxes, int], relay: PostfixServer | EximServer
) -> None:
    kept, _ = mailboxes
    mail = notices.report(a_report(to="zoë@example.test"), HOSTNAME, DOMAIN)
    client = Relay(RelaySettings(host="127.0.0.1", port=relay.port, tls=TlsMode.NONE))
    await client.send(mail)
    await client.close()
    async with asyncio.timeout(PATIENCE):
        await kept.changed.wait()
    ((_, raw),) = kept.came
    assert raw.endswith(mail.raw)
    assert b"\r\nTo: zo\xc3\xab@example.test\r\n" in raw
