"""A phone that asks for no more texts in words of its own: its texts wait, and its mailbox decides."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes

import pytest

from bridge import clock, tries
from bridge.access.credentials import Credentials
from bridge.addressing import Ground
from bridge.admission import Admission
from bridge.errors import NotPossible, Reason, Refusal
from bridge.logins import Login, Proof
from bridge.preview import preview
from bridge.routing import Routes
from bridge.settings import Ambiguous
from bridge.smtp_handler import FrontDoor
from bridge.smtp_parameters import MailCommand
from bridge.store.backlog import Waiting, WaitsFor, read_backlog
from bridge.store.claims import Claim, Claimed, Start
from bridge.store.due import UNDECIDED
from bridge.store.ledger import Trace
from bridge.store.store import Store
from bridge.trials import Trials
from bridge.types import (
    EMPTY_BOOK,
    BlockKind,
    Envelope,
    InboundSms,
    Keyword,
    Mailbox,
    MessageState,
    OutgoingMail,
    Recipient,
    Ruled,
)
from tests.clinic import CLINIC
from tests.smtp.conftest import logins_of
from tests.stations.conftest import PHONE, intake_of, returns_of, rulings_of, waiting, words
from tests.store.conftest import GATEWAY, StoreRoom, new_mail

DOMAIN = "sms.example.test"
SECOND = "+390200000002"
PLEASE = "Please stop texting me"
ALLOW, BLOCK = f"{PHONE}+allow@{DOMAIN}", f"{PHONE}+block@{DOMAIN}"
EMPTY = b"From: clinic@example.test\r\n\r\n"


class House:
    """The clinic, a phone that writes to it, and whatever became of both."""

    def __init__(self, room: StoreRoom, ambiguous: Ambiguous = Ambiguous.LAST) -> None:
        self.room = room
        self.decided = 0
        self._events = itertools.count()
        self.intake = intake_of(room, ambiguous=ambiguous)
        self.admission = Admission(
            room.outbox,
            room.store.directory,
            domains={DOMAIN},
            routes=Routes.anywhere(),
            credentials=Credentials(),
            taken=lambda: None,
            trials=Trials(room.mails, domain=DOMAIN, mailed=lambda: None, sign=lambda mail: mail),
            rulings=rulings_of(room, decided=self._decide),
            threads=room.store.threads,
            beyond_thread=5,
        )

    def _decide(self) -> None:
        self.decided += 1

    async def hears(self, text: str, to: str = "", at: datetime | None = None) -> list[OutgoingMail]:
        """The mails that an SMS of the phone comes to."""
        sms = InboundSms(
            GATEWAY, f"{next(self._events)}", PHONE, to or self.room.mailbox.sender, text, at or clock.now()
        )
        await self.intake.hear([sms])
        return await waiting(self.room)

    def rcpt(self, address: str = f"{PHONE}@{DOMAIN}", mailbox: Mailbox | None = None) -> Ruled:
        """What an address stands for at RCPT. Raises Refusal."""
        (found,) = self.admission.check_recipient(mailbox or self.room.mailbox, Recipient(address))
        assert isinstance(found, Ruled)
        return found

    def refusal(self, address: str = f"{PHONE}@{DOMAIN}", mailbox: Mailbox | None = None) -> Refusal | None:
        try:
            self.admission.check_recipient(mailbox or self.room.mailbox, Recipient(address))
        except Refusal as refusal:
            return refusal
        return None

    async def decides(
        self, address: str, raw: bytes = EMPTY, mailbox: Mailbox | None = None, sender: str = "clinic@example.test"
    ) -> str:
        """The answer to a mail to such an address. Raises Refusal."""
        whose = mailbox or self.room.mailbox
        return await self.admission.rule(whose, Envelope(sender, clock.now()), self.rcpt(address, whose), raw)

    async def blocks(self) -> dict[str, BlockKind]:
        return {each.sender: each.block.kind for each in await self.room.store.decisions.all()}


async def queued(room: StoreRoom, message_id: str = "<one@x>", *, due: timedelta = timedelta(), until: int = 0) -> str:
    """A text for the phone; its id."""
    now = clock.now()
    mail = new_mail(room.mailbox, message_id=message_id, at=now)
    (message,) = mail.messages
    expires_at = now + timedelta(seconds=until) if until else None
    await room.outbox.take(replace(mail, messages=(replace(message, due_at=now + due, expires_at=expires_at),)))
    (newest, *_) = await room.store.ledger.messages(state=None, number=PHONE, login=None, limit=1)
    return newest.id


async def claimed(room: StoreRoom, at: timedelta = timedelta(seconds=1)) -> Sequence[Claimed]:
    now = clock.now() + at
    return await room.store.queue.claim(Claim("me", now, now + timedelta(seconds=90), 10))


def becomes(claimed: Claimed, at: timedelta) -> tuple[MessageState, Reason | None] | None:
    patience = tries.Patience(first_retry=1, max_retry=900, give_up_after=86_400, unknown_after=60)
    change = tries.change_before(claimed, (GATEWAY,), clock.now() + at, patience)
    return (change.state, change.reason) if change is not None else None


async def clinic_with(room: StoreRoom, *pool: str) -> Mailbox:
    room.mailbox = replace(room.mailbox, pool=pool)
    await room.store.mailboxes.save(room.mailbox)
    await room.store.directory.refresh()
    return room.mailbox


async def other_mailbox(room: StoreRoom, login: str, sender: str) -> Mailbox:
    await room.store.mailboxes.add(replace(room.mailbox, login=login, sender=sender, pool=(), addresses=(login,)))
    await room.store.directory.refresh()
    found = room.store.directory.by_login(login)
    assert found is not None
    return found


async def test_the_owner_is_asked_and_texts_to_every_number_of_the_mailbox_are_refused_meanwhile(
    room: StoreRoom,
) -> None:
    house = House(room)
    await clinic_with(room, SECOND)
    (mail,) = await house.hears(PLEASE)
    assert ALLOW in words(mail)
    assert BLOCK in words(mail)
    assert await house.blocks() == {room.mailbox.sender: BlockKind.WISH, SECOND: BlockKind.WISH}
    assert await room.store.ledger.messages(state=None, number=PHONE, login=None, limit=9) == [], "nothing is texted"
    refusal = house.refusal()
    assert refusal is not None
    assert refusal.reply.startswith(
        "550 5.7.1 This phone asked for no more texts from +390200000001 in words of its own"
    )
    assert ALLOW in refusal.sentence
    assert BLOCK in refusal.sentence


async def test_a_text_waits_while_nobody_decides_and_leaves_when_it_is_allowed(room: StoreRoom) -> None:
    house = House(room)
    text = await queued(room)
    await house.hears(PLEASE)
    assert await claimed(room) == []
    assert [step.what for step in (await texts(room))[0].steps] == ["taken", "waits"]
    assert await house.decides(ALLOW) == "Texts to +39 333 123 4567 go out again."
    assert [step.what for step in (await texts(room))[0].steps] == ["taken"]
    assert house.decided == 1
    assert house.refusal() is None
    (mine,) = await claimed(room)
    assert mine.sms.reference == text
    assert becomes(mine, timedelta(seconds=2)) is None
    (confirmation,) = await waiting(room)
    assert "go out again" in words(confirmation)


async def test_a_text_that_waited_is_refused_when_the_phone_is_blocked(room: StoreRoom) -> None:
    house = House(room)
    await queued(room)
    await house.hears(PLEASE)
    assert (await house.decides(BLOCK)).startswith("Texts to +39 333 123 4567 are blocked.")
    assert await house.blocks() == {room.mailbox.sender: BlockKind.ORDER}
    (mine,) = await claimed(room)
    assert becomes(mine, timedelta()) == (MessageState.REFUSED, Reason.OPTED_OUT)
    refusal = house.refusal()
    assert refusal is not None
    assert "It can lift this by texting START" in refusal.sentence


async def test_a_text_that_was_claimed_before_the_wish_came_does_not_leave(room: StoreRoom) -> None:
    house = House(room)
    await queued(room)
    (mine,) = await claimed(room)
    await house.hears(PLEASE)
    assert await room.store.queue.start(start_of(mine)) is None
    await house.decides(ALLOW)
    assert await room.store.queue.start(start_of(mine)) == 1


def start_of(mine: Claimed) -> Start:
    now = clock.now() + timedelta(seconds=2)
    return Start("me", mine.sms.reference, GATEWAY, now, now + timedelta(seconds=90))


@pytest.mark.parametrize(
    ("until", "after", "fate"),
    [
        (60, timedelta(seconds=61), (MessageState.EXPIRED, Reason.VALIDITY_EXPIRED)),
        (0, UNDECIDED + timedelta(minutes=1), (MessageState.REFUSED, Reason.UNDECIDED)),
    ],
    ids=["its validity", "a day"],
)
async def test_nothing_waits_longer_than(
    room: StoreRoom, until: int, after: timedelta, fate: tuple[MessageState, Reason]
) -> None:
    house = House(room)
    await queued(room, until=until)
    await house.hears(PLEASE)
    assert await claimed(room, after - timedelta(minutes=2)) == []
    (late,) = await claimed(room, after)
    assert becomes(late, after) == fate


async def test_a_text_for_another_day_begins_to_wait_on_that_day(room: StoreRoom) -> None:
    house = House(room)
    await queued(room, due=timedelta(days=7))
    await house.hears(PLEASE)
    assert await claimed(room, timedelta(days=7, hours=23)) == []
    assert len(await claimed(room, timedelta(days=8, minutes=1))) == 1


async def test_deciding_twice_is_answered_twice_and_done_once(room: StoreRoom) -> None:
    house = House(room)
    await house.hears(PLEASE)
    await house.decides(ALLOW)
    assert await house.decides(ALLOW) == "Texts to +39 333 123 4567 were not blocked, and go out."
    await house.decides(BLOCK)
    assert await house.decides(BLOCK) == "Texts to +39 333 123 4567 were blocked before, and stay blocked."
    assert house.decided == 2
    assert len(await waiting(room)) == 2


async def test_the_confirmation_stands_in_the_thread_in_which_it_was_asked(room: StoreRoom) -> None:
    house = House(room)
    await queued(room, "<visit@x>")
    (asked,) = await house.hears(PLEASE)
    await house.decides(ALLOW)
    (confirmation,) = await waiting(room)
    question, mail = message_from_bytes(asked.raw), message_from_bytes(confirmation.raw)
    assert mail["In-Reply-To"] == question["Message-ID"]
    assert mail["References"].split() == ["<visit@x>", question["Message-ID"]]
    assert mail["Subject"] == question["Subject"] == "Re: Your visit"
    assert (mail["To"], mail["Auto-Submitted"]) == ("clinic@example.test", "auto-replied")


@pytest.mark.parametrize("first", [PLEASE, ""], ids=["after a wish", "by itself"])
async def test_an_order_is_lifted_by_the_phone_alone(room: StoreRoom, first: str) -> None:
    house = House(room)
    if first:
        await house.hears(first)
    (mail,) = await house.hears("STOP")
    assert "no more texts" in words(mail)
    assert [each.text for each in await texts(room)] == [
        "clinic@example.test: you will get no more texts from us. START lifts this."
    ], "the phone is told, whatever it wished before"
    assert await house.blocks() == {room.mailbox.sender: BlockKind.ORDER}
    refusal = house.refusal(ALLOW)
    assert refusal is not None
    assert refusal.reply.startswith("550 5.7.1 ")
    assert "START" in refusal.sentence
    await house.hears("START")
    assert await house.blocks() == {}
    assert house.refusal() is None


async def texts(room: StoreRoom) -> list[Trace]:
    found = await room.store.ledger.messages(state=None, number=PHONE, login=None, limit=9)
    traces = [await room.store.ledger.trace(each.id) for each in found]
    return [trace for trace in traces if trace is not None]


async def test_an_order_that_comes_between_rcpt_and_the_mail_is_not_lifted(room: StoreRoom) -> None:
    house = House(room)
    await house.hears(PLEASE)
    ruled = house.rcpt(ALLOW)
    await house.hears("STOP")
    with pytest.raises(Refusal) as refused:
        await house.admission.rule(room.mailbox, Envelope("clinic@example.test", clock.now()), ruled, EMPTY)
    assert refused.value.reason is Reason.OPTED_OUT
    assert await house.blocks() == {room.mailbox.sender: BlockKind.ORDER}


async def test_an_order_is_not_lost_to_a_decision_that_another_node_takes_at_the_same_moment(room: StoreRoom) -> None:
    house = House(room)
    async with Store(room.store.settings) as other:
        for _ in range(5):
            await house.hears(PLEASE)
            await asyncio.gather(other.decisions.decide(room.mailbox, PHONE, allows=True), house.hears("STOP"))
            assert await house.blocks() == {room.mailbox.sender: BlockKind.ORDER}
            await house.hears("START")


async def test_what_the_phone_writes_besides_changes_nothing(room: StoreRoom) -> None:
    house = House(room)
    await room.store.keywords.save(room.mailbox, Keyword("HOURS", "We are open from nine to five."))
    await room.store.directory.refresh()
    await house.hears(PLEASE)
    for text in ("Thanks", "HOURS", "HELP", "Sì, confermo"):
        await house.hears(text)
    assert await texts(room) == []
    assert await house.blocks() == {room.mailbox.sender: BlockKind.WISH}
    (mail,) = await house.hears("Stop texting me!!!")
    assert ALLOW in words(mail), "it is asked again: the first mail may be read by nobody"


async def test_a_wish_never_makes_less_of_an_order(room: StoreRoom) -> None:
    house = House(room)
    await house.hears("STOP")
    (mail,) = await house.hears(PLEASE)
    assert "blocked before" in words(mail)
    assert ALLOW not in words(mail)
    assert await house.blocks() == {room.mailbox.sender: BlockKind.ORDER}


async def test_a_wish_beside_an_order_to_another_number_of_the_mailbox_asks_nobody(room: StoreRoom) -> None:
    """Its mailbox may not text the phone from any of its numbers, and could not allow what it would be asked."""
    house = House(room)
    await house.hears("STOP")
    await clinic_with(room, SECOND)
    (mail,) = await house.hears(PLEASE, to=SECOND)
    assert "blocked before" in words(mail)
    assert ALLOW not in words(mail)


@pytest.mark.parametrize("sender", ["TIM", "40404"], ids=["a name", "a short code"])
async def test_nobody_is_asked_about_what_cannot_be_texted(room: StoreRoom, sender: str) -> None:
    house = House(room)
    await house.intake.hear([InboundSms(GATEWAY, "1", sender, room.mailbox.sender, PLEASE, clock.now())])
    (mail,) = await waiting(room)
    assert "+allow@" not in words(mail)
    assert "in words of its own" not in words(mail)
    assert await house.blocks() == {}


async def test_another_mailbox_decides_about_its_own_numbers_only(room: StoreRoom) -> None:
    house = House(room)
    shared = await other_mailbox(room, "desk@example.test", room.mailbox.sender)
    foreign = await other_mailbox(room, "lab@example.test", SECOND)
    await queued(room)
    await house.hears(PLEASE)
    assert await house.decides(ALLOW, mailbox=foreign) == "Texts to +39 333 123 4567 were not blocked, and go out."
    assert await house.blocks() == {room.mailbox.sender: BlockKind.WISH}
    assert await house.decides(ALLOW, mailbox=shared) == "Texts to +39 333 123 4567 go out again."
    assert await house.blocks() == {}


async def test_the_others_that_it_may_be_for_are_asked_too_whoever_it_is_forwarded_to_is_not(room: StoreRoom) -> None:
    house = House(room, ambiguous=Ambiguous.ALL)
    shared = await other_mailbox(room, "desk@example.test", room.mailbox.sender)
    await room.store.keywords.save(room.mailbox, Keyword("please", "Hello.", forward=("nurse@example.com",)))
    await room.store.directory.refresh()
    for mailbox in (shared, room.mailbox):
        await room.outbox.take(new_mail(mailbox, message_id=f"<{mailbox.login}>", at=clock.now()))
    mails = {each.envelope_to: words(each) for each in await house.hears(PLEASE)}
    assert {to: ALLOW in said for to, said in mails.items()} == {
        "clinic@example.test": True,
        "desk@example.test": True,
        "nurse@example.com": False,
    }
    assert "the mailbox that texts it decides" in mails["nurse@example.com"]
    assert len(await texts(room)) == 2, "the keyword says nothing to a phone that wants to hear nothing"


MACHINES = {
    "an absence note": "Auto-Submitted: auto-replied",
    "a program's own mail": "Auto-Submitted: auto-generated",
    "a mailing list": "Precedence: list",
    "a read receipt": 'Content-Type: multipart/report; report-type="disposition-notification"; boundary=x',
    "Exchange's absence note": "Subject: Automatic reply: SMS\r\nIn-Reply-To: <x@y>",
}


async def test_a_machine_decides_nothing(room: StoreRoom) -> None:
    house = House(room)
    await house.hears(PLEASE)
    for head in MACHINES.values():
        for address in (ALLOW, BLOCK):
            with pytest.raises(Refusal) as refused:
                await house.decides(address, f"From: clinic@example.test\r\n{head}\r\n\r\nI am away.\r\n".encode())
            assert refused.value.reason is Reason.AUTOMATIC_MAIL
    with pytest.raises(Refusal):
        await house.decides(ALLOW, sender="")
    assert await house.blocks() == {room.mailbox.sender: BlockKind.WISH}


PEOPLE = {
    "nothing at all": b"",
    "an empty mail": EMPTY,
    "a mail that says no": b"Auto-Submitted: no\r\nSubject: x\r\n\r\nSTOP +block do not allow\r\n",
    "options that a text would be refused for": b"X-SMS-Whatever: 1\r\n\r\nx\r\n",
    "an encrypted one": b"Content-Type: multipart/encrypted; boundary=x\r\n\r\nx\r\n",
}


async def test_what_the_mail_says_is_ignored(room: StoreRoom) -> None:
    house = House(room)
    for raw in PEOPLE.values():
        await house.hears(PLEASE)
        assert await house.decides(ALLOW, raw) == "Texts to +39 333 123 4567 go out again."
    assert await texts(room) == []


async def test_a_daily_cap_that_is_reached_keeps_nobody_from_deciding(room: StoreRoom) -> None:
    house = House(room)
    await house.hears(PLEASE)
    full = replace(room.mailbox, daily_cap=0)
    assert await house.decides(ALLOW, mailbox=full) == "Texts to +39 333 123 4567 go out again."


async def test_a_phone_that_said_it_aloud_is_blocked_without_a_word_of_its_own(room: StoreRoom) -> None:
    house = House(room)
    await house.decides(BLOCK)
    assert await house.blocks() == {room.mailbox.sender: BlockKind.SET}
    refusal = house.refusal()
    assert refusal is not None
    assert "were blocked here on" in refusal.sentence
    assert house.refusal(ALLOW) is not None
    await house.hears("STOP")
    assert await house.blocks() == {room.mailbox.sender: BlockKind.ORDER}, "now it has asked itself"


async def test_the_operator_lifts_an_order_only_if_he_says_so(room: StoreRoom) -> None:
    house, decisions = House(room), room.store.decisions
    await clinic_with(room, SECOND)
    await house.hears("STOP")
    with pytest.raises(NotPossible, match="asked for no more texts itself"):
        await decisions.remove(room.mailbox, PHONE, orders=False)
    assert len(await decisions.all()) == 2
    assert await decisions.remove(room.mailbox, PHONE, orders=True) == 2
    assert await decisions.remove(room.mailbox, PHONE, orders=True) == 0
    await house.hears(PLEASE)
    assert await decisions.remove(room.mailbox, PHONE, orders=False) == 2


def front_of(room: StoreRoom, house: House) -> FrontDoor:
    directory = room.store.directory
    logins = logins_of(directory, Credentials(), scram=False)
    return FrontDoor(directory, logins, house.admission, returns_of(room), disk_full=lambda: False)


async def test_a_decision_is_alone_in_its_mail_and_the_last_line_says_what_was_done(room: StoreRoom) -> None:
    house = House(room)
    await house.hears(PLEASE)
    front = front_of(room, house)
    visit = front.visit("192.0.2.1")
    visit.enter(Login(room.mailbox, Proof.PASSWORD, room.mailbox.password_hash))

    def rcpt(address: str) -> str:
        return visit.add(Recipient(address), 100)

    visit.begin(MailCommand("clinic@example.test"), 1000)
    assert rcpt(ALLOW).startswith("250 2.1.5 ")
    assert rcpt("+393471234567@sms.example.test").startswith("452 4.5.3 A decision about a phone has one recipient.")
    assert rcpt(BLOCK).startswith("452 4.5.3 ")
    assert await visit.take(EMPTY) == "250 2.0.0 Texts to +39 333 123 4567 go out again."
    visit.reset()
    visit.begin(MailCommand("clinic@example.test"), 1000)
    assert rcpt("+393471234567@sms.example.test").startswith("250 2.1.5 ")
    assert rcpt(ALLOW).startswith("452 4.5.3 ")
    visit.reset()
    visit.begin(MailCommand("clinic@example.test"), 1000)
    assert rcpt(BLOCK).startswith("250 2.1.5 ")
    with pytest.raises(Refusal) as refused:
        await visit.take(b"Auto-Submitted: auto-replied\r\n\r\nI am away.\r\n")
    assert refused.value.reply.startswith("550 5.7.1 A program sent this mail")


async def test_a_stranger_decides_nothing(room: StoreRoom) -> None:
    house = House(room)
    await house.hears(PLEASE)
    front = front_of(room, house)
    with pytest.raises(Refusal) as refused:
        front.visit("192.0.2.1").begin(MailCommand("clinic@example.test"), 1000)
    assert refused.value.reason is Reason.LOGIN_NEEDED


async def test_a_text_that_waits_for_a_decision_is_nobody_s_delay(room: StoreRoom) -> None:
    house = House(room)
    await queued(room)
    await house.hears(PLEASE)
    backlog = await read_backlog(room.store.engine, clock.now() + timedelta(minutes=10))
    assert backlog.messages == (Waiting(GATEWAY, WaitsFor.DECISION, 1, None),)
    assert backlog.late == ()


def test_no_preview_is_made_of_a_decision() -> None:
    ground = Ground({DOMAIN}, EMPTY_BOOK, lambda mailbox, destination: None)
    shown = preview(CLINIC, [ALLOW], EMPTY, ground, Routes.anywhere(), clock.now())
    assert not shown.messages
    assert [each.sentence for each in shown.refused] == [
        "This address decides about a phone and texts nobody, so there is nothing to show."
    ]
