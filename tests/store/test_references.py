"""The sender's own reference, of an address or of the whole mail, is given back wherever a message is spoken of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge import clock
from bridge.errors import Reason
from bridge.store.filings import ClaimedFiling, FilingClaim, FilingRule, Filings
from bridge.store.ledger import MessageView
from bridge.store.queue import Queue
from bridge.store.transitions import Change
from bridge.types import FiledKind, MessageState, NewMail, Options, Priority, SentText
from tests.store.conftest import StoreRoom, later, new_mail

ONE, OTHER = "+393331234567", "+393337654321"


def referring(room: StoreRoom, whole: str | None, own: str | None) -> NewMail:
    """A mail to two phones with a reference, whose first address has one of its own."""
    mail = new_mail(room.mailbox, [ONE, OTHER])
    first, second = mail.messages
    options = Options(reference=whole)
    return replace(
        mail,
        submission=replace(mail.submission, options=options),
        messages=(replace(first, reference=own, contact="Mario Rossi"), second),
    )


@pytest.mark.parametrize(
    ("whole", "own", "shown"),
    [
        pytest.param(None, None, {ONE: None, OTHER: None}, id="none"),
        pytest.param("case 7", None, {ONE: "case 7", OTHER: "case 7"}, id="of the mail"),
        pytest.param(None, "bed-3", {ONE: "bed-3", OTHER: None}, id="of one address"),
        pytest.param("case 7", "bed-3", {ONE: "bed-3", OTHER: "case 7"}, id="of both"),
    ],
)
async def test_where_a_reference_is_given_back(
    room: StoreRoom, whole: str | None, own: str | None, shown: dict[str, str | None]
) -> None:
    rules = {room.mailbox.login: FilingRule("SMS/{contact}", frozenset(FiledKind))}
    taken = await room.outbox.take(referring(room, whole, own))
    views = {view.number: view for view in await room.store.ledger.submission_messages(taken.submission_id)}
    assert {number: view.reference for number, view in views.items()} == shown
    await _leave(room, Queue(room.store.engine, room.store.committer, 60, rules), views)
    claim = FilingClaim(room.mailbox.id, "a", clock.now(), later(10**9), 10)
    filed = await Filings(room.store.engine, room.store.committer).claim(claim)
    texts = [each.mail for each in filed if isinstance(each, ClaimedFiling) and isinstance(each.mail, SentText)]
    assert {text.number: text.reference for text in texts} == shown
    assert {text.number: text.contact for text in texts} == {ONE: "Mario Rossi", OTHER: ""}
    (report,) = await room.reports.due(later(10**9), 10)
    assert report.reference == whole
    assert {line.number: line.reference for line in report.lines} == {ONE: own, OTHER: None}
    assert {line.number: line.contact for line in report.lines} == {ONE: "Mario Rossi", OTHER: ""}


async def _leave(room: StoreRoom, queue: Queue, views: dict[str, MessageView]) -> None:
    for view in views.values():
        for state in (MessageState.SENDING, MessageState.SENT, MessageState.UNDELIVERED):
            change = Change(view.id, state, clock.now(), reason=Reason.ABSENT_SUBSCRIBER, by_person=True)
            await queue.change(change)


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        pytest.param({}, "", id="nothing asked for"),
        pytest.param({"reference": "bed-3"}, ", reference bed-3", id="a reference"),
        pytest.param({"priority": Priority.HIGH, "flash": True}, ", priority high, flash", id="wishes"),
    ],
)
async def test_the_trace_says_what_was_asked_for(room: StoreRoom, changes: dict[str, Any], taken: str) -> None:
    mail = new_mail(room.mailbox)
    changed = replace(mail.messages[0], **changes)
    submission = (await room.outbox.take(replace(mail, messages=(changed,)))).submission_id
    (view,) = await room.store.ledger.submission_messages(submission)
    trace = await room.store.ledger.trace(view.id)
    assert trace is not None
    assert trace.steps[0].detail == f"submission {submission}{taken}"
    assert (trace.message.priority, trace.message.flash) == (
        changes.get("priority", Priority.NORMAL),
        changes.get("flash", False),
    )
