"""An MMS on a real store: its pictures go wherever its words go, and only its words are kept beside the mails."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes

import pytest
from sqlalchemy import select

from bridge import clock
from bridge.gateways.media_kinds import file_of
from bridge.settings import ReplySettings
from bridge.store.engine import reading
from bridge.store.filings import FilingRule
from bridge.store.inbox import Inbox
from bridge.store.mails import MailResult
from bridge.store.tables import inbound_contents, mail_contents, mails
from bridge.types import Enclosed, FiledKind, InboundSms, Keyword, OutgoingMail
from tests.clinic import CLINIC
from tests.stations.conftest import DESK, OPERATOR, PHONE, intake_of, returns_of, waiting, words
from tests.store.conftest import GATEWAY, StoreRoom, new_mail

SHARED = "+390200000071"
PICTURE = b"\xff\xd8\xff\xe0 a picture of a rash"
RAW = "NumMedia=1&MediaUrl0=https%3A%2F%2Fapi.example.test%2F1"


def mms(text: str = "Ecco", to: str = SHARED, *, missing: int = 0) -> InboundSms:
    file = file_of(PICTURE)
    assert file is not None
    sms = InboundSms(GATEWAY, "1", PHONE, to, text, clock.now(), raw=RAW)
    return replace(sms, enclosed=Enclosed((file,), missing=missing))


def pictures(mail: OutgoingMail) -> list[bytes]:
    parts = message_from_bytes(mail.raw).walk()
    found = [part.get_payload(decode=True) for part in parts if part.get_content_maintype() == "image"]
    return [each for each in found if isinstance(each, bytes)]


@pytest.mark.parametrize("ambiguous", ["all", "last"])
async def test_everybody_who_gets_the_words_gets_the_picture(room: StoreRoom, ambiguous: str) -> None:
    for name in ("desk", "lab"):
        await room.store.mailboxes.add(replace(CLINIC, login=f"{name}@example.test", sender=SHARED))
        await room.store.directory.refresh()
        mailbox = room.store.directory.by_login(f"{name}@example.test")
        assert mailbox is not None
        await room.store.keywords.save(mailbox, Keyword("Ecco", forward=("dermatology@example.org",)))
        await room.outbox.take(new_mail(mailbox, [PHONE], message_id=f"<{name}@x>", at=clock.now()))
    await room.store.directory.refresh()
    await intake_of(room, ambiguous=ambiguous).hear([mms()])
    found = await waiting(room)
    who = {mail.envelope_to for mail in found}
    assert len(found) == len(who) == (3 if ambiguous == "all" else 2)
    assert "dermatology@example.org" in who
    assert [pictures(mail) for mail in found] == [[PICTURE]] * len(found)


async def test_the_store_keeps_the_words_and_what_was_called_beside_the_mail(room: StoreRoom) -> None:
    await intake_of(room).hear([mms("", room.mailbox.sender)])
    (mail,) = await waiting(room)
    assert pictures(mail) == [PICTURE]
    assert words(mail).startswith("(The phone sent a picture")
    async with reading(room.store.engine) as connection:
        rows = (await connection.execute(select(inbound_contents.c.text, inbound_contents.c.raw))).all()
    assert [tuple(row) for row in rows] == [("", RAW)]


async def test_the_filed_copy_has_the_picture_too(room: StoreRoom) -> None:
    rules = {room.mailbox.login: FilingRule("SMS", frozenset({FiledKind.REPLIES}))}
    inbox = Inbox(room.store.committer, room.store.key, report_wait=60, filing=rules)
    await intake_of(replace(room, inbox=inbox)).hear([mms(to=room.mailbox.sender)])
    async with reading(room.store.engine) as connection:
        kept = (await connection.execute(select(mails.c.channel, mail_contents.c.raw).join(mail_contents))).all()
    assert sorted(row.channel for row in kept) == ["filing", "relay"]
    assert len({row.raw for row in kept}) == 1


async def test_a_mail_that_a_phone_writes_has_the_picture(room: StoreRoom) -> None:
    intake = intake_of(room, phones_may_mail=(PHONE,), phones_may_mail_to=("bob@example.com",))
    await intake.hear([mms("bob@example.com Ecco", room.mailbox.sender, missing=1)])
    found = {mail.envelope_to: mail for mail in await waiting(room)}
    assert set(found) == {"bob@example.com", room.mailbox.login}
    assert [pictures(mail) for mail in found.values()] == [[PICTURE], [PICTURE]]
    assert words(found["bob@example.com"]).startswith("Ecco Files that came with this message")


async def test_later_mails_quote_it_without_words(room: StoreRoom) -> None:
    inbox = Inbox(room.store.committer, room.store.key, report_wait=60, history=6)
    intake = intake_of(replace(room, inbox=inbox))
    await intake.hear([mms("", room.mailbox.sender)])
    await intake.hear([InboundSms(GATEWAY, "2", PHONE, room.mailbox.sender, "Allora?", clock.now())])
    first, second = await waiting(room)
    assert (pictures(first), pictures(second)) == ([PICTURE], [])
    assert "wrote: > (without words)" in words(second)


async def test_stop_with_a_picture_is_a_stop(room: StoreRoom) -> None:
    await intake_of(room).hear([mms("STOP", room.mailbox.sender)])
    (mail,) = await waiting(room)
    assert pictures(mail) == [PICTURE]
    assert "STOP" in words(mail)


TOO_LARGE = ["(552 5.3.4) too large", "(552) too large", "5.2.3"]


@pytest.mark.parametrize("status", ["5.1.1", "(552 5.2.2) mailbox full"])
async def test_the_fallback_mailbox_gets_it_too(room: StoreRoom, desk: ReplySettings, status: str) -> None:
    await intake_of(room).hear([mms("Ecco", room.mailbox.sender, missing=1)])
    (mail,) = await waiting(room)
    await returns_of(room, replies=desk).lost(MailResult(mail.id, "failed", clock.now(), status))
    (stand_in,) = [each for each in await waiting(room) if each.envelope_to == DESK]
    assert pictures(stand_in) == [PICTURE]
    assert message_from_bytes(stand_in.raw)["X-SMS-Missing-Files"] == "1"
    assert "Ecco" in words(stand_in)


@pytest.mark.parametrize("status", TOO_LARGE)
async def test_a_mail_that_is_too_large_goes_to_the_same_mailbox_without_its_files(
    room: StoreRoom, desk: ReplySettings, status: str
) -> None:
    """Whoever has no fallback mailbox, or is it, would else never read the words."""
    await intake_of(room).hear([mms("Ecco", room.mailbox.sender, missing=1)])
    (mail,) = await waiting(room)
    back = returns_of(room, replies=desk)
    await back.lost(MailResult(mail.id, "failed", clock.now(), status))
    (lighter,) = await waiting(room)
    assert lighter.envelope_to == room.mailbox.login
    assert lighter.id != mail.id
    assert pictures(lighter) == []
    assert message_from_bytes(lighter.raw)["X-SMS-Missing-Files"] == "2"
    assert words(lighter).startswith("Ecco")
    await back.lost(MailResult(lighter.id, "failed", clock.now(), status))
    assert {each.envelope_to for each in await waiting(room)} == {OPERATOR, DESK}


async def test_the_fallback_mailbox_gets_it_without_its_files_if_it_is_too_large_there(
    room: StoreRoom, desk: ReplySettings
) -> None:
    await intake_of(room).hear([mms("Ecco", room.mailbox.sender)])
    (mail,) = await waiting(room)
    back = returns_of(room, replies=desk)
    await back.lost(MailResult(mail.id, "failed", clock.now(), "5.1.1"))
    (stand_in,) = [each for each in await waiting(room) if each.envelope_to == DESK]
    await back.lost(MailResult(stand_in.id, "failed", clock.now(), TOO_LARGE[0]))
    (lighter,) = [each for each in await waiting(room) if each.envelope_to == DESK]
    assert pictures(lighter) == []
    assert "Ecco" in words(lighter)
