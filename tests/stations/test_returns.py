"""What a lost answer sets off, on a real store: once for each mail, in one transaction, and never in a circle."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge import clock
from bridge.errors import MailRefusal
from bridge.notices import bounces
from bridge.settings import OperatorSettings, ReplySettings
from bridge.store import engine as engine_module
from bridge.store.mails import MailResult, Mails
from bridge.store.store import Store
from bridge.types import OutgoingMail
from tests.reading.test_bounce import recipient, report
from tests.stations.conftest import DESK, OPERATOR, PHONE, returns_of, under_way, waiting, words
from tests.stations.phone import Phone
from tests.store.conftest import StoreRoom, Template, open_room

FAILED = report(recipient("failed", "5.1.1"))


async def answer(room: StoreRoom, text: str = "Sì") -> OutgoingMail:
    """A phone's answer to the clinic; its mail has left."""
    mail = await under_way(room, text)
    await room.mails.settle(MailResult(mail.id, "sent", clock.now()))
    return mail


async def states(room: StoreRoom) -> dict[str, int]:
    return (await room.store.ledger.counts())["mails"]


async def test_a_failure_is_told_and_the_answer_goes_to_the_fallback_mailbox(
    room: StoreRoom, desk: ReplySettings
) -> None:
    mail = await answer(room, "Non posso")
    back = returns_of(room, replies=desk)
    assert back.mail_of(mail.envelope_from) == mail.id
    await back.take(mail.id, FAILED)
    alert, stand_in = sorted(await waiting(room), key=lambda mail: mail.envelope_to != OPERATOR)
    assert (alert.envelope_from, alert.envelope_to) == ("", OPERATOR)
    assert stand_in.envelope_to == DESK
    assert back.mail_of(stand_in.envelope_from) == stand_in.id != mail.id
    assert f"Dit antwoord was bestemd voor {room.mailbox.login}" in words(stand_in)
    assert PHONE[1:].encode() not in alert.raw
    assert "posso" not in words(alert)
    assert await states(room) == {"bounced": 1, "queued": 2}


async def test_what_is_told_once_is_not_told_again(room: StoreRoom, desk: ReplySettings) -> None:
    mail = await answer(room)
    back = returns_of(room, replies=desk)
    await asyncio.gather(*(back.take(mail.id, FAILED) for _ in range(3)))
    await back.take(mail.id, FAILED)
    await back.lost(MailResult(mail.id, "failed", clock.now(), "(550 5.1.1)"))
    assert await states(room) == {"bounced": 1, "queued": 2}


async def test_two_nodes_that_hear_of_it_at_once_tell_it_once(room: StoreRoom, desk: ReplySettings) -> None:
    mail = await answer(room)
    async with Store(room.store.settings) as other:
        there = replace(room, store=other, mails=Mails(other.engine, other.committer))
        nodes = [returns_of(room, replies=desk), returns_of(there, replies=desk)]
        await asyncio.gather(*(node.take(mail.id, FAILED) for node in nodes * 3))
    assert await states(room) == {"bounced": 1, "queued": 2}


async def test_the_bounce_of_the_stand_in_ends_with_the_operator(room: StoreRoom, desk: ReplySettings) -> None:
    back = returns_of(room, replies=desk)
    await back.take((await answer(room)).id, FAILED)
    (stand_in,) = [mail for mail in await waiting(room) if mail.envelope_to == DESK]
    await room.mails.settle(MailResult(stand_in.id, "sent", clock.now()))
    await back.take(stand_in.id, FAILED)
    (second,) = await waiting(room)
    assert second.envelope_to == OPERATOR
    assert "not sent anywhere else" in words(second)
    await back.take(stand_in.id, FAILED)
    assert await waiting(room) == []


@pytest.mark.parametrize(
    "fallback",
    [
        pytest.param("", id="there is none"),
        pytest.param("nobody@example.test", id="it is no mailbox"),
        pytest.param("CLINIC@example.test", id="it is the one that bounced"),
    ],
)
async def test_without_another_mailbox_only_the_operator_hears_of_it(room: StoreRoom, fallback: str) -> None:
    mail = await answer(room)
    await returns_of(room, replies=ReplySettings(fallback=fallback)).take(mail.id, FAILED)
    (alert,) = await waiting(room)
    assert alert.envelope_to == OPERATOR
    assert "Nobody has read it yet" in words(alert)


