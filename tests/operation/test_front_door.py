"""A whole bridge behind a proxy: what its settings say of proxies and of certificates is what its doors do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from bridge.app import Bridge
from bridge.settings import MxSettings, demo_settings
from tests.clinic import CLINIC
from tests.servers.machines import Machine
from tests.servers.ports import free_port
from tests.smtp.conftest import Client

HERE = ("127.0.0.1",)
MACHINES = "10.0.5.0/24"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def bridge(tmp_path: Path, authority: trustme.CA) -> AsyncIterator[Bridge]:
    own = tmp_path / "own.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(own)
    made = demo_settings(tmp_path / "data", free_port(), free_port(), free_port(), "a secret of two")
    smtp = {"certificate": own, "private_key": own, "trusted_proxies": HERE, "certificates_from": (MACHINES,)}
    changed = {
        "smtp": made.smtp.model_copy(update=smtp),
        "mx": MxSettings(host="127.0.0.1", port=free_port(), trusted_proxies=HERE),
    }
    running = Bridge(made.model_copy(update=changed))
    await running.start()
    await running.store.mailboxes.add(CLINIC)
    await running.store.directory.refresh()
    yield running
    await running.stop()


async def comes(port: int | None, address: str) -> Client:
    """A connection that a proxy passes on for this address."""
    assert port is not None
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    await client.send(f"PROXY TCP4 {address} 10.0.0.1 40000 587\r\n".encode())
    assert (await client.reply()).startswith("220 ")
    await client.say("EHLO printer.example.test")
    return client


async def test_a_machine_is_known_by_its_certificate_where_the_settings_look_for_one(
    bridge: Bridge, authority: trustme.CA, tmp_path: Path
) -> None:
    store, machine = bridge.store, Machine.made()
    (mailbox,) = store.directory.all()
    ((fingerprint, known),) = machine.registered(mailbox).items()
    await store.certificates.add(mailbox, "printer", pem=known.pem, fingerprint=fingerprint, until=known.until)
    await store.directory.refresh()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = machine.shown_to(tmp_path / "authority.pem", tmp_path)

    async def begins(address: str) -> tuple[Client, str]:
        client = await comes(bridge.door.port, address)
        assert (await client.say("STARTTLS")).startswith("220")
        await client.writer.start_tls(tls, server_hostname="localhost")
        await client.say("EHLO printer.example.test")
        return client, await client.say(f"MAIL FROM:<{CLINIC.login}>")

    stranger, answer = await begins("10.0.6.7")
    assert answer.startswith("530 5.7.0")
    printer, answer = await begins("10.0.5.7")
    assert answer.startswith("250")
    async with asyncio.timeout(10):
        while True:
            (use,) = await store.certificates.all()
            if use.used_at is not None:
                break
            await asyncio.sleep(0.01)
    await store.certificates.revoke(mailbox, "Printer")
    await store.directory.refresh()
    await printer.say("RSET")
    assert (await printer.say(f"MAIL FROM:<{CLINIC.login}>")).startswith("530 5.7.0")
    for client in (stranger, printer):
        await client.close()


async def test_the_mx_door_has_proxies_of_its_own(bridge: Bridge) -> None:
    assert bridge.mx is not None
    client = await comes(bridge.mx.port, "192.0.2.25")
    assert (await client.say("QUIT")).startswith("221")
    await client.close()
