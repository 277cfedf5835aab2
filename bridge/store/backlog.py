"""What waits, and since when: messages by gateway and by what they wait for, our own mails, filings, and webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.store import paces
from bridge.store.due import IS_WISHED_AWAY
from bridge.store.engine import reading
from bridge.store.tables import FILING, QUEUED, RELAY, SENDING, WEBHOOK, attempts, mailboxes, mails, messages
from bridge.types import OutcomeKind


class WaitsFor(StrEnum):
    """What keeps a message from leaving."""

    TURN = "turn"
    """Nothing: it is due."""
    PACE = "pace"
    """Its gateway or its sender number has used up its rate, or its provider asked for rest."""
    RETRY = "retry"
    """The gateway did not take it at the last try."""
    TIME = "time"
    """Its sender asked for a later time."""
    MAILBOX = "mailbox"
    """Its mailbox is paused."""
    DECISION = "decision"
    """Its phone asked for no more texts in words of its own, and nobody has decided."""
    ANSWER = "answer"
    """It is on its way; the gateway has not answered yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of one gateway that wait for the same thing."""

    gateway: str
    waits_for: WaitsFor
    count: int
    since: datetime | None
    """Since when the oldest could have left; None where that is no delay of ours."""


@dataclass(frozen=True, slots=True)
class WaitingFilings:
    """Mails that wait to be put into the IMAP folders of one mailbox, in order: the first keeps all of them waiting."""

    login: str
    count: int
    since: datetime
    """When the first of them was put aside."""
    tries: int
    """Tries at the first that failed."""
    diagnostic: str
    """What the IMAP server last said to it; empty while it was not refused."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """All that waits."""

    messages: tuple[Waiting, ...]
    mails: int
    """Our own mails that no mail server has taken yet."""
    mails_since: datetime | None
    mail_diagnostic: str
    """What the mail server last said to the oldest of them."""
    filings: tuple[WaitingFilings, ...] = ()
    """By mailbox."""
    webhooks: int = 0
    """SMS that the webhook of their keyword has not taken yet."""
    webhooks_since: datetime | None = None

    @property
    def late(self) -> tuple[Waiting, ...]:
        """Messages that nobody but the gateway or the bridge itself keeps waiting."""
        return tuple(each for each in self.messages if each.since is not None)


async def read_backlog(engine: AsyncEngine, now: datetime) -> Backlog:
    """What waits at the moment `now`; asks only what an index answers. Raises StoreUnavailable."""
    async with reading(engine) as connection:
        waiting = await _messages(connection, now)
        count, since = await _waiting_in(connection, RELAY)
        oldest = (
            select(mails.c.diagnostic)
            .where(mails.c.state == QUEUED, mails.c.channel == RELAY)
            .order_by(mails.c.created_at)
            .limit(1)
        )
        said = (await connection.execute(oldest)).scalar_one_or_none()
        filings = (await connection.execute(_FILINGS)).all()
        posts = await _waiting_in(connection, WEBHOOK)
        return Backlog(tuple(waiting), count, since, said or "", tuple(map(_filings, filings)), *posts)


async def _waiting_in(connection: AsyncConnection, channel: ColumnElement[str]) -> tuple[int, datetime | None]:
    """How many rows wait in a channel, and since when the oldest."""
    query = select(func.count(), func.min(mails.c.created_at)).where(
        mails.c.state == QUEUED, mails.c.channel == channel
    )
    count, since = (await connection.execute(query)).one()
    return count, since


async def _messages(connection: AsyncConnection, now: datetime) -> Sequence[Waiting]:
    what = case(
        (mailboxes.c.paused, literal(WaitsFor.MAILBOX.value)),
        (IS_WISHED_AWAY, literal(WaitsFor.DECISION.value)),
        (messages.c.attempts > 0, literal(WaitsFor.RETRY.value)),
        (messages.c.due_at > now, literal(WaitsFor.TIME.value)),
        (paces.is_busy(now), literal(WaitsFor.PACE.value)),
        else_=literal(WaitsFor.TURN.value),
    ).label("what")
    queued = (
        select(messages.c.gateway, what, func.count().label("number"), func.min(messages.c.due_at).label("since"))
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .where(messages.c.state == QUEUED)
        .group_by(messages.c.gateway, "what")
    )
    first_tries = (
        select(messages.c.gateway, func.min(attempts.c.started_at).label("since"))
        .join(attempts, attempts.c.message_id == messages.c.id)
        .where(
            messages.c.state == QUEUED,
            messages.c.attempts > 0,
            attempts.c.outcome.in_([OutcomeKind.THROTTLED, OutcomeKind.UNREACHABLE]),
        )
        .group_by(messages.c.gateway)
    )
    on_the_way = (
        select(messages.c.gateway, func.count().label("number"))
        .where(messages.c.state == SENDING)
        .group_by(messages.c.gateway)
    )
    rows = (await connection.execute(queued)).all()
    tried: dict[str, datetime] = {}
    if any(row.what == WaitsFor.RETRY for row in rows):
        tried = {row.gateway: row.since for row in await connection.execute(first_tries)}
    found = [Waiting(row.gateway, WaitsFor(row.what), row.number, _since(row, tried)) for row in rows]
    found += [Waiting(row.gateway, WaitsFor.ANSWER, row.number, None) for row in await connection.execute(on_the_way)]
    return found


_HEADS = (
    select(mails.c.mailbox_id, func.count().label("number"), func.min(mails.c.id).label("head"))
    .where(mails.c.state == QUEUED, mails.c.channel == FILING)
    .group_by(mails.c.mailbox_id)
    .subquery()
)

_FILINGS = (
    select(mailboxes.c.login, _HEADS.c.number, mails.c.created_at, mails.c.attempts, mails.c.diagnostic)
    .select_from(_HEADS)
    .join(mails, mails.c.id == _HEADS.c.head)
    .join(mailboxes, mailboxes.c.id == _HEADS.c.mailbox_id)
    .order_by(mailboxes.c.login)
)


def _filings(row: Any) -> WaitingFilings:
    tries = row.attempts if row.diagnostic else 0
    return WaitingFilings(row.login, row.number, row.created_at, tries, row.diagnostic)


def _since(row: Any, tried: dict[str, datetime]) -> datetime | None:
    if row.what in (WaitsFor.TURN, WaitsFor.PACE):
        since: datetime = row.since
        return since
    return tried.get(row.gateway) if row.what == WaitsFor.RETRY else None
