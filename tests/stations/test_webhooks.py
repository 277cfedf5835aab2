"""The caller between a real store and real receivers: an SMS that begins with a keyword is posted where it says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
import structlog
from structlog.typing import EventDict

from bridge import caller as caller_module
from bridge import clock, webhook
from bridge.caller import Caller
from bridge.disk import Disk
from bridge.gauges import gauges
from bridge.store.backlog import Backlog, read_backlog
from bridge.store.directory import Directory
from bridge.store.webhooks import Webhooks
from tests.gateways.provider import Fault, Play, Provider, Seen, run_provider
from tests.replies.receiver import documented
from tests.stations.conftest import PHONE, waiting
from tests.stations.phone import Phone, keyword
from tests.store.conftest import StoreRoom

TEXT = "Ricetta, la solita per piacere"
TOKEN = "/in?token=a-secret-of-theirs"


@pytest.fixture
async def receiver() -> AsyncIterator[Provider]:
    async with run_provider() as running:
        yield running


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def caller_of(room: StoreRoom, directory: Directory | None = None) -> Caller:
    store = room.store
    webhooks = Webhooks(store.engine, store.committer)
    return Caller(webhooks, room.mails, directory or store.directory, derived=store.key.derived, node=store.node)


@asynccontextmanager
async def calling(room: StoreRoom, directory: Directory | None = None) -> AsyncIterator[Phone]:
    """A phone that writes to a clinic whose caller is at work."""
    caller = caller_of(room, directory)
    phone = Phone(room, posted=caller.ring)
    running = asyncio.create_task(caller.run())
    try:
        yield phone
    finally:
        caller.stop()
        await asyncio.wait_for(running, 30)


async def counted(room: StoreRoom, expected: dict[str, int]) -> None:
    """Return as soon as these many stand in these states."""
    async with asyncio.timeout(30):
        while True:
            if (await room.store.ledger.counts())["webhooks"] == expected:
                return
            await asyncio.sleep(0.02)


def is_signed(room: StoreRoom, seen: Seen, url: str) -> bool:
    """Whether a receiver that is written by the docs believes it."""
    secret = webhook.secret_of(room.store.key.derived, room.mailbox.id, url)
    return documented()(webhook.written(secret), seen.headers, seen.body)


async def test_an_sms_is_posted_once_besides_the_mail(
    room: StoreRoom, receiver: Provider, logged: list[EventDict]
) -> None:
    url = receiver.url + TOKEN
    await keyword(room, "Ricetta", tag="refills", webhook=url)
    receiver.script += [Play(204), Play(204)]
    async with calling(room) as phone:
        sms = phone.sms(TEXT)
        await phone.intake.hear([sms])
        await counted(room, {"sent": 1})
        await phone.intake.hear([sms])  # its provider calls again
        await phone.writes("Buongiorno, Ricetta")  # which does not begin with the word
        await phone.writes("STOP")
        await counted(room, {"sent": 1})
    (seen,) = receiver.seen
    assert (seen.method, seen.target, seen.headers["content-type"]) == ("POST", TOKEN, "application/json")
    said = json.loads(seen.body)
    assert said.pop("id") == seen.headers["webhook-id"]
    assert said.pop("received_at").endswith("Z")
    assert said == {
        "type": "sms.received",
        "mailbox": room.mailbox.login,
        "from": PHONE,
        "to": room.mailbox.sender,
        "text": TEXT,
        "keyword": "Ricetta",
        "tag": "refills",
        "match": "number",
    }
    assert is_signed(room, seen, url)
    assert len(await waiting(room)) == 3, "a mail for each SMS"
    assert "webhook.posted" in {entry["event"] for entry in logged}
    assert not any(secret in repr(logged) for secret in (PHONE, PHONE[1:], "solita", "a-secret-of-theirs", "whsec"))


@pytest.mark.parametrize(
    ("answer", "state", "diagnostic"),
    [
        pytest.param(Play(200, "thanks"), "sent", "", id="200"),
        pytest.param(Play(202), "sent", "", id="202"),
        pytest.param(Fault.ENDLESS, "sent", "", id="200 with a body without end"),
        pytest.param(Fault.HALF_AN_ANSWER, "sent", "", id="200 with half a body"),
        pytest.param(Play(301, headers={"Location": "/there"}), "failed", "HTTP 301", id="a redirect is not followed"),
        pytest.param(Play(307, headers={"Location": "/there"}), "failed", "HTTP 307", id="nor one of another kind"),
        pytest.param(Play(400), "failed", "HTTP 400", id="400"),
        pytest.param(Play(404), "failed", "HTTP 404", id="404"),
        pytest.param(Play(410), "failed", "HTTP 410", id="410"),
        pytest.param(Play(408), "queued", "HTTP 408", id="408"),
        pytest.param(Play(409), "queued", "HTTP 409", id="409"),
        pytest.param(Play(425), "queued", "HTTP 425", id="425"),
        pytest.param(Play(429), "queued", "HTTP 429", id="429"),
        pytest.param(Play(500), "queued", "HTTP 500", id="500"),
        pytest.param(Play(503), "queued", "HTTP 503", id="503"),
        pytest.param(Fault.HANGS_UP_AT_ONCE, "queued", "", id="hangs up"),
        pytest.param(Fault.HANGS_UP_AFTER_READING, "queued", "RemoteProtocolError", id="hangs up after reading"),
        pytest.param(Fault.NO_HTTP, "queued", "RemoteProtocolError", id="speaks no HTTP"),
        pytest.param(Fault.SILENCE, "queued", "TimeoutError", id="says nothing"),
    ],
)
async def test_what_an_answer_means(
    sqlite_room: StoreRoom,
    receiver: Provider,
    answer: Play | Fault,
    state: str,
    diagnostic: str,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[EventDict],
) -> None:
    monkeypatch.setattr(caller_module, "FIRST_RETRY", 600.0)
    monkeypatch.setattr(caller_module, "LONGEST", 0.5 if answer is Fault.SILENCE else 10.0)
    room = sqlite_room
    await keyword(room, "Ricetta", webhook=receiver.url)
    receiver.script += [answer, Play(200)]
    async with calling(room) as phone:
        await phone.writes(TEXT)
        entry = await told(logged)
    await counted(room, {state: 1})
    assert len(receiver.seen) <= 1
    assert diagnostic in entry["detail"]
    assert (await read_backlog(room.store.engine, clock.now())).webhooks == (1 if state == "queued" else 0)


async def told(logged: list[EventDict]) -> EventDict:
    """What the log says of the first try, as soon as it does."""
    async with asyncio.timeout(30):
        while True:
            for entry in logged:
                if entry["event"].startswith("webhook."):
                    return entry
            await asyncio.sleep(0.01)


async def test_one_that_is_not_taken_is_posted_again_with_the_same_id(
    room: StoreRoom, receiver: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller_module, "FIRST_RETRY", 0.05)
    await keyword(room, "Ricetta", webhook=receiver.url)
    receiver.script += [Play(503), Fault.HANGS_UP_AFTER_READING]
    async with calling(room) as phone:
        await phone.writes(TEXT)
        receiver.script += [Play(200)] * 10
        await counted(room, {"sent": 1})
    assert len(receiver.seen) == 3
    assert len({(seen.headers["webhook-id"], seen.body) for seen in receiver.seen}) == 1
    assert all(is_signed(room, seen, receiver.url) for seen in receiver.seen)


async def test_a_receiver_may_say_when_to_come_again(
    sqlite_room: StoreRoom, receiver: Provider, monkeypatch: pytest.MonkeyPatch, logged: list[EventDict]
) -> None:
    monkeypatch.setattr(caller_module, "FIRST_RETRY", 0.05)
    room = sqlite_room
    await keyword(room, "Ricetta", webhook=receiver.url)
    receiver.script += [Play(503, headers={"Retry-After": "600"}), Play(200)]
    began = clock.now()
    async with calling(room) as phone:
        await phone.writes(TEXT)
        await told(logged)
    due = await Webhooks(room.store.engine, room.store.committer).next_due(began)
    assert due is not None
    assert due - began >= timedelta(seconds=600)
    assert len(receiver.seen) == 1


async def test_a_bridge_that_dies_before_it_knows_the_answer_posts_again_with_the_same_id(
    room: StoreRoom, receiver: Provider
) -> None:
    await keyword(room, "Ricetta", webhook=receiver.url)
    receiver.script += [Fault.SILENCE, Play(200)]
    caller = caller_of(room)
    running = asyncio.create_task(caller.run())
    await Phone(room, posted=caller.ring).writes(TEXT)
    await asyncio.wait_for(receiver.asked.wait(), 30)
    running.cancel()  # the receiver has it, and nobody here knows
    await asyncio.wait({running})
    await room.store.leases.recover(clock.now(), all_leases=True, told_after=60)
    async with calling(room):
        await counted(room, {"sent": 1})
    first, again = receiver.seen
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body


async def test_a_receiver_that_says_nothing_keeps_nobody_else_waiting(room: StoreRoom, receiver: Provider) -> None:
    receiver.script += [Play(200)] * 3
    async with run_provider() as silent:
        silent.script += [Fault.SILENCE] * 3
        await keyword(room, "Ricetta", webhook=silent.url)
        await keyword(room, "Orari", webhook=receiver.url)
        caller = caller_of(room)
        running = asyncio.create_task(caller.run())
        phone = Phone(room, posted=caller.ring)
        await phone.writes("Ricetta 1", "Ricetta 2", "Ricetta 3")
        await asyncio.wait_for(silent.asked.wait(), 30)
        await phone.writes("Orari 1", "Orari 2", "Orari 3")
        await counted(room, {"sent": 3, "queued": 3})
        running.cancel()
        await asyncio.wait({running})
        assert len(silent.seen) == 1, "it is called for one at a time"
    assert [json.loads(seen.body)["text"] for seen in receiver.seen] == ["Orari 1", "Orari 2", "Orari 3"]


async def test_after_a_day_it_is_given_up(
    room: StoreRoom, receiver: Provider, monkeypatch: pytest.MonkeyPatch, logged: list[EventDict]
) -> None:
    monkeypatch.setattr(caller_module, "GIVE_UP_AFTER", timedelta(0))
    await keyword(room, "Ricetta", webhook=receiver.url)
    receiver.script += [Play(503)]
    async with calling(room) as phone:
        await phone.writes(TEXT)
        await counted(room, {"failed": 1})
    (entry,) = (each for each in logged if each["event"] == "webhook.given_up")
    assert (entry["log_level"], entry["detail"]) == ("error", "HTTP 503")


async def test_what_waits_for_an_address_that_no_keyword_names_any_more_is_dropped(
    room: StoreRoom, receiver: Provider
) -> None:
    """Whoever takes a webhook away because its receiver is the wrong one wants nothing more sent there."""
    await keyword(room, "Ricetta", webhook=receiver.url)
    await Phone(room).writes(TEXT)
    await keyword(room, "Ricetta", tag="refills")
    receiver.script += [Play(200)]
    async with calling(room):
        await counted(room, {"failed": 1})
    assert receiver.seen == []


async def test_a_node_that_has_not_heard_of_the_keyword_looks_before_it_drops_anything(
    room: StoreRoom, receiver: Provider
) -> None:
    behind = Directory(room.store.engine, room.store.key)
    await behind.refresh()
    await keyword(room, "Ricetta", webhook=receiver.url)
    receiver.script += [Play(200)]
    async with calling(room, behind) as phone:
        await phone.writes(TEXT)
        await counted(room, {"sent": 1})


async def test_what_waits_is_measured(room: StoreRoom) -> None:
    await keyword(room, "Ricetta", webhook="https://pharmacy.example/refills")
    phone = Phone(room)
    await phone.writes(TEXT, TEXT)

    async def backlog(now: datetime) -> Backlog:
        return await read_backlog(room.store.engine, now)

    measured = {
        sample.name: sample.value
        for gauge in await gauges(backlog, Disk(room.store.settings.data_dir, 0))
        for sample in gauge.samples
    }
    assert measured["bridge_webhooks_waiting"] == 2
    assert measured["bridge_webhooks_waiting_oldest_seconds"] >= 0
