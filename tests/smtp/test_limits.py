"""Limits on what one peer, or all together, can take of the door: places, time, memory, commands and mails."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bridge.access.limits import ConnectionLimits, Full
from bridge.smtp_doors import DoorSettings
from bridge.smtp_session import MAX_IDLE_COMMANDS, SMALL_MAIL, Session
from tests.smtp.conftest import LOGIN, NUMBER, Client, House, OpenHouse

LARGE = 1_000_000
"""Octets of the largest mail where memory is tested; eight times that may be held."""


async def _knock(house: House) -> Client:
    client = Client(*await asyncio.open_connection("127.0.0.1", house.port))
    house.clients.append(client)
    return client


async def _until(look: Callable[[], bool]) -> None:
    """The server's side is in the same loop: let it go on until it has come so far."""
    async with asyncio.timeout(20):
        while True:
            if look():
                return
            await asyncio.sleep(0)


# ------------------------------------------------------------------------------------------------- places


class Quiet:
    """A connection that has its place and brings nothing."""

    known = spare = False

    def give_way(self) -> None:
        raise AssertionError("it is not spare")


def test_an_ipv6_site_counts_as_one_address() -> None:
    limits = ConnectionLimits(10, 2)
    first, second, third, other = (Quiet() for _ in range(4))
    assert limits.enter(first, "2001:db8::1") is None
    assert limits.enter(second, "2001:db8::2") is None
    assert limits.enter(third, "2001:db8::3") is Full.ADDRESS
    assert limits.enter(other, "2001:db8:0:1::1") is None
    limits.leave(first)
    assert limits.enter(third, "2001:db8::3") is None


async def test_one_address_holds_only_so_many_connections(open_house: OpenHouse) -> None:
    house = await open_house(max_connections_per_address=2)
    first, _second = await house.connect(), await house.connect()
    assert (await (await _knock(house)).reply()).startswith("421 4.7.0")
    await first.say("QUIT")
    assert await first.rest() == b""
    assert (await (await _knock(house)).reply()).startswith("220")


async def test_a_full_door_gives_the_place_of_who_brought_nothing_for_longest(open_house: OpenHouse) -> None:
    house = await open_house(max_connections=2)
    longest, other = await house.connect(), await house.connect()
    await longest.send(b"EHLO it.talks.and.brings.nothing\r\nNOOP\r\nAUTH LOGIN\r\n")
    assert (await (await _knock(house)).reply()).startswith("220")
    assert b"\r\n421 4.3.2 " in await longest.rest()
    assert (await other.say("NOOP")).startswith("250")


async def test_a_flood_from_one_address_pushes_out_itself(open_house: OpenHouse) -> None:
    house = await open_house(max_connections=3)
    stranger, *flood = await house.connect(), await _flood(house), await _flood(house)
    for _ in range(3):
        flood.append(await _flood(house))
    assert (await stranger.say("NOOP")).startswith("250")
    assert [(await each.rest())[:3] for each in flood[:3]] == [b"421"] * 3


async def _flood(house: House) -> Client:
    """A greeted connection from an address of its own, which others share."""
    opened = await asyncio.open_connection("127.0.0.1", house.port, local_addr=("127.0.0.66", 0))
    house.clients.append(client := Client(*opened))
    assert (await client.reply()).startswith("220")
    return client


async def test_a_handshake_that_takes_long_gives_its_place_too(open_house: OpenHouse, trusting: ssl.SSLContext) -> None:
    house = await open_house(max_connections=1)
    silent = Client(*await asyncio.open_connection("127.0.0.1", house.tls_port))
    await _until(lambda: any(connection.shaking_hands for connection in house.server.connections))
    assert (await (await house.connect(tls=trusting)).say("NOOP")).startswith("250")
    assert await silent.rest() == b""
    await silent.close()


