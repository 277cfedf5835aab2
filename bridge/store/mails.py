"""Our own mails on their way out: a queue like that of the messages, with retries that survive a restart.

A mail is delivered at least once: it carries the same Message-ID at every try, so a mailbox that gets it twice
can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import clock
from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.queue import Claim
from bridge.store.tables import QUEUED, RELAY, mail_contents, mails
from bridge.types import OutgoingMail


@dataclass(frozen=True, slots=True)
class MailResult:
    """What a try to deliver a mail came to: `sent`, `failed`, or `queued` to be tried again at `due_at`."""

    mail_id: str
    state: str
    at: datetime
    diagnostic: str = ""
    due_at: datetime | None = None


def insert_mail(
    connection: Connection,
    mail: OutgoingMail,
    *,
    organisation_id: str,
    mailbox_id: str,
    kind: str,
    submission_id: str | None = None,
    inbound_id: str | None = None,
) -> None:
    """Put a composed mail into the queue, inside the caller's transaction."""
    now = clock.now()
    connection.execute(
        insert(mails).values(
            id=mail.id,
            organisation_id=organisation_id,
            mailbox_id=mailbox_id,
            channel="relay",
            kind=kind,
            submission_id=submission_id,
            inbound_id=inbound_id,
            envelope_from=mail.envelope_from,
            envelope_to=mail.envelope_to,
            state="queued",
            due_at=now,
            lease_owner=None,
            lease_until=None,
            attempts=0,
            diagnostic="",
            created_at=now,
            settled_at=None,
        )
    )
    connection.execute(insert(mail_contents).values(mail_id=mail.id, raw=mail.raw))


class Mails:
    """The queue of mails that wait for a mail server. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def claim(self, claim: Claim) -> list[OutgoingMail]:
        """Lease mails that are due, oldest first."""
        return await self._committer.do(_claim, claim)

    async def settle(self, result: MailResult) -> None:
        """Commit what a try came to; a mail that is settled stays as it is."""
        await self._committer.do(_settle, result)

    async def next_due(self, after: datetime) -> datetime | None:
        """When the next queued mail that is not due yet will be."""
        query = select(func.min(mails.c.due_at)).where(
            mails.c.state == QUEUED, mails.c.channel == RELAY, mails.c.due_at > after
        )
        async with reading(self._engine) as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one_or_none()
            return due


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


def _settle(connection: Connection, results: Sequence[MailResult]) -> list[None]:
    for result in results:
        values = {
            "state": result.state,
            "diagnostic": result.diagnostic,
            "lease_owner": None,
            "lease_until": None,
            "settled_at": None if result.state == "queued" else result.at,
        }
        if result.due_at is not None:
            values["due_at"] = result.due_at
        mine = update(mails).where(mails.c.id == result.mail_id, mails.c.state == "queued")
        connection.execute(mine.values(values))
    return [None] * len(results)
