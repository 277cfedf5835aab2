"""What a digest is made of, and the one transaction that says that it was made.

A row in `digest` means that this day's digest of a mailbox was queued, or that there was nothing to tell. It is
written together with the mails, so that neither a restart nor another node makes a second one. Every question names
the mailbox: nobody else's texts are ever read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.clock import first_id
from bridge.store.committer import Committer
from bridge.store.engine import reading, upsert
from bridge.store.mails import MailKind, insert_mail
from bridge.store.tables import (
    attempts,
    automatic_texts,
    conversations,
    digests,
    inbound_contents,
    inbounds,
    messages,
    receipts,
    submission_contents,
    submissions,
)
from bridge.types import Digest, DigestAnswer, DigestText, Mailbox, MessageState, OutgoingMail
from bridge.types.digest import ARRIVED, LOST, MOST_LINES

MOST_SHOWN = 50
"""Texts in each list of the mail itself."""

MOST_WORDS = 1_000
"""Characters of an answer."""

_KEPT = timedelta(days=40)
"""For how long it is known which digests were made."""

_OPEN = [MessageState.SENT, MessageState.UNKNOWN]
"""States that a message may enter without the moment being written on it."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time a digest of `mailbox_id` tells of."""

    mailbox_id: str
    day: date
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """The last digest of a mailbox that was made, or that there was no reason to make."""

    day: date
    at: datetime
    """What became of texts until then has been told."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A day's digest of a mailbox; without mails, since there is nothing to tell."""

    mailbox: Mailbox
    day: date
    at: datetime
    mails: tuple[OutgoingMail, ...] = ()


