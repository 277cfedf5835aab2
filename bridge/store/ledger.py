"""Looking at the record: lists of messages, the trace of one, counts for health; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import ColumnElement

from bridge.store.due import KEEPS_BACK
from bridge.store.engine import reading
from bridge.store.keys import NumberKey
from bridge.store.tables import (
    FILING,
    QUEUED,
    RELAY,
    WEBHOOK,
    attempts,
    automatic_texts,
    inbounds,
    mailboxes,
    mails,
    message_contents,
    messages,
    opt_outs,
    receipts,
    segments,
    submissions,
)
from bridge.types import AutomaticKind, MessageState, Priority


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as an operator sees it in a list."""

    id: str
    submission_id: str
    mailbox: str
    number: str
    sender: str
    state: MessageState
    reason: str | None
    segments: int
    attempts: int
    gateway: str
    provider_id: str | None
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    price: str | None
    """What it costs in exact decimal digits: by the newest receipt that says it, or else the answer to the last try."""
    price_unit: str | None
    """ISO 4217 code; empty for the currency of the account, which the gateway does not name."""
    reference: str | None
    """The sender's own: of the phone's address, or else of the whole mail."""
    priority: str
    flash: bool


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Who has a message, and under which names."""

    message_id: str
    state: MessageState
    gateway: str
    number: str
    """The phone, E.164."""
    sender: str
    provider_ids: tuple[str, ...]
    """The gateway's own id, or those of all segments where each has one; empty when one of them is not known."""
    attempt: int
    """The last try to hand it over."""


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One thing that happened to a message."""

    at: datetime
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One message with everything that happened to it, oldest first."""

    message: MessageView
    text: str
    steps: tuple[TraceStep, ...]


