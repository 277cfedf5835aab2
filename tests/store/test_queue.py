"""The queue that the message rows are: who may send what, and what a try, a crash or a receipt makes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.errors import Reason
from bridge.store.claims import Claim, Start
from bridge.store.inbounds import Filing
from bridge.store.queue import Finish
from bridge.store.transitions import Change
from bridge.types import MAY_BECOME, InboundSms, MessageState, Outcome, OutcomeKind, Receipt
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import ME, OTHER, claim, finish, receipt, sending, start, state, view


async def test_what_is_claimed_is_what_was_taken(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    (claimed,) = await claim(room)
    assert claimed.sms.text == "See you tomorrow."
    assert claimed.sms.segments == ("See you to", "morrow.")
    assert (claimed.sms.number, claimed.sms.sender) == ("+393331234567", "+390200000001")


async def test_a_message_is_claimed_by_one(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    assert len(await claim(room, ME)) == 1
    assert await claim(room, OTHER) == []


async def test_a_lease_that_ran_out_gives_a_queued_message_back(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    (mine,) = await claim(room, ME)
    assert len(await claim(room, OTHER, at=100)) == 1
    assert await start(room, mine.sms.reference, ME) is None, "who lost the lease may not send"
    assert await start(room, mine.sms.reference, OTHER) == 1


async def test_a_paused_mailbox_keeps_its_messages_in_the_queue(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    await room.store.mailboxes.save(replace(room.mailbox, paused=True))
    assert await claim(room) == []
    await room.store.mailboxes.save(replace(room.mailbox, paused=False))
    assert len(await claim(room)) == 1


async def test_a_crash_on_the_way_makes_unknown_and_is_never_sent_again(room: StoreRoom) -> None:
    message_id = await sending(room)
    assert await room.store.leases.recover(later(5), all_leases=True, told_after=15) == 1
    assert await state(room, message_id) is MessageState.UNKNOWN
    assert await claim(room, at=100_000) == []


async def test_another_nodes_lease_is_respected_until_it_runs_out(room: StoreRoom) -> None:
    message_id = await sending(room)
    assert await room.store.leases.recover(later(5), all_leases=False, told_after=15) == 0
    assert await room.store.leases.recover(later(100), all_leases=False, told_after=15) == 1
    assert await state(room, message_id) is MessageState.UNKNOWN


async def test_a_receipt_before_the_submit_answer(room: StoreRoom) -> None:
    message_id = await sending(room)
    await room.inbox.receipt(receipt(message_id, MessageState.DELIVERED, "1"), later(2))
    accepted = Change(message_id, MessageState.SENT, later(3), provider_id="P-1")
    finish = Finish(1, Outcome(OutcomeKind.ACCEPTED, "P-1"), accepted)
    assert await room.store.queue.finish(finish) is None
    trace = await room.store.ledger.trace(message_id)
    assert trace is not None
    assert (trace.message.state, trace.message.provider_id) == (MessageState.DELIVERED, "P-1")


async def test_a_receipt_that_knows_only_a_provider_id_nobody_knows_yet(room: StoreRoom) -> None:
    message_id = await sending(room)
    await room.inbox.receipt(receipt(None, MessageState.DELIVERED, "1", "007-P"), later(2))
    assert await state(room, message_id) is MessageState.SENDING
    accepted = Change(message_id, MessageState.SENT, later(3), provider_id="007-P")
    await room.store.queue.finish(Finish(1, Outcome(OutcomeKind.ACCEPTED, "007-P"), accepted))
    assert await state(room, message_id) is MessageState.DELIVERED


async def test_a_receipt_of_another_gateway_moves_nothing(room: StoreRoom) -> None:
    message_id = await sending(room)
    await room.inbox.receipt(Receipt("other", None, message_id, MessageState.DELIVERED, "1"), later(2))
    assert await state(room, message_id) is MessageState.SENDING


async def test_a_repeated_receipt_is_heard_once(room: StoreRoom) -> None:
    message_id = await sending(room)
    assert await room.inbox.receipt(receipt(message_id, MessageState.DELIVERED, "1"), later(2))
    assert not await room.inbox.receipt(receipt(message_id, MessageState.DELIVERED, "1"), later(3))


@pytest.mark.parametrize("first", [state for state in MessageState if state is not MessageState.HELD])
async def test_late_truth_wins_and_nothing_else(room: StoreRoom, first: MessageState) -> None:
    """Whatever a message is told to become next: what yields is what the table of states says."""
    path = {
        MessageState.QUEUED: [],
        MessageState.SENDING: [MessageState.SENDING],
        MessageState.REFUSED: [MessageState.REFUSED],
        MessageState.CANCELLED: [MessageState.CANCELLED],
        MessageState.EXPIRED: [MessageState.EXPIRED],
    }.get(first, [MessageState.SENDING, first])
    for then in MessageState:
        await room.outbox.take(new_mail(room.mailbox, message_id=f"<{then}@client.test>"))
    for then, claimed in zip(MessageState, await claim(room, limit=len(MessageState)), strict=True):
        for step in path:
            assert await room.store.queue.change(Change(claimed.sms.reference, step, later(2))) is step
        result = await room.store.queue.change(Change(claimed.sms.reference, then, later(3), by_provider=True))
        assert result == (then if then in MAY_BECOME[first] else None)
        assert await state(room, claimed.sms.reference) is (then if then in MAY_BECOME[first] else first)


@pytest.mark.parametrize("first", [MessageState.SENT, MessageState.UNKNOWN])
async def test_what_a_provider_has_is_cancelled_by_its_word_alone(room: StoreRoom, first: MessageState) -> None:
    message_id = await sending(room)
    await finish(room, message_id, first, provider_id="P")
    by_person = Change(message_id, MessageState.CANCELLED, later(3), by_person=True)
    assert await room.store.queue.change(by_person) is None
    by_provider = Change(message_id, MessageState.CANCELLED, later(3), by_provider=True, attempt=1)
    assert await room.store.queue.change(by_provider) is MessageState.CANCELLED
    await room.inbox.receipt(receipt(message_id, MessageState.FAILED, "1"), later(4))
    assert await state(room, message_id) is MessageState.CANCELLED
    await room.inbox.receipt(receipt(message_id, MessageState.DELIVERED, "2"), later(5))
    assert await state(room, message_id) is MessageState.DELIVERED, "late truth wins"


async def test_a_try_that_began_meanwhile_is_not_cancelled_with_the_one_before(room: StoreRoom) -> None:
    """A person asks the provider about a try while another has it sent again."""
    message_id = await sending(room)
    await finish(room, message_id, MessageState.UNKNOWN, provider_id="P")
    again = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True)
    await room.store.queue.change(again)
    await claim(room, at=4)
    assert await start(room, message_id, at=4) == 2
    await finish(room, message_id, MessageState.SENT, attempt=2, provider_id="P2")
    late = Change(message_id, MessageState.CANCELLED, later(5), by_provider=True, attempt=1)
    assert await room.store.queue.change(late) is None
    assert await state(room, message_id) is MessageState.SENT


async def test_only_a_person_sends_an_unknown_message_again(room: StoreRoom) -> None:
    message_id = await sending(room)
    await room.store.queue.change(Change(message_id, MessageState.UNKNOWN, later(2), Reason.NO_ANSWER))
    again = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3))
    assert await room.store.queue.change(again) is None
    by_person = Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True)
    assert await room.store.queue.change(by_person) is MessageState.QUEUED
    (claimed,) = await claim(room, at=4)
    assert await start(room, claimed.sms.reference, at=4) == 2


async def test_a_phone_that_opts_out_after_the_claim_is_not_texted(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    (claimed,) = await claim(room)
    stop = InboundSms(GATEWAY, "1", "+393331234567", room.mailbox.sender, "STOP", later(1))
    mailbox = room.mailbox
    await room.inbox.inbound(
        stop, lambda *_: Filing(mailbox.organisation_id, mailbox.id, None, "number", None, stops=True)
    )
    assert await start(room, claimed.sms.reference) is None
    (again,) = await claim(room, at=100)
    assert again.opted_out_since == later(1)


async def test_one_message_leaves_once_however_often_it_is_asked_for(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    (claimed,) = await claim(room)
    tries = (start(room, claimed.sms.reference, owner) for owner in (OTHER, ME, ME, OTHER))
    assert await asyncio.gather(*tries) == [None, 1, None, None]


async def test_who_comes_after_the_lease_may_not_send(room: StoreRoom) -> None:
    await room.outbox.take(new_mail(room.mailbox))
    (claimed,) = await claim(room)
    assert await start(room, claimed.sms.reference, at=95) is None


@pytest.mark.parametrize("came", [MessageState.SENT, MessageState.FAILED, MessageState.QUEUED, MessageState.UNKNOWN])
async def test_an_answer_to_an_earlier_try_decides_nothing(room: StoreRoom, came: MessageState) -> None:
    """The gateway hung, the message became unknown, a person sent it again, and now the first answer comes."""
    message_id = await sending(room)
    await room.store.leases.recover(later(100), all_leases=False, told_after=15)
    await room.store.queue.change(
        Change(message_id, MessageState.QUEUED, later(101), due_at=later(101), by_person=True)
    )
    await claim(room, at=102)
    assert await start(room, message_id, at=102) == 2
    assert await finish(room, message_id, came, attempt=1, at=103) is None
    assert await state(room, message_id) is MessageState.SENDING
    assert await claim(room, at=150) == []


async def test_a_decision_about_a_waiting_message_spares_one_that_left(room: StoreRoom) -> None:
    message_id = await sending(room)
    waiting = frozenset({MessageState.QUEUED})
    gave_up = Change(message_id, MessageState.EXPIRED, later(2), Reason.GAVE_UP, only_from=waiting)
    assert await room.store.queue.change(gave_up) is None
    assert await state(room, message_id) is MessageState.SENDING


async def test_giving_up_is_counted_from_the_persons_word(room: StoreRoom) -> None:
    message_id = await sending(room)
    await finish(room, message_id, MessageState.UNKNOWN)
    await room.store.queue.change(
        Change(message_id, MessageState.QUEUED, later(90_000), due_at=later(90_000), by_person=True)
    )
    (claimed,) = await claim(room, at=90_001)
    assert claimed.first_tried_at is None
    await start(room, message_id, at=90_001)
    await finish(room, message_id, MessageState.QUEUED, attempt=2, at=90_002)
    (claimed,) = await claim(room, at=90_003)
    assert claimed.first_tried_at == later(90_001)


async def test_two_wishes_for_one_message_at_once_and_the_way_of_the_first_counts(room: StoreRoom) -> None:
    """A message that one process has claimed twice, for two gateways: who is told yes is who is written down."""
    await room.outbox.take(new_mail(room.mailbox))
    (claimed,) = await claim(room)
    until, message_id = later(91), claimed.sms.reference
    here = Start(ME, message_id, GATEWAY, later(1), until)
    there = Start(ME, message_id, "second", later(1), until, (GATEWAY,))
    wishes = [room.store.queue.start(here), room.store.queue.start(there)]
    assert await asyncio.gather(*wishes) == [1, None]
    assert (await view(room, message_id)).gateway == GATEWAY


async def test_the_id_of_the_last_try_is_kept_even_when_a_receipt_of_the_first_came_before_it(room: StoreRoom) -> None:
    """Else nobody would hear that the second text arrived."""
    message_id = await again(room, "P-1")
    await room.inbox.receipt(receipt(None, MessageState.UNDELIVERED, "1", "P-1"), later(6))
    assert await finish(room, message_id, MessageState.SENT, attempt=2, at=7, provider_id="P-2") is None
    await room.inbox.receipt(receipt(None, MessageState.DELIVERED, "2", "P-2"), later(8))
    assert await state(room, message_id) is MessageState.DELIVERED


async def test_the_id_of_one_provider_means_nothing_at_another(room: StoreRoom) -> None:
    """The second provider counts its messages too, and its own 7 is somebody else's text."""
    message_id = await again(room, "7", gateway="second")
    await room.inbox.receipt(Receipt("second", "7", None, MessageState.DELIVERED, "1"), later(6))
    assert await finish(room, message_id, MessageState.UNKNOWN, attempt=2, at=7) is MessageState.UNKNOWN
    assert await state(room, message_id) is MessageState.UNKNOWN
    (doubt,) = await room.store.queue.doubts(["second"], later(0) - timedelta(days=1))
    assert (doubt.gateway, doubt.provider_id, doubt.attempt) == ("second", None, 2)


