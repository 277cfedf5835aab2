"""The dialogs of the front door, one test each; `dialogs/` is in the form that `tests.smtp.conversation` reads.

A line that begins with `=>` says how far the conversation has come when the first line is said (`STATES`), and which
door it is (`tls`, `network`, `full`, `no-plaintext-login`).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bridge.access.credentials import Credentials
from bridge.types import Mailbox
from tests.smtp.conftest import LOGIN, NUMBER, Admitted, House, OpenHouse, logins_of, opening
from tests.smtp.conversation import Dialog, Ear, converse, open_with, read_dialogs

EHLO = ["EHLO pc.example.test"]
LOGGED_IN = [*EHLO, "AUTH PLAIN AGNsaW5pY0BleGFtcGxlLnRlc3QAY2xpbmljLWRlbW8="]
IN_MAIL = [*LOGGED_IN, f"MAIL FROM:<{LOGIN}>"]
WITH_RECIPIENT = [*IN_MAIL, f"RCPT TO:{NUMBER}"]
IN_CHUNKS = [*WITH_RECIPIENT, "BDAT 4\r\nHi\r\n\\"]
STATES = {
    "connected": [],
    "helo": ["HELO pc.example.test"],
    "greeted": EHLO,
    "logged-in": LOGGED_IN,
    "in-mail": IN_MAIL,
    "with-recipient": WITH_RECIPIENT,
    "in-chunks": IN_CHUNKS,
    "failed-chunk": [*IN_CHUNKS, "BDAT 3000\r\n" + "x" * 3000 + "\\"],
    "after-mail": [*WITH_RECIPIENT, "BDAT 4 LAST\r\nHi\r\n\\"],
    "in-data": [*WITH_RECIPIENT, "DATA"],
}

DIALOGS = list(read_dialogs(Path(__file__).parent / "dialogs"))


def told(admitted: list[Admitted]) -> str:
    """What was taken last, on one line."""
    if not admitted:
        return "nothing"
    mail = admitted[-1]
    envelope, options = mail.envelope, mail.envelope.options
    first = mail.recipients[0]
    facts = {
        "mails": len(admitted),
        "from": f"<{envelope.mail_from}>",
        "to": ",".join(mail.numbers),
        "ret": envelope.ret,
        "envid": envelope.envid,
        "notify": None if first.notify is None else ",".join(sorted(first.notify)),
        "orcpt": first.orcpt,
        "send_at": _from(envelope.received_at, options.send_at),
        "expires_at": _from(envelope.received_at, options.expires_at),
        "priority": options.priority,
        "release": options.release,
        "deliver_by": _from(envelope.received_at, options.deliver_by),
        "late_at": _from(envelope.received_at, options.late_at),
        "trace": options.trace or None,
        "raw": repr(mail.raw)[2:-1],
    }
    return " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)


def _from(moment: datetime, other: datetime | None) -> str | None:
    """To ten seconds, which no dialog takes."""
    return None if other is None else f"{round((other - moment).total_seconds(), -1):+.0f}"


@pytest.fixture(scope="module")
async def shared(certificate: Path, credentials: Credentials, mailbox: Mailbox) -> AsyncIterator[OpenHouse]:
    """Gives every dialog the same front door, but for the one whose settings must differ."""
    known: dict[bool, House] = {}
    async with opening(certificate, credentials, mailbox) as start:

        async def house(*, plaintext_login: bool) -> House:
            if plaintext_login not in known:
                known[plaintext_login] = await start(
                    plaintext_login=plaintext_login, max_recipients=3, max_mail_bytes=2000
                )
            found = known[plaintext_login]
            found.admission.admitted.clear()
            found.directory.networks.clear()
            found.front.disk_full = lambda: False
            found.front.logins = logins_of(found.directory, credentials)
            return found

        yield house


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.name)
@pytest.mark.usefixtures("quick")
async def test_dialog(dialog: Dialog, shared: OpenHouse, trusting: ssl.SSLContext) -> None:
    words = dialog.words
    house = await shared(plaintext_login="no-plaintext-login" not in words)
    if "network" in words:
        house.directory.networks["127.0.0.1"] = LOGIN
    client = await house.connect(tls=trusting if "tls" in words else None)
    ear = Ear(client)
    await open_with(ear, STATES, dialog)
    house.admission.admitted.clear()
    if "full" in words:
        house.front.disk_full = lambda: True

    async def taken() -> str:
        return told(house.admission.admitted)

    await converse(dialog, ear, taken, trusting)
    await client.close()
    house.clients.remove(client)


def test_there_are_dialogs_enough() -> None:
    assert len(DIALOGS) >= 120
    assert len({dialog.name for dialog in DIALOGS}) == len(DIALOGS)
    unknown = {word for dialog in DIALOGS for word in dialog.words}
    assert unknown <= STATES.keys() | {"tls", "network", "full", "no-plaintext-login"}