class Ledger:
    """Reads the record of what was sent and heard. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, key: NumberKey) -> None:
        self._engine = engine
        self._key = key

    async def messages(
        self, *, state: MessageState | None, number: str | None, login: str | None, limit: int
    ) -> list[MessageView]:
        """Messages that fit, newest first."""
        query = _views().order_by(messages.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(messages.c.state == state)
        if number is not None:
            query = query.where(messages.c.number_hash == self._key.hash(number))
        if login is not None:
            query = query.where(mailboxes.c.login == login)
        async with reading(self._engine) as connection:
            return [_view(row) for row in await connection.execute(query)]

    async def trace(self, message_id: str) -> Trace | None:
        """Everything known of one message; None when there is no such message."""
        query = (
            _views()
            .add_columns(message_contents.c.text, automatic_texts.c.kind.label("automatic"))
            .join(message_contents, message_contents.c.message_id == messages.c.id)
            .outerjoin(automatic_texts, automatic_texts.c.message_id == messages.c.id)
            .where(messages.c.id == message_id)
        )
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            steps = [TraceStep(row.created_at, "taken", ", ".join(_wished(row)))]
            tries = select(attempts).where(attempts.c.message_id == message_id)
            for attempt in await connection.execute(tries):
                outcome = attempt.outcome or "no answer yet"
                detail = f"try {attempt.number} by {attempt.gateway}: {outcome} {attempt.diagnostic}".rstrip()
                detail += _costs(attempt)
                steps.append(TraceStep(attempt.started_at, "handed over", detail))
            heard = select(receipts).where(receipts.c.message_id == message_id)
            for receipt in await connection.execute(heard):
                detail = f"{receipt.state} {receipt.diagnostic}".rstrip() + _costs(receipt)
                steps.append(TraceStep(receipt.received_at, "receipt", detail))
            written = select(mails).where(
                mails.c.submission_id == row.submission_id,
                or_(mails.c.message_id.is_(None), mails.c.message_id == message_id),
            )
            steps.extend(
                TraceStep(
                    mail.created_at,
                    "filing" if mail.channel == "filing" else "report",
                    f"mail {mail.id} is {mail.state}",
                )
                for mail in await connection.execute(written)
            )
            wishes = (
                select(opt_outs.c.since)
                .join(messages, KEEPS_BACK)
                .where(messages.c.id == message_id, messages.c.state == QUEUED)
            )
            wished = (await connection.execute(wishes)).scalars()
            steps.extend(TraceStep(since, "waits", _UNDECIDED) for since in wished)
            steps.sort(key=lambda step: step.at)
            return Trace(_view(row), row.text, tuple(steps))

    async def whereabouts(self, message_id: str) -> Whereabouts | None:
        """Who has a message now; None when there is no such message."""
        query = select(messages).where(messages.c.id == message_id)
        parts = select(segments.c.provider_id).where(segments.c.message_id == message_id).order_by(segments.c.ordinal)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            ids = list((await connection.execute(parts)).scalars()) or [row.provider_id]
            known = tuple(each for each in ids if each)
            return Whereabouts(
                message_id=row.id,
                state=MessageState(row.state),
                gateway=row.gateway,
                number=row.number,
                sender=row.sender,
                provider_ids=known if len(known) == len(ids) else (),
                attempt=row.attempts,
            )

    async def submission_messages(self, submission_id: str) -> list[MessageView]:
        """The messages that one mail made."""
        query = _views().where(messages.c.submission_id == submission_id).order_by(messages.c.id)
        async with reading(self._engine) as connection:
            return [_view(row) for row in await connection.execute(query)]

    async def counts(self) -> dict[str, dict[str, int]]:
        """How many messages, mails, filings, webhooks and inbound SMS there are by state; for `bridge check`."""
        async with reading(self._engine) as connection:
            by_state = await connection.execute(select(messages.c.state, func.count()).group_by(messages.c.state))
            by_channel = [
                await connection.execute(
                    select(mails.c.state, func.count()).where(mails.c.channel == channel).group_by(mails.c.state)
                )
                for channel in (RELAY, FILING, WEBHOOK)
            ]
            lost = await connection.execute(
                select(func.count()).select_from(inbounds).where(inbounds.c.mailbox_id.is_(None))
            )
            return {
                "messages": {row[0]: row[1] for row in by_state},
                "mails": {row[0]: row[1] for row in by_channel[0]},
                "filings": {row[0]: row[1] for row in by_channel[1]},
                "webhooks": {row[0]: row[1] for row in by_channel[2]},
                "inbound": {"without_mailbox": lost.scalar_one()},
            }


def _views() -> Any:
    return (
        select(
            messages.c.id,
            messages.c.submission_id,
            mailboxes.c.login,
            messages.c.number,
            messages.c.sender,
            messages.c.state,
            messages.c.reason,
            messages.c.segments,
            messages.c.attempts,
            messages.c.gateway,
            messages.c.provider_id,
            messages.c.created_at,
            messages.c.due_at,
            messages.c.settled_at,
            messages.c.priority,
            messages.c.flash,
            func.coalesce(messages.c.reference, submissions.c.reference).label("reference"),
            _last_heard("price"),
            _last_heard("price_unit"),
        )
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .join(submissions, submissions.c.id == messages.c.submission_id)
    )


def _last_heard(column: str) -> ColumnElement[str | None]:
    """What the newest receipt says that names a price, or else the last try: a receipt has the final one."""
    heard = select(receipts.c[column]).where(receipts.c.message_id == messages.c.id, receipts.c.price.is_not(None))
    tried = select(attempts.c[column]).where(attempts.c.message_id == messages.c.id, attempts.c.price.is_not(None))
    return func.coalesce(
        heard.order_by(receipts.c.id.desc()).limit(1).scalar_subquery(),
        tried.order_by(attempts.c.number.desc()).limit(1).scalar_subquery(),
    ).label(column)


_UNDECIDED = "the phone asked for no more texts in words of its own, and nobody has decided: see `bridge blocks list`"

_ANSWERED = {
    AutomaticKind.KEYWORD: "a keyword",
    AutomaticKind.CLOSED: "an SMS outside opening hours",
    AutomaticKind.UNPROMPTED: "an SMS for nobody",
}
"""What a text by itself answered, where that is no order."""


def _wished(row: Any) -> Iterator[str]:
    """The mail it was taken with, and what that asked for."""
    yield f"submission {row.submission_id}"
    if row.automatic:
        yield f"by the bridge itself, in answer to {_ANSWERED.get(row.automatic, row.automatic)}"
    if row.reference:
        yield f"reference {row.reference}"
    if row.priority != Priority.NORMAL:
        yield f"priority {row.priority}"
    if row.flash:
        yield "flash"


def _costs(row: Any) -> str:
    return f", costs {row.price} {row.price_unit}".rstrip() if row.price is not None else ""


def _view(row: Any) -> MessageView:
    return MessageView(
        id=row.id,
        submission_id=row.submission_id,
        mailbox=row.login,
        number=row.number,
        sender=row.sender,
        state=MessageState(row.state),
        reason=row.reason,
        segments=row.segments,
        attempts=row.attempts,
        gateway=row.gateway,
        provider_id=row.provider_id,
        created_at=row.created_at,
        due_at=row.due_at,
        settled_at=row.settled_at,
        price=row.price,
        price_unit=row.price_unit,
        reference=row.reference,
        priority=row.priority,
        flash=row.flash,
    )
