"""A conversation remembers what the mailbox calls the phone, and gives it back with an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bridge.store.automatic import Dealings
from bridge.store.inbounds import Filing, Thread
from bridge.types import InboundSms, NewMail
from tests.store.conftest import StoreRoom, later, new_mail

PHONE = "+393331234567"


def named(room: StoreRoom, name: str, message_id: str) -> NewMail:
    """A mail to the phone under a name."""
    mail = new_mail(room.mailbox, [PHONE], message_id=message_id)
    return replace(mail, messages=(replace(mail.messages[0], contact=name),))


async def threads(room: StoreRoom) -> list[Thread]:
    """What an answer of the phone finds."""
    found: list[Thread] = []

    def note(_id: str, _sms: InboundSms, known: Sequence[Thread], _dealings: Dealings) -> Filing:
        found.extend(known)
        return Filing(None, None, None, "none", None)

    await room.inbox.inbound(InboundSms("g", "event", PHONE, room.mailbox.sender, "SI", later(9)), note)
    return found


@pytest.mark.parametrize(
    ("names", "called"),
    [
        pytest.param([""], "", id="never named"),
        pytest.param(["Mario Rossi"], "Mario Rossi", id="named"),
        pytest.param(["Mario Rossi", ""], "Mario Rossi", id="kept when the next mail has no name"),
        pytest.param(["Mario Rossi", "", "Rossi M.", ""], "Rossi M.", id="changed when another has another"),
        pytest.param(["", "Mario Rossi"], "Mario Rossi", id="named later"),
    ],
)
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "in one transaction"])
async def test_a_name_stays_until_another_is_given(
    room: StoreRoom, names: list[str], called: str, at_once: bool
) -> None:
    mails = [named(room, name, f"<{place}@x>") for place, name in enumerate(names)]
    if at_once:
        await asyncio.gather(*map(room.outbox.take, mails))
    else:
        for mail in mails:
            await room.outbox.take(mail)
    (thread,) = await threads(room)
    assert (thread.contact, thread.message_id) == (called, f"<{len(names) - 1}@x>")


async def test_what_a_mailbox_calls_a_phone_is_its_own(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(room.mailbox, login="desk@example.test"))
    await room.store.directory.refresh()
    desk = room.store.directory.by_login("desk@example.test")
    assert desk is not None
    await room.outbox.take(named(room, "Mario Rossi", "<one@x>"))
    await room.outbox.take(new_mail(desk, [PHONE], message_id="<two@x>"))
    assert {each.mailbox_id: each.contact for each in await threads(room)} == {
        room.mailbox.id: "Mario Rossi",
        desk.id: "",
    }


async def test_a_conversation_that_a_phone_begins_has_the_name_that_was_found(room: StoreRoom) -> None:
    def known(_id: str, sms: InboundSms, _threads: Sequence[Thread], _dealings: Dealings) -> Filing:
        mailbox = room.mailbox
        return Filing(mailbox.organisation_id, mailbox.id, None, "number", None, contact="Mario Rossi")

    await room.inbox.inbound(InboundSms("g", "first", PHONE, room.mailbox.sender, "Hello", later(1)), known)
    assert [each.contact for each in await threads(room)] == ["Mario Rossi"]