class Digests:
    """The digests of mailboxes. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def last(self, mailbox_ids: Collection[str]) -> dict[str, Made]:
        """The last one of each of these mailboxes that ever had one."""
        query = (
            select(
                digests.c.mailbox_id, func.max(digests.c.day).label("day"), func.max(digests.c.composed_at).label("at")
            )
            .where(digests.c.mailbox_id.in_(mailbox_ids))
            .group_by(digests.c.mailbox_id)
        )
        async with reading(self._engine) as connection:
            return {
                row.mailbox_id: Made(date.fromisoformat(row.day), row.at) for row in await connection.execute(query)
            }

    async def read(self, span: Span, told_until: datetime | None, names: Mapping[str, str]) -> Digest | None:
        """What there is to say of a time; None when no text is new in it or has changed since `told_until`, and no
        phone has written. `names` are those of the address book, by number."""
        async with reading(self._engine) as connection:
            if connection.dialect.name == "postgresql":  # SQLite shows one moment anyway
                await connection.execution_options(isolation_level="REPEATABLE READ")
            if not await _has_news(connection, span, told_until):
                return None
            return await _read(connection, span, names)

    async def keep(self, composed: Composed) -> bool:
        """Queue the mails of a digest, and write down that it was made; False when it had been made before. When this
        returns, both are on disk."""
        return await self._committer.do(_keep, composed, wakes=True)


def _keep(connection: Connection, made: Sequence[Composed]) -> list[bool]:
    return [_keep_one(connection, composed) for composed in made]


def _keep_one(connection: Connection, composed: Composed) -> bool:
    mailbox, day = composed.mailbox, composed.day
    once = upsert(connection.dialect.name, digests).on_conflict_do_nothing(
        index_elements=[digests.c.mailbox_id, digests.c.day]
    )
    row = {"mailbox_id": mailbox.id, "day": day.isoformat(), "composed_at": composed.at}
    if connection.execute(once.values(row).returning(digests.c.day)).first() is None:
        return False
    old = and_(digests.c.mailbox_id == mailbox.id, digests.c.day < (day - _KEPT).isoformat())
    connection.execute(delete(digests).where(old))
    for mail in composed.mails:
        insert_mail(
            connection,
            mail,
            organisation_id=mailbox.organisation_id,
            mailbox_id=mailbox.id,
            kind=MailKind.DIGEST,
        )
    return True


def _texts(span: Span) -> ColumnElement[bool]:
    """The texts of the mailbox; what the bridge itself answers phones is none, and waits for no answer."""
    return and_(
        messages.c.mailbox_id == span.mailbox_id,
        messages.c.due_at >= span.since,
        messages.c.due_at <= span.at,
        ~exists().where(automatic_texts.c.message_id == messages.c.id),
    )


def _heard(span: Span) -> ColumnElement[bool]:
    return and_(
        inbounds.c.mailbox_id == span.mailbox_id,
        inbounds.c.received_at >= span.since,
        inbounds.c.received_at <= span.at,
    )


_ANSWERED = case((conversations.c.last_heard_at >= messages.c.due_at, 1), else_=0)
"""Whether the phone has written, to the number that the text came from, since it was sent."""

_ARRIVED = messages.c.state.in_(ARRIVED)
_CONVERSATION = conversations.c.id == messages.c.conversation_id


async def _has_news(connection: AsyncConnection, span: Span, told_until: datetime | None) -> bool:
    texts, heard = select(messages.c.id).where(_texts(span)), select(inbounds.c.id).where(_heard(span))
    if told_until is not None:
        # An SMS says itself when it was written; that it became known later, only its id tells. One whose provider is
        # ahead of time is told of when its time has come.
        heard = heard.where(or_(inbounds.c.id >= first_id(told_until), inbounds.c.received_at > told_until))
        tried = exists().where(attempts.c.message_id == messages.c.id, attempts.c.finished_at > told_until)
        told = exists().where(receipts.c.message_id == messages.c.id, receipts.c.received_at > told_until)
        texts = texts.where(
            or_(
                messages.c.due_at > told_until,
                messages.c.settled_at > told_until,
                and_(messages.c.state.in_(_OPEN), or_(tried, told)),
            )
        )
    for query in (heard, texts):
        if (await connection.execute(query.limit(1))).first() is not None:
            return True
    return False


async def _read(connection: AsyncConnection, span: Span, names: Mapping[str, str]) -> Digest:
    states: dict[MessageState, int] = {}
    answered = unanswered = 0
    for row in await connection.execute(_counts(span)):
        state = MessageState(row.state)
        states[state] = states.get(state, 0) + row.texts
        if state in ARRIVED:
            answered += row.texts if row.answered else 0
            unanswered += 0 if row.answered else row.texts
    waiting_for = _newest_unanswered(span).subquery("waiting")
    silent = _lines().where(messages.c.id.in_(select(waiting_for.c.id).where(waiting_for.c.place == 1)))
    silent_phones = select(func.count()).select_from(waiting_for).where(waiting_for.c.place == 1)
    lost = _lines().where(_texts(span), messages.c.state.in_(LOST | {MessageState.UNKNOWN}))

    async def texts(query: Select[Any], most: int) -> tuple[DigestText, ...]:
        return tuple(_text(row, names) for row in await connection.execute(query.limit(most)))

    return Digest(
        day=span.day,
        since=span.since,
        at=span.at,
        states=states,
        answered=answered,
        unanswered=unanswered,
        silent=await texts(silent, MOST_SHOWN),
        silent_phones=(await connection.execute(silent_phones)).scalar_one(),
        lost=await texts(lost, MOST_SHOWN),
        answers=(await connection.execute(select(func.count()).select_from(inbounds).where(_heard(span)))).scalar_one(),
        texts_listed=await texts(_lines().where(_texts(span)), MOST_LINES),
        answers_listed=tuple(_answer(row, names) for row in await connection.execute(_answers(span))),
    )


def _counts(span: Span) -> Select[Any]:
    return (
        select(messages.c.state, _ANSWERED.label("answered"), func.count().label("texts"))
        .select_from(messages)
        .outerjoin(conversations, _CONVERSATION)
        .where(_texts(span))
        .group_by(messages.c.state, _ANSWERED)
    )


def _newest_unanswered(span: Span) -> Select[Any]:
    """Texts that arrived and were not answered; `place` is 1 for the newest of each phone."""
    newest_first = (messages.c.due_at.desc(), messages.c.id.desc())
    place = func.row_number().over(partition_by=messages.c.number_hash, order_by=newest_first)
    return (
        select(messages.c.id, place.label("place"))
        .select_from(messages)
        .outerjoin(conversations, _CONVERSATION)
        .where(_texts(span), _ARRIVED, _ANSWERED == 0)
    )


def _lines() -> Select[Any]:
    """Texts as lines, newest first."""
    return (
        select(
            messages.c.due_at,
            messages.c.number,
            messages.c.address,
            messages.c.state,
            func.coalesce(messages.c.reference, submissions.c.reference, "").label("reference"),
            submission_contents.c.subject,
            conversations.c.contact,
            _ANSWERED.label("answered"),
        )
        .select_from(messages)
        .join(submissions, submissions.c.id == messages.c.submission_id)
        .outerjoin(submission_contents, submission_contents.c.submission_id == messages.c.submission_id)
        .outerjoin(conversations, _CONVERSATION)
        .order_by(messages.c.due_at.desc(), messages.c.id.desc())
    )


def _answers(span: Span) -> Select[Any]:
    return (
        select(
            inbounds.c.received_at,
            inbounds.c.number,
            inbounds.c.sender,
            func.substr(inbound_contents.c.text, 1, MOST_WORDS).label("text"),
            conversations.c.subject,
            conversations.c.contact,
        )
        .select_from(inbounds)
        .join(inbound_contents, inbound_contents.c.inbound_id == inbounds.c.id)
        .outerjoin(conversations, conversations.c.id == inbounds.c.conversation_id)
        .where(_heard(span))
        .order_by(inbounds.c.received_at.desc(), inbounds.c.id.desc())
        .limit(MOST_LINES)
    )


def _text(row: Any, names: Mapping[str, str]) -> DigestText:
    return DigestText(
        at=row.due_at,
        number=row.number or row.address,
        contact=row.contact or names.get(row.number, ""),
        subject=row.subject or "",
        reference=row.reference,
        state=MessageState(row.state),
        answered=bool(row.answered),
    )


def _answer(row: Any, names: Mapping[str, str]) -> DigestAnswer:
    return DigestAnswer(
        at=row.received_at,
        number=row.number,
        sender=row.sender,
        contact=row.contact or names.get(row.number, ""),
        subject=row.subject or "",
        text=row.text,
    )
