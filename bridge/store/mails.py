"""Our own mails on their way out: a queue like that of the messages, with retries that survive a restart.

A mail is delivered at least once: it carries the same Message-ID at every try, so a mailbox that gets it twice
can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import clock
from bridge.store.claims import Claim
from bridge.store.committer import Committer
from bridge.store.engine import reading, upsert
from bridge.store.tables import (
    QUEUED,
    RELAY,
    conversations,
    inbound_contents,
    inbounds,
    mail_contents,
    mailboxes,
    mails,
)
from bridge.types import Mailbox, Match, OutgoingMail


class MailKind(StrEnum):
    """What a mail brings."""

    REPORT = "report"
    REPLY = "reply"
    """A phone's answer, to the mailbox it is for."""
    FALLBACK = "fallback"
    """The same to the fallback mailbox, since the one it is for did not get it."""
    COPY = "copy"
    """The same to others whom it may concern; one that does not arrive is only logged, since the answer is not lost."""
    PHONE = "phone"
    """What a phone wrote to others by mail; one that does not arrive is only logged, since its mailbox has the SMS."""
    ALERT = "alert"
    """Word to the operator that an answer did not arrive."""
    PREVIEW = "preview"
    """What a mail to `preview@…` would have sent."""
    LEARNED = "learned"
    """What ends the mailbox's mails was learned, and is not texted any more."""
    RULING = "ruling"
    """What a mailbox decided about a phone that asked for no more texts."""
    REFUSAL = "refusal"
    """A mail in a watched mailbox was not texted."""
    DIGEST = "digest"
    """What became of the mailbox's texts, once a day."""


class MailState(StrEnum):
    """Where a mail of ours, or a filing, stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    """Sent, and come back."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A mail that is queued because another one did not arrive."""

    mail: OutgoingMail
    kind: MailKind
    mailbox_id: str


@dataclass(frozen=True, slots=True)
class MailResult:
    """What became of a mail, or of a filing."""

    mail_id: str
    state: str
    """One of `MailState`; `queued` is to be tried again at `due_at`."""
    at: datetime
    diagnostic: str = ""
    due_at: datetime | None = None
    then: tuple[FollowUp, ...] = ()
    """Mails that are queued in the same transaction, if this is news."""


@dataclass(frozen=True, slots=True)
class _New:
    mail: OutgoingMail
    kind: MailKind
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class MailedReply:
    """A phone's answer as it was mailed."""

    kind: MailKind
    mailbox_id: str
    login: str
    """Of the mailbox."""
    address: str
    """Where the mail went."""
    number: str
    """The phone, E.164."""
    sender: str
    """Our number it wrote to, E.164."""
    text: str
    received_at: datetime
    match: Match
    subject: str
    """Of the conversation, as are the next two."""
    in_reply_to: str
    references: tuple[str, ...]
    contact: str
    """What the mailbox calls the phone."""
    raw: bytes = field(repr=False)
    """The mail itself; empty when it is not kept any more."""


def insert_mail(
    connection: Connection,
    mail: OutgoingMail,
    *,
    organisation_id: str,
    mailbox_id: str,
    kind: MailKind,
    submission_id: str | None = None,
    inbound_id: str | None = None,
) -> None:
    """Put a composed mail into the queue, inside the caller's transaction."""
    row = _row(mail, organisation_id, mailbox_id, kind, submission_id, inbound_id)
    connection.execute(insert(mails).values(row))
    connection.execute(insert(mail_contents).values(mail_id=mail.id, raw=mail.raw))


def _row(
    mail: OutgoingMail,
    organisation_id: str,
    mailbox_id: str,
    kind: MailKind,
    submission_id: str | None = None,
    inbound_id: str | None = None,
) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": mail.id,
        "organisation_id": organisation_id,
        "mailbox_id": mailbox_id,
        "channel": "relay",
        "kind": kind.value,
        "submission_id": submission_id,
        "inbound_id": inbound_id,
        "envelope_from": mail.envelope_from,
        "envelope_to": mail.envelope_to,
        "state": MailState.QUEUED,
        "due_at": now,
        "lease_owner": None,
        "lease_until": None,
        "attempts": 0,
        "diagnostic": "",
        "created_at": now,
        "settled_at": None,
    }


