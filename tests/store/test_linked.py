"""The text that a provider says a phone answers finds its conversation, among all that the phone is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bridge.clock import new_id
from bridge.store.automatic import Dealings
from bridge.store.inbounds import Filing, Thread
from bridge.types import InboundSms, Mailbox, MessageState
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import claim, finish, start

PHONE, OTHER_PHONE = "+393331234567", "+393337654321"
OTHER_NUMBER = "+390200000002"


async def mailboxes(room: StoreRoom, *logins: str) -> list[Mailbox]:
    """Further mailboxes that text from the same number."""
    for login in logins:
        await room.store.mailboxes.add(replace(room.mailbox, login=login))
    await room.store.directory.refresh()
    found = [room.store.directory.by_login(login) for login in logins]
    return [mailbox for mailbox in found if mailbox is not None]


async def text(room: StoreRoom, mailbox: Mailbox, provider_id: str, phone: str = PHONE, sender: str = "") -> str:
    """A text that the provider has under its id; ours comes back."""
    mail = new_mail(mailbox, [phone], message_id=f"<{provider_id}@x>", text=provider_id)
    if sender:
        mail = replace(mail, messages=(replace(mail.messages[0], sender=sender),))
    await room.outbox.take(mail)
    (claimed,) = await claim(room)
    message_id = claimed.sms.reference
    await start(room, message_id)
    await finish(room, message_id, MessageState.SENT, provider_id=provider_id)
    return message_id


async def heard(room: StoreRoom, answers: str, *, gateway: str = GATEWAY, phone: str = PHONE) -> dict[str, bool]:
    """Of every conversation that an answer may belong to: its mailbox's id, and whether it is the one that is meant."""
    found: list[Thread] = []

    def note(_id: str, _sms: InboundSms, known: Sequence[Thread], _dealings: Dealings) -> Filing:
        found.extend(known)
        return Filing(None, None, None, "none", None)

    sms = InboundSms(gateway, new_id(), phone, room.mailbox.sender, "SI", later(9), answers=answers)
    filing = await room.inbox.inbound(sms, note)
    assert filing is not None
    return {thread.mailbox_id: thread.linked for thread in found}


async def test_an_answer_finds_the_conversation_of_its_text_among_several(room: StoreRoom) -> None:
    desk, lab = await mailboxes(room, "desk@example.test", "lab@example.test")
    ours = [await text(room, mailbox, provider_id) for mailbox, provider_id in ((desk, "p1"), (lab, "p2"))]
    await text(room, room.mailbox, "p3")
    nobody = {desk.id: False, lab.id: False, room.mailbox.id: False}
    for answers, mailbox in (("p1", desk), ("p2", lab), ("p3", room.mailbox), (ours[0], desk), (ours[1], lab)):
        assert await heard(room, answers) == nobody | {mailbox.id: True}
    assert await heard(room, "") == nobody


async def test_an_earlier_text_of_the_conversation_means_it_too(room: StoreRoom) -> None:
    (desk,) = await mailboxes(room, "desk@example.test")
    for mailbox, provider_id in ((desk, "p1"), (room.mailbox, "p2"), (desk, "p3")):
        await text(room, mailbox, provider_id)
    assert await heard(room, "p1") == {desk.id: True, room.mailbox.id: False}


async def test_the_text_may_have_come_from_another_number(room: StoreRoom) -> None:
    (desk,) = await mailboxes(room, "desk@example.test")
    await text(room, room.mailbox, "p1")
    await text(room, desk, "p2", sender=OTHER_NUMBER)
    assert await heard(room, "") == {room.mailbox.id: False}
    assert await heard(room, "p2") == {room.mailbox.id: False, desk.id: True}


async def test_a_text_of_another_phone_or_gateway_counts_for_nothing(room: StoreRoom) -> None:
    (desk,) = await mailboxes(room, "desk@example.test")
    ours = await text(room, desk, "p1", OTHER_PHONE)
    await text(room, room.mailbox, "p2")
    for answers in ("p1", ours):
        assert await heard(room, answers) == {room.mailbox.id: False}
    assert await heard(room, "p2", gateway="another") == {room.mailbox.id: False}
    assert await heard(room, "p2", phone=OTHER_PHONE) == {desk.id: False}


@pytest.mark.parametrize(
    "answers",
    ["unknown", "x" * 1_000_000, "p1\0", "\0", "\ud800", "P1", "p1 ", "p%", "' OR 1=1 --"],
    ids=lambda value: ascii(value)[:12],
)
async def test_what_names_no_text_of_ours_does_no_harm(room: StoreRoom, answers: str) -> None:
    await text(room, room.mailbox, "p1")
    assert await heard(room, answers) == {room.mailbox.id: False}
    assert await heard(room, "p1") == {room.mailbox.id: True}
