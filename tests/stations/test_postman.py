"""The postman between a real store and a real mail server: what the server took is settled, and sent once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from bridge import clock
from bridge import postman as postman_module
from bridge.mailback.relay import Relay, RelaySettings
from bridge.postman import Postman
from bridge.settings import ReplySettings, TlsMode
from bridge.store import engine as engine_module
from bridge.store.mails import MailResult
from bridge.store.reports import Told
from bridge.store.transitions import Change
from bridge.streaks import Streaks
from bridge.types import MessageState, OutgoingMail
from tests.stations.conftest import DESK, OPERATOR, refusals, returns_of, under_way, words
from tests.store.conftest import StoreRoom, Template, new_mail, open_room
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
            postman = Postman(room.mails, relay, returns_of(room), node="me", streaks=Streaks())
            refused = refusals(monkeypatch, room.mails, "settle")
            running = asyncio.create_task(postman.run())
            async with asyncio.timeout(30):
                await refused.wait()
                mailbox.taken.clear()
                other.execute("ROLLBACK")
                await mailbox.taken.wait()  # the other mail: the first is settled
                postman.stop()
                await running
            await relay.close()
            server.close()
        assert len(mailbox.mails) == 2
        assert (await room.store.ledger.counts())["mails"] == {"sent": 2}


class Strict:
    """A mail server that says one thing to every recipient but the operator and the front desk."""

    def __init__(self, says: str) -> None:
        self.says = says
        self.mails: dict[str, bytes] = {}

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address not in (OPERATOR, DESK):
            return self.says
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails[envelope.rcpt_tos[0]] = envelope.content
        return "250 2.0.0 taken"


@pytest.mark.parametrize(
    ("says", "tries", "reason"),
    [
        pytest.param("550 5.1.1 nobody", 1, "does not know this address (550 5.1.1)", id="refused for good"),
        pytest.param("550 no", 1, "the mail server gave the code 550", id="refused for good, in one word"),
        pytest.param("450 4.2.2 full", 500, "the mailbox is full (450 4.2.2)", id="given up after days"),
    ],
)
async def test_an_answer_that_the_server_never_takes_goes_the_way_of_a_bounce(
    room: StoreRoom, desk: ReplySettings, says: str, tries: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman_module, "GIVE_UP_TRIES", 1 if tries == 500 else 500)
    mailbox = Strict(says)
    mail = await under_way(room)
    await room.mails.settle(MailResult(mail.id, "queued", clock.now(), due_at=clock.now()))
    await delivering(room, desk, mailbox, {"failed": 1, "sent": 2})
    assert sorted(mailbox.mails) == [DESK, OPERATOR]
    assert reason in words(OutgoingMail("", "", "", mailbox.mails[OPERATOR]))


async def test_a_report_that_is_refused_is_only_written_down(room: StoreRoom, desk: ReplySettings) -> None:
    taken = await room.outbox.take(new_mail(room.mailbox))
    (view,) = await room.store.ledger.submission_messages(taken.submission_id)
    for state in (MessageState.SENDING, MessageState.FAILED):
        await room.store.queue.change(Change(view.id, state, clock.now()))
    (due,) = await room.reports.due(clock.now(), 10)
    report = OutgoingMail(f"report.{taken.submission_id}.1", "", room.mailbox.login, b"Subject: SMS\r\n\r\n")
    await room.reports.told(Told(due, (report,)))
    mailbox = Strict("550 5.1.1 nobody")
    await delivering(room, desk, mailbox, {"failed": 1})
    assert mailbox.mails == {}


async def delivering(room: StoreRoom, desk: ReplySettings, handler: object, expected: dict[str, int]) -> None:
    """Let a postman work with a mail server until the mails are in these states."""
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler, hostname="localhost"), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    relay = Relay(RelaySettings(host="127.0.0.1", port=port, tls=TlsMode.NONE))
    postman = Postman(room.mails, relay, returns_of(room, replies=desk), node="me", streaks=Streaks())
    running = asyncio.create_task(postman.run())
    async with asyncio.timeout(30):
        while True:
            if (await room.store.ledger.counts())["mails"] == expected:
                break
            await asyncio.sleep(0.02)
    postman.stop()
    await running
    await relay.close()
    server.close()
