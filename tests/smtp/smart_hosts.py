"""Mail servers of an organisation, set up as docs/smart-hosts.md says: what is for phones goes to a front door here."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import smtplib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.exim import EximServer
from tests.servers.machines import Machine
from tests.servers.opensmtpd import OpenSmtpdServer
from tests.servers.ports import free_port
from tests.servers.postfix import PostfixServer
from tests.smtp.conftest import APP_PASSWORD, LOGIN

PAGE = Path(__file__).parents[2] / "docs" / "smart-hosts.md"
BRIDGE = "bridge.clinic.example"
"""The machine with the bridge, as the page names it."""
DOMAIN = "sms.example.test"
"""That of the phones, in place of the page's."""

WAYS = ["starttls", "implicit", "certificate", "network", "plain"]
"""The ways in of the page: with a login, by STARTTLS or with TLS from the first byte; with a certificate; from a
trusted network, and there in the clear too, which the page does not advise."""
PATIENCE = 20.0
WITHOUT_LOGIN = {"certificate", "network", "plain"}
"""Those without a login."""


@dataclass(frozen=True)
class SmartHost:
    """One of them, and the ports that it hands mail to."""

    server: PostfixServer | EximServer | OpenSmtpdServer
    way: str
    """How it comes in."""
    folder: Path
    bridge_port: int
    mailbox_port: int
    """Takes what is not for phones."""
    machine: Machine
    """Whose certificate it shows, on the way that is called so."""

    def takes(
        self, sender: str, to: Sequence[str], raw: bytes, mail: Sequence[str] = (), rcpt: Sequence[str] = ()
    ) -> None:
        """Somebody of the organisation hands in a mail, with parameters for MAIL and RCPT."""
        with smtplib.SMTP("127.0.0.1", self.server.port, timeout=30) as client:
            client.command_encoding = "utf-8"
            client.sendmail(sender, to, raw, mail, rcpt)

    def remove(self) -> None:
        """Stop, and delete everything."""
        self.server.remove()
        shutil.rmtree(self.folder)


@dataclass(frozen=True)
class _Site:
    """Where a server stands: its files and its ports, and what the page says put into their terms."""

    folder: Path
    bridge_port: int
    mailbox_port: int
    way: str
    pem: Path
    """The certificate that it may show, with its key."""

    def blocks(self, heading: str) -> dict[str, str]:
        """The blocks of a section of the page, by what the comment in the first line of each names."""
        (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        found = re.findall(r"^```\n# ([^,\n]+)[^\n]*\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        return {name: self._here(text) for name, text in found}

    def _here(self, text: str) -> str:
        text = re.sub(r"/etc/(?!ssl/)(\w+/)?", f"{self.folder}/", text)
        text = text.replace("sms.clinic.example", DOMAIN).replace("587", str(self.bridge_port))
        return text.replace("relay@clinic.example", LOGIN).replace("PASSWORD", APP_PASSWORD)

    def write(self, name: str, text: str) -> None:
        """Put a file in the folder, which stands for that of the page."""
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o640)
        os.utime(file, (0, 0))  # Postfix waits for a file that may just be written

    def without(self, text: str, login: str) -> str:
        """The lines that are left where nobody logs in, or nobody speaks TLS: all but those with the word for it."""
        unused = [login] * (self.way in WITHOUT_LOGIN) + ["tls"] * (self.way == "plain")
        return "".join(line for line in text.splitlines(keepends=True) if not any(word in line for word in unused))


def smart_host(name: str, way: str, authority: Path) -> SmartHost:
    """Start one. It believes `authority` alone, and knows the bridge's machine as an address of loopback."""
    folder = Path(tempfile.mkdtemp(prefix="bridge-smart-host-"))
    folder.chmod(0o755)
    machine = Machine.made()
    pem = machine.write(folder)
    site = _Site(folder, free_port(), free_port(), way, pem)
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n127.0.0.2 {BRIDGE}\n")
    (folder / "authorities").write_bytes(authority.read_bytes())
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")  # nobody answers, and at once
    places = {
        "/etc/hosts": folder / "hosts",
        "/etc/resolv.conf": folder / "resolv.conf",
        "/etc/ssl/certs/ca-certificates.crt": folder / "authorities",
    }
    server = SERVERS[name](site, places)
    return SmartHost(server, way, folder, site.bridge_port, site.mailbox_port, machine)


async def until(true: Callable[[], bool], host: SmartHost) -> None:
    """Wait for something that another process does; fails with what the mail server logged."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                if true():
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(host.server.log())


def _postfix(site: _Site, places: Mapping[str, Path]) -> PostfixServer:
    blocks = site.blocks("Postfix")
    for name in ("sms-password", "transport"):
        site.write(name, blocks[f"/etc/postfix/{name}"])
    service = site.without(blocks["/etc/postfix/master.cf"], login="sasl")
    if site.way == "implicit":
        service += "  -o smtp_tls_wrappermode=yes\n"
    if site.way == "certificate":
        service += f"  -o smtp_tls_chain_files={site.pem}\n"
    lines = [line.split(" = ", 1) for line in blocks["/etc/postfix/main.cf"].splitlines()]
    settings = {"relayhost": f"[127.0.0.1]:{site.mailbox_port}", "smtp_host_lookup": "native", **dict(lines)}
    return PostfixServer.create(settings, services=service, places=places)


def _exim(site: _Site, places: Mapping[str, Path]) -> EximServer:
    blocks = site.blocks("Exim")
    site.write("sms-password", f"{APP_PASSWORD}\n")
    (site.folder / "sms-password").chmod(0o644)
    transport = site.without(blocks["begin transports"], login="hosts_require_auth")
    if site.way == "implicit":
        transport += "  protocol = smtps\n"
    if site.way == "certificate":
        transport += f"  tls_certificate = {site.pem}\n"
    if site.way == "plain":
        transport += "  hosts_avoid_tls = *\n"
    others = (
        f"driver = manualroute\n  transport = rest\n  route_list = * 127.0.0.1::{site.mailbox_port}\n  self = send\n"
    )
    configuration = [
        f"begin routers\n{blocks['begin routers']}rest:\n  {others}",
        f"begin transports\n{transport}rest:\n  driver = smtp\n",
        f"begin authenticators\n{blocks['begin authenticators']}" if site.way not in WITHOUT_LOGIN else "",
        "begin retry\n* * F,1h,1s\n",
    ]
    return EximServer.create("".join(configuration), places=places)


def _opensmtpd(site: _Site, places: Mapping[str, Path]) -> OpenSmtpdServer:
    blocks = site.blocks("OpenSMTPD")
    site.write("smtpd-sms-password", blocks["/etc/smtpd-sms-password"])
    configuration = blocks["/etc/smtpd.conf"]
    if site.way == "implicit":
        configuration = configuration.replace("smtp+tls://", "smtps://")
    if site.way in WITHOUT_LOGIN:
        configuration = configuration.replace("bridge@", "").replace("auth <sms> ", "")
    if site.way == "plain":
        configuration = configuration.replace("smtp+tls://", "smtp+notls://").replace(" tls\n", "\n")
    rest = f'action "rest" relay host smtp://127.0.0.1:{site.mailbox_port}\nmatch from any for any action "rest"\n'
    return OpenSmtpdServer.create(configuration + rest, places=places)


SERVERS: dict[str, Callable[[_Site, Mapping[str, Path]], PostfixServer | EximServer | OpenSmtpdServer]] = {
    "postfix": _postfix,
    "exim": _exim,
    "opensmtpd": _opensmtpd,
}