@pytest.mark.parametrize(
    ("paused", "found"),
    [
        pytest.param({GATEWAY}, True, id="somebody stands in"),
        pytest.param({GATEWAY, "second"}, True, id="one of two stands in"),
        pytest.param({"second", "third"}, True, id="nobody has to"),
        pytest.param({GATEWAY, "second", "third"}, False, id="all are left alone"),
        pytest.param({GATEWAY, "second", "third", "hird"}, False, id="and one more"),
        pytest.param({GATEWAY, "second", "hird", "secondthird"}, True, id="a part of a name is no name"),
    ],
)
async def test_what_nobody_may_carry_stands_in_nobodys_way(room: StoreRoom, paused: set[str], found: bool) -> None:
    """Claimed and put back every second, a long row of them would keep the others from being claimed at all."""
    mail = new_mail(room.mailbox)
    await room.outbox.take(
        replace(mail, messages=tuple(replace(each, stand_ins=("second", "third")) for each in mail.messages))
    )
    wish = Claim(ME, later(1), later(91), 10, frozenset(paused))
    assert bool(await room.store.queue.claim(wish)) is found


@pytest.mark.parametrize("told_by", ["look-up", "late answer"])
async def test_a_receipt_that_came_before_the_id_was_learnt(room: StoreRoom, told_by: str) -> None:
    """No answer, a receipt under an id that nobody knows, and only then the id: by a look-up or a late answer."""
    message_id = await sending(room)
    await finish(room, message_id, MessageState.UNKNOWN)
    await room.inbox.receipt(receipt(None, MessageState.DELIVERED, "1", "P-9"), later(3))
    assert await state(room, message_id) is MessageState.UNKNOWN
    if told_by == "look-up":
        await room.store.queue.change(Change(message_id, MessageState.SENT, later(4), provider_id="P-9", attempt=1))
    else:
        await room.inbox.receipt(receipt(message_id, MessageState.SENT, "2", "P-9"), later(4))
    assert await state(room, message_id) is MessageState.DELIVERED


async def again(room: StoreRoom, provider_id: str, gateway: str = GATEWAY) -> str:
    """A message in doubt that a person has sent again: the second try, perhaps over another gateway, is under way."""
    message_id = await sending(room)
    await finish(room, message_id, MessageState.UNKNOWN, provider_id=provider_id)
    await room.store.queue.change(Change(message_id, MessageState.QUEUED, later(3), due_at=later(3), by_person=True))
    await claim(room, at=4)
    stand_ins = None if gateway == GATEWAY else (GATEWAY,)
    assert await room.store.queue.start(Start(ME, message_id, gateway, later(5), later(95), stand_ins)) == 2
    return message_id
