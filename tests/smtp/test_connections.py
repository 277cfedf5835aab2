"""Who comes in, and what becomes of them when the bridge stops."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from structlog.testing import capture_logs

from bridge.access.networks import is_loopback, plain_address
from tests.smtp.conftest import LOGIN, Client, House, OpenHouse


async def test_a_failed_handshake_gives_its_place_back(open_house: OpenHouse, trusting: ssl.SSLContext) -> None:
    house = await open_house(max_connections=1)
    stranger = Client(*await asyncio.open_connection("127.0.0.1", house.tls_port))
    await stranger.send(b"EHLO this is not TLS\r\n")
    await stranger.rest()
    await house.emptied()
    await stranger.close()
    client = await house.connect(tls=trusting)
    assert (await client.say("NOOP")).startswith("250")


@pytest.mark.parametrize(
    ("peer", "plain", "loopback"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("fe80::1%eth0", "fe80::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", False),
    ],
)
def test_a_peer_has_one_spelling(peer: str, plain: str, loopback: bool) -> None:
    assert plain_address(peer) == plain
    assert is_loopback(plain) is loopback


# ------------------------------------------------------------------------------------------------- stopping


async def test_stopping_says_goodbye_to_who_is_between_two_mails(house: House) -> None:
    client = await house.logged_in()
    await house.server.stop(5.0)
    assert (await client.reply()).startswith("421 4.3.2")
    assert await client.rest() == b""
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", house.settings.port or 9)


async def test_stopping_does_not_wait_for_who_makes_no_handshake(house: House) -> None:
    silent = Client(*await asyncio.open_connection("127.0.0.1", house.tls_port))
    async with asyncio.timeout(10):
        while True:
            if any(connection.shaking_hands for connection in house.server.connections):
                break
            await asyncio.sleep(0)
        await house.server.stop(60.0)
    assert await silent.rest() == b""
    await silent.close()


async def test_stopping_lets_a_mail_come_to_its_answer(house: House) -> None:
    client = await house.at_data()
    stopping = asyncio.create_task(house.server.stop(10.0))
    await client.send(b"Hello\r\n")
    assert (await client.mail(b"world")).startswith("250 2.0.0")
    assert (await client.reply()).startswith("421 4.3.2")
    await stopping
    assert len(house.admission.admitted) == 1


async def test_stopping_waits_for_a_commit(house: House) -> None:
    house.admission.gate = asyncio.Event()
    client = await house.at_data()
    await client.send(b"Hello\r\n.\r\n")
    await house.admission.entered.wait()
    stopping = asyncio.create_task(house.server.stop(10.0))
    done, _ = await asyncio.wait([stopping], timeout=0.1)
    assert not done
    house.admission.gate.set()
    await stopping
    assert (await client.reply()).startswith("250 2.0.0")


async def test_stopping_does_not_wait_for_ever(house: House) -> None:
    client = await house.at_data()
    await client.send(b"Hello\r\n")
    async with asyncio.timeout(30):
        await house.server.stop(0.1)
    assert (await client.reply()).startswith("421 4.3.2")
    assert house.admission.admitted == []


async def test_a_commit_outlives_the_grace_and_the_cancelled_task(house: House) -> None:
    house.admission.gate = asyncio.Event()
    client = await house.at_data()
    await client.send(b"Hello\r\n.\r\n")
    await house.admission.entered.wait()
    (connection,) = house.server.connections
    connection.task.cancel()
    await asyncio.wait([connection.task])
    house.admission.gate.set()
    await house.front.settle(5.0)
    assert [mail.mailbox.login for mail in house.admission.admitted] == [LOGIN]


async def test_a_commit_that_fails_with_nobody_left_is_in_the_log(house: House) -> None:
    house.admission.gate = asyncio.Event()
    house.admission.error = OSError("disk full")
    client = await house.at_data()
    await client.send(b"Hello\r\n.\r\n")
    await house.admission.entered.wait()
    (connection,) = house.server.connections
    connection.task.cancel()
    await asyncio.wait([connection.task])
    with capture_logs() as logs:
        house.admission.gate.set()
        await house.front.settle(5.0)
        await asyncio.sleep(0)
    assert [entry["error"] for entry in logs if entry["event"] == "smtp.internal"] == ["OSError"]
