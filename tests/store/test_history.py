"""The last texts of a conversation, as the mail with an answer shows them: its own, those that left, not too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine, event

from bridge.store.automatic import Dealings
from bridge.store.history import LOOKED_AT
from bridge.store.inbounds import Filing, Thread
from bridge.store.inbox import Inbox
from bridge.store.transitions import Change
from bridge.types import EarlierText, InboundSms, Mailbox, MessageState
from tests.store.conftest import GATEWAY, StoreRoom, later, new_mail
from tests.store.steps import claim, start

PHONE, NEIGHBOUR = "+393331234567", "+393331234568"


class Conversation:
    """Mails and answers, in the order in which they are told."""

    def __init__(self, room: StoreRoom, history: int = 6) -> None:
        self.room = room
        self.inbox = Inbox(room.store.committer, room.store.key, 60, history=history)
        self.count = 0

    async def write(
        self,
        text: str,
        at: float,
        state: MessageState = MessageState.SENT,
        *,
        mailbox: Mailbox | None = None,
        number: str = PHONE,
        sender: str = "",
    ) -> None:
        """A mailbox texts the phone, and the text comes as far as `state`."""
        self.count += 1
        mailbox = mailbox or self.room.mailbox
        mail = new_mail(mailbox, [number], message_id=f"<{self.count}@x>", text=text, at=later(at))
        message = replace(mail.messages[0], sender=sender or mailbox.sender)
        await self.room.outbox.take(replace(mail, messages=(message,)))
        if state is MessageState.QUEUED:
            return
        (claimed,) = await claim(self.room, at=at + 1)
        assert await start(self.room, claimed.sms.reference, at=at + 1) == 1
        if state is not MessageState.SENDING:
            await self.room.store.queue.change(Change(claimed.sms.reference, state, later(at + 2)))

    async def hear(
        self, text: str, at: float, *, number: str = PHONE, sender: str = "", mailbox: Mailbox | None = None
    ) -> tuple[EarlierText, ...]:
        """The phone answers; what its mailbox is shown below the answer."""
        self.count += 1
        recalled: list[EarlierText] = []
        whose = mailbox or self.room.mailbox

        def decide(_id: str, _sms: InboundSms, threads: Sequence[Thread], _dealings: Dealings) -> Filing:
            thread = next((each for each in threads if each.mailbox_id == whose.id), None)
            recalled.extend(thread.recall() if thread is not None else ())
            conversation = thread.conversation_id if thread is not None else None
            return Filing(whose.organisation_id, whose.id, conversation, "number", None)

        sms = InboundSms(GATEWAY, str(self.count), number, sender or whose.sender, text, later(at))
        assert await self.inbox.inbound(sms, decide) is not None
        return tuple(recalled)


def to_phone(text: str, at: datetime) -> EarlierText:
    return EarlierText(text, at, from_phone=False)


def from_phone(text: str, at: datetime) -> EarlierText:
    return EarlierText(text, at, from_phone=True)


async def test_both_ways_the_newest_first_at_the_moment_that_each_left(room: StoreRoom) -> None:
    it = Conversation(room)
    assert await it.hear("Buongiorno", 0) == ()
    await it.write("Domani alle 9?", 10)
    await it.hear("Sì", 20)
    await it.write("A domani", 30)
    assert await it.hear("Grazie", 40) == (
        to_phone("A domani", later(31)),
        from_phone("Sì", later(20)),
        to_phone("Domani alle 9?", later(11)),
        from_phone("Buongiorno", later(0)),
    )


@pytest.mark.parametrize("most", [1, 2, 3, 20])
async def test_no_more_than_are_wanted(room: StoreRoom, most: int) -> None:
    it = Conversation(room, most)
    for number in range(3):
        await it.write(f"question {number}", 10 * number)
        await it.hear(f"answer {number}", 10 * number + 5)
    shown = await it.hear("and now?", 60)
    said = [f"{what} {number}" for number in (2, 1, 0) for what in ("answer", "question")]
    assert [each.text for each in shown] == said[:most]


async def test_with_none_wanted_no_text_is_read(room: StoreRoom) -> None:
    it = Conversation(room, 0)
    await it.write("Domani alle 9?", 10)
    read: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        read.append(statement)

    assert await it.hear("Sì", 20) == ()
    event.remove(Engine, "before_cursor_execute", note)
    assert any("inbound_content" in each for each in read), "the answer itself was written"
    assert not any(each.startswith("SELECT") and "_content" in each for each in read)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (MessageState.QUEUED, False),
        (MessageState.SENDING, True),
        (MessageState.SENT, True),
        (MessageState.DELIVERED, True),
        (MessageState.UNKNOWN, True),
        (MessageState.UNDELIVERED, False),
        (MessageState.EXPIRED, False),
        (MessageState.FAILED, False),
    ],
)
async def test_only_what_the_phone_may_have_is_shown(room: StoreRoom, state: MessageState, *, shown: bool) -> None:
    it = Conversation(room)
    await it.write("Domani alle 9?", 10, state)
    assert bool(await it.hear("Sì", 30)) is shown


async def test_what_others_wrote_and_were_answered_is_never_shown(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(room.mailbox, login="desk@example.test"))
    await room.store.directory.refresh()
    desk = room.store.directory.by_login("desk@example.test")
    assert desk is not None
    it = Conversation(room)
    await it.write("mine", 0)
    await it.write("of the desk", 10, mailbox=desk)
    await it.hear("to the desk", 20, mailbox=desk)
    await it.write("to a neighbour", 30, number=NEIGHBOUR)
    await it.hear("from a neighbour", 40, number=NEIGHBOUR)
    await it.write("from another number", 50, sender="+390200000099")
    assert [each.text for each in await it.hear("to me", 60)] == ["mine"]
    assert [each.text for each in await it.hear("to the desk again", 70, mailbox=desk)] == [
        "to the desk",
        "of the desk",
    ]


async def test_texts_that_did_not_leave_are_not_searched_without_end(sqlite_room: StoreRoom) -> None:
    it = Conversation(sqlite_room)
    await it.write("long ago", 0)
    for number in range(LOOKED_AT - 1):
        await it.write(f"waits {number}", 10, MessageState.QUEUED)
    assert [each.text for each in await it.hear("Sì", 30)] == ["long ago"]
    await it.write("waits too", 10, MessageState.QUEUED)
    assert [each.text for each in await it.hear("Sì", 40)] == ["Sì"]
