"""The MX door behind a proxy: SPF is asked about the mail server that the proxy connects for, not about the proxy."""

from __future__ import annotations

from bridge.access.networks import Networks
from tests.mx.conftest import AWAY, Mx, OpenMx, letter


async def brought(mx: Mx, address: str) -> str:
    """The answer to a mail that a server at this address brings by the proxy."""
    client = await mx.strange()
    await client.send(f"PROXY TCP4 {address} 192.0.2.1 56324 25\r\n".encode())
    assert (await client.reply()).startswith("220 ")
    await client.say("EHLO mx.provider.example")
    return await mx.brings(letter(), client=client)


async def test_spf_is_about_the_mail_server(open_mx: OpenMx) -> None:
    mx = await open_mx(trusted_proxies=Networks(["127.0.0.1"]))
    mx.names.zone |= AWAY
    assert (await brought(mx, "192.0.2.25")).startswith("250")
    assert (await brought(mx, "198.51.100.25")).startswith("550 5.7.")
    assert (await brought(mx, "127.0.0.1")).startswith("550 5.7.")