class Mails:
    """The queue of mails that wait for a mail server. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def claim(self, claim: Claim) -> list[OutgoingMail]:
        """Lease mails that are due, oldest first."""
        return await self._committer.do(_claim, claim)

    async def settle(self, result: MailResult) -> bool:
        """Commit what became of a mail; whether that is news. A mail that is settled stays as it is, but what was
        `sent` can still be `bounced`."""
        return await self._committer.do(_settle, result)

    async def add(self, mail: OutgoingMail, kind: MailKind, mailbox: Mailbox) -> bool:
        """Queue a composed mail of a mailbox, once: whether it is new. One with its id stays as it is, whatever has
        become of it. When this returns, the mail is on disk."""
        return await self._committer.do(_add, _New(mail, kind, mailbox), wakes=True)

    async def reply(self, mail_id: str) -> MailedReply | None:
        """The phone's answer that a mail brings; None for a mail that brings none, or that does not exist."""
        query = (
            select(
                mails.c.kind,
                mails.c.mailbox_id,
                mailboxes.c.login,
                mails.c.envelope_to,
                inbounds.c.number,
                inbounds.c.sender,
                inbound_contents.c.text,
                inbounds.c.received_at,
                inbounds.c.match,
                conversations.c.subject,
                conversations.c.message_id,
                conversations.c.references,
                conversations.c.contact,
                mail_contents.c.raw,
            )
            .select_from(mails)
            .outerjoin(mail_contents, mail_contents.c.mail_id == mails.c.id)
            .join(mailboxes, mailboxes.c.id == mails.c.mailbox_id)
            .join(inbounds, inbounds.c.id == mails.c.inbound_id)
            .join(inbound_contents, inbound_contents.c.inbound_id == inbounds.c.id)
            .join(conversations, conversations.c.id == inbounds.c.conversation_id)
            .where(mails.c.id == mail_id, mails.c.kind.in_([MailKind.REPLY, MailKind.FALLBACK]))
        )
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return _reply(row) if row is not None else None

    async def next_due(self, after: datetime) -> datetime | None:
        """When the next queued mail that is not due yet will be."""
        query = select(func.min(mails.c.due_at)).where(
            mails.c.state == QUEUED, mails.c.channel == RELAY, mails.c.due_at > after
        )
        async with reading(self._engine) as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one_or_none()
            return due


def _add(connection: Connection, news: Sequence[_New]) -> list[bool]:
    return [_add_one(connection, new) for new in news]


def _add_one(connection: Connection, new: _New) -> bool:
    row = _row(new.mail, new.mailbox.organisation_id, new.mailbox.id, new.kind)
    once = upsert(connection.dialect.name, mails).values(row).on_conflict_do_nothing(index_elements=[mails.c.id])
    if connection.execute(once.returning(mails.c.id)).first() is None:
        return False
    connection.execute(insert(mail_contents).values(mail_id=new.mail.id, raw=new.mail.raw))
    return True


def _claim(connection: Connection, claims: Sequence[Claim]) -> list[list[OutgoingMail]]:
    return [_claim_one(connection, claim) for claim in claims]


def _claim_one(connection: Connection, claim: Claim) -> list[OutgoingMail]:
    due = (
        select(mails.c.id)
        .where(
            mails.c.state == QUEUED,
            mails.c.channel == RELAY,
            mails.c.due_at <= claim.now,
            or_(mails.c.lease_until.is_(None), mails.c.lease_until < claim.now),
        )
        .order_by(mails.c.due_at, mails.c.id)
        .limit(claim.limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    leased = (
        update(mails)
        .where(mails.c.id.in_(select(due.c.id)))
        .values(lease_owner=claim.owner, lease_until=claim.until, attempts=mails.c.attempts + 1)
        .returning(mails.c.id)
    )
    ids = (connection.execute(leased)).scalars().all()
    if not ids:
        return []
    query = (
        select(mails.c.id, mails.c.envelope_from, mails.c.envelope_to, mails.c.attempts, mail_contents.c.raw)
        .join(mail_contents, mail_contents.c.mail_id == mails.c.id)
        .where(mails.c.id.in_(ids))
        .order_by(mails.c.id)
    )
    return [
        OutgoingMail(row.id, row.envelope_from, row.envelope_to, row.raw, row.attempts)
        for row in connection.execute(query)
    ]


def _reply(row: Any) -> MailedReply:
    return MailedReply(
        kind=MailKind(row.kind),
        mailbox_id=row.mailbox_id,
        login=row.login,
        address=row.envelope_to,
        number=row.number,
        sender=row.sender,
        text=row.text,
        received_at=row.received_at,
        match=Match(row.match),
        subject=row.subject,
        in_reply_to=row.message_id,
        references=tuple(row.references),
        contact=row.contact,
        raw=row.raw or b"",
    )


def _settle(connection: Connection, results: Sequence[MailResult]) -> list[bool]:
    news = []
    for result in results:
        values = {
            "state": result.state,
            "diagnostic": result.diagnostic,
            "lease_owner": None,
            "lease_until": None,
            "settled_at": None if result.state == MailState.QUEUED else result.at,
        }
        if result.due_at is not None:
            values["due_at"] = result.due_at
        # A bounce can be here before the answer to the mail's final dot has been written down.
        yields = [MailState.QUEUED, *([MailState.SENT] if result.state == MailState.BOUNCED else [])]
        mine = update(mails).where(mails.c.id == result.mail_id, mails.c.state.in_(yields))
        changed = mine.values(values).returning(mails.c.organisation_id, mails.c.inbound_id)
        row = (connection.execute(changed)).first()
        news.append(row is not None)
        if row is None:
            continue
        for each in result.then:
            insert_mail(
                connection,
                each.mail,
                organisation_id=row.organisation_id,
                mailbox_id=each.mailbox_id,
                kind=each.kind,
                inbound_id=row.inbound_id,
            )
    return news
