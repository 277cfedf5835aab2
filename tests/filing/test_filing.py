"""A conversation as it stands in the clinic's mail program: every text, answer and failure, once each and in order."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from pathlib import Path

import pytest

from bridge import clock
from tests.filing.conftest import DESK, LOGIN, Office, eventually, filing, office, subfolder, words
from tests.servers.dovecot import FULL, GUARDED, DovecotServer
from tests.servers.faulty import Faulty

NUMBER, OTHER = "+393331230001", "+393331230002"
UNDELIVERABLE, REFUSED, UNCERTAIN = "+393331230903", "+393331230901", "+393331230906"


async def filed(dovecot: DovecotServer, account: str, number: str, count: int) -> list[EmailMessage]:
    """The mails in a phone's folder, once there are `count`."""

    def full() -> bool:
        try:
            return len(subfolder(dovecot, account, number)) >= count
        except (KeyError, FileNotFoundError):  # Dovecot is writing its list
            return False

    await eventually(full)
    found = subfolder(dovecot, account, number)
    assert len(found) == count
    return found


async def drained(running: Office, login: str = LOGIN) -> None:
    """Nothing waits to be filed."""

    async def done() -> bool:
        counts = await running.bridge.store.ledger.counts()
        return not counts["filings"].get("queued", 0)

    await eventually(done)


async def test_a_conversation_is_filed_in_order(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path
) -> None:
    async with office(tmp_path, {LOGIN: filing(proxy.port, account)}) as running:
        asked = await running.send([NUMBER], "Can you come at 10:30?")
        await running.arrives(NUMBER)
        await filed(dovecot, account, NUMBER, 1)
        await running.texts_back(NUMBER, "Sì, vengo")
        await filed(dovecot, account, NUMBER, 2)
        await running.send([NUMBER, OTHER], "See you then.")
        await running.arrives(NUMBER, 2)
        mails = await filed(dovecot, account, NUMBER, 3)
        await drained(running)
    sent, answer, thanks = mails
    assert [words(mail) for mail in mails] == ["Can you come at 10:30?", "Sì, vengo", "See you then."]
    assert (sent["From"], sent["To"]) == (LOGIN, f"+39 333 123 0001 <{NUMBER}@sms.example.test>")
    assert sent["Subject"] == "Your visit"
    assert sent["In-Reply-To"] == answer["In-Reply-To"] == asked
    assert sent["Message-ID"] == f"<sent.{sent['X-SMS-Message-Id']}@sms.example.test>"
    assert (sent["X-SMS-Number"], sent["X-SMS-Segments"]) == (NUMBER, "1")
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert [words(mail) for mail in subfolder(dovecot, account, OTHER)] == ["See you then."]
    assert dovecot.subscribed(account) >= {"SMS." + NUMBER, "SMS." + OTHER}
    assert thanks["X-SMS-Status"] in ("sent", "delivered")


@pytest.mark.parametrize(
    ("number", "status", "texts"),
    [
        pytest.param(UNDELIVERABLE, "undelivered", 1, id="taken and not delivered: the text and the failure"),
        pytest.param(REFUSED, "failed", 0, id="never left: the failure alone"),
    ],
)
async def test_a_failure_stands_in_the_phones_folder(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path, number: str, status: str, texts: int
) -> None:
    async with office(tmp_path, {LOGIN: filing(proxy.port, account)}) as running:
        asked = await running.send([NUMBER, number], "Can you come?")
        mails = await filed(dovecot, account, number, texts + 1)
        await drained(running)
    report = mails[-1]
    assert report.get_content_type() == "multipart/report"
    assert report["In-Reply-To"] == asked
    assert status in report.get_all("X-SMS-Status", [])
    assert len(subfolder(dovecot, account, NUMBER)) == 1, "what arrived is no failure"
    (file,) = [
        path
        for path in (dovecot.maildir(account) / f".SMS.{number}").rglob("*")
        if path.parent.name in ("cur", "new") and b"multipart/report" in path.read_bytes()
    ]
    assert file.name.endswith(":2,FS"), "flagged, and not unread a second time"


