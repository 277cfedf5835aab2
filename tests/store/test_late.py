"""Texts that take longer: who wants to hear of it is told once, never before its time and never after the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from bridge.errors import Reason
from bridge.store import blocks
from bridge.store.blocks import Phone
from bridge.store.queue import Finish
from bridge.store.transitions import Change
from bridge.types import Hindrance, MessageState, NewMail, Notify, Options, Outcome, OutcomeKind, Receipt
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import claim, finish, receipt, start
from tests.store.test_reports import told_until

S, H = MessageState, Hindrance
BY_DEFAULT = (Notify.FAILURE, Notify.DELAY)
HOUR, DAY = 3_600, 86_400


def a_mail(room: StoreRoom, report_on: Sequence[Notify] = BY_DEFAULT, **changes: Any) -> NewMail:
    """A mail to one phone; `changes` are those of its message."""
    mail = new_mail(room.mailbox, report_on=report_on)
    return replace(mail, messages=(replace(mail.messages[0], **changes),))


async def taken(room: StoreRoom, mail: NewMail) -> str:
    submission = (await room.outbox.take(mail)).submission_id
    (view,) = await room.store.ledger.submission_messages(submission)
    return view.id


async def hindrances(room: StoreRoom, at: float) -> list[Hindrance | None]:
    return [line.hindrance for report in await room.reports.due(later(at), 10) for line in report.lines]


async def tried(room: StoreRoom, message_id: str, kind: OutcomeKind, at: float = 2, attempt: int = 1) -> None:
    """A try that the message waits for another after."""
    await claim(room, at=at)
    assert await start(room, message_id, at=at) == attempt
    again = Change(message_id, S.QUEUED, later(at), due_at=later(at + 900), attempt=attempt)
    await room.store.queue.finish(Finish(attempt, Outcome(kind), again))


async def sent(room: StoreRoom, message_id: str, at: float = 1) -> None:
    await claim(room, at=at)
    await start(room, message_id, at=at)
    await finish(room, message_id, S.SENT, at=at, provider_id="p1")


def phone_off(event: str, reason: Reason | None = Reason.ABSENT_SUBSCRIBER) -> Receipt:
    """The network has it, and says why it has not arrived."""
    return Receipt(GATEWAY, "p1", None, S.SENT, event, reason, "ENROUTE")


async def test_a_text_that_has_not_left_after_an_hour_is_told_once(room: StoreRoom) -> None:
    message = await taken(room, a_mail(room))
    assert await told_until(room, HOUR - 1) == []
    assert await room.reports.next_due(later(0)) == later(HOUR)
    assert await told_until(room, HOUR) == [[S.QUEUED]]
    await tried(room, message, OutcomeKind.UNREACHABLE, at=HOUR + 10)
    assert await told_until(room, 20 * HOUR) == []


async def test_who_was_told_that_it_is_late_is_told_how_it_ended_and_nothing_after(room: StoreRoom) -> None:
    message = await taken(room, a_mail(room))
    assert await told_until(room, HOUR) == [[S.QUEUED]]
    await sent(room, message, at=HOUR + 10)
    await room.inbox.receipt(phone_off("1"), later(HOUR + 20))
    assert await told_until(room, 3 * HOUR) == []
    await room.inbox.receipt(receipt(message, S.DELIVERED, "2"), later(3 * HOUR))
    assert await told_until(room, DAY) == [[S.DELIVERED]]


async def test_what_nobody_knows_is_not_told_to_who_was_told_that_it_is_late(room: StoreRoom) -> None:
    """One `delayed` for one recipient; the report said what to do if no other comes."""
    message = await taken(room, a_mail(room))
    assert await told_until(room, HOUR) == [[S.QUEUED]]
    await claim(room, at=HOUR + 1)
    await start(room, message, at=HOUR + 1)
    await finish(room, message, S.UNKNOWN, at=HOUR + 2)
    assert await told_until(room, 3 * HOUR) == []
    await room.inbox.receipt(receipt(message, S.UNDELIVERED, "1"), later(3 * HOUR))
    assert await told_until(room, DAY) == [[S.UNDELIVERED]]


async def test_who_was_told_that_nobody_knows_is_not_told_that_it_is_late(room: StoreRoom) -> None:
    message = await taken(room, a_mail(room))
    await claim(room)
    await start(room, message)
    await finish(room, message, S.UNKNOWN, at=2)
    assert await told_until(room, 60) == [[S.UNKNOWN]]
    again = Change(message, S.QUEUED, later(100), due_at=later(100), by_person=True)
    assert await room.store.queue.change(again) is S.QUEUED
    assert await told_until(room, 20 * HOUR) == []


@pytest.mark.parametrize("state", [S.FAILED, S.DELIVERED])
async def test_nothing_that_is_over_is_late(room: StoreRoom, state: MessageState) -> None:
    message = await taken(room, a_mail(room, [Notify.DELAY]))
    await sent(room, message)
    await room.inbox.receipt(receipt(message, state, "1"), later(HOUR - 1))
    assert await told_until(room, DAY) == []


async def test_a_scheduled_text_is_late_an_hour_after_its_time(room: StoreRoom) -> None:
    await taken(room, a_mail(room, due_at=later(10 * HOUR)))
    assert await told_until(room, 11 * HOUR - 1) == []
    assert await told_until(room, 11 * HOUR) == [[S.QUEUED]]


@pytest.mark.parametrize("seconds", [HOUR, 600])
async def test_what_is_worth_nothing_any_more_is_not_late(room: StoreRoom, seconds: int) -> None:
    """That its time ran out is told instead."""
    message = await taken(room, a_mail(room, expires_at=later(seconds)))
    assert await told_until(room, HOUR) == []
    assert await room.store.queue.change(Change(message, S.EXPIRED, later(HOUR))) is S.EXPIRED
    assert await told_until(room, HOUR) == [[S.EXPIRED]]


@pytest.mark.parametrize(
    "report_on",
    [(), (Notify.FAILURE,), (Notify.SUCCESS, Notify.FAILURE), (Notify.SUCCESS,)],
    ids=lambda words: ",".join(words) or "nothing",
)
async def test_who_does_not_want_to_hear_of_delays_does_not(room: StoreRoom, report_on: Sequence[Notify]) -> None:
    await taken(room, a_mail(room, report_on))
    assert await told_until(room, DAY) == []
    assert await room.reports.next_due(later(0)) is None


async def test_a_refused_phone_beside_one_that_waits(room: StoreRoom) -> None:
    mail = new_mail(room.mailbox, ["+393331234567", "+393337654321"], report_on=BY_DEFAULT)
    first, second = mail.messages
    mail = replace(mail, messages=(first, replace(second, refused=Reason.LANDLINE, gateway="")))
    await room.outbox.take(mail)
    assert await told_until(room, 1) == [[S.REFUSED]]
    assert await told_until(room, HOUR) == [[S.QUEUED]]


# -------------------------------------------------------------------------------- with the network


async def test_what_the_network_has_is_not_late_by_itself(room: StoreRoom) -> None:
    """Many carriers never say that a phone has it; only what says that it has not is told."""
    message = await taken(room, a_mail(room))
    await sent(room, message)
    await room.inbox.receipt(phone_off("1", None), later(10))
    assert await told_until(room, DAY) == []


@pytest.mark.parametrize(
    ("heard_at", "told_at"),
    [(20, HOUR), (2 * HOUR, 2 * HOUR)],
    ids=["heard at once", "heard when it was late already"],
)
async def test_a_phone_that_is_off(room: StoreRoom, heard_at: int, told_at: int) -> None:
    message = await taken(room, a_mail(room, expires_at=later(DAY)))
    await sent(room, message)
    assert await told_until(room, heard_at) == []
    await room.inbox.receipt(phone_off("1"), later(heard_at))
    await room.inbox.receipt(phone_off("2"), later(heard_at))
    assert await told_until(room, HOUR - 1) == []
    (due,) = await room.reports.due(later(told_at), 10)
    (line,) = due.lines
    assert (line.hindrance, line.gateway, line.diagnostic) == (H.PHONE, GATEWAY, "ENROUTE")
    assert line.tried_until == later(DAY)
    assert await told_until(room, 12 * HOUR) == [[S.SENT]]
    await room.inbox.receipt(receipt(message, S.DELIVERED, "3"), later(13 * HOUR))
    assert await told_until(room, DAY) == [[S.DELIVERED]]


async def test_until_when_it_was_tried_is_not_told(room: StoreRoom) -> None:
    """Its time is over for the bridge, and the network says that it tries on."""
    message = await taken(room, a_mail(room, expires_at=later(2 * HOUR)))
    await sent(room, message)
    await room.inbox.receipt(phone_off("1"), later(3 * HOUR))
    (due,) = await room.reports.due(later(3 * HOUR), 10)
    assert (due.lines[0].hindrance, due.lines[0].tried_until) == (H.PHONE, None)


async def test_a_segment_that_waits_for_its_phone(room: StoreRoom) -> None:
    message = await taken(room, a_mail(room))
    await claim(room)
    await start(room, message)
    outcome = Outcome(OutcomeKind.ACCEPTED, segment_ids=("p1", "p2"))
    await room.store.queue.finish(Finish(1, outcome, Change(message, S.SENT, later(2), attempt=1)))
    await room.inbox.receipt(receipt(None, S.DELIVERED, "1", "p2"), later(3))
    await room.inbox.receipt(phone_off("2"), later(4))
    assert await hindrances(room, HOUR) == [H.PHONE]
    await room.inbox.receipt(receipt(None, S.DELIVERED, "3", "p1"), later(5))
    assert await told_until(room, DAY) == []


# ---------------------------------------------------------------------------------- why, and until


@pytest.mark.parametrize(
    ("outcome", "why"),
    [(None, H.TURN), (OutcomeKind.UNREACHABLE, H.AWAY), (OutcomeKind.THROTTLED, H.BUSY)],
    ids=["never tried", "not reached", "throttled"],
)
async def test_why_it_is_late(room: StoreRoom, outcome: OutcomeKind | None, why: Hindrance) -> None:
    message = await taken(room, a_mail(room))
    if outcome is not None:
        await tried(room, message, outcome)
    (due,) = await room.reports.due(later(HOUR), 10)
    (line,) = due.lines
    assert line.hindrance is why
    assert line.tried_until == (later(2 + DAY) if outcome is not None else None)
    assert line.tried_at == (later(2) if outcome is not None else None)
    assert line.remote == (GATEWAY if outcome is OutcomeKind.THROTTLED else "")


async def test_it_is_tried_until_it_expires_or_is_given_up(room: StoreRoom) -> None:
    message = await taken(room, a_mail(room, expires_at=later(2 * HOUR)))
    await tried(room, message, OutcomeKind.UNREACHABLE)
    (due,) = await room.reports.due(later(HOUR), 10)
    assert due.lines[0].tried_until == later(2 * HOUR)


async def test_the_end_of_time_is_no_end(room: StoreRoom) -> None:
    """A mail may name any moment that can be written; not each can be written in every zone."""
    await taken(room, a_mail(room, expires_at=datetime.max.replace(tzinfo=UTC)))
    (due,) = await room.reports.due(later(HOUR), 10)
    assert due.lines[0].tried_until is None


async def test_a_phone_that_nobody_has_decided_about_is_why(room: StoreRoom) -> None:
    """The text waits for that a day, and is refused then."""
    await taken(room, a_mail(room))
    number, mailbox = "+393331234567", room.mailbox
    phone = Phone(mailbox.organisation_id, mailbox.senders, number, room.store.key.hash(number))
    await room.store.committer.do(_asks_for_no_more_texts, phone)
    (due,) = await room.reports.due(later(HOUR), 10)
    assert (due.lines[0].hindrance, due.lines[0].tried_until) == (H.UNDECIDED, later(DAY))


def _asks_for_no_more_texts(connection: Connection, phones: Sequence[Phone]) -> list[None]:
    for phone in phones:
        blocks.add(connection, phone, None, later(1), wish=True)
    return [None] * len(phones)


async def test_a_paused_mailbox_is_why(room: StoreRoom) -> None:
    await taken(room, a_mail(room))
    await room.store.mailboxes.save(replace(room.mailbox, paused=True))
    assert await hindrances(room, HOUR) == [H.PAUSED]


# ------------------------------------------------------------------------------------- DELIVERBY


def by(mail: NewMail, seconds: float, **options: Any) -> NewMail:
    """The same mail with `BY=…;N`."""
    asked = Options(deliver_by=later(seconds), **options)
    return replace(mail, envelope=replace(mail.envelope, options=asked))


@pytest.mark.parametrize("seconds", [600, 5 * HOUR])
async def test_the_moment_of_by_counts_instead_of_the_hour(room: StoreRoom, seconds: int) -> None:
    await taken(room, by(a_mail(room), seconds, late_at=later(seconds)))
    assert await told_until(room, seconds - 1) == []
    (due,) = await room.reports.due(later(seconds), 10)
    assert due.deliver_by == later(seconds)
    assert await told_until(room, seconds) == [[S.QUEUED]]
    assert await told_until(room, DAY) == []


async def test_a_scheduled_text_is_not_late_before_its_time_though_by_is_over(room: StoreRoom) -> None:
    """The header that schedules it is read after BY was taken."""
    await taken(room, by(a_mail(room, due_at=later(5 * HOUR)), 600, late_at=later(600)))
    assert await told_until(room, 5 * HOUR - 1) == []
    assert await told_until(room, 5 * HOUR) == [[S.QUEUED]]


async def test_who_traces_a_text_hears_that_it_was_handed_over_and_then_what_he_wants_to_hear(room: StoreRoom) -> None:
    message = await taken(room, by(a_mail(room, [Notify.FAILURE, Notify.RELAYED]), 600, trace=True))
    await sent(room, message)
    assert await told_until(room, 2) == [[S.SENT]]
    await room.inbox.receipt(receipt(message, S.DELIVERED, "1"), later(10))
    assert await told_until(room, DAY) == []  # asked for failures alone


# ---------------------------------------------------------------------------- who tells no more of it


@pytest.mark.parametrize(
    ("report_on", "told"),
    [((Notify.SUCCESS, Notify.FAILURE), [[S.SENT]]), (BY_DEFAULT, [])],
    ids=["wants to hear of success", "does not"],
)
async def test_a_gateway_without_receipts(
    room: StoreRoom, report_on: Sequence[Notify], told: list[list[MessageState]]
) -> None:
    """`relayed`, which RFC 3464 section 2.3.3 has for who asked for success; all that will ever be known."""
    message = await taken(room, a_mail(room, report_on))
    await claim(room)
    await start(room, message)
    handed = Change(message, S.SENT, later(2), attempt=1, unheard=True)
    await room.store.queue.finish(Finish(1, Outcome(OutcomeKind.ACCEPTED), handed))
    assert await told_until(room, DAY) == told


async def test_who_was_told_that_it_is_late_hears_that_a_gateway_without_receipts_has_it(room: StoreRoom) -> None:
    """The report said that another would come, and there will be no other."""
    message = await taken(room, a_mail(room))
    assert await told_until(room, HOUR) == [[S.QUEUED]]
    await claim(room, at=HOUR + 1)
    await start(room, message, at=HOUR + 1)
    handed = Change(message, S.SENT, later(HOUR + 2), attempt=1, unheard=True)
    await room.store.queue.finish(Finish(1, Outcome(OutcomeKind.ACCEPTED), handed))
    assert await told_until(room, DAY) == [[S.SENT]]


async def test_phones_of_one_mail_that_are_late_are_told_together(room: StoreRoom) -> None:
    numbers = [f"+39333123456{digit}" for digit in range(5)]
    await room.outbox.take(new_mail(room.mailbox, numbers, report_on=BY_DEFAULT))
    assert await told_until(room, DAY) == [[S.QUEUED] * 5]


async def test_of_receipts_only_that_which_settled_it_is_the_gateway_s_word(room: StoreRoom) -> None:
    """It was buffered by one provider and then given up here: no foreign report is translated."""
    message = await taken(room, a_mail(room))
    await room.inbox.receipt(Receipt(GATEWAY, None, message, S.SENT, "1", None, "ACCEPTD"), later(1))
    await tried(room, message, OutcomeKind.THROTTLED, at=2)
    assert await room.store.queue.change(Change(message, S.EXPIRED, later(DAY), Reason.GAVE_UP)) is S.EXPIRED
    (due,) = await room.reports.due(later(DAY), 10)
    (line,) = due.lines
    assert (line.gateway, line.remote, line.tried_at) == ("", GATEWAY, later(2))


async def test_a_receipt_that_does_not_say_when_gives_no_last_try(room: StoreRoom) -> None:
    """RFC 3464 section 2.3.7: a gateway that does not know the time of the last try does not name one."""
    message = await taken(room, a_mail(room))
    await sent(room, message)
    heard = Receipt(GATEWAY, "p1", None, S.UNDELIVERED, "1", Reason.ABSENT_SUBSCRIBER, "err:027")
    await room.inbox.receipt(heard, later(10))
    (due,) = await room.reports.due(later(11), 10)
    assert due.lines[0].tried_at is None


async def test_a_receipt_that_says_when_gives_the_last_try(room: StoreRoom) -> None:
    message = await taken(room, a_mail(room))
    await sent(room, message)
    told = replace(receipt(message, S.UNDELIVERED, "1"), occurred_at=later(7))
    await room.inbox.receipt(told, later(10))
    (due,) = await room.reports.due(later(11), 10)
    assert due.lines[0].tried_at == later(7)
