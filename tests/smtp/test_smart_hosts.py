"""Real mail servers as smart hosts: an organisation's Postfix, Exim or OpenSMTPD hands in what is for phones.

They are set up by the words of docs/smart-hosts.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.access.networks import NO_NETWORKS, Networks
from bridge.errors import Reason, Refusal
from bridge.notices.bounces import mail_id, make
from bridge.types import Door, Mailbox, Notify, Ret
from tests.servers.mail_server import MailServer, listening
from tests.smtp.conftest import APP_PASSWORD, BOUNCE_KEY, LOGIN, House, OpenHouse, opening
from tests.smtp.smart_hosts import BRIDGE, DOMAIN, SERVERS, WAYS, SmartHost, smart_host, until

ANNA = "anna@example.test"
TO, OTHER = f"+393331234567@{DOMAIN}", f"+393477654321@{DOMAIN}"
NOBODY = f"reception@{DOMAIN}"
CELLS = [(name, way) for name in SERVERS for way in WAYS if (name, way) != ("opensmtpd", "certificate")]
"""What comes by which way: that one cell is empty, as the page says."""
UNTRUSTED = {
    "postfix": "Server certificate not verified",
    "exim": "certificate verification failed",
    "opensmtpd": "SSL certificate check failed",
}
"""What they write into their log where they do not believe who the bridge says it is."""

MAIL = (
    f"Date: Sun, 22 Nov 2026 10:00:00 +0100\r\nFrom: {ANNA}\r\nTo: {TO}\r\nSubject: appointment\r\n"
    "Message-ID: <1@pc.example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\n.Tomorrow at 10, città\r\n..\r\n.\r\nRoom 5\r\n"
).encode()

At = Callable[..., Awaitable[tuple[SmartHost, House]]]


@pytest.fixture(scope="module")
def certificate_of_bridge(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bridge") / "server.pem"
    authority.issue_cert(BRIDGE).private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.fixture(scope="module")
async def at(
    certificate_of_bridge: Path, authority_file: Path, credentials: Credentials, mailbox: Mailbox
) -> AsyncIterator[At]:
    """Gives mail servers by their names and the ways that they come in, each with the front door that it comes to.

    Each is started once, for they keep their connections; what was taken before is forgotten.
    """
    running: dict[tuple[str, str], tuple[SmartHost, House]] = {}
    async with opening(certificate_of_bridge, credentials, mailbox) as open_house:

        async def given(name: str, way: str = "starttls") -> tuple[SmartHost, House]:
            if (name, way) not in running:
                host = smart_host(name, way, authority_file)
                running[name, way] = host, await front_door(host, open_house)
            running[name, way][1].admission.admitted.clear()
            return running[name, way]

        yield given
        for host, _ in running.values():
            host.remove()


async def front_door(host: SmartHost, open_house: OpenHouse) -> House:
    """The front door where that mail server looks for it."""
    ports = {"tls_port": host.bridge_port} if host.way == "implicit" else {"port": host.bridge_port}
    known = Networks(["127.0.0.1"]) if host.way == "certificate" else NO_NETWORKS
    house = await open_house(("127.0.0.1",), host="127.0.0.2", plaintext_login=False, certificates_from=known, **ports)
    mailbox = house.directory.mailboxes[LOGIN]
    if host.way in ("network", "plain"):
        house.directory.networks["127.0.0.1"] = LOGIN
    elif host.way == "certificate":
        house.directory.certificates = host.machine.registered(mailbox)
    else:
        house.directory.give(mailbox, APP_PASSWORD)
    return house


@pytest.mark.parametrize(("name", "way"), CELLS)
async def test_a_mail_arrives_as_it_is(at: At, name: str, way: str) -> None:
    """Once, for both its phones together, with every octet of it and what it asked for reports."""
    host, house = await at(name, way)
    asked = (
        ["BODY=8BITMIME", "RET=HDRS", "ENVID=Order+2B7"],
        ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;recall@example.test"],
    )
    await asyncio.to_thread(host.takes, ANNA, [TO, OTHER], MAIL, *asked)
    await until(lambda: bool(house.admission.admitted) and not host.server.queue(), host)
    (mail,) = house.admission.admitted
    assert (mail.mailbox.login, mail.envelope.mail_from) == (LOGIN, ANNA)
    assert mail.envelope.door is (Door.NETWORK if way in ("network", "plain") else Door.SUBMISSION)
    assert mail.raw.endswith(MAIL)  # below the Received of the mail server
    if name == "exim":
        assert " L K C=" in host.server.log()  # it says so where it used PIPELINING and CHUNKING
    assert sorted(mail.numbers) == ["+393331234567", "+393477654321"]
    assert (mail.envelope.envid, mail.envelope.ret) == ("Order+7", Ret.HDRS)
    for recipient in mail.recipients:
        assert recipient.notify == frozenset({Notify.FAILURE, Notify.DELAY})
        assert recipient.orcpt == "rfc822;recall@example.test"


@pytest.mark.parametrize("name", SERVERS)
async def test_a_phone_that_is_refused_comes_back_to_its_sender(at: At, name: str) -> None:
    """The others of the mail are texted, and the mail server's bounce names that one, with the bridge's sentence."""
    (host, house), mailbox = await at(name), MailServer()
    with listening(mailbox, host.mailbox_port):
        await asyncio.to_thread(host.takes, ANNA, [TO, NOBODY, OTHER], MAIL)
        await until(lambda: bool(mailbox.mails) and not host.server.queue(), host)
    (mail,), (bounce,) = house.admission.admitted, mailbox.mails
    assert sorted(mail.numbers) == ["+393331234567", "+393477654321"]
    assert bounce["To"].addresses[0].addr_spec == ANNA
    parts = [part for part in bounce.walk() if isinstance(part, EmailMessage) and part["Final-Recipient"]]
    assert [part["Final-Recipient"].lower().split(";")[1].strip() for part in parts] == [NOBODY]
    assert parts[0]["Action"].lower() == "failed"
    assert "5.1.3 This is not a phone number." in " ".join(bounce.as_string().split())


@pytest.mark.parametrize("name", SERVERS)
async def test_what_the_bridge_cannot_take_now_waits_at_the_mail_server(at: At, name: str) -> None:
    host, house = await at(name)
    house.admission.error = Refusal(Reason.BUSY, "Too much to do.")
    await asyncio.to_thread(host.takes, ANNA, [TO], MAIL)
    await until(lambda: "452 4.3.1" in host.server.log(), host)
    house.admission.error = None
    await asyncio.to_thread(host.server.flush)
    await until(lambda: not host.server.queue(), host)
    assert [mail.numbers for mail in house.admission.admitted] == [("+393331234567",)]


@pytest.mark.parametrize("fault", ["authority", "password"])
@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.usefixtures("quick")
async def test_a_mail_waits_where_something_is_set_up_wrong(
    open_house: OpenHouse, certificate_of_bridge: Path, authority_file: Path, tmp_path: Path, name: str, fault: str
) -> None:
    """Who has a certificate of an authority that the mail server does not trust is not told the password either."""
    trusted = authority_file
    if fault == "authority":
        trusted = tmp_path / "another.pem"
        trustme.CA().cert_pem.write_to_path(trusted)
    host = smart_host(name, "starttls", trusted)
    try:
        house = await open_house(host="127.0.0.2", port=host.bridge_port, certificate=certificate_of_bridge)
        with capture_logs() as logged:
            await asyncio.to_thread(host.takes, ANNA, [TO], MAIL)
            said = UNTRUSTED[name] if fault == "authority" else "535 5.7.8 Login or password is wrong."
            await until(lambda: said in host.server.log(), host)
        assert ("login.refused" in [entry["event"] for entry in logged]) is (fault == "password")
        assert house.admission.admitted == []
        assert len(host.server.queue()) == 1
    finally:
        host.remove()


@pytest.mark.parametrize("name", ["postfix", "exim"])
async def test_names_beyond_ascii(at: At, name: str) -> None:
    """SMTPUTF8 (RFC 6531); OpenSMTPD does not speak it."""
    (host, house), sender = await at(name), "jürgen@example.test"
    raw = MAIL.replace(f"From: {ANNA}".encode(), f"From: Jürgen <{sender}>".encode())
    await asyncio.to_thread(host.takes, sender, [TO], raw, ["SMTPUTF8", "BODY=8BITMIME"])
    await until(lambda: bool(house.admission.admitted), host)
    (mail,) = house.admission.admitted
    assert mail.envelope.mail_from == sender
    assert mail.raw.endswith(raw)


@pytest.mark.parametrize("way", ["starttls", "network"])
@pytest.mark.parametrize("name", SERVERS)
async def test_the_bounce_of_an_answer_comes_home(at: At, name: str, way: str) -> None:
    """By the same road as all that is for the bridge's domain, with the login of the mail server or without one."""
    host, house = await at(name, way)
    house.mails.settled.clear()
    mail, bounce = mail_id(clock.new_id()), b"From: <>\r\nSubject: Undelivered\r\n\r\nNo such mailbox.\r\n"
    await asyncio.to_thread(host.takes, "", [f"{make(mail, BOUNCE_KEY, clock.now())}@{DOMAIN}"], bounce)
    await until(lambda: bool(house.mails.settled) and not host.server.queue(), host)
    assert [(lost.mail_id, lost.state) for lost in house.mails.settled] == [(mail, "bounced")]
    assert house.admission.admitted == []