async def test_who_waits_for_having_guessed_gives_its_place_too(open_house: OpenHouse) -> None:
    house = await open_house(max_connections=1)
    guesser = await house.connect()
    await guesser.say("EHLO pc")
    await guesser.send(b"AUTH PLAIN AG5vYm9keQB3cm9uZw==\r\n")
    await _until(lambda: any(isinstance(each, Session) and each.slowed for each in house.server.connections))
    assert (await (await _knock(house)).reply()).startswith("220")
    assert (await guesser.rest()).startswith(b"421 4.3.2 ")


async def test_who_is_logged_in_gives_way_after_all_strangers_and_never_in_a_mail(open_house: OpenHouse) -> None:
    house = await open_house(max_connections=3)
    sending, logged_in, _stranger = await house.at_data(), await house.logged_in(), await house.connect()
    for expected in ("220", "220"):  # the place of the stranger, then that of the one that came for it
        last = await _knock(house)
        assert (await last.reply()).startswith(expected)
    assert (await logged_in.say("NOOP")).startswith("250")
    await last.say("EHLO pc")
    await last.say("AUTH PLAIN AGNsaW5pY0BleGFtcGxlLnRlc3QAY2xpbmljLWRlbW8=")
    assert (await (await _knock(house)).reply()).startswith("220"), "two are between two mails now"
    assert (await logged_in.rest()).startswith(b"421 4.3.2 ")
    assert (await sending.mail(b"Hello")).startswith("250 2.0.0")


async def test_a_door_full_of_mails_takes_nobody_more(open_house: OpenHouse, trusting: ssl.SSLContext) -> None:
    house = await open_house(max_connections=1)
    sending = await house.at_data()
    assert (await (await _knock(house)).reply()).startswith("421 4.3.2")
    with pytest.raises(ssl.SSLError):  # and no handshake is made for it
        await house.connect(tls=trusting)
    assert (await sending.mail(b"Hello")).startswith("250 2.0.0")


@pytest.mark.timeout(120)
async def test_two_thousand_slow_connections_keep_no_mail_waiting(open_house: OpenHouse) -> None:
    """From twenty addresses, with the limits as they are by default: all are let in, and make way."""
    default = DoorSettings()
    house = await open_house(
        max_connections=default.max_connections, max_connections_per_address=default.max_connections_per_address
    )
    async with _slow(house, 2_000):
        assert len(house.server.connections) == default.max_connections
        client = await house.connect()
        began = time.perf_counter()
        await client.send(
            b"EHLO pc\r\nAUTH PLAIN AGNsaW5pY0BleGFtcGxlLnRlc3QAY2xpbmljLWRlbW8=\r\n"
            + f"MAIL FROM:<{LOGIN}>\r\nRCPT TO:{NUMBER}\r\nBDAT 7 LAST\r\nHello\r\n".encode()
        )
        while not (answer := await client.reply()).startswith("250 2.0.0"):
            assert answer[0] == "2", answer
        assert time.perf_counter() - began < 1.0
    assert len(house.admission.admitted) == 1


@asynccontextmanager
async def _slow(house: House, number: int) -> AsyncIterator[None]:
    """So many connections that say something now and then, and never enough; a hundred an address."""
    loop = asyncio.get_running_loop()
    sockets = []
    said = itertools.cycle((b"", b"EHL", b"EHLO pc\r\n", b"EHLO pc\r\nAUTH LOGIN\r\n", b"NOOP\r\nNO"))
    try:
        for index in range(number):
            slow = socket.socket()
            sockets.append(slow)
            slow.setblocking(False)
            slow.bind((f"127.0.1.{index // 100}", 0))
            await loop.sock_connect(slow, ("127.0.0.1", house.tls_port if index % 7 == 0 else house.port))
            await loop.sock_sendall(slow, next(said))
        await _until(lambda: all(connection.waits for connection in house.server.connections))
        yield
    finally:
        for slow in sockets:
            slow.close()


