"""The stations stand on a real store: that of its own tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from bridge import clock
from bridge.answering import Manners
from bridge.errors import StoreUnavailable
from bridge.intake import Intake
from bridge.notices.bounces import BounceKey
from bridge.returns import Returns
from bridge.routing import Route, Routes
from bridge.rulings import Rulings
from bridge.settings import ConfirmOrders, OperatorSettings, ReplySettings
from bridge.sorter import Sorter
from bridge.store.claims import Claim
from bridge.types import InboundSms, Language, OutgoingMail
from tests.store.conftest import GATEWAY, StoreRoom, room, sqlite_room, template

__all__ = ["room", "sqlite_room", "template"]

KEY = BounceKey(1, b"k" * 32)
OPERATOR = "operator@example.test"
DESK = "front-desk@example.test"
PHONE = "+393331234567"


@pytest.fixture
async def desk(room: StoreRoom) -> ReplySettings:
    """The front desk is the fallback mailbox, and speaks Dutch."""
    await room.store.mailboxes.add(replace(room.mailbox, login=DESK, language=Language.DUTCH))
    await room.store.directory.refresh()
    return ReplySettings(fallback=DESK)


def returns_of(room: StoreRoom, **changes: Any) -> Returns:
    """What takes lost answers in, on the store of a test; there is an operator unless `changes` says otherwise."""
    told = {"operator": OperatorSettings(address=OPERATOR)} | changes
    return Returns(
        room.mails,
        room.store.directory,
        settings=room.store.settings.model_copy(update=told),
        key=KEY,
        sign=lambda mail: mail,
        mailed=lambda: None,
    )


def refusals(monkeypatch: pytest.MonkeyPatch, writer: Any, method: str) -> asyncio.Event:
    """Set as soon as the database has refused what `writer.method` wanted to write."""
    write, refused = getattr(writer, method), asyncio.Event()

    async def watched(what: Any) -> Any:
        try:
            return await write(what)
        except StoreUnavailable:
            refused.set()
            raise

    monkeypatch.setattr(writer, method, watched)
    return refused


def intake_of(
    room: StoreRoom,
    *,
    manners: Manners | None = None,
    routes: Routes | None = None,
    texted: Callable[[], None] = lambda: None,
    posted: Callable[[], None] = lambda: None,
    **changes: Any,
) -> Intake:
    """What hears phones on the store of a test; `changes` are to the settings of replies."""
    sorter = Sorter(
        room.store.directory,
        domain="sms.example.test",
        settings=ReplySettings(**({"fallback": room.mailbox.login} | changes)),
        sign=lambda mail: mail,
        bounce_key=KEY,
        routes=routes or Routes((Route(GATEWAY),)),
        manners=manners or Manners(3, ConfirmOrders.ALWAYS),
    )
    return Intake(
        room.inbox,
        room.store.directory,
        decide=sorter.decide,
        settled=lambda: None,
        mailed=lambda: None,
        texted=texted,
        posted=posted,
    )


def rulings_of(
    room: StoreRoom, *, mailed: Callable[[], None] = lambda: None, decided: Callable[[], None] = lambda: None
) -> Rulings:
    """What takes decisions about phones, on the store of a test."""
    return Rulings(
        room.store.decisions,
        room.store.directory,
        domain="sms.example.test",
        mailed=mailed,
        decided=decided,
        sign=lambda mail: mail,
    )


async def under_way(room: StoreRoom, text: str = "Sì") -> OutgoingMail:
    """A phone's answer to the clinic; the postman holds its mail."""
    await intake_of(room).hear([InboundSms(GATEWAY, "1", PHONE, room.mailbox.sender, text, clock.now())])
    (mail,) = await waiting(room)
    return mail


async def waiting(room: StoreRoom) -> list[OutgoingMail]:
    """Take all mails that wait."""
    now = clock.now() + timedelta(seconds=1)
    return await room.mails.claim(Claim("test", now, now + timedelta(seconds=600), 100))


def words(mail: OutgoingMail) -> str:
    """What a person reads in a mail, on one line."""
    body = message_from_bytes(mail.raw, policy=policy.default).get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())
