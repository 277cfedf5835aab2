"""What became of texts, put aside to be shown on their copies: behind the copy, the truth of the moment, once each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bridge import clock
from bridge.store.copies import ClaimedState, Shown, shown
from bridge.store.filings import ClaimedFiling, FilingClaim, FilingRule, FilingRules, Filings
from bridge.store.mails import MailResult
from bridge.store.reports import Reports, Told
from bridge.store.tables import mails
from bridge.types import FiledKind, MessageState, OutgoingMail
from tests.store.conftest import StoreRoom
from tests.store.test_filings import filings, go, message, queue

__all__ = ["filings"]

MARKED = FilingRule("SMS/{number}", frozenset(FiledKind), shows_state=True)
S = MessageState


def rules(room: StoreRoom, rule: FilingRule = MARKED) -> FilingRules:
    return {room.mailbox.login: rule}


async def claimed(room: StoreRoom, filings: Filings, seconds: float = 1) -> list[ClaimedFiling | ClaimedState]:
    """The filings of the mailbox `seconds` from now, as one that dies at once gets them."""
    now = clock.now() + timedelta(seconds=seconds)
    return await filings.claim(FilingClaim(room.mailbox.id, "a", now, now + timedelta(microseconds=1), 100))


async def marks(room: StoreRoom, filings: Filings) -> list[tuple[Shown, Shown]]:
    """What is put aside to be shown, and what was shown before."""
    return [(each.shown, each.before) for each in await claimed(room, filings) if isinstance(each, ClaimedState)]


@pytest.mark.parametrize(
    ("state", "on_the_copy"),
    [
        (S.SENT, Shown.NOTHING),
        (S.QUEUED, Shown.NOTHING),
        (S.DELIVERED, Shown.DELIVERED),
        (S.UNDELIVERED, Shown.FAILED),
        (S.EXPIRED, Shown.FAILED),
        (S.FAILED, Shown.FAILED),
        (S.CANCELLED, Shown.FAILED),
        (S.UNKNOWN, Shown.UNKNOWN),
    ],
)
def test_what_a_state_shows(state: MessageState, on_the_copy: Shown) -> None:
    assert shown(state) is on_the_copy


D, F, U, N = Shown.DELIVERED, Shown.FAILED, Shown.UNKNOWN, Shown.NOTHING


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param([S.SENDING, S.SENT], [], id="on its way"),
        pytest.param([S.SENDING, S.SENT, S.DELIVERED], [(D, N)], id="delivered"),
        pytest.param([S.SENDING, S.DELIVERED], [(D, N)], id="the receipt was faster than the answer"),
        pytest.param([S.SENDING, S.SENT, S.UNDELIVERED], [(F, N)], id="not delivered"),
        pytest.param([S.SENDING, S.EXPIRED], [(F, N)], id="taken, then expired"),
        pytest.param([S.SENDING, S.UNKNOWN], [(U, N)], id="nobody knows"),
        pytest.param([S.SENDING, S.UNKNOWN, S.SENT], [(N, N), (N, U)], id="it had left after all"),
        pytest.param([S.SENDING, S.UNKNOWN, S.FAILED], [(F, N), (F, U)], id="it had not"),
        pytest.param([S.SENDING, S.SENT, S.UNDELIVERED, S.DELIVERED], [(D, N), (D, F)], id="late truth"),
        pytest.param([S.SENDING, S.FAILED], [], id="never left: there is no copy"),
        pytest.param([S.CANCELLED], [], id="cancelled in time"),
    ],
)
async def test_each_news_is_put_aside_once_and_shows_what_holds_now(
    room: StoreRoom, filings: Filings, states: list[MessageState], expected: list[tuple[Shown, Shown]]
) -> None:
    await go(queue(room, rules(room)), await message(room), *states)
    assert await marks(room, filings) == expected


async def test_a_mark_stands_behind_its_copy_and_in_its_folder(room: StoreRoom, filings: Filings) -> None:
    text = await message(room)
    await go(queue(room, rules(room)), text, S.SENDING, S.SENT)
    moved_since = replace(MARKED, folder="Elsewhere")
    await go(queue(room, rules(room, moved_since)), text, S.DELIVERED)
    copy, mark = await claimed(room, filings)
    assert isinstance(copy, ClaimedFiling)
    assert isinstance(mark, ClaimedState)
    assert (mark.message_id, mark.folder) == (text, copy.folder)
    now = clock.now()
    await room.mails.settle(MailResult(copy.id, "queued", now, "full", now + timedelta(seconds=60)))
    assert await claimed(room, filings, 2) == [], "it waits with the copy"
    await room.mails.settle(MailResult(copy.id, "sent", now))
    assert [each.attempts for each in await claimed(room, filings, 3)] == [2]
    await room.mails.settle(MailResult(mark.id, "sent", now))
    assert await claimed(room, filings, 4) == []


async def test_a_mark_stands_behind_a_copy_of_a_node_whose_clock_is_ahead(room: StoreRoom, filings: Filings) -> None:
    going, text = queue(room, rules(room)), await message(room)
    await go(going, text, S.SENDING, S.SENT)
    ahead = clock.first_id(clock.now() + timedelta(seconds=5))
    async with room.store.engine.begin() as connection:
        await connection.execute(update(mails).where(mails.c.message_id == text).values(id=ahead))
    await go(going, text, S.UNDELIVERED, S.DELIVERED)
    first, *others = await claimed(room, filings)
    assert isinstance(first, ClaimedFiling), "what is not filed yet cannot be marked"
    assert [each.id > ahead and len(each.id) == len(ahead) for each in others] == [True, True]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(replace(MARKED, shows_state=False), id="reports are filed instead"),
        pytest.param(replace(MARKED, what=frozenset({FiledKind.REPLIES})), id="no copies"),
    ],
)
async def test_who_does_not_ask_gets_nothing_marked(room: StoreRoom, filings: Filings, rule: FilingRule) -> None:
    await go(queue(room, rules(room, rule)), await message(room), S.SENDING, S.SENT, S.DELIVERED)
    assert await marks(room, filings) == []


async def test_a_copy_that_was_refused_for_good_is_not_marked(room: StoreRoom, filings: Filings) -> None:
    text, going = await message(room), queue(room, rules(room))
    await go(going, text, S.SENDING, S.SENT)
    (copy,) = await claimed(room, filings)
    await room.mails.settle(MailResult(copy.id, "failed", clock.now(), "NO TOOBIG"))
    await go(going, text, S.DELIVERED)
    assert await claimed(room, filings, 2) == []


@pytest.mark.parametrize(
    ("states", "rule", "kinds"),
    [
        pytest.param([S.SENDING, S.SENT, S.UNDELIVERED], MARKED, {FiledKind.SENT}, id="its copy shows it"),
        pytest.param([S.SENDING, S.FAILED], MARKED, {FiledKind.FAILURES}, id="there is no copy"),
        pytest.param(
            [S.SENDING, S.SENT, S.UNDELIVERED],
            replace(MARKED, shows_state=False),
            {FiledKind.SENT, FiledKind.FAILURES},
            id="reports are wanted",
        ),
    ],
)
async def test_a_report_is_filed_where_no_copy_shows_the_failure(
    room: StoreRoom, filings: Filings, states: list[MessageState], rule: FilingRule, kinds: set[FiledKind]
) -> None:
    await go(queue(room, rules(room, rule)), await message(room), *states)
    reports = Reports(room.store.engine, room.store.committer, 60, 86_400, rules(room, rule))
    (due,) = await reports.due(clock.now() + timedelta(days=1), 10)
    assert await reports.told(Told(due, (OutgoingMail(clock.new_id(), "", "clinic@example.test", b"A report"),)))
    filed = [each for each in await claimed(room, filings) if isinstance(each, ClaimedFiling)]
    assert {each.kind for each in filed} == kinds
