"""How many may come in, and what becomes of them when the bridge stops."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.access.limits import ConnectionLimits, Full
from bridge.access.networks import is_loopback, plain_address
from bridge.errors import SettingsError
from bridge.smtp_server import DoorSettings, tls_context
from tests.smtp.conftest import LOGIN, Client, House, OpenHouse


async def _knock(house: House) -> str:
    client = Client(*await asyncio.open_connection("127.0.0.1", house.port))
    answer = await client.reply()
    await client.close()
    return answer


async def test_one_address_holds_only_so_many_connections(open_house: OpenHouse) -> None:
    house = await open_house(max_connections_per_address=2)
    first, _second = await house.connect(), await house.connect()
    assert (await _knock(house)).startswith("421 4.7.0")
    await first.say("QUIT")
    assert await first.rest() == b""
    assert (await _knock(house)).startswith("220")


async def test_the_server_holds_only_so_many_connections(open_house: OpenHouse) -> None:
    house = await open_house(max_connections=1)
    await house.connect()
    assert (await _knock(house)).startswith("421 4.3.2")


async def test_a_connection_beyond_the_limit_gets_no_handshake(open_house: OpenHouse, trusting: ssl.SSLContext) -> None:
    house = await open_house(max_connections=1)
    await house.connect()
    with pytest.raises(ssl.SSLError):
        await house.connect(tls=trusting)


async def test_a_failed_handshake_gives_its_place_back(open_house: OpenHouse, trusting: ssl.SSLContext) -> None:
    house = await open_house(max_connections=1)
    stranger = Client(*await asyncio.open_connection("127.0.0.1", house.tls_port))
    await stranger.send(b"EHLO this is not TLS\r\n")
    await stranger.rest()
    await house.emptied()
    await stranger.close()
    client = await house.connect(tls=trusting)
    assert (await client.say("NOOP")).startswith("250")


def test_an_ipv6_site_counts_as_one_address() -> None:
    limits = ConnectionLimits(10, 2)
    assert limits.enter("2001:db8::1") is None
    assert limits.enter("2001:db8::2") is None
    assert limits.enter("2001:db8::3") is Full.ADDRESS
    assert limits.enter("2001:db8:0:1::1") is None
    limits.leave("2001:db8::1")
    assert limits.enter("2001:db8::3") is None


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


# ------------------------------------------------------------------------------------------------- TLS files


def test_a_tls_port_without_certificate_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match="certificate"):
        tls_context(DoorSettings(tls_port=465))


@pytest.mark.parametrize("content", [None, "not PEM"], ids=["missing", "not PEM"])
def test_a_certificate_that_cannot_be_used_is_refused_in_words(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "server.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=r"smtp\.certificate"):
        tls_context(DoorSettings(certificate=path))


async def test_old_tls_is_not_spoken(house: House, authority_file: Path) -> None:
    old = ssl.create_default_context(cafile=str(authority_file))
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.deprecated_call():
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.deprecated_call():
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await house.connect(tls=old)
