"""Conversations in folders that are named as the mailbox calls the phone, on a real IMAP server."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from bridge.demo_mailboxes import demo_mailbox
from bridge.types import Contact
from tests.filing.conftest import LOGIN, eventually, filing, office
from tests.servers.dovecot import DovecotServer
from tests.servers.faulty import Faulty

MARIO, NAMESAKE, UNDELIVERABLE, CALLER = "+393331230001", "+393331230002", "+393331230903", "+393331230004"


def filed(dovecot: DovecotServer, account: str, folder: str) -> list[EmailMessage]:
    try:
        mails = dovecot.mails(account, folder)
    except (KeyError, FileNotFoundError):  # Dovecot is writing its list
        return []
    return [message_from_bytes(raw, policy=policy.default) for raw in mails]


async def test_people_of_one_name_have_folders_of_their_own(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path
) -> None:
    one, other = ".SMS.Mario Rossi (+39 333 123 0001)", ".SMS.Mario Rossi (+39 333 123 0002)"
    async with office(tmp_path, {LOGIN: filing(proxy.port, account, folder="SMS/{contact}")}) as running:
        await running.send([MARIO, NAMESAKE], "Can you come?", name="Mario Rossi")
        for number in (MARIO, NAMESAKE):
            await running.arrives(number)
        await running.texts_back(MARIO, "Sì")
        await eventually(lambda: {one, other} <= dovecot.folders(account) and len(filed(dovecot, account, one)) == 2)
        await running.send([MARIO], "See you then.")
        await running.arrives(MARIO, 2)
        await eventually(lambda: len(filed(dovecot, account, one)) == 3)
    sent, answer, thanks = filed(dovecot, account, one)
    assert dovecot.folders(account) == {".SMS", one, other}, "a mail without a name changes none"
    for phone in (sent["To"].addresses[0], answer["From"].addresses[0], thanks["To"].addresses[0]):
        assert phone.display_name == "Mario Rossi (+39 333 123 0001)"
        assert phone.addr_spec == f"{MARIO}@sms.example.test"
    assert len(filed(dovecot, account, other)) == 1


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        pytest.param("Niccolò", ".SMS.Niccol&API- (+39 333 123 0903)", id="accents"),
        pytest.param("../../etc/passwd", ".SMS.______etc_passwd (+39 333 123 0903)", id="a path"),
        pytest.param('A "B" *%\\', ".SMS.A _B_ ___ (+39 333 123 0903)", id="marks of IMAP"),
    ],
)
async def test_a_name_is_safe_and_failures_stand_beside_the_text(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path, name: str, folder: str
) -> None:
    async with office(tmp_path, {LOGIN: filing(proxy.port, account, folder="SMS/{contact}")}) as running:
        await running.send([UNDELIVERABLE], "Can you come?", name=name)
        await eventually(lambda: folder in dovecot.folders(account) and len(filed(dovecot, account, folder)) == 2)
    text, report = filed(dovecot, account, folder)
    assert (text["X-SMS-Number"], report.get_content_type()) == (UNDELIVERABLE, "multipart/report")
    assert dovecot.folders(account) == {".SMS", folder}


async def test_a_phone_of_the_address_book_that_writes_first_has_its_name(
    dovecot: DovecotServer, account: str, proxy: Faulty, tmp_path: Path
) -> None:
    folder = ".SMS.Anna Bianchi (+39 333 123 0004)"
    async with office(tmp_path, {LOGIN: filing(proxy.port, account, folder="SMS/{contact}")}) as running:
        await running.bridge.store.contacts.save([Contact("Anna Bianchi", CALLER)])
        await running.bridge.store.directory.refresh()
        await running.texts_back(CALLER, "Are you open?", demo_mailbox(LOGIN).sender)
        await eventually(lambda: folder in dovecot.folders(account) and filed(dovecot, account, folder))
    (mail,) = filed(dovecot, account, folder)
    assert mail["From"].addresses[0].display_name == "Anna Bianchi (+39 333 123 0004)"
