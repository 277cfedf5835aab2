"""Delivery reports: what is told is true when it is told, nothing is told twice, nothing is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bridge.errors import Reason
from bridge.store.reports import DueReport, Told
from bridge.store.transitions import Change
from bridge.types import MessageState, Notify, OutgoingMail
from tests.store.conftest import StoreRoom, later, new_mail
from tests.store.steps import claim, finish, receipt, sending, start

DELIVERED, FAILED, UNKNOWN = MessageState.DELIVERED, MessageState.FAILED, MessageState.UNKNOWN
BY_DEFAULT = (Notify.FAILURE, Notify.DELAY)
"""What a mailbox hears of that did not ask for more: failures, and that nobody knows."""


async def change(room: StoreRoom, message_id: str, became: MessageState, at: float, told_after: float = 0) -> None:
    assert await room.store.queue.change(Change(message_id, became, later(at), told_after=told_after)) is became


async def tell(room: StoreRoom, due: DueReport) -> bool:
    mail = OutgoingMail(f"report.{due.submission_id}.{due.number}", "", due.to, b"Subject: report\r\n\r\n")
    return await room.reports.told(Told(due, (mail,) if due.lines else ()))


async def told_until(room: StoreRoom, at: float) -> list[list[MessageState]]:
    """Every report that is made until then, as the reporter makes them; it must come to rest."""
    reports: list[list[MessageState]] = []
    for _ in range(10):
        due = await room.reports.due(later(at), 10)
        if not due:
            return reports
        reports += [[line.state for line in report.lines] for report in due if await tell(room, report)]
    raise AssertionError("the reporter never rests")


async def two_phones(room: StoreRoom, report_on: Sequence[Notify] = BY_DEFAULT) -> list[str]:
    await room.outbox.take(new_mail(room.mailbox, ["+393331234567", "+393337654321"], report_on=report_on))
    ids = [claimed.sms.reference for claimed in await claim(room)]
    await asyncio.gather(*(start(room, one) for one in ids))
    return sorted(ids)


@pytest.mark.parametrize(
    ("story", "told"),
    [
        pytest.param([(FAILED, 5), (FAILED, 6)], {7: [[FAILED, FAILED]]}, id="both failed: one report, at once"),
        pytest.param(
            [(FAILED, 5)],
            {7: [], 66: [[FAILED]], 3599: [], 3600: [[MessageState.SENDING]]},
            id="one failed: its report waits a minute for the other, which is late after an hour",
        ),
        pytest.param([(FAILED, 5), (FAILED, 100)], {66: [[FAILED]], 101: [[FAILED]]}, id="the other failed later"),
        pytest.param([(DELIVERED, 5), (DELIVERED, 6)], {100: []}, id="nobody asked to hear of deliveries"),
        pytest.param([(DELIVERED, 5), (FAILED, 6)], {7: [[FAILED]]}, id="one delivered, one failed"),
        pytest.param(
            [(UNKNOWN, 5), (FAILED, 6)], {7: [], 21: [[UNKNOWN, FAILED]]}, id="an unknown outcome waits a little"
        ),
    ],
)
async def test_when_reports_are_made(
    room: StoreRoom, story: list[tuple[MessageState, float]], told: dict[float, list[list[MessageState]]]
) -> None:
    ids = await two_phones(room)
    steps = list(zip(ids, story, strict=False))
    for until, expected in told.items():
        while steps and steps[0][1][1] <= until:
            message_id, (became, at) = steps.pop(0)
            await change(room, message_id, became, at, told_after=15 if became is UNKNOWN else 0)
        assert await told_until(room, until) == expected
    assert await told_until(room, 100_000) == []


async def test_who_was_told_that_nobody_knows_is_told_the_truth(room: StoreRoom) -> None:
    (first, _) = await two_phones(room)
    await change(room, first, UNKNOWN, 5)
    assert await told_until(room, 70) == [[UNKNOWN]]
    await room.inbox.receipt(receipt(first, DELIVERED, "1"), later(80))
    assert await told_until(room, 1000) == [[DELIVERED]]


async def test_an_outcome_that_changes_while_its_report_is_made(room: StoreRoom) -> None:
    """Read as unknown, delivered before the report is queued: nobody is told that nobody knows."""
    message_id = await sending(room)
    await change(room, message_id, UNKNOWN, 5)
    (read,) = await room.reports.due(later(6), 10)
    await room.inbox.receipt(receipt(message_id, DELIVERED, "1"), later(6))
    assert not await tell(room, read)
    assert await told_until(room, 7) == [[DELIVERED]]


async def test_a_person_sends_again_while_the_report_is_made(room: StoreRoom) -> None:
    message_id = await sending(room)
    await change(room, message_id, UNKNOWN, 5)
    (read,) = await room.reports.due(later(6), 10)
    again = Change(message_id, MessageState.QUEUED, later(6), due_at=later(6), by_person=True)
    assert await room.store.queue.change(again) is MessageState.QUEUED
    assert not await tell(room, read)
    assert await told_until(room, 1000) == []


async def test_two_reporters_tell_once(room: StoreRoom) -> None:
    await change(room, await sending(room), FAILED, 5)
    (read,) = await room.reports.due(later(6), 10)
    assert sorted(await asyncio.gather(tell(room, read), tell(room, read))) == [False, True]
    assert await told_until(room, 1000) == []


async def test_a_report_that_is_put_off_comes_back(room: StoreRoom) -> None:
    await change(room, await sending(room), FAILED, 5)
    (read,) = await room.reports.due(later(6), 10)
    await room.reports.put_off(read.submission_id, later(3600))
    assert await room.reports.due(later(3599), 10) == []
    assert await told_until(room, 3601) == [[FAILED]]


async def test_a_message_sent_in_the_end_has_no_reason_any_more(room: StoreRoom) -> None:
    message_id = await sending(room)
    busy = Change(message_id, MessageState.QUEUED, later(2), Reason.BUSY, "HTTP 429", due_at=later(3), attempt=1)
    await room.store.queue.change(busy)
    await claim(room, at=4)
    await start(room, message_id, at=4)
    await finish(room, message_id, MessageState.SENT, attempt=2, at=5)
    await change(room, message_id, DELIVERED, 6)
    (report,) = await room.reports.due(later(7), 10)
    assert [(line.state, line.reason, line.diagnostic) for line in report.lines] == [(DELIVERED, None, "")]


async def test_whose_word_a_line_is(room: StoreRoom) -> None:
    """A receipt is the gateway's word; what we decide is ours."""
    heard, decided = await two_phones(room)
    await room.inbox.receipt(receipt(heard, MessageState.UNDELIVERED, "1"), later(5))
    await change(room, decided, FAILED, 5)
    (report,) = await room.reports.due(later(6), 10)
    assert {line.message_id: line.gateway for line in report.lines} == {heard: "simulator", decided: ""}


async def test_a_final_report_is_the_only_one(room: StoreRoom) -> None:
    """RFC 3464 section 3: of one recipient one that says delivered or failed, even where the truth comes late."""
    message_id = await sending(room)
    await room.inbox.receipt(receipt(message_id, MessageState.UNDELIVERED, "1"), later(5))
    assert await told_until(room, 7) == [[MessageState.UNDELIVERED]]
    await room.inbox.receipt(receipt(message_id, DELIVERED, "2"), later(8))
    assert await told_until(room, 100_000) == []
