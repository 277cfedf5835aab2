"""What waits for webhooks: written with the SMS, leased by one, a receiver at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import pytest

from bridge.store import webhooks
from bridge.store.automatic import Dealings
from bridge.store.backlog import read_backlog
from bridge.store.inbounds import Filing, Thread
from bridge.store.mails import MailResult
from bridge.store.webhooks import PostClaim, Webhooks
from bridge.types import InboundSms, OutgoingMail, Posting
from tests.store.conftest import GATEWAY, StoreRoom, later

ONE, TWO = "https://one.example/in", "https://two.example/in"


async def heard(room: StoreRoom, url: str, seconds: float = 0) -> str:
    """The id of an SMS that is to be posted there."""

    def decide(inbound_id: str, sms: InboundSms, threads: Sequence[Thread], dealings: Dealings) -> Filing:
        mail = OutgoingMail(f"mo.{inbound_id}", "", room.mailbox.login, b"Subject: SI\r\n\r\n")
        known = threads[0].conversation_id if threads else None
        posting = Posting(inbound_id, room.mailbox.id, url, b"{}", later(seconds))
        return Filing(room.mailbox.organisation_id, room.mailbox.id, known, "number", mail, webhook=posting)

    sms = InboundSms(GATEWAY, f"{url} {seconds}", "+393331234567", room.mailbox.sender, "SI", later(seconds))
    filing = await room.inbox.inbound(sms, decide)
    assert filing is not None
    assert filing.webhook is not None
    return filing.webhook.id


def queue(room: StoreRoom) -> Webhooks:
    return Webhooks(room.store.engine, room.store.committer)


async def claimed(
    room: StoreRoom, owner: str, seconds: float, *, limit: int = 10, busy: Collection[str] = ()
) -> list[str]:
    claim = PostClaim(owner, later(seconds), later(seconds + 60), limit, frozenset(busy))
    return [posting.id for posting in await queue(room).claim(claim)]


async def test_it_is_leased_by_one_until_the_lease_ends(room: StoreRoom) -> None:
    posting = await heard(room, ONE)
    assert await claimed(room, "a", 1) == [posting]
    assert await claimed(room, "b", 2) == []
    (again,) = await queue(room).claim(PostClaim("b", later(100), later(160), 10))
    assert (again.id, again.url, again.body, again.begun_at, again.attempts) == (posting, ONE, b"{}", later(0), 2)


async def test_each_receiver_gets_its_oldest_and_whoever_waits_longest_is_first(room: StoreRoom) -> None:
    first, second, other = await heard(room, ONE, 0), await heard(room, ONE, 1), await heard(room, TWO, 2)
    assert await claimed(room, "a", 5, limit=1) == [first]
    assert await claimed(room, "a", 5, busy=[ONE]) == [other]
    assert await claimed(room, "a", 5) == [second], "a receiver that is not called any more gets the next"


async def test_many_for_one_receiver_hide_nobody(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_LOOKED_AT", 3)
    first = await heard(room, ONE, 0)
    for seconds in range(1, 10):
        await heard(room, ONE, seconds)
    other = await heard(room, TWO, 20)
    assert await claimed(room, "a", 30) == [first]
    assert await claimed(room, "a", 30, busy=[ONE]) == [other]


async def test_two_nodes_never_have_the_same(room: StoreRoom) -> None:
    there = {await heard(room, f"https://{number}.example/") for number in range(12)}
    found = await asyncio.gather(*(claimed(room, owner, 5, limit=4) for owner in "abcdef"))
    got = [each for one in found for each in one]
    assert len(got) == len(set(got))
    while more := await claimed(room, "g", 6):
        got += more
    assert sorted(got) == sorted(there)


@pytest.mark.parametrize("state", ["sent", "failed"])
async def test_what_is_settled_stays_settled(room: StoreRoom, state: str) -> None:
    posting = await heard(room, ONE)
    await claimed(room, "a", 1)
    assert await room.mails.settle(MailResult(posting, state, later(5)))
    assert not await room.mails.settle(MailResult(posting, "queued", later(6), due_at=later(6)))
    assert await claimed(room, "b", 1000) == []
    assert (await room.store.ledger.counts())["webhooks"] == {state: 1}


async def test_what_is_tried_again_is_due_later(room: StoreRoom) -> None:
    posting = await heard(room, ONE)
    await claimed(room, "a", 1)
    await room.mails.settle(MailResult(posting, "queued", later(2), "HTTP 503", later(50)))
    assert await claimed(room, "a", 49) == []
    assert await queue(room).next_due(later(2)) == later(50)
    assert await claimed(room, "a", 50) == [posting]


async def test_it_is_no_mail_and_no_filing(room: StoreRoom) -> None:
    await heard(room, ONE, 3)
    backlog = await read_backlog(room.store.engine, later(10))
    assert (backlog.mails, backlog.filings) == (1, ()), "the mail with the SMS"
    assert (backlog.webhooks, backlog.webhooks_since) == (1, later(3))


async def test_a_bridge_that_starts_frees_what_the_dead_held(room: StoreRoom) -> None:
    posting = await heard(room, ONE)
    await claimed(room, "a", 1)
    assert await room.store.leases.owners() == {"a"}
    await room.store.leases.bury({"a"}, later(2), told_after=60)
    assert await claimed(room, "b", 3) == [posting]