# --------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("begin", [b"", b"BDAT 100\r\n"], ids=["DATA", "BDAT"])
async def test_a_mail_that_drips_in_is_cut_off(open_house: OpenHouse, begin: bytes) -> None:
    """An octet in each pause that is allowed would hold a place for years."""
    house = await open_house(data_timeout=0.5)
    client = await (_before_data(house) if begin else house.at_data())
    await client.send(begin)
    answer = asyncio.create_task(client.reply())
    while not answer.done():
        await client.send(b"x")
        await asyncio.wait([answer], timeout=0.1)
    assert answer.result().startswith("421 4.4.2 ")


async def test_a_mail_whose_chunks_drip_in_is_cut_off(open_house: OpenHouse) -> None:
    house = await open_house(data_timeout=0.5)
    client = await _before_data(house)
    answer = "250"
    while answer.startswith("250"):
        answer = await _chunk(client)
        await asyncio.sleep(0.1)
    assert answer.startswith("421 4.4.2 ")


async def test_a_pause_after_a_mail_is_not_counted_as_its_own(open_house: OpenHouse) -> None:
    house = await open_house(data_timeout=0.2)
    client = await house.at_data()
    assert (await client.mail(b"Hello")).startswith("250 2.0.0")
    await asyncio.sleep(0.4)
    assert (await client.say("NOOP")).startswith("250")


async def _before_data(house: House) -> Client:
    client = await house.logged_in()
    await client.say(f"MAIL FROM:<{LOGIN}>")
    await client.say(f"RCPT TO:{NUMBER}")
    return client


async def _chunk(client: Client) -> str:
    await client.send(b"BDAT 1\r\nx")
    return await client.reply()


# ------------------------------------------------------------------------------------------------- memory


async def test_mails_that_come_together_hold_only_so_much(open_house: OpenHouse) -> None:
    house = await open_house(max_mail_bytes=LARGE)
    under_way = []
    for _ in range(8):
        under_way.append(await house.at_data())
        await under_way[-1].send(b"x" * (LARGE - 100))
    await _read(house)
    late = await house.logged_in()
    assert (await late.say(f"MAIL FROM:<{LOGIN}> SIZE={LARGE}")).startswith("452 4.3.1 Too many large mails")
    assert (
        await _send(late, LARGE)
        == "452 4.3.1 Too many large mails come at the same time. Send this one again in a few minutes."
    )
    assert (await _send(late, SMALL_MAIL)).startswith("250 2.0.0"), "a text comes through"
    assert (await under_way[0].mail(b"")).startswith("250 2.0.0")
    assert (await _send(late, LARGE)).startswith("250 2.0.0")
    await under_way[1].close()
    await under_way[2].send(b"\r\n.\r\nQUIT\r\n")
    await under_way[2].rest()
    await _until(lambda: len(house.server.connections) <= 7)
    assert house.server.room.free > 2 * (LARGE - SMALL_MAIL), "who hangs up holds nothing"


async def test_chunks_hold_only_so_much_either(open_house: OpenHouse) -> None:
    house = await open_house(max_mail_bytes=LARGE)
    house.server.room.free = LARGE // 2
    client = await _before_data(house)
    await client.send(b"BDAT %d\r\n" % LARGE + b"x" * LARGE)
    assert (await client.reply()).startswith("250 ")
    assert (await client.say("BDAT 0 LAST")).startswith("452 4.3.1 ")
    assert house.server.room.free == LARGE // 2
    await client.say(f"MAIL FROM:<{LOGIN}>")
    await client.say(f"RCPT TO:{NUMBER}")
    await client.send(b"BDAT 7 LAST\r\nHello\r\n")
    assert (await client.reply()).startswith("250 2.0.0 Taken")


