"""Many filings over a connection that keeps breaking: each text stands in its phone's folder once, in order, and shows
that it was delivered."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.filing.conftest import LOGIN, Office, eventually, filing, office, subfolder, words
from tests.servers.dovecot import DovecotServer
from tests.servers.faulty import Faulty, faulty
from tests.servers.imap_account import Account

PHONES = 10


async def break_things(proxy: Faulty, dovecot: DovecotServer, chance: random.Random, done: asyncio.Event) -> int:
    """Break something again and again, wherever the bridge happens to be; how often."""
    faults = 0
    while not done.is_set():
        proxy.passed.clear()
        match chance.choice(("command", "announced", "mid-mail", "whole mail", "slow", "restart")):
            case "command":
                proxy.cut_after = chance.randrange(1, 200)
            case "announced":
                proxy.cut_mail_after = 0
            case "mid-mail":
                proxy.cut_mail_after = chance.randrange(1, 400)
            case "whole mail":  # Dovecot has every octet of it, and its answer is lost
                proxy.cut_mail_after = chance.randrange(400, 2000)
            case "slow":
                proxy.delay = 0.05
            case "restart":
                await asyncio.to_thread(dovecot.stop)
                await asyncio.to_thread(dovecot.start)
        faults += 1
        await proxy.passed.wait()
        try:
            async with asyncio.timeout(chance.uniform(0.2, 1.5)):
                await done.wait()
        except TimeoutError:
            proxy.delay = 0.0
    proxy.cut_after = proxy.cut_mail_after = None
    proxy.delay = 0.0
    return faults


async def say(running: Office, numbers: list[str], texts: range) -> None:
    """Text every phone, and text them again when all have it."""
    for count in texts:
        await running.send(numbers, f"Text {count}")
        for number in numbers:
            await running.arrives(number, count)


@pytest.mark.timeout(900)
async def test_every_text_is_filed_once_in_order_and_marked(tmp_path: Path, account: str, long: bool) -> None:
    """The bridge is stopped half-way, with filings waiting, and another one goes on."""
    texts = 50 if long else 8
    numbers = [f"+39333124{n:04}" for n in range(PHONES)]
    half, chance, done = texts // 2 + 1, random.Random(20261122), asyncio.Event()
    dovecot = await asyncio.to_thread(DovecotServer.create)
    try:
        async with faulty(dovecot.port) as proxy:
            breaking = asyncio.create_task(break_things(proxy, dovecot, chance, done))
            try:
                filings = {LOGIN: filing(proxy.port, account, state="keywords")}
                async with office(tmp_path, filings) as running:
                    await say(running, numbers, range(1, half))
                async with office(tmp_path, filings) as running:
                    await say(running, numbers, range(half, texts + 1))

                    async def all_filed() -> bool:
                        counts = (await running.bridge.store.ledger.counts())["filings"]
                        return counts == {"sent": 2 * texts * PHONES}

                    await eventually(all_filed, patience=600)
            finally:
                done.set()
                proxy.passed.set()
                faults = await breaking
        box = Account(dovecot, account)
        shown = {number: await asyncio.to_thread(box.flags, "SMS", number) for number in numbers}
        found = {number: [words(mail) for mail in subfolder(dovecot, account, number)] for number in numbers}
    finally:
        await asyncio.to_thread(dovecot.remove)
    print(f"{texts * PHONES} filings, {faults} faults")
    assert faults >= 3
    assert found == {number: [f"Text {count}" for count in range(1, texts + 1)] for number in numbers}
    assert shown == {number: [{"\\Seen", "$SMSDelivered"}] * texts for number in numbers}
