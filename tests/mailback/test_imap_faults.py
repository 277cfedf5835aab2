"""Whatever breaks while mails are filed, each is in its folder once, and in order."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace

import pytest

from bridge.errors import MailRefused
from bridge.mailback.imap import Filed, Folders
from tests.mailback.imap import filed, folders, reaching, scripted_imap
from tests.servers.dovecot import DovecotServer
from tests.servers.faulty import Faulty, faulty
from tests.servers.ports import free_port

ON_DISK = ".SMS.+393331234567"


async def file_until_it_is_there(account: Folders, mail: Filed, proxy: Faulty) -> int:
    """What the postman does: ask again after each refusal, some time later. Returns the number of tries."""
    tries, tried = 1, mail
    while True:
        try:
            await account.file(tried)
        except MailRefused as refused:
            last = refused
        else:
            return tries
        assert last.retryable, last.detail
        # The server may still be writing what it was given: the postman comes back seconds later.
        await proxy.idle.wait()
        tries, tried = tries + 1, replace(tried, tried_before=True)


@pytest.mark.timeout(600)
async def test_cut_and_restarted_again_and_again_each_mail_is_filed_once_and_in_order(
    dovecot: DovecotServer, account: str, long: bool
) -> None:
    number = 500 if long else 60
    chance = random.Random(3)
    mails = [filed(number=n, size=chance.randrange(10, 3000)) for n in range(number)]
    tries = 0
    async with faulty(dovecot.port) as proxy:
        through = folders(dovecot, account, port=proxy.port)
        for n, mail in enumerate(mails):
            match chance.randrange(5):
                case 0:
                    proxy.cut_after = chance.randrange(1, len(mail.raw) + 300)
                case 1:
                    proxy.cut_mail_after = len(mail.raw) + len(b"\r\n")  # the server takes it, and its answer is lost
            if n % 25 == 20:
                filing = asyncio.create_task(file_until_it_is_there(through, mail, proxy))
                await proxy.passed.wait()
                await asyncio.to_thread(dovecot.stop)
                await asyncio.to_thread(dovecot.start)
                tries += await filing
            else:
                tries += await file_until_it_is_there(through, mail, proxy)
            proxy.passed.clear()
        proxy.cut_after = None
        await through.close()
    assert tries > number, "no fault struck"
    assert dovecot.mails(account, ON_DISK) == [mail.raw for mail in mails]


@pytest.mark.parametrize(
    ("octets_of_the_mail", "there"),
    [(1, False), (200, False), (None, True)],
    ids=["after its first octet", "in the middle", "before the answer"],
)
async def test_a_connection_cut_in_mid_append_leaves_no_second_mail(
    dovecot: DovecotServer, account: str, octets_of_the_mail: int | None, there: bool
) -> None:
    mail = filed(number=1, folder=("INBOX",), size=1000)
    async with faulty(dovecot.port) as proxy:
        through = folders(dovecot, account, port=proxy.port)
        await through.file(filed(number=0, folder=("INBOX",)))
        proxy.cut_mail_after = octets_of_the_mail or len(mail.raw) + len(b"\r\n")
        before = time.monotonic()
        with pytest.raises(MailRefused, match="broke before it had filed") as refused:
            await through.file(mail)
        assert time.monotonic() - before < 5.0, "the lost connection must wake who waits, long before the timeout"
        assert refused.value.retryable
        await proxy.idle.wait()
        assert (mail.raw in dovecot.mails(account)) is there
        await through.file(replace(mail, tried_before=True))
        await through.close()
    assert dovecot.mails(account).count(mail.raw) == 1


async def test_a_connection_cut_before_the_mail_left_is_replaced_unseen(dovecot: DovecotServer, account: str) -> None:
    mail = filed(number=1, folder=("INBOX",))
    async with faulty(dovecot.port) as proxy:
        through = folders(dovecot, account, port=proxy.port)
        await through.file(filed(number=0, folder=("INBOX",)))
        proxy.cut_mail_after = 0
        await through.file(mail)
        await through.close()
        assert proxy.connections == 2
    assert dovecot.mails(account).count(mail.raw) == 1


async def test_a_kept_connection_that_a_restart_closed_is_replaced_unseen(dovecot: DovecotServer, account: str) -> None:
    through = folders(dovecot, account)
    await through.file(filed(number=0))
    await asyncio.to_thread(dovecot.stop)
    await asyncio.to_thread(dovecot.start)
    await through.file(filed(number=1))
    await through.close()
    assert len(dovecot.mails(account, ON_DISK)) == 2


async def test_a_network_that_fell_silent_costs_one_timeout_and_the_connection(
    dovecot: DovecotServer, account: str
) -> None:
    async with faulty(dovecot.port) as proxy:
        through = folders(dovecot, account, port=proxy.port, timeout=2.0)
        await through.file(filed(number=0))
        proxy.muted = True
        with pytest.raises(MailRefused) as refused:
            await through.file(filed(number=1))
        assert refused.value.retryable
        proxy.muted = False
        await through.file(filed(number=2))
        await through.file(filed(number=1, tried_before=True))
        await through.close()
    assert dovecot.mails(account, ON_DISK) == [filed(number=n).raw for n in (0, 2, 1)]


async def test_an_answer_that_never_comes_is_not_asked_for_twice() -> None:
    async with scripted_imap({"APPEND": None}) as server:
        silent = Folders(reaching(server.port, timeout=1.0))
        with pytest.raises(MailRefused) as refused:
            await silent.file(filed(number=0))
        await silent.close()
    assert refused.value.retryable
    assert server.heard.count("APPEND") == 1


async def test_after_a_cancelled_filing_the_connection_is_not_used_again(dovecot: DovecotServer, account: str) -> None:
    mail = filed(number=1)
    async with faulty(dovecot.port) as proxy:
        through = folders(dovecot, account, port=proxy.port)
        await through.file(filed(number=0))
        proxy.passed.clear()
        proxy.delay = 0.1
        filing = asyncio.create_task(through.file(mail))
        await proxy.passed.wait()
        filing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await filing
        await proxy.idle.wait()
        proxy.delay = 0.0
        await through.file(replace(mail, tried_before=True))
        await through.close()
        assert proxy.connections == 2
    assert dovecot.mails(account, ON_DISK).count(mail.raw) == 1


async def test_a_server_that_is_down_is_named_and_asked_again(dovecot: DovecotServer, account: str) -> None:
    through = folders(dovecot, account, port=free_port())
    with pytest.raises(MailRefused, match=r"does not answer: check its host, port") as refused:
        await through.file(filed())
    assert refused.value.retryable
    assert "+39" not in refused.value.detail
    assert await through.probe() == refused.value.sentence
    await through.close()