async def test_what_was_held_is_let_go_when_tls_begins_in_a_mail(
    open_house: OpenHouse, trusting: ssl.SSLContext
) -> None:
    house = await open_house(max_mail_bytes=LARGE, data_timeout=0.3)
    house.directory.networks["127.0.0.1"] = LOGIN
    client = await house.connect()
    await client.say("EHLO pc")
    await client.say(f"MAIL FROM:<{LOGIN}>")
    await client.say(f"RCPT TO:{NUMBER}")
    await client.send(b"BDAT %d\r\n" % LARGE + b"x" * LARGE)
    assert (await client.reply()).startswith("250 ")
    assert house.server.room.free < 8 * LARGE
    await client.say("STARTTLS")
    await client.writer.start_tls(trusting, server_hostname="localhost")
    assert (await client.say("NOOP")).startswith("250 ")
    assert house.server.room.free == 8 * LARGE
    await asyncio.sleep(0.5)
    assert (await client.say("NOOP")).startswith("250 "), "nor has the mail that is gone a time limit"


async def test_a_connection_under_tls_holds_little_memory(house: House, trusting: ssl.SSLContext) -> None:
    await house.connect(tls=trusting)
    tracemalloc.start()
    try:
        for _ in range(10):
            await house.connect(tls=trusting)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / 10 < 200_000, "both ends of it, that of the client too"


async def _send(client: Client, octets: int) -> str:
    await client.say(f"MAIL FROM:<{LOGIN}>")
    await client.say(f"RCPT TO:{NUMBER}")
    await client.say("DATA")
    return await client.mail(b"x" * (octets - 2))


async def _read(house: House) -> None:
    """Until the server waits for more on every connection."""
    everybody = house.server.connections
    await _until(lambda: all(connection.waits and not connection.has_spoken for connection in everybody))


# ------------------------------------------------------------------------------------- commands and mails


async def test_recipients_that_are_refused_run_out(open_house: OpenHouse) -> None:
    house = await open_house(max_recipients=100)
    client = await house.logged_in()
    await client.send(f"MAIL FROM:<{LOGIN}>\r\n".encode() + b"RCPT TO:<nobody>\r\n" * 500)
    answers = (await client.rest()).splitlines()
    assert sum(answer.startswith(b"553 5.1.3 ") for answer in answers) == MAX_IDLE_COMMANDS + 2 * 100 - 1
    assert answers[-1].startswith(b"421 4.7.0 ")


async def test_chunks_of_a_mail_that_was_refused_run_out(house: House) -> None:
    client = await _before_data(house)
    await client.send(b"BDAT 4 AGAIN\r\nHi\r\n" + b"BDAT 1\r\nx" * 200)
    answers = (await client.rest()).splitlines()
    assert sum(answer.startswith(b"503 5.5.1 ") for answer in answers) == MAX_IDLE_COMMANDS - 1
    assert answers[-1].startswith(b"421 4.7.0 ")


@pytest.mark.parametrize("then", [f"MAIL FROM:<{LOGIN}>", "RSET"])
async def test_a_connection_brings_only_so_many_mails(house: House, monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    monkeypatch.setattr("bridge.smtp_session.MAX_MAILS", 2)
    client = await house.logged_in()
    assert (await _send(client, 100)).startswith("250 2.0.0")
    assert (await _send(client, 100)).startswith("250 2.0.0")
    assert (await client.say(then)).startswith("421 4.7.0 This connection has brought")
    assert await client.rest() == b""


async def test_commands_that_come_all_at_once_keep_nobody_waiting(open_house: OpenHouse) -> None:
    house = await open_house(max_recipients=10_000)
    many, other = await house.logged_in(), await house.connect()
    await many.say(f"MAIL FROM:<{LOGIN}>")
    many.writer.write(b"RCPT TO:<nobody>\r\n" * 3_000)
    assert (await other.say("NOOP")).startswith("250")
    assert any(connection.has_spoken for connection in house.server.connections), "not all are answered yet"
    for _ in range(3_000):
        assert (await many.reply()).startswith("553")
