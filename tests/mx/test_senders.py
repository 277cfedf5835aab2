"""Real mail servers and mail programs at the MX door, with TLS where it is offered and without."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mx.conftest import ANNA, OTHER, PHONE, OpenMx, letter
from tests.servers.exim import EximServer, everything_to
from tests.servers.mail_server import MailServer, listening
from tests.servers.opensmtpd import OpenSmtpdServer
from tests.servers.postfix import PostfixServer
from tests.smtp.conftest import authority, authority_file, certificate
from tests.smtp.programs import PROGRAMS, Order, Way
from tests.smtp.smart_hosts import smart_host, until
from tests.store.conftest import DOMAIN

__all__ = ["authority", "authority_file", "certificate"]

Server = PostfixServer | EximServer | OpenSmtpdServer

EVE = "eve@other.example"
"""Her provider vouches for her, and no mailbox of the bridge is hers."""
PATIENCE = 20.0
TEXTS = [("+393331234567", ".Monday at 10"), ("+393477654321", ".Monday at 10")]
MAIL = letter(to=f"{PHONE}, {OTHER}", text=".Monday at 10")


def _postfix(port: int) -> PostfixServer:
    routes = {"transport_maps": f"inline:{{ {{{DOMAIN} = smtp:[127.0.0.1]:{port}}} }}", "smtp_tls_loglevel": "1"}
    return PostfixServer.create({"smtp_tls_security_level": "may", **routes})


def _exim(port: int) -> EximServer:
    return EximServer.create(everything_to(port))


def _opensmtpd(port: int) -> OpenSmtpdServer:
    return OpenSmtpdServer.create(
        f'action "on" relay host smtp://127.0.0.1:{port}\nmatch from any for any action "on"\n'
    )


SERVERS: dict[str, tuple[Callable[[int], Server], str]] = {
    "postfix": (_postfix, "Untrusted TLS connection established to 127.0.0.1"),
    "exim": (_exim, " X=TLS1.3:"),
    "opensmtpd": (_opensmtpd, "mta tls ciphers=TLSv1.3"),
}
"""How each is set up to deliver to a port, and what it logs where it did so with TLS."""


@pytest.mark.parametrize("tls", ["", "starttls"], ids=["plain", "starttls"])
@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_program_brings_a_mail(
    open_mx: OpenMx, certificate: Path, authority_file: Path, tmp_path: Path, name: str, tls: str
) -> None:
    mx = await open_mx(certificate=certificate if tls else None)
    assert mx.server.port is not None
    await PROGRAMS[name].send(Way(mx.server.port, authority_file, tls), Order(ANNA, (PHONE, OTHER), MAIL), tmp_path)
    assert sorted(await mx.texts()) == TEXTS


@pytest.mark.parametrize("tls", ["", "starttls"], ids=["plain", "starttls"])
@pytest.mark.parametrize("name", SERVERS)
async def test_a_mail_server_brings_a_mail(open_mx: OpenMx, certificate: Path, name: str, tls: str) -> None:
    """And leaves nothing in its queue."""
    mx = await open_mx(certificate=certificate if tls else None)
    assert mx.server.port is not None
    create, encrypted = SERVERS[name]
    server = create(mx.server.port)
    try:
        await asyncio.to_thread(_hand_in, server.port)
        async with asyncio.timeout(PATIENCE):
            while True:
                if await mx.texts() and not server.queue():
                    break
                await asyncio.sleep(0.01)
        assert sorted(await mx.texts()) == TEXTS
        assert (encrypted in server.log()) is bool(tls)
    finally:
        server.remove()


def _hand_in(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.sendmail(ANNA, [PHONE, OTHER], MAIL)


@pytest.mark.parametrize("name", SERVERS)
async def test_what_is_refused_comes_back_to_who_sent_it(open_mx: OpenMx, authority_file: Path, name: str) -> None:
    """In a bounce of the sender's own mail server, with the sentence of the door."""
    host, mailbox = smart_host(name, "plain", authority_file), MailServer()
    try:
        mx = await open_mx(host="127.0.0.2", port=host.bridge_port)
        raw = letter(EVE, to=PHONE)
        with listening(mailbox, host.mailbox_port):
            await asyncio.to_thread(host.takes, EVE, [PHONE], raw)
            await until(lambda: bool(mailbox.mails) and not host.server.queue(), host)
        (bounce,) = mailbox.mails
        assert bounce["To"].addresses[0].addr_spec == EVE
        assert "No mailbox of the bridge may send from this address" in " ".join(bounce.as_string().split())
        assert await mx.texts() == []
    finally:
        host.remove()