async def test_without_an_operator_the_answer_is_passed_on_all_the_same(room: StoreRoom, desk: ReplySettings) -> None:
    mail = await answer(room)
    await returns_of(room, replies=desk, operator=OperatorSettings()).take(mail.id, FAILED)
    assert [mail.envelope_to for mail in await waiting(room)] == [DESK]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(report(recipient("delayed", "4.4.1")), id="delayed"),
        pytest.param(report(recipient("delivered", "2.0.0")), id="delivered"),
        pytest.param(report(recipient("relayed", "2.0.0")), id="relayed"),
        pytest.param(b"Auto-Submitted: auto-replied\r\nSubject: Out of office\r\n\r\n", id="a vacation answer"),
    ],
)
async def test_nothing_follows_from_other_news(room: StoreRoom, desk: ReplySettings, raw: bytes) -> None:
    mail = await answer(room)
    await returns_of(room, replies=desk).take(mail.id, raw)
    assert await states(room) == {"sent": 1}


async def test_a_bounce_that_overtakes_the_postman_is_not_lost(room: StoreRoom, desk: ReplySettings) -> None:
    """Postfix can send a mail back before its 250 has been written down; and what came back is not sent again."""
    mail = await under_way(room)
    await returns_of(room, replies=desk).take(mail.id, FAILED)
    assert not await room.mails.settle(MailResult(mail.id, "sent", clock.now()))
    assert not await room.mails.settle(MailResult(mail.id, "queued", clock.now(), due_at=clock.now()))
    assert await states(room) == {"bounced": 1, "queued": 2}


async def test_while_the_database_is_locked_the_mail_server_keeps_the_bounce(
    tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY", 0.1)
    async with open_room(tmp_path, template) as room:
        mail, back = await answer(room), returns_of(room)
        with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(MailRefusal) as caught:
                await back.take(mail.id, FAILED)
            assert caught.value.reply.startswith("452 4.3.1")
            other.execute("ROLLBACK")
        await back.take(mail.id, FAILED)
        assert await states(room) == {"bounced": 1, "queued": 1}


async def test_an_answer_that_cannot_be_composed_is_settled_and_told(room: StoreRoom, desk: ReplySettings) -> None:
    """What breaks the bridge once must not bounce, or be tried, for ever."""
    broken = replace(room.mailbox, id="", login="broken@example.test", timezone="Nowhere/At-All")
    await room.store.mailboxes.add(broken)
    await room.store.directory.refresh()
    mail = await answer(room)
    await returns_of(room, replies=ReplySettings(fallback=broken.login)).take(mail.id, FAILED)
    (alert,) = await waiting(room)
    assert alert.envelope_to == OPERATOR
    assert "Nobody has read it yet" in words(alert)


@pytest.mark.parametrize(
    ("text", "said"), [("STOP", "STOP"), ("Kom ik", ""), ("BASTA", "")], ids=["stop", "an answer", "no command"]
)
async def test_the_fallback_mailbox_reads_of_a_block_too(
    room: StoreRoom, desk: ReplySettings, text: str, said: str
) -> None:
    mail = await answer(room, text)
    await returns_of(room, replies=desk).take(mail.id, FAILED)
    (stand_in,) = [mail for mail in await waiting(room) if mail.envelope_to == DESK]
    assert ("heeft gevraagd" in words(stand_in)) is bool(said)


async def test_the_fallback_mailbox_is_not_asked_about_a_phone_that_was_blocked_before(
    room: StoreRoom, desk: ReplySettings
) -> None:
    phone = Phone(room)
    await phone.writes("STOP")
    await waiting(room)
    await phone.writes("Please stop texting me")
    (mail,) = await waiting(room)
    await room.mails.settle(MailResult(mail.id, "sent", clock.now()))
    await returns_of(room, replies=desk).take(mail.id, FAILED)
    (stand_in,) = [each for each in await waiting(room) if each.envelope_to == DESK]
    assert "waren al geblokkeerd" in words(stand_in)
    assert "+allow@" not in words(stand_in)


async def test_a_bounce_of_a_mail_that_is_not_known_is_taken_and_forgotten(room: StoreRoom) -> None:
    await returns_of(room).take(bounces.mail_id(clock.new_id()), FAILED)
    assert await states(room) == {}
