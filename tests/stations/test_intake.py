"""An answer from a phone to mailboxes that share numbers: who gets it, in which thread, and whom STOP blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes

import pytest

from bridge import clock
from bridge.settings import ReplySettings
from bridge.store.claims import Claim, Start
from bridge.store.mails import MailResult, MailState
from bridge.types import InboundSms, Mailbox, OutgoingMail, Receipt
from bridge.types.states import MessageState
from tests.clinic import CLINIC
from tests.stations.conftest import OPERATOR, PHONE, intake_of, returns_of, waiting
from tests.store.conftest import GATEWAY, StoreRoom, new_mail

SHARED, SECOND = "+390200000071", "+390200000072"


async def departments(room: StoreRoom, *names: str, pool: tuple[str, ...] = ()) -> list[Mailbox]:
    """Mailboxes that text from the same number, or from the same pool."""
    for name in names:
        await room.store.mailboxes.add(replace(CLINIC, login=f"{name}@example.test", sender=SHARED, pool=pool))
    await room.store.directory.refresh()
    found = [room.store.directory.by_login(f"{name}@example.test") for name in names]
    return [each for each in found if each is not None]


async def texts(room: StoreRoom, mailbox: Mailbox, at: datetime, gateway: str = GATEWAY) -> str:
    """A text of a mailbox to the phone; its Message-ID, by which its thread is known."""
    message_id = f"<{mailbox.login}>"
    mail = new_mail(mailbox, [PHONE], message_id=message_id, at=at)
    message = replace(mail.messages[0], sender=mailbox.sender, pool=mailbox.pool, gateway=gateway)
    await room.outbox.take(replace(mail, messages=(message,)))
    return message_id


def answer(text: str, to: str = SHARED, *, event: str = "1", answers: str = "") -> InboundSms:
    return InboundSms(GATEWAY, event, PHONE, to, text, clock.now(), answers=answers)


def facts(mails: list[OutgoingMail]) -> dict[str, tuple[str, str]]:
    """Of each mail: whom it is for, how that was decided, and the mail it answers."""
    read = {mail.envelope_to: message_from_bytes(mail.raw) for mail in mails}
    return {to: (str(mail["X-SMS-Match"]), str(mail["In-Reply-To"])) for to, mail in read.items()}


@pytest.mark.parametrize(
    ("ambiguous", "who"),
    [
        pytest.param("last", ["radiology"], id="the one that wrote last"),
        pytest.param("all", ["radiology", "desk", "lab"], id="all of them"),
    ],
)
async def test_an_answer_that_may_be_for_several(room: StoreRoom, ambiguous: str, who: list[str]) -> None:
    desk, radiology, lab, archive = await departments(room, "desk", "radiology", "lab", "archive")
    now = clock.now()
    for mailbox, days in ((desk, 2), (radiology, 1), (lab, 3), (archive, 40)):
        await texts(room, mailbox, now - timedelta(days=days))
    await intake_of(room, ambiguous=ambiguous).hear([answer("Sì")])
    found = await waiting(room)
    assert facts(found) == {f"{name}@example.test": ("ambiguous", f"<{name}@example.test>") for name in who}
    assert len({mail.id for mail in found}) == len(found)


async def test_a_copy_that_does_not_arrive_is_no_lost_answer(room: StoreRoom) -> None:
    """The mailbox that wrote last has it: nobody is told otherwise, and the fallback mailbox does not get it."""
    desk, lab = await departments(room, "desk", "lab")
    for mailbox in (lab, desk):
        await texts(room, mailbox, clock.now())
    await intake_of(room, ambiguous="all").hear([answer("Sì")])
    mails = {mail.envelope_to: mail.id for mail in await waiting(room)}
    returns = returns_of(room, replies=ReplySettings(fallback=CLINIC.login))
    await returns.lost(MailResult(mails[lab.login], MailState.BOUNCED, clock.now(), "5.1.1"))
    assert await waiting(room) == []
    await returns.lost(MailResult(mails[desk.login], MailState.BOUNCED, clock.now(), "5.1.1"))
    assert sorted(mail.envelope_to for mail in await waiting(room)) == sorted([CLINIC.login, OPERATOR])


async def test_an_answer_that_is_heard_twice_is_mailed_once_to_each(room: StoreRoom) -> None:
    desk, lab = await departments(room, "desk", "lab")
    for mailbox in (desk, lab):
        await texts(room, mailbox, clock.now())
    intake = intake_of(room, ambiguous="all")
    await intake.hear([answer("Sì")])
    await intake.hear([answer("Sì")])
    assert len(await waiting(room)) == 2


async def test_a_provider_that_names_the_text_goes_before_who_wrote_last(room: StoreRoom) -> None:
    desk, lab = await departments(room, "desk", "lab")
    now = clock.now()
    await texts(room, desk, now - timedelta(days=2))
    (asked,) = await room.store.queue.claim(Claim("me", now, now + timedelta(seconds=90), 10))
    await texts(room, lab, now - timedelta(days=1))
    await room.inbox.receipt(Receipt(GATEWAY, "p-1", asked.sms.reference, MessageState.DELIVERED, "e"), now)
    await intake_of(room).hear([answer("Sì", event="1", answers="p-1")])
    await intake_of(room).hear([answer("No", event="2", answers=asked.sms.reference)])
    await intake_of(room).hear([answer("Forse", event="3", answers="p-unknown")])
    found = await waiting(room)
    assert [facts([mail]) for mail in found] == [
        {"desk@example.test": ("provider", "<desk@example.test>")},
        {"desk@example.test": ("provider", "<desk@example.test>")},
        {"lab@example.test": ("ambiguous", "<lab@example.test>")},
    ]


async def test_a_reminder_that_left_weeks_after_its_mail_was_taken_is_answered_to_its_mailbox(room: StoreRoom) -> None:
    desk, _ = await departments(room, "desk", "lab")
    now = clock.now()
    mail = new_mail(desk, [PHONE], message_id="<reminder>", at=now - timedelta(days=30))
    message = replace(mail.messages[0], sender=SHARED, due_at=now - timedelta(days=1))
    await room.outbox.take(replace(mail, messages=(message,)))
    await intake_of(room).hear([answer("troppo presto", event="1")])
    (claimed,) = await room.store.queue.claim(Claim("me", now, now + timedelta(seconds=90), 10))
    await room.store.queue.start(Start("me", claimed.sms.reference, GATEWAY, now, now + timedelta(seconds=90)))
    await intake_of(room).hear([answer("Sì, vengo", event="2")])
    early, late = [facts([mail]) for mail in await waiting(room)]
    assert early == {CLINIC.login: ("none", "None")}
    assert late == {"desk@example.test": ("latest", "<reminder>")}


async def test_the_pool_tells_departments_apart(room: StoreRoom) -> None:
    desk, lab = await departments(room, "desk", "lab", pool=(SECOND,))
    now = clock.now()
    for mailbox in (desk, lab):
        await texts(room, mailbox, now - timedelta(days=30))
    await intake_of(room).hear([answer("per il banco", SHARED, event="1"), answer("per il lab", SECOND, event="2")])
    assert facts(await waiting(room)) == {
        "desk@example.test": ("number", "<desk@example.test>"),
        "lab@example.test": ("number", "<lab@example.test>"),
    }


async def test_stop_to_one_number_of_a_pool_blocks_them_all(room: StoreRoom) -> None:
    (desk,) = await departments(room, "desk", pool=(SECOND,))
    await texts(room, desk, clock.now())
    directory = room.store.directory

    def blocked() -> list[bool]:
        return [directory.block(desk.organisation_id, each, PHONE) is not None for each in desk.senders]

    await intake_of(room).hear([answer("STOP", SHARED, event="1")])
    assert blocked() == [True, True]
    await intake_of(room).hear([answer("START", SECOND, event="2")])
    assert blocked() == [False, False]
