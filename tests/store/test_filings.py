"""Filings: put aside once each with what causes them, and claimed in order, one mailbox apart from the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import update

from bridge import clock
from bridge.mailback.imap_names import Hierarchy
from bridge.store.claims import Claim
from bridge.store.copies import ClaimedState
from bridge.store.filings import NOTHING, ClaimedFiling, FilingClaim, FilingRule, FilingRules, Filings
from bridge.store.mails import MailResult
from bridge.store.queue import Queue
from bridge.store.tables import mails
from bridge.store.transitions import Change
from bridge.types import FiledKind, MessageState, SentText
from tests.store.conftest import StoreRoom, new_mail

EVERYTHING = FilingRule("SMS/{number}", frozenset(FiledKind))


@pytest.fixture
def filings(room: StoreRoom) -> Filings:
    """The queue of filings of the room."""
    return Filings(room.store.engine, room.store.committer)


def queue(room: StoreRoom, rules: FilingRules | None = None) -> Queue:
    """The queue of messages of a store in which the clinic has everything filed, unless `rules` say else."""
    rules = {room.mailbox.login: EVERYTHING} if rules is None else rules
    return Queue(room.store.engine, room.store.committer, 60, rules)


async def message(room: StoreRoom, number: int = 0) -> str:
    """A message that waits in the queue."""
    taken = await room.outbox.take(new_mail(room.mailbox, message_id=f"<{number}@x>", text=f"Text number {number}"))
    (view,) = await room.store.ledger.submission_messages(taken.submission_id)
    return view.id


async def go(messages: Queue, message_id: str, *states: MessageState) -> None:
    """Lead a message through states; as a person does where nobody else may."""
    for state in states:
        await messages.change(Change(message_id, state, clock.now(), by_person=True))


async def claim(room: StoreRoom, filings: Filings, owner: str = "a", seconds: float = 1, limit: int = 10) -> list[str]:
    """The texts of the filings that `owner` gets `seconds` from now, for a minute."""
    now = clock.now() + timedelta(seconds=seconds)
    claimed = await filings.claim(FilingClaim(room.mailbox.id, owner, now, now + timedelta(seconds=60), limit))
    return texts(claimed)


def texts(claimed: Sequence[ClaimedFiling | ClaimedState]) -> list[str]:
    """The texts among claimed filings."""
    filed = [each.mail for each in claimed if isinstance(each, ClaimedFiling)]
    return [mail.text for mail in filed if isinstance(mail, SentText)]


S = MessageState


@pytest.mark.parametrize(
    ("states", "count"),
    [
        pytest.param([S.SENDING, S.SENT, S.DELIVERED], 1, id="sent and delivered"),
        pytest.param([S.SENDING, S.UNKNOWN], 1, id="nobody knows"),
        pytest.param([S.SENDING, S.UNKNOWN, S.QUEUED, S.SENDING, S.SENT], 1, id="sent again by a person"),
        pytest.param([S.SENDING, S.DELIVERED], 1, id="the receipt was faster than the answer"),
        pytest.param([S.DELIVERED], 1, id="the receipt shows that a refused try went through"),
        pytest.param([S.SENDING, S.EXPIRED], 1, id="taken, then expired"),
        pytest.param([S.SENDING, S.QUEUED], 0, id="throttled"),
        pytest.param([S.SENDING, S.FAILED], 0, id="rejected"),
        pytest.param([S.EXPIRED], 0, id="expired before it left"),
        pytest.param([S.CANCELLED], 0, id="cancelled"),
    ],
)
async def test_a_text_is_filed_once_when_it_leaves(
    room: StoreRoom, filings: Filings, states: list[MessageState], count: int
) -> None:
    await go(queue(room), await message(room), *states)
    assert len(await claim(room, filings)) == count
    assert await room.mails.claim(Claim("a", clock.now(), clock.now(), 10)) == [], "no mail server gets it"


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(NOTHING, id="no section at all"),
        pytest.param({"somebody@else.test": EVERYTHING}, id="a section of somebody else"),
        pytest.param({"clinic@example.test": FilingRule("SMS", frozenset({FiledKind.REPLIES}))}, id="only replies"),
    ],
)
async def test_who_does_not_ask_gets_nothing_filed(room: StoreRoom, filings: Filings, rules: FilingRules) -> None:
    await go(queue(room, rules), await message(room), S.SENDING, S.SENT)
    assert (await room.store.ledger.counts())["filings"] == {}


async def three(room: StoreRoom) -> list[str]:
    """Three texts that left one after another."""
    for number in range(3):
        await go(queue(room), await message(room, number), S.SENDING, S.SENT)
    return [f"Text number {number}" for number in range(3)]


async def test_nothing_is_claimed_beside_or_behind_what_is_under_way(room: StoreRoom, filings: Filings) -> None:
    texts = await three(room)
    assert await claim(room, filings, limit=2) == texts[:2]
    assert await claim(room, filings, "b", 2) == []
    assert await claim(room, filings, "b", 100) == texts, "the lease of the dead has run out"


async def test_what_is_refused_for_now_holds_up_what_is_behind_it(room: StoreRoom, filings: Filings) -> None:
    all_texts = await three(room)
    now = clock.now() + timedelta(seconds=1)
    first, *others = await filings.claim(FilingClaim(room.mailbox.id, "a", now, now + timedelta(seconds=60), 10))
    due = now + timedelta(seconds=30)
    await room.mails.settle(MailResult(first.id, "queued", now, "NO OVERQUOTA", due))
    await filings.release([filing.id for filing in others])
    assert await filings.next_due(room.mailbox.id, now) == due
    assert await claim(room, filings, "b", 20) == []
    again = await filings.claim(FilingClaim(room.mailbox.id, "b", due, due + timedelta(seconds=60), 10))
    assert texts(again) == all_texts
    assert [filing.attempts for filing in again] == [2, 1, 1], "what was given back counts as not tried"


async def test_what_is_settled_is_not_filed_again(room: StoreRoom, filings: Filings) -> None:
    texts = await three(room)
    now = clock.now() + timedelta(seconds=1)
    (first,) = await filings.claim(FilingClaim(room.mailbox.id, "a", now, now + timedelta(seconds=60), 1))
    await room.mails.settle(MailResult(first.id, "sent", now))
    assert await claim(room, filings, "b", 2) == texts[1:]


@pytest.mark.parametrize(
    ("template", "number", "path"),
    [
        pytest.param("SMS/{number}", "+393331234567", ("SMS", "+393331234567"), id="the number"),
        pytest.param("{year}/{contact}", "+393331234567", ("2026", "+39 333 123 4567"), id="as people write it"),
        pytest.param("INBOX", "+393331234567", ("INBOX",), id="all in one"),
        pytest.param("SMS/{contact}", "Bank/../{year}", ("SMS", "Bank/../{year}"), id="a hostile name is one level"),
        pytest.param("SMS/{number}", "", ("SMS", "unknown"), id="an address without a number"),
    ],
)
def test_the_folder_of_a_conversation(template: str, number: str, path: tuple[str, ...]) -> None:
    assert FilingRule(template, frozenset(FiledKind)).path(number, 2026) == path


@pytest.mark.parametrize(
    ("contact", "level", "folder"),
    [
        pytest.param("Mario Rossi", "Mario Rossi (+39 333 123 4567)", "Mario Rossi (+39 333 123 4567)", id="a name"),
        pytest.param("a/b\\c.d", "a/b\\c.d (+39 333 123 4567)", "a_b_c_d (+39 333 123 4567)", id="delimiters"),
        pytest.param("../{year}", "../{year} (+39 333 123 4567)", "____year_ (+39 333 123 4567)", id="up, and a blank"),
        pytest.param("a\r\nb\0", "a b (+39 333 123 4567)", "a b (+39 333 123 4567)", id="control characters"),
        pytest.param("*%", "*% (+39 333 123 4567)", "__ (+39 333 123 4567)", id="wildcards"),
        pytest.param("~root", "~root (+39 333 123 4567)", "_root (+39 333 123 4567)", id="a home"),
        pytest.param("n" * 300, f"{'n' * 64} (+39 333 123 4567)", f"{'n' * 64} (+39 333 123 4567)", id="long"),
        pytest.param(" \t", "+39 333 123 4567", "+39 333 123 4567", id="nothing"),
    ],
)
def test_a_name_in_a_folder_is_one_level_with_its_number(contact: str, level: str, folder: str) -> None:
    path = FilingRule("SMS/{contact}", frozenset(FiledKind)).path("+393331234567", 2026, contact)
    assert path == ("SMS", level)
    assert Hierarchy("", "/").name(path) == f"SMS/{folder}"


def test_two_people_with_one_name_have_two_folders() -> None:
    rule = FilingRule("SMS/{contact}", frozenset(FiledKind))
    for name in ("Mario Rossi", "è" * 300, "/"):
        folders = {Hierarchy().name(rule.path(number, 2026, name)) for number in ("+393331234567", "+393337654321")}
        assert len(folders) == 2


async def test_what_comes_late_with_an_earlier_id_brings_along_nothing_that_another_has(
    room: StoreRoom, filings: Filings
) -> None:
    """A node whose clock is behind puts it before what is being filed."""
    messages = queue(room)
    for number in range(2):
        await go(messages, await message(room, number), S.SENDING, S.SENT)
    assert await claim(room, filings, "a") == ["Text number 0", "Text number 1"]
    late = await message(room, 2)
    await go(messages, late, S.SENDING, S.SENT)
    behind = clock.first_id(clock.now() - timedelta(seconds=5))
    async with room.store.engine.begin() as connection:
        await connection.execute(update(mails).where(mails.c.message_id == late).values(id=behind))
    assert await claim(room, filings, "b") == ["Text number 2"]
    await room.mails.settle(MailResult(behind, "sent", clock.now()))
    assert await claim(room, filings, "b") == []
