"""The bounce of a reply comes in from the mail servers that the operator names, at an address of ours alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge import clock
from bridge.notices.bounces import LIFETIME, BounceKey, mail_id, make
from tests.smtp.conftest import BOUNCE_KEY, LOGIN, NUMBER, Client, House, OpenHouse

LOOPBACK = ("10.0.0.0/28", "127.0.0.1/32")
MAIL = mail_id(clock.new_id())
DOMAIN = "sms.example.test"


def token(key: BounceKey = BOUNCE_KEY, ago: timedelta = timedelta(0)) -> str:
    return make(MAIL, key, clock.now() - ago)


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    return await open_house(LOOPBACK)


async def greeted(house: House) -> Client:
    client = await house.connect()
    await client.say("EHLO mail.example.test")
    return client


async def recipient(client: Client, address: str) -> str:
    assert (await client.say("MAIL FROM:<>")).startswith("250 2.1.0")
    return await client.say(f"RCPT TO:<{address}>")


async def test_a_bounce_is_taken_without_a_login(house: House) -> None:
    client = await greeted(house)
    assert (await recipient(client, f"{token()}@{DOMAIN}")).startswith("250 2.1.5")
    assert (await client.say("DATA")).startswith("354")
    assert (await client.mail(b"Subject: Undelivered\r\n\r\nNo such mailbox.")).startswith("250 2.0.0")
    (lost,) = house.mails.settled
    assert (lost.mail_id, lost.state) == (MAIL, "bounced")
    assert house.admission.admitted == []


OLD = timedelta(days=2) + LIFETIME
FORGED = token(BounceKey(1, b"o" * 32))


@pytest.mark.parametrize(
    ("address", "reply"),
    [
        pytest.param(f"{token()}@{DOMAIN}", "250 2.1.5", id="ours"),
        pytest.param(f"{token().upper()}@{DOMAIN.upper()}", "250 2.1.5", id="in other letters"),
        pytest.param(f"{FORGED}@{DOMAIN}", "550 5.1.1", id="made with another key"),
        pytest.param(f"{token(BounceKey(2, b'k' * 32))}@{DOMAIN}", "550 5.1.1", id="of a key we do not have"),
        pytest.param(f"{token(ago=OLD)}@{DOMAIN}", "550 5.1.1", id="expired"),
        pytest.param(f"{token()[:-1]}@{DOMAIN}", "550 5.1.1", id="cut off"),
        pytest.param(f"b-@{DOMAIN}", "550 5.1.1", id="empty"),
        pytest.param(f"{token()}@elsewhere.example.test", "530 5.7.0", id="of another domain"),
        pytest.param(f"postmaster@{DOMAIN}", "530 5.7.0", id="no bounce address"),
        pytest.param(NUMBER.strip("<>"), "530 5.7.0", id="a phone"),
    ],
)
async def test_only_an_address_of_ours_takes_bounces(house: House, address: str, reply: str) -> None:
    assert (await recipient(await greeted(house), address)).startswith(reply)
    assert house.admission.admitted == []


@pytest.mark.parametrize("networks", [(), ("10.0.0.0/28",), ("::1/128",)], ids=["nobody", "others", "IPv6 loopback"])
async def test_from_elsewhere_a_login_is_needed(open_house: OpenHouse, networks: tuple[str, ...]) -> None:
    client = await greeted(await open_house(networks))
    assert (await client.say("MAIL FROM:<>")).startswith("530 5.7.0")


async def test_a_mail_server_that_logs_in_may_hand_bounces_back_too(house: House) -> None:
    """But nothing else without a sender, and with one nothing to a bounce address."""
    client = await house.logged_in()
    assert (await recipient(client, f"{token()}@{DOMAIN}")).startswith("250 2.1.5")
    assert (await client.say("RSET")).startswith("250")
    assert (await recipient(client, NUMBER.strip("<>"))).startswith("550 5.7.1 A mail without sender")
    assert (await client.say("DATA")).startswith("503")
    assert (await client.say("RSET")).startswith("250")
    assert (await client.say(f"MAIL FROM:<{LOGIN}>")).startswith("250")
    assert (await client.say(f"RCPT TO:<{token()}@{DOMAIN}>")).startswith("55")
    assert house.mails.settled == []


async def test_with_a_sender_it_is_no_bounce(house: House) -> None:
    client = await greeted(house)
    assert (await client.say("MAIL FROM:<somebody@example.test>")).startswith("530 5.7.0")


async def test_a_machine_of_a_mailbox_may_be_the_mail_server_too(house: House) -> None:
    """Its own mails from nobody are texted as before, bounces are not."""
    house.directory.networks["127.0.0.1"] = LOGIN
    client = await greeted(house)
    assert (await recipient(client, f"{token()}@{DOMAIN}")).startswith("250 2.1.5 Bounce")
    assert (await client.say(f"RCPT TO:{NUMBER}")).startswith("452 4.5.3")
    await client.say("RSET")
    assert (await recipient(client, NUMBER.strip("<>"))).startswith("250")
    assert (await client.say(f"RCPT TO:<{token()}@{DOMAIN}>")).startswith("452 4.5.3")
    await client.say("DATA")
    assert (await client.mail(b"Subject: Fire\r\n\r\nFire in room 4")).startswith("250")
    assert len(house.admission.admitted) == 1
    assert house.mails.settled == []
    await client.say("MAIL FROM:<somebody@example.test>")
    await client.say(f"MAIL FROM:<{LOGIN}>")
    assert (await client.say(f"RCPT TO:<{token()}@{DOMAIN}>")).startswith("55")


async def test_nothing_comes_in_without_a_recipient(house: House) -> None:
    client = await greeted(house)
    await client.say("MAIL FROM:<>")
    assert (await client.say("DATA")).startswith("503")
    assert (await client.say(f"RCPT TO:<{FORGED}@{DOMAIN}>")).startswith("550")
    assert (await client.say("DATA")).startswith("554")


async def test_a_bounce_is_no_larger_than_a_mail_may_be(house: House) -> None:
    client = await greeted(house)
    assert (await client.say("MAIL FROM:<> SIZE=100001")).startswith("552 5.3.4")
    assert (await recipient(client, f"{token()}@{DOMAIN}")).startswith("250")
    await client.say("DATA")
    assert (await client.mail(b"x\r\n" * 40_000)).startswith("552 5.3.4")
    assert house.mails.settled == []


async def test_two_bounces_come_over_one_connection(house: House) -> None:
    client = await greeted(house)
    for _ in range(2):
        await recipient(client, f"{token()}@{DOMAIN}")
        await client.say("DATA")
        assert (await client.mail(b"\r\nNo.")).startswith("250")
    assert len(house.mails.settled) == 2
