"""What one strange mail server may take of the door: recipients, commands, connections, time."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bridge.smtp_session import MAX_IDLE_COMMANDS
from bridge.smtp_wire import HIGH_WATER
from tests.mx.conftest import ANNA, OTHER, PHONE, Mx, OpenMx, letter
from tests.store.conftest import DOMAIN


async def test_a_mail_has_a_hundred_recipients_at_most(mx: Mx) -> None:
    client = await mx.greeted()
    await client.say(f"MAIL FROM:<{ANNA}>")
    for number in range(100):
        assert (await client.say(f"RCPT TO:<+39347000{number:04d}@{DOMAIN}>")).startswith("250")
    assert (await client.say(f"RCPT TO:<{PHONE}>")).startswith("452 4.5.3 ")
    assert mx.names.asked == [], "nobody is judged before the mail has come"
    await client.say("DATA")
    assert (await client.mail(letter())).startswith("250")
    assert len(await mx.texts()) == 100


async def test_who_brings_nothing_is_sent_away(mx: Mx) -> None:
    client = await mx.greeted()
    replies = [await client.say(f"MAIL FROM:<{ANNA}>") for _ in range(MAX_IDLE_COMMANDS + 100)]
    assert replies[0].startswith("250")
    assert replies[-1].startswith("421 4.7.0 Too many commands and no mail")
    assert await client.rest() == b""


async def test_the_pieces_of_a_mail_are_no_idle_commands(mx: Mx) -> None:
    client = await mx.greeted()
    await client.say(f"MAIL FROM:<{ANNA}>")
    await client.say(f"RCPT TO:<{PHONE}>")
    raw = letter(text="x" * 100)
    for octet in raw:
        await client.send(b"BDAT 1\r\n" + bytes([octet]))
        assert (await client.reply()).startswith("250 2.0.0 1 octets")
    assert (await client.say("BDAT 0 LAST")).startswith("250 2.0.0 Taken as ")
    assert len(raw) > MAX_IDLE_COMMANDS + 100
    for _ in range(MAX_IDLE_COMMANDS + 200):
        last = await client.say("BDAT 0")
        if last.startswith("421"):
            return
    pytest.fail("empty pieces go on for ever")


async def test_one_address_has_a_few_connections(open_mx: OpenMx) -> None:
    mx = await open_mx(max_connections_per_address=2)
    first, second = await mx.connect(), await mx.connect()
    third = await mx.strange()
    assert (await third.reply()).startswith("421 4.7.0 Too many connections from your address")
    assert (await first.say("NOOP")).startswith("250")
    await second.say("QUIT")


async def test_who_does_not_read_its_answers_gives_its_place_too(open_mx: OpenMx) -> None:
    mx = await open_mx(max_connections=1)
    deaf = await mx.greeted()
    assert isinstance(deaf.writer.transport, asyncio.Transport)
    deaf.writer.transport.pause_reading()
    deaf.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    (connection,) = mx.server.connections
    assert isinstance(connection.transport, asyncio.Transport)
    connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    await deaf.send(f"MAIL FROM:<{ANNA}>\r\nRCPT TO:<{PHONE}>\r\n".encode() + b"BDAT 1\r\nx" * 10_000)
    async with asyncio.timeout(20):
        while True:
            if connection.transport.get_write_buffer_size() > HIGH_WATER:
                break
            await asyncio.sleep(0)
    assert (await (await mx.strange()).reply()).startswith("220")


async def test_a_silent_peer_is_let_go(open_mx: OpenMx) -> None:
    mx = await open_mx(command_timeout=0.2)
    client = await mx.greeted()
    assert (await client.reply()).startswith("421 4.4.2 ")


async def test_the_answer_is_not_lost_with_a_client_that_hangs_up(mx: Mx) -> None:
    """Its provider sends the mail again, and it is known."""
    client = await mx.greeted()
    mx.names.delay = 0.2
    for line in (f"MAIL FROM:<{ANNA}>", f"RCPT TO:<{PHONE}>", "DATA"):
        await client.say(line)
    raw = letter()
    await client.send(raw + b".\r\n")
    await client.close()
    async with asyncio.timeout(20):
        for connection in list(mx.server.connections):
            await asyncio.wait([connection.task])
    mx.names.delay = 0.0
    assert (await mx.brings(raw)).startswith("250")
    assert len(await mx.texts()) == 1
    assert (await mx.brings(letter(message_id="<2@x>"), OTHER)).startswith("250")
