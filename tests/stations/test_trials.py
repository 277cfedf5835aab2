"""Mails to `preview@…` between the front door and a real store: answered once, and nothing is sent to anybody."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from zoneinfo import ZoneInfo

import pytest

from bridge import clock
from bridge.access.credentials import Credentials, hash_password
from bridge.admission import Admission
from bridge.errors import MailRefusal, Reason, RecipientRefusal
from bridge.routing import Routes
from bridge.store.claims import Claim
from bridge.trials import MOST, Trials
from bridge.types import Envelope, GrammarName, Mailbox, OutgoingMail, Recipient
from tests.stations.conftest import rulings_of
from tests.store.conftest import StoreRoom, new_mail

DOMAIN = "sms.example.test"
PHONE, OTHER = f"+393331234567@{DOMAIN}", f"+393471234567@{DOMAIN}"
TRIAL = f"preview@{DOMAIN}"


def admission(room: StoreRoom) -> Admission:
    return Admission(
        room.outbox,
        room.store.directory,
        domains={DOMAIN},
        routes=Routes.anywhere(),
        credentials=Credentials(),
        taken=lambda: pytest.fail("something is to be sent"),
        trials=Trials(room.mails, domain=DOMAIN, mailed=lambda: None, sign=lambda mail: mail),
        rulings=rulings_of(room),
        threads=room.store.threads,
        beyond_thread=5,
    )


def mail(
    text: str = "Tomorrow at nine.", *, number: int = 1, author: str = "clinic@example.test", more: str = ""
) -> bytes:
    head = f"From: Anna <{author}>\r\nMessage-ID: <{number}@x>\r\nSubject: Visit\r\nReferences: <0@x>\r\n{more}"
    return f"{head}\r\n{text}\r\n".encode()


async def hand_in(
    desk: Admission, mailbox: Mailbox, raw: bytes, *addresses: str, mail_from: str = "clinic@example.test"
) -> str:
    recipients = tuple(Recipient(address) for address in addresses or (TRIAL,))
    targets = [target for recipient in recipients for target in desk.check_recipient(mailbox, recipient)]
    return await desk.admit(mailbox, Envelope(mail_from, clock.now()), targets, raw)


async def queued(room: StoreRoom) -> list[OutgoingMail]:
    now = clock.now()
    return await room.mails.claim(Claim("node", now, now + timedelta(seconds=60), 100))


async def answer(room: StoreRoom) -> EmailMessage:
    """The one mail in the queue."""
    (found,) = await queued(room)
    message = email.message_from_bytes(found.raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


async def letter(room: StoreRoom) -> str:
    """Its words, with plain line ends."""
    return str((await answer(room)).get_content()).replace("\r\n", "\n")


async def texts(room: StoreRoom) -> int:
    return len(await room.store.ledger.messages(state=None, number=None, login=None, limit=10))


async def test_the_answer_is_on_disk_before_the_mail_is_taken(room: StoreRoom) -> None:
    taken = await hand_in(admission(room), room.mailbox, mail())
    (found,) = await queued(room)
    assert (found.id, found.envelope_from, found.envelope_to) == (taken, "", "clinic@example.test")
    assert f"Message-ID: <{taken}@{DOMAIN}>".encode() in found.raw
    assert b"In-Reply-To: <1@x>\r\nReferences: <0@x>\r\n <1@x>\r\n" in found.raw


@pytest.mark.parametrize(
    ("author", "to"),
    [
        pytest.param("doctor@example.test", "doctor@example.test", id="an address of the mailbox"),
        pytest.param("somebody@elsewhere.example", "clinic@example.test", id="a stranger's"),
    ],
)
@pytest.mark.parametrize("text", ["Tomorrow at nine.", "a" * 5000], ids=["that may go", "that is too long"])
async def test_it_goes_to_the_author_or_to_the_mailbox(room: StoreRoom, author: str, to: str, text: str) -> None:
    await hand_in(admission(room), room.mailbox, mail(text, author=author))
    assert (await answer(room))["To"] == to


async def test_nobody_is_texted_even_if_phones_are_among_the_recipients(room: StoreRoom) -> None:
    await hand_in(admission(room), room.mailbox, mail(), PHONE, TRIAL, OTHER)
    assert await texts(room) == 0
    said = await letter(room)
    assert said.startswith("This mail would send 2 SMS in all, to 2 phones.\n")
    assert "  +39 333 123 4567\n  +39 347 123 4567\n" in said


async def test_a_mail_that_is_handed_in_again_is_answered_once(room: StoreRoom) -> None:
    desk = admission(room)
    first = await hand_in(desk, room.mailbox, mail())
    assert await hand_in(desk, room.mailbox, mail()) == first
    other = await hand_in(desk, room.mailbox, mail(), f"preview+{PHONE[1:]}")
    assert other != first  # another recipient: another answer
    assert {each.id for each in await queued(room)} == {first, other}
    assert await hand_in(desk, room.mailbox, mail()) == first
    assert await queued(room) == []


async def test_the_same_mail_without_an_id_is_the_same(room: StoreRoom) -> None:
    desk, raw = admission(room), mail().replace(b"Message-ID: <1@x>\r\n", b"")
    assert await hand_in(desk, room.mailbox, raw) == await hand_in(desk, room.mailbox, raw)
    assert await hand_in(desk, room.mailbox, raw + b"!") != await hand_in(desk, room.mailbox, raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(mail("a" * 2000), "\n  552 5.3.4 This text needs 14 SMS and the limit is 6", id="too long"),
        pytest.param(mail(""), "\n  550 5.6.0 The mail holds no text", id="empty"),
        pytest.param(mail(more="X-SMS-Color: red\r\n"), "\n  550 5.6.0 X-SMS-Color is not a header", id="header"),
        pytest.param(b"A: b\r\n" * 1001 + mail(), "\n  550 5.6.0 The mail has more than 1000 header", id="long header"),
    ],
)
async def test_a_mail_that_would_be_refused_is_taken_and_told_why(room: StoreRoom, raw: bytes, said: str) -> None:
    await hand_in(admission(room), room.mailbox, raw)
    told = await letter(room)
    assert told.startswith("This mail would not be texted to anybody.\n")
    assert said in told


async def test_a_number_that_cannot_be_is_told_and_the_text_is_shown(room: StoreRoom) -> None:
    await hand_in(admission(room), room.mailbox, mail(), f"preview+3906@{DOMAIN}")
    told = await letter(room)
    assert told.startswith("This mail would be 1 SMS; no phone was named. Recipients refused: 1.\n")
    assert f"  preview+3906@{DOMAIN}\n" in told
    assert "\n  553 5.1.3 " in told
    assert "│Tomorrow at nine.│" in told


@pytest.mark.parametrize("address", [TRIAL, f"preview+12@{DOMAIN}", f"preview+{PHONE[1:]}"])
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail(more="Auto-Submitted: auto-replied\r\n"), id="vacation answer"),
        pytest.param(mail(more="Content-Type: multipart/report; boundary=x\r\n"), id="bounce"),
    ],
)
async def test_automatic_mail_is_refused_as_ever(room: StoreRoom, raw: bytes, address: str) -> None:
    with pytest.raises(MailRefusal, match="automatic answer") as refused:
        await hand_in(admission(room), room.mailbox, raw, address)
    assert refused.value.reason is Reason.AUTOMATIC_MAIL
    assert await queued(room) == []


async def test_the_answer_itself_is_automatic_mail(room: StoreRoom) -> None:
    desk = admission(room)
    await hand_in(desk, room.mailbox, mail())
    (found,) = await queued(room)
    with pytest.raises(MailRefusal, match="automatic answer"):
        await hand_in(desk, room.mailbox, found.raw)


async def test_a_large_mail_is_answered_too(room: StoreRoom) -> None:
    body = "Tomorrow at nine.\r\n\r\n-- \r\n" + ("Via Roma " * 50 + "\r\n") * 1000
    await hand_in(admission(room), room.mailbox, mail(body))
    assert "│Tomorrow at nine.│" in await letter(room)


async def test_the_daily_cap_does_not_count_and_is_not_met(room: StoreRoom) -> None:
    desk, capped = admission(room), replace(room.mailbox, daily_cap=1)
    await room.outbox.take(new_mail(capped, day=_today(capped), at=clock.now()))
    with pytest.raises(RecipientRefusal, match="limit of 1 messages a day"):
        desk.check_recipient(capped, Recipient(PHONE))
    await hand_in(desk, capped, mail())
    assert (await letter(room)).startswith("This mail would be 1 SMS")


def _today(mailbox: Mailbox) -> str:
    return clock.now().astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()


async def test_a_paused_mailbox_is_refused_as_ever(room: StoreRoom) -> None:
    with pytest.raises(RecipientRefusal, match="paused"):
        admission(room).check_recipient(replace(room.mailbox, paused=True), Recipient(TRIAL))


async def test_a_mailbox_cannot_be_flooded_and_others_do_not_notice(room: StoreRoom) -> None:
    desk = admission(room)
    for number in range(MOST):
        await hand_in(desk, room.mailbox, mail(number=number))
    with pytest.raises(MailRefusal, match=f"tried {MOST} mails within an hour") as refused:
        await hand_in(desk, room.mailbox, mail(number=MOST))
    assert refused.value.reply.startswith("452 4.3.1 ")
    assert len(await queued(room)) == MOST


async def test_after_an_hour_there_is_room_again(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, began = admission(room), clock.now()
    monkeypatch.setattr(clock, "now", lambda: began)
    for number in range(MOST):
        await hand_in(desk, room.mailbox, mail(number=number))
    monkeypatch.setattr(clock, "now", lambda: began + timedelta(minutes=59))
    with pytest.raises(MailRefusal):
        await hand_in(desk, room.mailbox, mail(number=MOST))
    monkeypatch.setattr(clock, "now", lambda: began + timedelta(minutes=60))
    await hand_in(desk, room.mailbox, mail(number=MOST))


async def test_a_password_in_another_services_form_is_asked_for_and_never_repeated(room: StoreRoom) -> None:
    secret = "right-secret"
    asking = replace(
        room.mailbox,
        grammar=GrammarName.SEVEN,
        order_password_hash=hash_password(secret),
    )
    desk = admission(room)
    for number, (key, said) in enumerate([(secret, "This mail would be 1 SMS"), ("wrong-secret", "not be texted")]):
        raw = mail(number=number).replace(b"Subject: Visit", f"Subject: key={key}".encode())
        await hand_in(desk, asking, raw)
        mailed = await answer(room)
        told = mailed.get_content()
        assert said in told
        assert key not in mailed["Subject"] + told
