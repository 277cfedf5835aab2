"""The postman between a real store and a real mail server: what the server took is settled, and sent once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from bridge.mailback.relay import Relay, RelaySettings
from bridge.postman import Postman
from bridge.settings import TlsMode
from bridge.store import engine as engine_module
from bridge.streaks import Streaks
from tests.store.conftest import Template, open_room
from tests.store.test_mails import mail_of


class Mailbox:
    """A mail server; while it takes the first mail, another process takes hold of the database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.mails: list[bytes] = []
        self.taken = asyncio.Event()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        if len(self.mails) == 1:
            self.database.execute("BEGIN IMMEDIATE")
        self.taken.set()
        return "250 2.0.0 taken"


async def test_what_the_server_took_is_not_sent_again_when_the_database_was_locked(
    tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY", 0.1)
    async with open_room(tmp_path, template) as room:
        for event_id in ("1", "2"):
            await mail_of(room, event_id)
        with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
            mailbox = Mailbox(other)
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: SMTP(mailbox, hostname="localhost"), "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            relay = Relay(RelaySettings(host="127.0.0.1", port=port, tls=TlsMode.NONE))
            postman = Postman(room.mails, relay, node="me", streaks=Streaks())
            running = asyncio.create_task(postman.run())
            async with asyncio.timeout(20):
                await mailbox.taken.wait()
                mailbox.taken.clear()
                await asyncio.sleep(0.3)  # long enough for the first try to settle it to fail
                other.execute("ROLLBACK")
                await mailbox.taken.wait()  # the other mail: the first is settled
                postman.stop()
                await running
            await relay.close()
            server.close()
        assert len(mailbox.mails) == 2
        assert (await room.store.ledger.counts())["mails"] == {"sent": 2}
