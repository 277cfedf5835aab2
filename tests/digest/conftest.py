"""A clinic with texts and answers in a real store, for the tests of its digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Connection, insert, select

from bridge import clock
from bridge.store.digests import Digests, Span
from bridge.store.inbounds import Filing, Thread
from bridge.store.tables import automatic_texts, inbounds
from bridge.store.transitions import Change
from bridge.types import Digest, InboundSms, Language, Mailbox, Match, MessageState, Receipt
from tests.store.conftest import GATEWAY, StoreRoom, new_mail, room, template

__all__ = ["room", "template"]

DOMAIN = "sms.example.test"
PHONE, OTHER_PHONE, THIRD_PHONE = "+393331234567", "+393337654321", "+393330000003"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

_unique = count(1)


@dataclass
class Texts:
    """The clinic's texts, each with its fate, and what phones answer. `now` is when its digest is made."""

    room: StoreRoom
    now: datetime = field(default_factory=clock.now)

    @property
    def digests(self) -> Digests:
        """What digests are read from."""
        return Digests(self.room.store.engine, self.room.store.committer)

    async def text(
        self,
        number: str = PHONE,
        state: MessageState = MessageState.DELIVERED,
        *,
        ago: timedelta = HOUR,
        subject: str = "Your visit",
        contact: str = "",
        reference: str | None = None,
        mailbox: Mailbox | None = None,
        taken: timedelta | None = None,
    ) -> str:
        """A text that was sent `ago`, and its fate at that moment; it was `taken` so long ago, or then. Its id."""
        at = self.now - ago
        mail = new_mail(mailbox or self.room.mailbox, [number], message_id=f"<{next(_unique)}@client.test>", at=at)
        (message,) = mail.messages
        message = replace(message, contact=contact, reference=reference, due_at=at)
        mail = replace(mail, messages=(message,), submission=replace(mail.submission, subject=subject))
        taking = await self.room.outbox.take(mail if taken is None else replace(mail, at=self.now - taken))
        (view,) = await self.room.store.ledger.submission_messages(taking.submission_id)
        if state is not MessageState.QUEUED:
            for step in (MessageState.SENDING, state):
                await self.become(view.id, step, ago=ago)
        return str(view.id)

    async def become(self, message_id: str, state: MessageState, *, ago: timedelta) -> None:
        """Something becomes of a text."""
        await self.room.store.queue.change(Change(message_id, state, self.now - ago, by_provider=True))

    async def receipt(self, message_id: str, state: MessageState, *, ago: timedelta) -> None:
        """A receipt for a text is heard."""
        heard = Receipt(GATEWAY, None, message_id, state, f"receipt {next(_unique)}")
        assert await self.room.inbox.receipt(heard, self.now - ago)

    async def answer(
        self, words: str, number: str = PHONE, *, ago: timedelta = timedelta(), mailbox: Mailbox | None = None
    ) -> None:
        """The phone writes."""
        owner = mailbox or self.room.mailbox

        def decide(inbound_id: str, sms: InboundSms, threads: Sequence[Thread], *_: object) -> Filing:
            thread = next((each for each in threads if each.mailbox_id == owner.id), None)
            conversation_id = thread.conversation_id if thread is not None else None
            return Filing(owner.organisation_id, owner.id, conversation_id, Match.NUMBER, None)

        sms = InboundSms(GATEWAY, f"sms {next(_unique)}", number, owner.sender, words, self.now - ago)
        assert await self.room.inbox.inbound(sms, decide) is not None

    async def is_automatic(self, message_id: str) -> None:
        """The bridge sent this text by itself, in answer to the one SMS that came."""

        def write(connection: Connection, ids: Sequence[str]) -> list[None]:
            (sms,) = connection.execute(select(inbounds)).all()
            row = {"inbound_id": sms.id, "kind": "help", "at": sms.received_at}
            row |= {"number_hash": sms.number_hash, "sender": sms.sender}
            connection.execute(insert(automatic_texts), [row | {"message_id": each} for each in ids])
            return [None] * len(ids)

        await self.room.store.committer.do(write, message_id)

    async def other_mailbox(self, login: str = "desk@example.test", sender: str = "+390200000002") -> Mailbox:
        """Another mailbox, with a number of its own."""
        new = replace(self.room.mailbox, login=login, sender=sender, language=Language.ITALIAN)
        await self.room.store.mailboxes.add(new)
        await self.room.store.directory.refresh()
        found = self.room.store.directory.by_login(login)
        assert found is not None
        return found

    def span(self, days: int = 10, mailbox: Mailbox | None = None) -> Span:
        """The time that is told of."""
        mailbox_id = (mailbox or self.room.mailbox).id
        return Span(mailbox_id, self.now.date(), self.now - days * DAY, self.now)

    async def told(self, *, days: int = 10, mailbox: Mailbox | None = None) -> Digest:
        """What the digest says."""
        found = await self.digests.read(self.span(days, mailbox), None, {})
        assert found is not None
        return found

    async def has_news(self, *, told: timedelta) -> bool:
        """Whether there is something to say, when the last digest was made so long ago."""
        return await self.digests.read(self.span(), self.now - told, {}) is not None

    @property
    def today(self) -> date:
        """The day of the digest."""
        return self.now.date()


@pytest.fixture
def texts(room: StoreRoom) -> Texts:
    """The clinic has sent nothing yet."""
    return Texts(room)
