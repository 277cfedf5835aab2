"""Filing on three real servers, Dovecot, Cyrus and Courier, which differ in how they name, make and search folders."""

from __future__ import annotations

import asyncio
import random

import pytest

from bridge.mailback.imap import Flag
from bridge.mailback.imap_names import Hierarchy
from tests.mailback.imap import FOLDER, filed, folders_of
from tests.mailback.test_imap_faults import file_until_it_is_there
from tests.servers.faulty import faulty
from tests.servers.imap_account import Account


async def test_a_missing_folder_is_made_and_shown_and_keeps_the_order(box: Account) -> None:
    into = folders_of(box)
    mails = [filed(number=number, flags=(Flag.SEEN,)) for number in range(20)]
    await asyncio.gather(*map(into.file, mails))
    await into.close()
    assert box.mails(*FOLDER) == [mail.raw for mail in mails]
    assert box.folders() == box.subscribed() == {box.name("SMS"), box.name(*FOLDER)}


async def test_marks_are_those_of_the_mail(box: Account) -> None:
    into = folders_of(box)
    await into.file(filed(number=0))
    await into.file(filed(number=1, flags=(Flag.SEEN, Flag.FLAGGED)))
    await into.close()
    assert box.flags(*FOLDER) == [set(), {"\\Seen", "\\Flagged"}]


async def test_a_mail_that_may_be_there_is_looked_for_first(box: Account) -> None:
    into = folders_of(box)
    again = filed(number=1, tried_before=True)
    for mail in (again, filed(number=0), again, again):
        await into.file(mail)
    await into.close()
    assert box.mails(*FOLDER) == [again.raw, filed(number=0).raw]


async def test_a_folder_that_its_owner_deleted_is_made_anew(box: Account) -> None:
    into = folders_of(box)
    await into.file(filed(number=0))
    await asyncio.to_thread(box.delete, *FOLDER)
    await into.file(filed(number=1, tried_before=True))
    await into.close()
    assert box.mails(*FOLDER) == [filed(number=1).raw]


@pytest.mark.parametrize(
    "folder",
    [
        ("INBOX",),
        ("Inbox", "Praxis Müller"),
        ("SMS", "Mario Rossi (+39 333 123 4567)"),
        ("SMS", "Dr. Rossi / 2. OG"),
        ("SMS", "陳醫生 & 👩‍⚕️"),
        ("SMS", "ü" * 64 + " (+39 333 123 4567)"),
        ("..", "~root", "*", "%"),
        ("SMS", 'a" {3}\r\nX LOGOUT\0'),
        ("SMS", "a\\b: <c> | d? #1 &AOk- $x ~y @z '; !"),
        ("2026", "11", "22"),
    ],
    ids=[
        "inbox",
        "below the inbox",
        "contact",
        "levels",
        "any script",
        "long",
        "wildcards",
        "command",
        "signs",
        "deep",
    ],
)
async def test_a_folder_of_any_name_takes_a_mail_once(box: Account, folder: tuple[str, ...]) -> None:
    into = folders_of(box)
    await into.file(filed(folder=folder))
    await into.file(filed(folder=folder, tried_before=True))
    await into.close()
    wire = Hierarchy(box.server.prefix, box.server.delimiter).name(folder)
    levels = ("INBOX",) if wire == "INBOX" else tuple(wire.removeprefix(box.server.prefix).split(box.server.delimiter))
    assert box.mails(*levels) == [filed().raw]


async def test_a_wrong_password_is_said_at_once(box: Account) -> None:
    said = await folders_of(box, password="a secret that is wrong").probe()
    assert "does not accept the login: check user name and password" in said
    assert "secret" not in said


@pytest.mark.timeout(300)
async def test_cut_and_restarted_each_mail_is_filed_once_and_in_order(box: Account, long: bool) -> None:
    number = 300 if long else 24
    chance = random.Random(7)
    mails = [filed(number=n, size=chance.randrange(10, 3000)) for n in range(number)]
    tries = 0
    async with faulty(box.server.port) as proxy:
        through = folders_of(box, proxy.port)
        for n, mail in enumerate(mails):
            match chance.randrange(4):
                case 0:
                    proxy.cut_after = chance.randrange(1, len(mail.raw) + 300)
                case 1:
                    proxy.cut_mail_after = len(mail.raw) + len(b"\r\n")  # the server takes it, and its answer is lost
            if n % 12 == 10:
                filing = asyncio.create_task(file_until_it_is_there(through, mail, proxy))
                await proxy.passed.wait()
                await asyncio.to_thread(box.server.stop)
                await asyncio.to_thread(box.server.start)
                tries += await filing
            else:
                tries += await file_until_it_is_there(through, mail, proxy)
            proxy.passed.clear()
        proxy.cut_after = proxy.cut_mail_after = None
        await through.close()
    assert tries > number, "no fault struck"
    assert box.mails(*FOLDER) == [mail.raw for mail in mails]
