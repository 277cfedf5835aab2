"""The PROXY protocol: who a proxy connects for, at which addresses it is believed, and what becomes of nonsense."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bridge.access.networks import Networks
from bridge.smtp_proxy import MOST_V1, MOST_V2, BadHeader, read_header
from bridge.smtp_session import Session
from tests.servers.haproxy import HaproxyServer
from tests.smtp.conftest import LOGIN, PASSWORD, Client, House, OpenHouse
from tests.smtp.test_guessers import make_cheap
from tests.smtp.test_logins import plain, sends

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOOPBACK = Networks(["127.0.0.1"])
CLINIC, STRANGER = "198.51.100.7", "203.0.113.66"


def v1(address: str) -> bytes:
    return f"PROXY TCP4 {address} 192.0.2.1 56324 587\r\n".encode()


def v2(command: int, kind: int, behind: bytes, length: int | None = None) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, kind, len(behind) if length is None else length) + behind


def addresses(source: str, destination: str) -> bytes:
    return ip_address(source).packed + ip_address(destination).packed + struct.pack("!HH", 56324, 587)


FOUR, SIX = addresses(CLINIC, "192.0.2.1"), addresses("2001:db8::7", "2001:db8::1")

HEADERS = {
    "v1, IPv4": (v1(CLINIC), CLINIC),
    "v1, IPv6": (b"PROXY TCP6 2001:DB8::7 2001:db8::1 1 65535\r\n", "2001:db8::7"),
    "v1, IPv4 in IPv6": (b"PROXY TCP6 ::ffff:198.51.100.7 ::1 1 1\r\n", CLINIC),
    "v1, unknown": (b"PROXY UNKNOWN\r\n", None),
    "v1, unknown and longest": (b"PROXY UNKNOWN " + b"f" * (MOST_V1 - 16) + b"\r\n", None),
    "v2, IPv4": (v2(0x21, 0x11, FOUR), CLINIC),
    "v2, IPv6": (v2(0x21, 0x21, SIX), "2001:db8::7"),
    "v2, IPv4 and more": (v2(0x21, 0x11, FOUR + b"\x04\x00\x03abc"), CLINIC),
    "v2, as much as is read": (v2(0x21, 0x11, FOUR + bytes(MOST_V2 - len(FOUR))), CLINIC),
    "v2, local": (v2(0x20, 0x00, b""), None),
    "v2, local with addresses": (v2(0x20, 0x11, FOUR), None),
    "v2, unspecified": (v2(0x21, 0x00, b""), None),
    "v2, a Unix socket": (v2(0x21, 0x31, bytes(216)), None),
    "v2, UDP": (v2(0x21, 0x12, FOUR), None),
}
MALFORMED = {
    "nothing of the kind": b"EHLO pc.example.test\r\n",
    "TLS": bytes.fromhex("16030102000100") + bytes(600),
    "small letters": v1(CLINIC).lower(),
    "two spaces": b"PROXY  TCP4 198.51.100.7 192.0.2.1 1 1\r\n",
    "a lone line feed": v1(CLINIC).replace(b"\r", b""),
    "no line end": b"PROXY UNKNOWN " + b"f" * 200,
    "an octet too long": b"PROXY UNKNOWN " + b"f" * (MOST_V1 - 15) + b"\r\n",
    "half an address": b"PROXY TCP4 198.51.100 192.0.2.1 1 1\r\n",
    "an octal number": b"PROXY TCP4 198.051.100.7 192.0.2.1 1 1\r\n",
    "the other family": b"PROXY TCP4 2001:db8::7 2001:db8::1 1 1\r\n",
    "a zone": b"PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n",
    "port 65536": b"PROXY TCP4 198.51.100.7 192.0.2.1 65536 1\r\n",
    "port 01": b"PROXY TCP4 198.51.100.7 192.0.2.1 01 1\r\n",
    "unknown to the letter": b"PROXY UNKNOWNS\r\n",
    "v2, another version": v2(0x11, 0x11, FOUR),
    "v2, another command": v2(0x22, 0x11, FOUR),
    "v2, another family": v2(0x21, 0x41, FOUR),
    "v2, another transport": v2(0x21, 0x13, FOUR),
    "v2, too short": v2(0x21, 0x11, FOUR[:-1]),
    "v2, IPv6 too short": v2(0x21, 0x21, FOUR),
    "v2, too long": v2(0x21, 0x11, FOUR + bytes(MOST_V2)),
    "v2, cut off": v2(0x21, 0x11, FOUR[:5], 12),
}


async def read(octets: bytes) -> tuple[str | None, bytes]:
    """What a header says, and what is left of the octets for others."""
    left = octets

    async def receive(count: int) -> bytes:
        nonlocal left
        if len(left) < count:
            raise BadHeader("cut off")
        came, left = left[:count], left[count:]
        return came

    return await read_header(receive), left


@pytest.mark.parametrize(("header", "address"), HEADERS.values(), ids=HEADERS)
async def test_a_header_is_read_to_its_last_octet_and_no_further(header: bytes, address: str | None) -> None:
    assert await read(header + b"EHLO") == (address, b"EHLO")
    for cut in range(len(header)):
        with pytest.raises(BadHeader):
            await read(header[:cut])


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
async def test_all_else_is_no_header(octets: bytes) -> None:
    with pytest.raises(BadHeader):
        await read(octets)


@given(
    st.binary(max_size=60)
    | st.binary(max_size=60).map(lambda octets: b"PROXY " + octets)
    | st.builds(v2, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=60), st.integers(0, 70))
)
async def test_nothing_breaks_the_reading(octets: bytes) -> None:
    try:
        address, _ = await read(octets)
    except BadHeader:
        return
    assert address is None or ip_address(address)


# ------------------------------------------------------------------------------------------------------------ the door


@pytest.fixture
async def behind(open_house: OpenHouse) -> House:
    """A front door behind a proxy on this machine."""
    return await open_house(trusted_proxies=LOOPBACK, max_connections_per_address=3)


async def through(house: House, header: bytes, *, port: int | None = None) -> Client:
    """A connection of which nothing was read yet."""
    client = Client(*await asyncio.open_connection("127.0.0.1", port or house.port))
    house.clients.append(client)
    await client.send(header)
    return client


async def greeted(house: House, address: str) -> Client:
    client = await through(house, v1(address))
    assert (await client.reply()).startswith("220 ")
    await client.say("EHLO pc.example.test")
    return client


def present(house: House) -> list[str]:
    """The addresses that connections come from, as the door knows them."""
    return [each.visit.address for each in house.server.connections if isinstance(each, Session)]


async def test_the_client_s_network_counts(behind: House) -> None:
    """And not the proxy's, on STARTTLS neither."""
    behind.directory.networks[CLINIC] = LOGIN
    assert (await sends(await greeted(behind, CLINIC))).startswith("250")
    assert (await sends(await greeted(behind, STRANGER))).startswith("530 5.7.0")
    assert (await sends(await greeted(behind, "127.0.0.2"))).startswith("530 5.7.0")