async def test_only_what_a_mailbox_asks_for_is_filed(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path
) -> None:
    section = filing(proxy.port, account, what=["replies"], folder="Pazienti/{year}/{contact}")
    async with office(tmp_path, {LOGIN: section}) as running:
        for login in (LOGIN, DESK):
            await running.send([NUMBER if login == LOGIN else OTHER], "Can you come?", login)
        for number in (NUMBER, OTHER):
            await running.arrives(number)
            await running.texts_back(number, "Sì")
        await eventually(lambda: len(dovecot.folders(account)) == 3)
        await drained(running)
        counts = (await running.bridge.store.ledger.counts())["filings"]
    assert counts == {"sent": 1}
    (folder,) = [name for name in dovecot.folders(account) if name.count(".") == 3]
    assert folder.startswith(".Pazienti.20")
    assert folder.endswith(".+39 333 123 0001")


async def test_while_dovecot_is_down_nothing_is_lost_and_then_all_flows(account: str, tmp_path: Path) -> None:
    server = DovecotServer.create()
    try:
        async with office(tmp_path, {LOGIN: filing(server.port, account)}) as running:
            await asyncio.to_thread(server.stop)
            texts = [f"Text {n}" for n in range(5)]
            for count, text in enumerate(texts, 1):
                await running.send([NUMBER], text)
                await running.arrives(NUMBER, count)
        async with office(tmp_path, {LOGIN: filing(server.port, account)}) as running:
            await running.texts_back(NUMBER, "Sì")
            await asyncio.to_thread(server.start)
            mails = await filed(server, account, NUMBER, 6)
            await drained(running)
    finally:
        server.remove()
    assert [words(mail) for mail in mails] == [*texts, "Sì"]


async def test_a_connection_that_breaks_in_mid_append_doubles_nothing(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path
) -> None:
    async with office(tmp_path, {LOGIN: filing(proxy.port, account)}) as running:
        for count in range(1, 5):
            proxy.cut_mail_after = (1, 300, 5000, 0)[count - 1] if count != 3 else None
            await running.send([NUMBER], f"Text {count}")
            await running.arrives(NUMBER, count)
            await filed(dovecot, account, NUMBER, count)
        await drained(running)
    assert [words(mail) for mail in subfolder(dovecot, account, NUMBER)] == [f"Text {n}" for n in range(1, 5)]


async def test_a_full_mailbox_waits_until_there_is_room_and_keeps_nobody_else_waiting(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path
) -> None:
    filings = {LOGIN: filing(proxy.port, FULL), DESK: filing(proxy.port, account)}
    async with office(tmp_path, filings) as running:
        await running.send([NUMBER], "a" * 600)
        await filed(dovecot, FULL, NUMBER, 1)
        await running.send([NUMBER], "b" * 600)
        await running.arrives(NUMBER, 2)
        await running.send([OTHER], "From the desk.", DESK)
        await filed(dovecot, account, OTHER, 1)
        (first,) = subfolder(dovecot, FULL, NUMBER)
        await _room_again(dovecot, proxy)
        await eventually(lambda: _texts(dovecot, FULL) == ["b" * 600])
        await drained(running)
    assert words(first) == "a" * 600


async def _room_again(dovecot: DovecotServer, proxy: Faulty) -> None:
    """The owner deletes what there is."""
    import imaplib

    from tests.servers.dovecot import PASSWORD

    def delete() -> None:
        with imaplib.IMAP4("127.0.0.1", dovecot.port) as client:
            client.login(FULL, PASSWORD)
            client.select(f'"SMS.{NUMBER}"')
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()

    await asyncio.to_thread(delete)


def _texts(dovecot: DovecotServer, account: str) -> list[str]:
    try:
        return [words(mail) for mail in subfolder(dovecot, account, NUMBER)]
    except (KeyError, FileNotFoundError):
        return []


async def test_a_folder_made_read_only_waits_until_it_may_be_written_again(
    dovecot: DovecotServer, proxy: Faulty, tmp_path: Path
) -> None:
    async with office(tmp_path, {LOGIN: filing(proxy.port, GUARDED)}) as running:
        await running.send([NUMBER], "One")
        await filed(dovecot, GUARDED, NUMBER, 1)
        rights = dovecot.maildir(GUARDED) / f".SMS.{NUMBER}" / "dovecot-acl"
        rights.write_text("owner lr\n")
        proxy.cut_after = 1  # Dovecot reads rights anew when somebody logs in
        await running.send([NUMBER], "Two")
        await running.arrives(NUMBER, 2)

        async def refused() -> bool:
            waiting = (await running.bridge.backlog(clock.now())).filings
            return [(each.login, each.count) for each in waiting if each.tries] == [(LOGIN, 1)]

        await eventually(refused)
        rights.unlink()
        mails = await filed(dovecot, GUARDED, NUMBER, 2)
        await drained(running)
    assert [words(mail) for mail in mails] == ["One", "Two"]
