"""The dialogs of the MX door, one test each; `dialogs/` is in the form that `tests.smtp.conversation` reads.

A line that begins with `=>` says how far the conversation has come when the first line is said (`STATES`), and whether
the disk is `full` or the peer speaks too `early`. `{bounce}` is a bounce address of the bridge's, `{signed}` a mail to
one phone with a right signature, of a domain whose SPF record names nobody.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bridge import clock
from bridge.notices.bounces import mail_id, make
from bridge.store.mails import MailKind
from bridge.types import OutgoingMail
from tests.access.letters import rsa_record, signed
from tests.mx.conftest import ANNA, HERE, PHONE, Mx, letter, opening
from tests.servers.dns import Fault, NameServer
from tests.smtp.conftest import Client
from tests.smtp.conversation import Dialog, Ear, converse, open_with, read_dialogs
from tests.stations.conftest import KEY
from tests.store.conftest import DOMAIN, Template, open_room

EHLO = ["EHLO mx.provider.example"]
IN_MAIL = [*EHLO, f"MAIL FROM:<{ANNA}>"]
WITH_RECIPIENT = [*IN_MAIL, f"RCPT TO:<{PHONE}>"]
STATES = {
    "connected": [],
    "greeted": EHLO,
    "in-mail": IN_MAIL,
    "in-bounce": [*EHLO, "MAIL FROM:<>"],
    "with-recipient": WITH_RECIPIENT,
    "in-chunks": [*WITH_RECIPIENT, f"BDAT 29\r\nFrom: {ANNA}\r\n\r\n\\"],
    "after-mail": [*WITH_RECIPIENT, f"BDAT 33 LAST\r\nFrom: {ANNA}\r\n\r\nHi\r\n\\"],
}
SILENT = "silent.example"

DIALOGS = list(read_dialogs(Path(__file__).parent / "dialogs"))


@dataclass(frozen=True)
class Stage:
    """One door for all dialogs, and what their lines may name."""

    mx: Mx
    words: dict[str, str]


@pytest.fixture(scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory, template: Template, names: NameServer, certificate: Path
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("mx")
    async with open_room(folder, template) as room, opening(room, names) as start:
        mx = await start(certificate=certificate, max_recipients=3, max_mail_bytes=2000)
        bounce = make(await _answer_under_way(mx), KEY, clock.now())
        mail = signed(letter("front@small.example"), "small.example", names="from:to:subject:date:message-id")
        yield Stage(mx, {"{bounce}": f"{bounce}@{DOMAIN}", "{signed}": mail.decode().removesuffix("\r\n")})


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.name)
async def test_dialog(dialog: Dialog, stage: Stage, trusting: ssl.SSLContext) -> None:
    mx = stage.mx
    mx.names.zone = HERE | {"s1._domainkey.small.example": {"TXT": [rsa_record()]}}
    mx.names.faults = dict.fromkeys((SILENT, f"_dmarc.{SILENT}"), Fault.SERVFAIL)
    for word, meaning in stage.words.items():
        dialog = replace(dialog, lines=tuple((number, line.replace(word, meaning)) for number, line in dialog.lines))
    asked = any(line.startswith("A: ") for _, line in dialog.lines)
    before = len(await mx.texts()) if asked else 0
    client = await _early(mx) if "early" in dialog.words else await mx.connect()
    ear = Ear(client)
    await open_with(ear, STATES, dialog)
    mx.door.disk_full = lambda: "full" in dialog.words

    async def taken() -> str:
        return " ".join(f"{phone}={text}" for phone, text in (await mx.texts())[before:]) or "nothing"

    await converse(dialog, ear, taken, trusting)
    mx.door.disk_full = lambda: False
    await client.close()
    mx.clients.remove(client)


async def _early(mx: Mx) -> Client:
    """Who has said something before the door even sees the connection."""
    assert mx.server.port is not None
    peer = socket.create_connection(("127.0.0.1", mx.server.port), timeout=20)
    peer.sendall(b"EHLO spam\r\n")
    peer.setblocking(False)
    client = Client(*await asyncio.open_connection(sock=peer))
    mx.clients.append(client)
    return client


async def _answer_under_way(mx: Mx) -> str:
    """The id of a mail of ours that may come back."""
    mail = OutgoingMail(mail_id(clock.new_id()), "b-x@" + DOMAIN, ANNA, b"Subject: SI\r\n\r\nSI\r\n")
    await mx.room.mails.add(mail, MailKind.REPLY, replace(mx.room.mailbox))
    return mail.id


def test_each_dialog_has_its_name_and_state() -> None:
    assert len({dialog.name for dialog in DIALOGS}) == len(DIALOGS)
    assert {word for dialog in DIALOGS for word in dialog.words} <= STATES.keys() | {"full", "early"}
