"""A bridge behind a real Postfix, as an organisation has it: mail leaves through it, and its bounces come back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx

from bridge.access.credentials import hash_password
from bridge.app import Bridge
from bridge.demo_mailboxes import PASSWORDS, demo_mailbox
from bridge.settings import OperatorSettings, RelaySettings, ReplySettings, TlsMode, demo_settings
from bridge.simulator.server import Simulator
from bridge.store.store import Store
from tests.road.demo_process import DOMAIN, LOGIN, PASSWORD, compose
from tests.servers.ports import free_port
from tests.servers.postfix import PostfixServer
from tests.servers.web import NOBODY

OPERATOR = "operator@example.test"
CLOSED = "gone@example.test"
"""An address that Postfix takes mail for and cannot deliver: it makes a bounce."""
ALSO_CLOSED = "front-desk@example.test"
REFUSED = "nobody@example.test"
"""An address that Postfix refuses while it is being spoken to."""
FULL = "full@example.test"

_SECRET = "a secret of two"
PATIENCE = 30.0


@dataclass(frozen=True)
class Relay:
    """Postfix, and the ports to which it passes mail on."""

    postfix: PostfixServer
    bridge_port: int
    """Takes what is for the bridge's own domain."""
    mailbox_port: int
    """Takes the rest."""

    @staticmethod
    def create() -> Relay:
        """Start a Postfix that passes mail on, and makes bounces of what is for closed mailboxes."""
        bridge_port, mailbox_port = free_port(), free_port()
        routes = {
            **dict.fromkeys((CLOSED, ALSO_CLOSED), "error:5.1.1 no such mailbox"),
            FULL: "error:5.2.2 over quota",
            DOMAIN: f"smtp:[127.0.0.1]:{bridge_port}",
            "*": f"smtp:[127.0.0.1]:{mailbox_port}",
        }
        settings = {
            "transport_maps": _inline(routes),
            # It would otherwise refuse what it cannot deliver at once, and make no bounce.
            "smtpd_reject_unlisted_recipient": "no",
            "smtpd_recipient_restrictions": f"check_recipient_access {_inline({REFUSED: '550 5.1.1 nobody'})}",
        }
        return Relay(PostfixServer.create(settings), bridge_port, mailbox_port)


def _inline(table: Mapping[str, str]) -> str:
    return "inline:{ " + ", ".join(f"{{{key} = {value}}}" for key, value in table.items()) + " }"


@dataclass
class Clinic:
    """The running bridge, its Postfix and the phones; what Postfix delivers lies in the simulator's mailboxes."""

    bridge: Bridge
    postfix: PostfixServer
    http: httpx.AsyncClient

    async def asks(self, number: str, author: str = LOGIN, text: str = "Can you come?", **headers: str) -> str:
        """Text a phone with a mail from one of the clinic's addresses, and see it arrive; the mail's Message-ID."""
        message_id = await self.sends(number, author, text, **headers)
        await self.until(lambda: self._texts(number))
        return message_id

    async def sends(self, number: str, author: str = LOGIN, text: str = "Can you come?", **headers: str) -> str:
        """Hand in a mail to a phone, from one of the clinic's addresses; its Message-ID."""
        mail = compose(author, [f"{number}@{DOMAIN}"], text, headers=headers)
        await aiosmtplib.send(
            mail,
            sender=LOGIN,
            hostname="127.0.0.1",
            port=self.bridge.door.port,
            username=LOGIN,
            password=PASSWORD,
            start_tls=False,
        )
        return str(mail["Message-ID"])

    async def texts_back(self, number: str, text: str) -> None:
        """The phone answers."""
        answer = await self.http.post(f"/simulator/api/phones/{number}/replies", json={"text": text})
        assert answer.status_code == 201

    async def mails(self, address: str) -> list[EmailMessage]:
        """What Postfix delivered to an address, oldest first."""
        listed = (await self.http.get(f"/simulator/api/mail/{address}")).json()
        found = [await self.http.get(f"/simulator/api/mail/{address}/{entry['id']}") for entry in listed]
        return [message_from_bytes(answer.content, policy=policy.default) for answer in found]

    async def phones(self) -> list[str]:
        """Every phone that was ever texted."""
        return [phone["number"] for phone in (await self.http.get("/simulator/api/phones")).json()]

    def outgoing(self) -> list[tuple[str, str, str]]:
        """Kind, address and state of every mail that the bridge wrote, oldest first."""
        return [(row[1], row[2], row[3]) for row in self._rows()]

    def envelope(self, kind: str) -> tuple[str, str]:
        """Envelope sender and recipient of the one mail of a kind."""
        ((sender, recipient),) = [(row[4], row[2]) for row in self._rows() if row[1] == kind]
        return sender, recipient

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        file = self.bridge.settings.data_dir / "bridge.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            query = "SELECT id, kind, envelope_to, state, envelope_from FROM mail ORDER BY created_at, kind"
            return database.execute(query).fetchall()

    async def until(self, look: Callable[[], object]) -> None:
        """Look again and again until `look`, or what it awaits, is true."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = look()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return
                await asyncio.sleep(0.05)

    async def quiet(self) -> None:
        """Everything that was to be mailed has been, and Postfix has nothing left."""

        def done() -> bool:
            return "queued" not in {state for _, _, state in self.outgoing()} and not self.postfix.queue()

        await self.until(done)

    async def _texts(self, number: str) -> bool:
        return bool((await self.http.get(f"/simulator/api/phones/{number}")).json()["messages"])


@asynccontextmanager
async def clinic(relay: Relay, folder: Path, *, fallback: str) -> AsyncIterator[Clinic]:
    """A bridge, the phone network and the mailboxes, with Postfix between."""
    http_port = free_port()
    base = f"http://127.0.0.1:{http_port}"
    settings = demo_settings(folder, relay.bridge_port, http_port, relay.mailbox_port, _SECRET).model_copy(
        update={
            "relay": RelaySettings(
                host="127.0.0.1", port=relay.postfix.port, tls=TlsMode.NONE, bounces_from=("127.0.0.1/32",)
            ),
            "operator": OperatorSettings(address=OPERATOR),
            "replies": ReplySettings(fallback=fallback),
        }
    )
    simulator = Simulator(folder, f"{base}/hooks/simulator", _SECRET, mail_port=relay.mailbox_port)
    await simulator.start()
    async with Store(settings) as store:
        for login, password in PASSWORDS.items():
            await store.mailboxes.add(demo_mailbox(login, hash_password(password)))
    bridge = Bridge(settings, simulator.routes)
    await bridge.start()
    try:
        async with httpx.AsyncClient(base_url=base, verify=NOBODY) as http:
            yield Clinic(bridge, relay.postfix, http)
    finally:
        await simulator.hang_up()
        await bridge.stop()
        await simulator.stop()
