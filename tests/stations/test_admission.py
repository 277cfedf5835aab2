"""Mails between the front door and a real store: which way each phone's text goes, and which phones no way leads to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.admission import Admission
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal
from bridge.janitor import Janitor
from bridge.routing import Route, Routes
from bridge.trials import Trials
from bridge.types import Envelope, Mailbox, MessageClass, MessageState, Recipient
from tests.clinic import CLINIC
from tests.stations.conftest import rulings_of
from tests.store.conftest import StoreRoom

NEAR, FAR = "+393331234567", "+393471234567"

PROMOTIONS = Route("promotions", classes=frozenset({MessageClass.PROMOTIONAL}))
NEARBY = Route("nearby", prefixes=("+39333",))
ONE, TWO, THREE = CLINIC.sender, "+390200000002", "+390200000003"


def admission(room: StoreRoom, *routes: Route) -> Admission:
    return Admission(
        room.outbox,
        room.store.directory,
        domains={"sms.example.test"},
        routes=Routes(routes),
        credentials=Credentials(),
        taken=lambda: None,
        trials=Trials(room.mails, domain="sms.example.test", mailed=lambda: None, sign=lambda mail: mail),
        rulings=rulings_of(room),
        threads=room.store.threads,
        beyond_thread=5,
    )


async def hand_in(
    room: StoreRoom, *numbers: str, routes: tuple[Route, ...], mailbox: Mailbox | None = None, header: str = ""
) -> None:
    desk, sends = admission(room, *routes), mailbox or room.mailbox
    recipients = tuple(Recipient(f"{number}@sms.example.test") for number in numbers)
    targets = [target for recipient in recipients for target in desk.check_recipient(sends, recipient)]
    raw = f"From: {sends.login}\r\nMessage-ID: <1@x>\r\n{header}\r\nTomorrow at nine.\r\n"
    await desk.admit(sends, Envelope(sends.login, clock.now()), targets, raw.encode())


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
    capped = replace(room.mailbox, daily_cap=1)
    with pytest.raises(RecipientRefusal, match="This mail is for 2 phones, and this mailbox has a limit of 1 "):
        await hand_in(room, NEAR, FAR, routes=(Route("any"),), mailbox=capped)
    assert await stored(room) == {}


async def test_a_phone_without_a_route_for_this_class_does_not_keep_the_others_back(room: StoreRoom) -> None:
    await hand_in(room, NEAR, FAR, routes=(NEARBY, PROMOTIONS))
    assert await stored(room) == {NEAR: ("nearby", MessageState.QUEUED), FAR: ("", MessageState.REFUSED)}


async def test_a_mail_that_no_route_takes_is_refused_and_leaves_nothing(room: StoreRoom) -> None:
    with pytest.raises(MailRefusal, match="No provider is set up for transactional texts"):
        await hand_in(room, NEAR, FAR, routes=(PROMOTIONS,))
    assert await stored(room) == {}


async def senders(room: StoreRoom) -> dict[str, str]:
    """The number that each mailbox texted from."""
    views = await room.store.ledger.messages(state=None, number=None, login=None, limit=10)
    return {view.mailbox: view.sender for view in views}


async def test_the_pool_gives_only_numbers_that_go_the_same_way_as_the_first(room: StoreRoom) -> None:
    await room.store.mailboxes.add(replace(CLINIC, login="desk@example.test"))
    await room.store.directory.refresh()
    desk = room.store.directory.by_login("desk@example.test")
    routes = (Route("any", senders=frozenset({ONE, THREE})), Route("other", senders=frozenset({TWO})))
    await hand_in(room, NEAR, routes=routes, mailbox=desk)
    await hand_in(room, NEAR, routes=routes, mailbox=replace(room.mailbox, pool=(TWO, THREE)))
    assert await senders(room) == {"desk@example.test": ONE, CLINIC.login: THREE}


@pytest.mark.parametrize(
    ("number", "header"),
    [
        pytest.param(f"{NEAR}+from={TWO[1:]}", "", id="in the address"),
        pytest.param(NEAR, f"X-SMS-Sender: {TWO}\r\n", id="in the header"),
    ],
)
async def test_the_number_of_the_pool_that_a_mail_names_is_obeyed(room: StoreRoom, number: str, header: str) -> None:
    pooled = replace(room.mailbox, pool=(TWO, THREE))
    await hand_in(room, number, routes=(Route("any"),), mailbox=pooled, header=header)
    assert await senders(room) == {CLINIC.login: TWO}


async def test_a_number_that_is_not_the_mailboxs_is_refused_and_all_of_its_own_are_named(room: StoreRoom) -> None:
    pooled = replace(room.mailbox, pool=(TWO,))
    with pytest.raises(RecipientRefusal, match=f"write {ONE[1:]} or {TWO[1:]}\\."):
        await hand_in(room, f"{NEAR}+from={THREE[1:]}", routes=(Route("any"),), mailbox=pooled)
    with pytest.raises(MailRefusal, match=rf"write \{ONE} or \{TWO}\."):
        await hand_in(room, NEAR, routes=(Route("any"),), mailbox=pooled, header=f"X-SMS-Sender: {THREE}\r\n")


async def test_a_queue_that_is_long_enough_takes_no_more_texts(
    room: StoreRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.janitor.SWEEP", 0.0)
    janitor = Janitor(
        room.store.directory,
        room.outbox,
        room.store.leases,
        nodes=None,
        told_after=15.0,
        most_queued=2,
        changed=lambda: None,
        give_up=_nothing,
    )
    every = (Route("any"),)
    await hand_in(room, NEAR, routes=every)
    await janitor._round()
    await hand_in(room, FAR, routes=every)
    await janitor._round()
    with pytest.raises(Refusal, match="Too many texts wait") as refused:
        await hand_in(room, NEAR, routes=every)
    assert refused.value.reply.startswith("452 4.3.1 ")
    assert admission(room, *every).check_recipient(room.mailbox, Recipient("preview@sms.example.test"))


async def _nothing() -> None:
    """No SMS waits for its other parts."""
