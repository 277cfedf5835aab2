"""A phone writes a mail by SMS: whom it names gets it, and the mailbox of the number gets the SMS and knows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.utils import getaddresses
from typing import Any

import pytest

from bridge import clock
from bridge.errors import MailRefusal, Reason
from bridge.routing import Route
from bridge.store.mails import MailResult, MailState
from bridge.types import Envelope, InboundSms, Keyword, Language, OutgoingMail, Recipient
from bridge.types.phone_mail import MOST_MAILS
from tests.notices import grammar
from tests.stations.conftest import PHONE, intake_of, returns_of, waiting, words
from tests.stations.test_admission import admission
from tests.store.conftest import GATEWAY, StoreRoom

COLLEAGUE = "+393331234569"
MAY: dict[str, Any] = {
    "phones_may_mail": (PHONE, COLLEAGUE),
    "phones_may_mail_to": ("bob@example.com", "@clinic.example"),
}

_events = itertools.count()


async def texts(room: StoreRoom, *said: str, number: str = PHONE) -> dict[str, OutgoingMail]:
    """The mails that follow, by whom they go to."""
    intake = intake_of(room, **MAY)
    for text in said:
        event = f"event {next(_events)}"
        await intake.hear([InboundSms(GATEWAY, event, number, room.mailbox.sender, text, clock.now())])
    return {mail.envelope_to: mail for mail in await waiting(room)}


async def test_a_phone_writes_to_two_and_the_mailbox_knows(room: StoreRoom) -> None:
    mails = await texts(room, "bob@example.com,Anna@clinic.example,eve@evil.example#Dr. Però##Sì, 9°#I am late\nSorry")
    assert set(mails) == {"bob@example.com", "Anna@clinic.example", room.mailbox.login}
    mail = mails["bob@example.com"]
    grammar.check_lines(mail.raw)
    read = message_from_bytes(mail.raw, policy=policy.default)
    assert getaddresses([str(read["From"])]) == [("Dr. Però (+39 333 123 4567)", f"{PHONE}@sms.example.test")]
    assert read["Reply-To"] == read["From"]
    assert read["To"] == "bob@example.com, Anna@clinic.example"
    assert read["Subject"] == "Sì, 9°"
    assert read.get_content_type() == "text/plain"
    assert read.get_content().splitlines() == ["I am late", "Sorry"]
    assert (read["X-SMS-From"], read["X-SMS-To"]) == (PHONE, room.mailbox.sender)
    for name in ("Auto-Submitted", "In-Reply-To", "References", "X-SMS-Match", "X-SMS-Intent"):
        assert read[name] is None, name
    assert mail.envelope_from.startswith("b-")
    assert mail.raw != mails["Anna@clinic.example"].raw, "each has an id of its own, to which it bounces"
    told = words(mails[room.mailbox.login])
    assert told.startswith("bob@example.com,Anna@clinic.example")
    assert "also mailed to bob@example.com, Anna@clinic.example." in told
    assert "mailed to eve@evil.example. It was not" in told
    assert "Nobody has written" not in told


async def test_without_a_subject_it_has_that_of_an_sms_in_the_language_of_the_mailbox(room: StoreRoom) -> None:
    await room.store.mailboxes.save(replace(room.mailbox, language=Language.ITALIAN))
    await room.store.directory.refresh()
    mails = await texts(room, "bob@example.com Arrivo")
    read = message_from_bytes(mails["bob@example.com"].raw, policy=policy.default)
    assert read["Subject"] == "SMS da +39 333 123 4567"
    assert read["From"].addresses[0].display_name == PHONE[:3] + " 333 123 4567"
    assert "è stato inviato anche per email a bob@example.com" in words(mails[room.mailbox.login])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("STOP", id="an order"),
        pytest.param("bob@example.com", id="an address alone"),
        pytest.param("Write to bob@example.com please", id="an address among words"),
    ],
)
async def test_other_sms_are_no_mails(room: StoreRoom, text: str) -> None:
    mails = await texts(room, text)
    assert set(mails) == {room.mailbox.login}
    assert "mailed" not in words(mails[room.mailbox.login])


async def test_phones_that_are_not_named_write_none(room: StoreRoom) -> None:
    mails = await texts(room, "bob@example.com Hello", number="+393331234568")
    assert set(mails) == {room.mailbox.login}
    assert "mailed" not in words(mails[room.mailbox.login])


async def test_what_it_says_to_others_is_no_keyword_no_answer_and_no_wish(room: StoreRoom) -> None:
    await room.store.keywords.save(room.mailbox, Keyword("bob", reply="Bob is away.", tag="bob"))
    await room.store.directory.refresh()
    for text in ("bob@example.com Confermo", "bob@example.com Please stop texting me"):
        mails = await texts(room, text)
        own = mails[room.mailbox.login]
        assert b"X-SMS-Tag" not in own.raw
        assert b"X-SMS-Intent" not in own.raw
        assert "no more texts" not in words(own)
    assert not await room.store.ledger.messages(state=None, number=PHONE, login=None, limit=10), "nothing is texted"


async def test_a_phone_writes_so_many_mails_a_day(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(MOST_MAILS):
        assert "bob@example.com" in await texts(room, "bob@example.com Hello")
    mails = await texts(room, "bob@example.com Hello")
    assert set(mails) == {room.mailbox.login}
    assert "+39 333 123 4567 may write 10 mails within 24 hours" in words(mails[room.mailbox.login])
    assert "bob@example.com" in await texts(room, "bob@example.com Hello", number=COLLEAGUE)
    tomorrow = clock.now() + timedelta(hours=24, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert "bob@example.com" in await texts(room, "bob@example.com Hello")


async def test_one_that_comes_back_is_logged_and_nothing_follows(room: StoreRoom) -> None:
    mails = await texts(room, "bob@example.com Hello")
    lost = mails["bob@example.com"]
    await room.mails.settle(MailResult(lost.id, MailState.SENT, clock.now()))
    await returns_of(room).lost(MailResult(lost.id, MailState.BOUNCED, clock.now(), "550 5.1.1"))
    assert await waiting(room) == []


async def test_what_passes_it_on_to_a_phone_makes_no_text_of_it(room: StoreRoom) -> None:
    """A rule of a mailbox that sends on what it gets leaves the header as it was."""
    mails = await texts(room, "bob@example.com Hello")
    desk = admission(room, Route("any"))
    targets = desk.check_recipient(room.mailbox, Recipient(f"{COLLEAGUE}@sms.example.test"))
    with pytest.raises(MailRefusal) as refused:
        await desk.admit(room.mailbox, Envelope("", clock.now()), targets, mails["bob@example.com"].raw)
    assert refused.value.reason is Reason.AUTOMATIC_MAIL


async def test_an_sms_that_is_delivered_twice_is_mailed_once(room: StoreRoom) -> None:
    intake = intake_of(room, **MAY)
    sms = InboundSms(GATEWAY, "twice", PHONE, room.mailbox.sender, "bob@example.com Hello", clock.now())
    await intake.hear([sms])
    await intake.hear([sms])
    assert len(await waiting(room)) == 2
