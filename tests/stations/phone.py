"""A phone that writes to the clinic, and gets what the bridge texts by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge import clock
from bridge.answering import Manners
from bridge.routing import Routes
from bridge.store.ledger import MessageView
from bridge.types import InboundSms, Keyword, Mailbox
from tests.stations.conftest import PHONE, intake_of
from tests.store.conftest import GATEWAY, StoreRoom


class Phone:
    """A phone that writes to the clinic, and what the bridge made of it."""

    def __init__(
        self,
        room: StoreRoom,
        manners: Manners | None = None,
        routes: Routes | None = None,
        *,
        posted: Callable[[], None] = lambda: None,
    ) -> None:
        self.room = room
        self.rung = 0
        self._events = itertools.count()
        self.intake = intake_of(room, manners=manners, routes=routes, texted=self._ring, posted=posted)

    def _ring(self) -> None:
        self.rung += 1

    def sms(self, text: str, to: str = "", number: str = PHONE, at: datetime | None = None) -> InboundSms:
        to = to or self.room.mailbox.sender
        return InboundSms(GATEWAY, f"event {next(self._events)}", number, to, text, at or clock.now())

    async def writes(self, *texts: str, to: str = "", number: str = PHONE) -> list[str]:
        """The texts that it gets for these."""
        known = {each.id for each in await self.messages(number)}
        for text in texts:
            await self.intake.hear([self.sms(text, to, number)])
        new = [each for each in await self.messages(number) if each.id not in known]
        return [await self.words(each) for each in reversed(new)]

    async def messages(self, number: str = PHONE) -> list[MessageView]:
        return await self.room.store.ledger.messages(state=None, number=number, login=None, limit=100)

    async def words(self, message: MessageView) -> str:
        trace = await self.room.store.ledger.trace(message.id)
        assert trace is not None
        return trace.text


async def set_mailbox(room: StoreRoom, **changes: Any) -> Mailbox:
    changed = replace(room.mailbox, **changes)
    await room.store.mailboxes.save(changed)
    await room.store.directory.refresh()
    return changed


async def keyword(room: StoreRoom, word: str, mailbox: Mailbox | None = None, **does: Any) -> None:
    await room.store.keywords.save(mailbox or room.mailbox, Keyword(word, **does))
    await room.store.directory.refresh()
