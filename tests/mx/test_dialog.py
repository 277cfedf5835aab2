"""What a strange mail server is told before its mail has come: nothing that is not everybody's to know."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from bridge import clock
from bridge.notices.bounces import mail_id, make
from bridge.smtp_session import MAX_IDLE_COMMANDS
from bridge.store.mails import MailKind
from bridge.types import OutgoingMail
from tests.mx.conftest import ANNA, LANDLINE, OTHER, PHONE, Mx, OpenMx, letter
from tests.stations.conftest import KEY
from tests.store.conftest import DOMAIN


async def test_what_is_offered_and_what_is_not(mx: Mx) -> None:
    client = await mx.connect()
    offers = await client.say("EHLO mx.provider.example")
    words = [line[4:].partition(" ")[0] for line in offers.splitlines()]
    assert words == [
        "bridge.example.test",
        "SIZE",
        "8BITMIME",
        "SMTPUTF8",
        "PIPELINING",
        "CHUNKING",
        "ENHANCEDSTATUSCODES",
        "DSN",
        "HELP",
    ]
    for parameter in ("HOLDFOR=60", "BY=120;R", "MT-PRIORITY=3"):
        assert (await client.say(f"MAIL FROM:<{ANNA}> {parameter}")).startswith("555 5.5.4 ")
    assert (await client.say(f"MAIL FROM:<{ANNA}> SIZE=100001")).startswith("552 5.3.4 ")
    assert (await client.say(f"MAIL FROM:<{ANNA}> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=x")).startswith("250 2.1.0")


@pytest.mark.parametrize("login", ["AUTH PLAIN AGNsaW5pYwBkZW1v", "AUTH LOGIN", "AUTH NONE", "AUTH"])
async def test_nobody_logs_in(mx: Mx, login: str) -> None:
    client = await mx.greeted()
    assert (await client.say(login)).startswith("502 5.5.1 Nobody logs in here. Mail programs log in at")


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        pytest.param(PHONE, "250 2.1.5", id="a phone"),
        pytest.param(f"393331234567@{DOMAIN.upper()}", "250 2.1.5", id="a domain in capitals"),
        pytest.param(LANDLINE, "250 2.1.5", id="a phone that is not texted"),
        pytest.param(f"mario.rossi@{DOMAIN}", "250 2.1.5", id="a name that may be there or not"),
        pytest.param(f"+393331234567+from=39333@{DOMAIN}", "250 2.1.5", id="options of who knows whom"),
        pytest.param("postmaster@elsewhere.example", "550 5.7.1 This server passes no mail on", id="elsewhere"),
        pytest.param(f"x@sub.{DOMAIN}", "550 5.7.1 This server passes no mail on", id="a domain below"),
        pytest.param(f"x%elsewhere.example@not{DOMAIN}", "550 5.7.1", id="a domain that ends alike"),
        pytest.param("x@[127.0.0.1]", "550 5.7.1", id="an address literal"),
        pytest.param("not an address", "553 5.1.3", id="no address"),
    ],
)
async def test_a_recipient_is_noted_or_not_by_its_domain_alone(mx: Mx, recipient: str, reply: str) -> None:
    """The same for everybody who asks: neither names, blocks nor prices are told to a stranger."""
    client = await mx.greeted()
    for sender in (ANNA, "eve@other.example"):
        await client.say(f"MAIL FROM:<{sender}>")
        assert (await client.say(f"RCPT TO:<{recipient}>")).startswith(reply)
        await client.say("RSET")
    assert mx.names.asked == []


async def test_without_a_recipient_no_mail_comes(mx: Mx) -> None:
    client = await mx.greeted()
    await client.say(f"MAIL FROM:<{ANNA}>")
    assert (await client.say("DATA")).startswith("503 5.5.1")
    await client.say("RCPT TO:<x@elsewhere.example>")
    assert (await client.say("DATA")).startswith("554 5.5.1")


async def test_a_mail_has_a_hundred_recipients_at_most(mx: Mx) -> None:
    client = await mx.greeted()
    await client.say(f"MAIL FROM:<{ANNA}>")
    for number in range(100):
        assert (await client.say(f"RCPT TO:<+39347000{number:04d}@{DOMAIN}>")).startswith("250")
    assert (await client.say(f"RCPT TO:<{PHONE}>")).startswith("452 4.5.3 ")
    await client.say("DATA")
    assert (await client.mail(letter())).startswith("250")
    assert len(await mx.texts()) == 100


async def test_a_mail_of_nobody_is_taken_at_a_bounce_address_only(mx: Mx) -> None:
    lost = await _answer_under_way(mx)
    bounce = f"{make(lost, KEY, clock.now())}@{DOMAIN}"
    client = await mx.greeted()
    assert (await client.say("MAIL FROM:<>")).startswith("250")
    assert (await client.say(f"RCPT TO:<{PHONE}>")).startswith("550 5.7.1 A mail without sender")
    assert (await client.say(f"RCPT TO:<{bounce[:8]}x{bounce[9:]}>")).startswith("550 5.1.1 ")
    assert (await client.say(f"RCPT TO:<{bounce}>")).startswith("250 2.1.5 Bounce address taken.")
    assert (await client.say(f"RCPT TO:<{bounce}>")).startswith("452 4.5.3 ")
    await client.say("DATA")
    assert await client.mail(b"From: mx\r\nSubject: Undelivered\r\n\r\nNo.") == "250 2.0.0 Bounce taken."
    assert mx.names.asked == [], "who makes a bounce is anybody's guess; the address is its proof"


async def test_a_bounce_address_routes_and_authorises_nobody(mx: Mx) -> None:
    """With a sender it is an address like any other: whoever writes to it must still be somebody."""
    bounce = f"{make(await _answer_under_way(mx), KEY, clock.now())}@{DOMAIN}"
    forged = letter("Anna <anna@clinic.example>", to=bounce)
    assert (await mx.brings(forged, bounce, sender="eve@other.example")).startswith("550 5.7.26 ")
    assert (await mx.brings(letter(to=bounce), bounce)).startswith("550 5.1.1 ")
    assert await mx.texts() == []


async def test_who_speaks_before_the_greeting_is_no_mail_server(mx: Mx) -> None:
    """A socket that has sent all before the door even sees the connection."""
    assert mx.server.port is not None
    with socket.create_connection(("127.0.0.1", mx.server.port), timeout=20) as early:
        early.sendall(b"EHLO spam\r\nMAIL FROM:<x@y.example>\r\n")
        early.setblocking(False)
        said = b""
        while block := await asyncio.get_running_loop().sock_recv(early, 4096):
            said += block
    assert said.startswith(b"554 5.5.1 ")
    assert said.count(b"\r\n") == 1


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


async def test_a_mail_that_is_too_large_is_refused_to_its_end(mx: Mx) -> None:
    assert (await mx.brings(letter(text="x" * 900 + "\r\n" + "y\r\n" * 40_000))).startswith("552 5.3.4 ")
    assert mx.names.asked == []


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


async def _answer_under_way(mx: Mx) -> str:
    """The id of a mail of ours that may come back."""
    mail = OutgoingMail(mail_id(clock.new_id()), "b-x@" + DOMAIN, ANNA, b"Subject: SI\r\n\r\nSI\r\n")
    await mx.room.mails.add(mail, MailKind.REPLY, replace(mx.room.mailbox))
    return mail.id
