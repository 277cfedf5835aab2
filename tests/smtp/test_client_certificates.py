"""Machines that show a certificate: let in by it alone, by AUTH EXTERNAL, and not when it is no login any more."""

from __future__ import annotations

import asyncio
import base64
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.x509 import BasicConstraints
from structlog.testing import capture_logs

from bridge.access.networks import Networks
from bridge.types import Door, Mailbox
from tests.servers.machines import Machine
from tests.servers.postfix import PostfixServer
from tests.smtp.conftest import LOGIN, PASSWORD, Client, House, OpenHouse
from tests.smtp.programs import MAIL, ORDER, PROGRAMS, Way
from tests.smtp.test_logins import plain, sends

LOOPBACK = Networks(["127.0.0.1"])
Coming = Callable[[House, ssl.SSLContext], Awaitable[Client]]
TLS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
async def asking(open_house: OpenHouse, mailbox: Mailbox) -> House:
    """A front door that asks this machine for a certificate."""
    house = await open_house(certificates_from=LOOPBACK, plaintext_login=False)
    house.directory.certificates = Machine.made("another").registered(mailbox)
    return house


@pytest.fixture
def machine() -> Machine:
    return Machine.made()


async def comes(house: House, tls: ssl.SSLContext) -> Client:
    client = await house.connect(tls=tls)
    await client.say("EHLO printer.example.test")
    return client


async def by_starttls(house: House, tls: ssl.SSLContext) -> Client:
    client = await house.connect()
    await client.say("EHLO printer.example.test")
    assert (await client.say("STARTTLS")).startswith("220")
    await client.writer.start_tls(tls, server_hostname="localhost")
    await client.say("EHLO printer.example.test")
    return client


@pytest.mark.parametrize("version", TLS, ids=lambda version: version.name)
@pytest.mark.parametrize("way", [comes, by_starttls], ids=["implicit TLS", "STARTTLS"])
async def test_a_certificate_that_is_registered_needs_no_login(
    asking: House, mailbox: Mailbox, authority_file: Path, tmp_path: Path, way: Coming, version: ssl.TLSVersion
) -> None:
    """Whoever has signed it."""
    for machine in (Machine.made(), Machine.made(signed_by=Machine.made("authority"))):
        asking.directory.certificates = machine.registered(mailbox)
        client = await way(asking, machine.shown_to(authority_file, tmp_path, version))
        assert (await client.say("MAIL FROM:<boss@elsewhere.test>")).startswith("550 5.7.1")
        assert (await client.say("MAIL FROM:<>")).startswith("250"), "a machine's own mail, as from a trusted network"
        await client.say("RSET")
        assert (await sends(client)).startswith("250")


async def test_whoever_shows_nothing_logs_in_as_ever(asking: House, trusting: ssl.SSLContext) -> None:
    client = await comes(asking, trusting)
    assert "EXTERNAL" not in await client.say("EHLO pc")
    assert (await client.say("AUTH EXTERNAL =")).startswith("504 5.5.4")
    assert (await sends(client)).startswith("530 5.7.0")
    assert (await client.say(plain(LOGIN, PASSWORD))).startswith("235")


def _b64(said: str) -> str:
    return base64.b64encode(said.encode()).decode()


@pytest.mark.usefixtures("quick")
async def test_external_is_a_login_by_what_was_shown(
    asking: House, mailbox: Mailbox, machine: Machine, authority_file: Path, tmp_path: Path
) -> None:
    asking.directory.certificates = machine.registered(mailbox)
    tls = machine.shown_to(authority_file, tmp_path)
    client = await comes(asking, tls)
    assert "AUTH PLAIN LOGIN SCRAM-SHA-256 EXTERNAL\n" in await client.say("EHLO printer")
    assert (await client.say("AUTH EXTERNAL " + _b64("desk@example.test"))).startswith("535 5.7.8")
    assert (await client.say("AUTH EXTERNAL")) == "334 "
    assert (await client.say("")).startswith("235 2.7.0")
    assert (await client.say("AUTH EXTERNAL =")).startswith("503 5.5.1")
    assert (await sends(client)).startswith("250")
    assert (await client.say("MAIL FROM:<>")).startswith("550 5.7.1"), "now it is a login"
    for said in ("=", _b64(LOGIN), _b64(LOGIN.upper())):
        assert (await (await comes(asking, tls)).say(f"AUTH EXTERNAL {said}")).startswith("235 2.7.0")


async def test_another_mailbox_may_log_in_over_it(
    asking: House, mailbox: Mailbox, machine: Machine, authority_file: Path, tmp_path: Path
) -> None:
    desk = replace(mailbox, id="m2", login="desk@example.test", addresses=())
    asking.directory.mailboxes[desk.login] = desk
    asking.directory.certificates = machine.registered(desk)
    client = await comes(asking, machine.shown_to(authority_file, tmp_path))
    assert (await sends(client)).startswith("550 5.7.1")
    assert (await client.say(plain(LOGIN, PASSWORD))).startswith("235")
    assert (await sends(client)).startswith("250")


# ---------------------------------------------------------------------------------------------------- no login any more


