"""Mails between the front door and a real store: which way each phone's text goes, and which phones no way leads to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.admission import Admission
from bridge.errors import MailRefusal, Reason, RecipientRefusal
from bridge.routing import Route, Routes
from bridge.trials import Trials
from bridge.types import Envelope, MessageClass, MessageState, Recipient
from tests.store.conftest import StoreRoom

NEAR, FAR = "+393331234567", "+393471234567"

PROMOTIONS = Route("promotions", classes=frozenset({MessageClass.PROMOTIONAL}))
NEARBY = Route("nearby", prefixes=("+39333",))


def admission(room: StoreRoom, *routes: Route) -> Admission:
    return Admission(
        room.outbox,
        room.store.directory,
        domains={"sms.example.test"},
        routes=Routes(routes),
        credentials=Credentials(),
        taken=lambda: None,
        trials=Trials(room.mails, domain="sms.example.test", mailed=lambda: None, sign=lambda mail: mail),
        threads=room.store.threads,
        beyond_thread=5,
    )


async def hand_in(room: StoreRoom, *numbers: str, routes: tuple[Route, ...]) -> None:
    desk = admission(room, *routes)
    recipients = tuple(Recipient(f"{number}@sms.example.test") for number in numbers)
    targets = [target for recipient in recipients for target in desk.check_recipient(room.mailbox, recipient)]
    raw = b"From: clinic@example.test\r\nMessage-ID: <1@x>\r\n\r\nTomorrow at nine.\r\n"
    await desk.admit(room.mailbox, Envelope(room.mailbox.login, clock.now()), targets, raw)


async def stored(room: StoreRoom) -> dict[str, tuple[str, MessageState]]:
    views = await room.store.ledger.messages(state=None, number=None, login=None, limit=10)
    return {view.number: (view.gateway, view.state) for view in views}


async def test_each_phone_goes_its_way(room: StoreRoom) -> None:
    await hand_in(room, NEAR, FAR, routes=(NEARBY, Route("far", priority=20)))
    assert await stored(room) == {NEAR: ("nearby", MessageState.QUEUED), FAR: ("far", MessageState.QUEUED)}


async def test_a_phone_that_no_route_reaches_is_refused_at_rcpt(room: StoreRoom) -> None:
    with pytest.raises(RecipientRefusal, match="No provider is set up") as refused:
        await hand_in(room, FAR, routes=(NEARBY,))
    assert refused.value.reason is Reason.COUNTRY_NOT_ALLOWED


async def test_a_mail_that_no_day_has_room_for_is_not_told_to_wait(room: StoreRoom) -> None:
    desk, capped = admission(room, Route("any")), replace(room.mailbox, daily_cap=1)
    recipients = tuple(Recipient(f"{number}@sms.example.test") for number in (NEAR, FAR))
    targets = [target for recipient in recipients for target in desk.check_recipient(capped, recipient)]
    raw = b"From: clinic@example.test\r\nMessage-ID: <1@x>\r\n\r\nTomorrow at nine.\r\n"
    with pytest.raises(RecipientRefusal, match="This mail is for 2 phones, and this mailbox has a limit of 1 "):
        await desk.admit(capped, Envelope(capped.login, clock.now()), targets, raw)
    assert await stored(room) == {}


async def test_a_phone_without_a_route_for_this_class_does_not_keep_the_others_back(room: StoreRoom) -> None:
    await hand_in(room, NEAR, FAR, routes=(NEARBY, PROMOTIONS))
    assert await stored(room) == {NEAR: ("nearby", MessageState.QUEUED), FAR: ("", MessageState.REFUSED)}


async def test_a_mail_that_no_route_takes_is_refused_and_leaves_nothing(room: StoreRoom) -> None:
    with pytest.raises(MailRefusal, match="No provider is set up for transactional texts"):
        await hand_in(room, NEAR, FAR, routes=(PROMOTIONS,))
    assert await stored(room) == {}
