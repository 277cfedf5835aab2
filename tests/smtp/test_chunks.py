"""BDAT where a dialog cannot show it: clients that leave or fall silent, and chunks that are many or endless."""

from __future__ import annotations

import asyncio
import time

import pytest

from bridge.errors import MailRefusal, Reason
from tests.smtp.conftest import LOGIN, NUMBER, Client, House, OpenHouse


async def before_chunks(house: House) -> Client:
    """A client that has named its recipient."""
    client = await house.logged_in()
    await client.say(f"MAIL FROM:<{LOGIN}>")
    assert (await client.say(f"RCPT TO:{NUMBER}")).startswith("250")
    return client


async def last_chunk(client: Client) -> str:
    await client.send(b"BDAT 4 LAST\r\nHi\r\n")
    return await client.reply()


async def test_a_mail_cut_off_in_a_chunk_is_not_taken(house: House) -> None:
    client = await before_chunks(house)
    await client.send(b"BDAT 100 LAST\r\nHello")
    await client.close()
    await house.emptied()
    assert not house.admission.entered.is_set()


async def test_a_mail_cut_off_before_its_last_chunk_is_not_taken(house: House) -> None:
    client = await before_chunks(house)
    await client.send(b"BDAT 5\r\nHello")
    assert (await client.reply()).startswith("250 2.0.0 ")
    await client.close()
    await house.emptied()
    assert not house.admission.entered.is_set()


async def test_a_mail_is_committed_though_the_client_hangs_up_after_the_last_chunk(house: House) -> None:
    house.admission.gate = asyncio.Event()
    client = await before_chunks(house)
    await client.send(b"BDAT 7 LAST\r\nHello\r\n")
    await house.admission.entered.wait()
    await client.close()
    house.admission.gate.set()
    async with asyncio.timeout(20):
        await house.admission.done.wait()
    assert [mail.raw for mail in house.admission.admitted] == [b"Hello\r\n"]


async def test_who_falls_silent_in_a_chunk_is_told_so(open_house: OpenHouse) -> None:
    house = await open_house(data_timeout=0.2)
    client = await before_chunks(house)
    await client.send(b"BDAT 100 LAST\r\nHello")
    assert (await client.rest()).startswith(b"421 4.4.2 ")


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MailRefusal(Reason.EMPTY_TEXT, "The mail has no text."), "550 5.6.0 "),
        (RuntimeError("secret"), "451 4.3.0 "),
    ],
)
async def test_a_mail_that_is_not_taken_ends_with_its_last_chunk(house: House, error: Exception, answer: str) -> None:
    house.admission.error = error
    client = await before_chunks(house)
    assert (await last_chunk(client)).startswith(answer)
    assert (await client.say(f"MAIL FROM:<{LOGIN}>")).startswith("250 2.1.0 ")


async def test_many_chunks_take_no_longer_than_their_octets(house: House) -> None:
    client = await before_chunks(house)
    began = time.process_time()
    await client.send(b"BDAT 1\r\nx" * 20_000 + b"BDAT 0 LAST\r\n")
    for _ in range(20_000):
        assert (await client.reply()) == "250 2.0.0 1 octets taken."
    assert (await client.reply()).startswith("250 2.0.0 Taken")
    assert house.admission.admitted[0].raw == b"x" * 20_000
    assert time.process_time() - began < 10


async def test_octets_of_a_failed_mail_are_read_and_not_kept(open_house: OpenHouse) -> None:
    house = await open_house(max_mail_bytes=1000)
    client = await before_chunks(house)
    await client.send(b"BDAT 4000\r\n" + b"x" * 4000)
    assert (await client.reply()).startswith("552 5.3.4 ")
    (connection,) = house.server.connections
    for _ in range(50):
        await client.send(b"BDAT 4000\r\n" + b"x" * 4000)
        assert (await client.reply()).startswith("503 5.5.1 ")
        assert len(connection._pending) == 0
    assert (await client.say("BDAT 4001")).startswith("552 5.3.4 ")
    assert (await client.rest()).startswith(b"421 4.3.4 ")


async def test_stopping_lets_a_mail_in_chunks_come_to_its_answer(house: House) -> None:
    client = await before_chunks(house)
    await client.send(b"BDAT 2\r\nHi")
    assert (await client.reply()).startswith("250 2.0.0 ")
    stopping = asyncio.create_task(house.server.stop(20.0))
    assert (await last_chunk(client)).startswith("250 2.0.0 Taken")
    assert (await client.rest()).startswith(b"421 4.3.2 ")
    await stopping