@pytest.mark.parametrize("said", [False, True], ids=["by itself", "EXTERNAL"])
async def test_one_that_is_taken_away_lets_nobody_in_at_the_next_mail(
    asking: House, mailbox: Mailbox, machine: Machine, authority_file: Path, tmp_path: Path, said: bool
) -> None:
    others = asking.directory.certificates
    asking.directory.certificates = {**others, **machine.registered(mailbox)}
    tls = machine.shown_to(authority_file, tmp_path)
    client = await comes(asking, tls)
    if said:
        await client.say("AUTH EXTERNAL =")
    assert (await sends(client)).startswith("250")
    asking.directory.certificates = others
    assert (await sends(client)).startswith("530 5.7.0 The login has changed")
    assert (await client.say("AUTH EXTERNAL =")).startswith("504 5.5.4")
    assert (await client.say(plain(LOGIN, PASSWORD))).startswith("235")
    await client.say("QUIT")
    assert len(await refused(asking, tls)) == 1


async def refused(house: House, tls: ssl.SSLContext) -> list[str]:
    """What the log says of a handshake that fails; with TLS 1.3 the client learns it only after its own end of it."""
    with capture_logs() as logged:
        with suppress(ssl.SSLError, ConnectionError):
            client = await house.connect(tls=tls)
            assert await client.rest() == b""
        await house.emptied()
    return [entry["why"] for entry in logged if entry["event"] == "login.certificate_refused"]


async def test_one_that_ran_out_is_told_so_and_a_password_still_works(
    asking: House, mailbox: Mailbox, authority_file: Path, tmp_path: Path
) -> None:
    old = Machine.made(days=-1)
    asking.directory.certificates = old.registered(mailbox)
    client = await comes(asking, old.shown_to(authority_file, tmp_path))
    assert "EXTERNAL" not in await client.say("EHLO printer")
    assert (await sends(client)).startswith("530 5.7.0 The certificate that this machine shows has run out.")
    assert (await client.say(plain(LOGIN, PASSWORD))).startswith("235")
    assert (await sends(client)).startswith("250")


@pytest.mark.parametrize("version", TLS, ids=lambda version: version.name)
async def test_one_that_nobody_has_registered_does_not_come_in(
    asking: House, machine: Machine, authority_file: Path, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    assert len(await refused(asking, machine.shown_to(authority_file, tmp_path, version))) == 1


async def test_one_that_a_registered_one_has_signed_is_another(
    asking: House, mailbox: Mailbox, authority_file: Path, tmp_path: Path
) -> None:
    """Trusted for itself means: not for what it signs."""
    authority = Machine.made("authority", extensions=[BasicConstraints(ca=True, path_length=None)])
    asking.directory.certificates = authority.registered(mailbox)
    client = await comes(asking, Machine.made(signed_by=authority).shown_to(authority_file, tmp_path))
    assert "EXTERNAL" not in await client.say("EHLO printer")
    assert (await sends(client)).startswith("530 5.7.0")


async def test_nobody_is_asked_but_who_stands_in_the_settings(
    open_house: OpenHouse, mailbox: Mailbox, machine: Machine, authority_file: Path, tmp_path: Path
) -> None:
    """So one that is unknown disturbs nobody there."""
    elsewhere = await open_house(certificates_from=Networks(["10.0.5.0/24"]))
    elsewhere.directory.certificates = machine.registered(mailbox)
    none_registered = await open_house(certificates_from=LOOPBACK)
    for house in (elsewhere, none_registered):
        client = await comes(house, machine.shown_to(authority_file, tmp_path))
        assert (await sends(client)).startswith("530 5.7.0 Log in first")


# ------------------------------------------------------------------------------------------------------- real clients


@pytest.mark.parametrize("mechanism", ["", "EXTERNAL"], ids=["by itself", "EXTERNAL"])
@pytest.mark.parametrize("door", ["starttls", "implicit"])
@pytest.mark.parametrize("program", ["curl", "msmtp"])
async def test_a_mail_program_with_a_certificate(
    asking: House,
    mailbox: Mailbox,
    machine: Machine,
    authority_file: Path,
    tmp_path: Path,
    program: str,
    door: str,
    mechanism: str,
) -> None:
    asking.directory.certificates = machine.registered(mailbox)
    way = Way.into(asking, authority_file, door, mechanism, "")
    await PROGRAMS[program].send(replace(way, certificate=machine.write(tmp_path)), ORDER, tmp_path)
    assert [mail.raw for mail in asking.admission.admitted] == [MAIL]


async def test_postfix_as_a_smart_host(
    asking: House, mailbox: Mailbox, machine: Machine, authority_file: Path, tmp_path: Path
) -> None:
    asking.directory.certificates = machine.registered(mailbox)
    settings = {
        "relayhost": f"[127.0.0.1]:{asking.port}",
        "smtp_tls_security_level": "encrypt",
        "smtp_tls_chain_files": str(machine.write(tmp_path)),
    }
    postfix = PostfixServer.create(settings)
    try:

        def hand_in() -> None:
            with smtplib.SMTP("127.0.0.1", postfix.port) as client:
                client.sendmail(ORDER.sender, ORDER.to, MAIL, ["BODY=8BITMIME"])

        await asyncio.to_thread(hand_in)
        async with asyncio.timeout(20):
            await asking.admission.done.wait()
        (mail,) = asking.admission.admitted
        assert (mail.mailbox.login, mail.envelope.door) == (LOGIN, Door.SUBMISSION)
        assert mail.raw.endswith(MAIL)
    finally:
        postfix.remove()