async def test_an_address_is_one_however_many_come_by_the_proxy(behind: House) -> None:
    for _ in range(3):
        await greeted(behind, STRANGER)
    assert (await (await through(behind, v1(STRANGER))).reply()).startswith("421 4.7.0 Too many connections from your")
    await greeted(behind, CLINIC)


@pytest.mark.usefixtures("quick")
async def test_guessers_lock_themselves_and_not_who_comes_by_the_same_proxy(
    behind: House, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clinic gets in whatever is guessed at its login: its network is known."""
    make_cheap(behind, monkeypatch)
    behind.directory.mailboxes[LOGIN] = replace(behind.directory.mailboxes[LOGIN], networks=(f"{CLINIC}/32",))

    async def secure(address: str) -> Client:
        client = await through(behind, v1(address), port=behind.tls_port)
        await client.writer.start_tls(trusting, server_hostname="localhost")
        assert (await client.reply()).startswith("220 ")
        await client.say("EHLO pc.example.test")
        return client

    for begin in range(0, 15, 3):
        guesser = await secure(STRANGER)
        for n in range(begin, begin + 3):
            assert (await guesser.say(plain(LOGIN, f"wrong {n}"))).startswith("535 5.7.8")
    right = plain(LOGIN, PASSWORD)
    with capture_logs() as logged:
        for locked in (STRANGER, "192.0.2.99"):
            assert (await (await secure(locked)).say(right)).startswith("421 4.7.0")
    assert [(entry["peer"], entry["by"]) for entry in logged if entry["event"] == "login.locked"] == [
        (STRANGER, "address"),
        ("192.0.2.99", "login"),
    ]
    assert (await (await secure(CLINIC)).say(right)).startswith("235")


@pytest.mark.parametrize("header", [v2(0x20, 0, b""), b"PROXY UNKNOWN\r\n"], ids=["LOCAL", "UNKNOWN"])
async def test_a_proxy_may_look_whether_somebody_is_there(behind: House, header: bytes) -> None:
    client = await through(behind, header)
    assert (await client.reply()).startswith("220 ")
    assert present(behind) == ["127.0.0.1"]


@pytest.mark.parametrize("octets", [b"EHLO pc.example.test\r\n", v2(0x21, 0x41, FOUR), MALFORMED["no line end"]])
async def test_nonsense_from_a_proxy_is_closed_without_a_word(behind: House, octets: bytes) -> None:
    with capture_logs() as logged:
        client = await through(behind, octets)
        with suppress(ConnectionResetError):  # what was not read is thrown away with the connection
            assert await client.rest() == b""
        await behind.emptied()
    assert [entry["peer"] for entry in logged if entry["event"] == "smtp.proxy_header_refused"] == ["127.0.0.1"]


async def test_nobody_is_greeted_before_the_header_has_come(behind: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.smtp_protocol.INTRODUCTION_TIMEOUT", 0.1)
    with capture_logs() as logged:
        client = await through(behind, v1(CLINIC)[:-1])
        assert await client.rest() == b""
        await behind.emptied()
    assert [entry["why"] for entry in logged if entry["event"] == "smtp.proxy_header_refused"] == ["TimeoutError"]


async def test_others_say_no_header(open_house: OpenHouse) -> None:
    house = await open_house(trusted_proxies=Networks(["192.0.2.0/24"]))
    client = await through(house, v1(CLINIC))
    assert (await client.reply()).startswith("220 ")
    assert (await client.reply()).startswith("500 5.5.2 This command is not known.")
    assert present(house) == ["127.0.0.1"]


async def test_starttls_and_its_first_words_go_behind_the_header(behind: House, trusting: ssl.SSLContext) -> None:
    client = await through(behind, v1(CLINIC) + b"EHLO pc.example.test\r\nSTARTTLS\r\n")
    assert (await client.reply()).startswith("220 ")
    assert "STARTTLS" in await client.reply()
    assert (await client.reply()).startswith("220 2.0.0")
    await client.writer.start_tls(trusting, server_hostname="localhost")
    assert (await client.say("EHLO pc.example.test")).startswith("250")
    assert present(behind) == [CLINIC]


async def test_tls_from_the_first_octet_may_share_a_packet_with_the_header(
    behind: House, trusting: ssl.SSLContext
) -> None:
    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", behind.tls_port), 20) as plain_socket:
            plain_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)  # held back until there is more to send
            plain_socket.sendall(v2(0x21, 0x11, FOUR))
            with trusting.wrap_socket(plain_socket, server_hostname="localhost") as secure:
                return secure.recv(4)

    assert await asyncio.to_thread(talk) == b"220 "


# ------------------------------------------------------------------------------------------------------------- haproxy


@asynccontextmanager
async def from_address(address: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    """A client that has an address of its own on loopback."""
    name = "localhost" if tls else None
    opened = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0), ssl=tls, server_hostname=name)
    client = Client(*opened)
    try:
        assert (await client.reply()).startswith("220 ")
        yield client
    finally:
        await client.close()


async def test_haproxy_says_it_in_both_versions(
    open_house: OpenHouse, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    by_v2, by_v1 = await open_house(trusted_proxies=LOOPBACK), await open_house(trusted_proxies=LOOPBACK)
    words = {by_v2.port: "send-proxy-v2", by_v1.port: "send-proxy", by_v2.tls_port: "send-proxy-v2"}
    haproxy = await asyncio.to_thread(HaproxyServer, tmp_path, words)
    try:
        for house, port, tls in (
            (by_v2, by_v2.port, None),
            (by_v1, by_v1.port, None),
            (by_v2, by_v2.tls_port, trusting),
        ):
            await house.emptied()
            async with from_address("127.0.0.9", haproxy.ports[port], tls) as client:
                await client.say("EHLO pc.example.test")
                assert present(house) == ["127.0.0.9"]
                if tls is None:
                    await client.say("STARTTLS")
                    await client.writer.start_tls(trusting, server_hostname="localhost")
                    await client.say("EHLO pc.example.test")
                assert (await client.say(plain(LOGIN, PASSWORD))).startswith("235")
    finally:
        haproxy.stop()
