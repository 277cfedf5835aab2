"""Copies of texts show what became of these, on every server: also when it comes late, and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from bridge import clock
from bridge.settings import SendingSettings
from bridge.store.transitions import Change
from bridge.types import MessageState
from tests.filing.conftest import LOGIN, Office, eventually, filing, office
from tests.servers.courier import CourierServer
from tests.servers.cyrus import CyrusServer
from tests.servers.dovecot import DovecotServer
from tests.servers.faulty import Faulty, faulty
from tests.servers.imap_account import Account, ImapServer

DELIVERED, UNDELIVERABLE, REFUSED, UNCERTAIN = "+393331230001", "+393331230903", "+393331230901", "+393331230906"


@pytest.fixture(scope="module", params=["dovecot", "cyrus", "courier"])
def server(request: pytest.FixtureRequest, dovecot: DovecotServer) -> Iterator[ImapServer]:
    """One real IMAP server after another."""
    if request.param == "dovecot":
        yield dovecot
        return
    made = CyrusServer.create() if request.param == "cyrus" else CourierServer.create()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def box(server: ImapServer, account: str) -> Account:
    """An empty account on it."""
    return Account(server, account)


@pytest.fixture
async def between(server: ImapServer) -> AsyncIterator[Faulty]:
    """What stands between the bridge and the server."""
    async with faulty(server.port) as passing:
        yield passing


async def shows(box: Account, number: str, *flags: set[str]) -> None:
    """Wait until the mails in a phone's folder have these marks, and are seen."""
    wanted = [{"\\Seen"} | each for each in flags]

    async def there() -> bool:
        return await asyncio.to_thread(box.flags, "SMS", number) == wanted

    await eventually(there)


async def drained(running: Office) -> None:
    """Nothing waits to be filed."""

    async def done() -> bool:
        return not (await running.bridge.store.ledger.counts())["filings"].get("queued", 0)

    await eventually(done)


async def message_id(box: Account, number: str) -> str:
    """The message whose copy is filed for a phone."""
    (copy,) = await asyncio.to_thread(box.mails, "SMS", number)
    return str(message_from_bytes(copy, policy=policy.default)["X-SMS-Message-Id"])


async def test_each_copy_shows_what_became_of_its_text(box: Account, between: Faulty, tmp_path: Path) -> None:
    """Also when the truth comes late, while the server is down and the bridge about to stop."""
    section = filing(between.port, box.user, state="keywords")
    quick = SendingSettings(gateway="simulator", unknown_after=0.2)
    async with office(tmp_path, {LOGIN: section}, sending=quick) as running:
        await running.send([DELIVERED, UNDELIVERABLE, REFUSED, UNCERTAIN], "Can you come?")
        await shows(box, DELIVERED, {"$SMSDelivered"})
        await shows(box, UNDELIVERABLE, {"$SMSFailed", "\\Flagged"})
        await shows(box, UNCERTAIN, {"$SMSUnknown", "\\Flagged"})
        await shows(box, REFUSED, {"\\Flagged"})
        (report,) = await asyncio.to_thread(box.mails, "SMS", REFUSED)
        assert b"multipart/report" in report, "a text that never left has no copy, and its failure stands for it"
        await drained(running)
        late = [Change(await message_id(box, number), MessageState.DELIVERED, clock.now(), by_provider=True)
                for number in (UNCERTAIN, UNDELIVERABLE)]  # fmt: skip
        await asyncio.to_thread(box.delete, "SMS", UNCERTAIN)
        await asyncio.to_thread(box.server.stop)
        for change in late:
            assert await running.bridge.store.queue.change(change)
    await asyncio.to_thread(box.server.start)
    async with office(tmp_path, {LOGIN: section}) as running:
        await shows(box, UNDELIVERABLE, {"$SMSDelivered"})
        await drained(running)
        assert (await running.bridge.store.ledger.counts())["filings"].keys() == {"sent"}
    assert box.mails("SMS", UNCERTAIN) == [], "a copy that its owner took away holds up nothing"
