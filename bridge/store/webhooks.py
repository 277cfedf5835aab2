"""The queue of SMS that wait for their webhooks: rows beside those of our own mails, with the same leases and tries.

A receiver gets one at a time from each node, so that one which is slow holds nobody else. What became of a try is
settled as that of a mail is (`mails.Mails.settle`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.mails import MailState
from bridge.store.tables import QUEUED, WEBHOOK, mail_contents, mails
from bridge.types import Posting

_KIND = "webhook"
_LOOKED_AT = 200
"""Rows among which the first in line are looked for. Addresses behind them are found as soon as the others are busy."""


@dataclass(frozen=True, slots=True)
class PostClaim:
    """A wish for work: at most `limit` postings that are due, one for each address, leased to `owner` until `until`."""

    owner: str
    now: datetime
    until: datetime
    limit: int
    busy: frozenset[str] = frozenset()
    """Addresses that get nothing more now."""


def insert_posting(connection: Connection, posting: Posting, organisation_id: str) -> None:
    """Put what a webhook is told of an SMS into the queue, inside the transaction that keeps the SMS."""
    row = {
        "id": posting.id,
        "organisation_id": organisation_id,
        "mailbox_id": posting.mailbox_id,
        "channel": "webhook",
        "kind": _KIND,
        "submission_id": None,
        "inbound_id": posting.id,
        "envelope_from": "",
        "envelope_to": posting.url,
        "state": MailState.QUEUED,
        "due_at": posting.begun_at,
        "lease_owner": None,
        "lease_until": None,
        "attempts": 0,
        "diagnostic": "",
        "created_at": posting.begun_at,
        "settled_at": None,
    }
    connection.execute(insert(mails).values(row))
    connection.execute(insert(mail_contents).values(mail_id=posting.id, raw=posting.body))


class Webhooks:
    """What waits for webhooks. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def claim(self, claim: PostClaim) -> list[Posting]:
        """Lease what is due: of each address the oldest.

        It is looked for outside of the transaction, since that takes a while where thousands wait for one address.
        """
        async with reading(self._engine) as connection:
            heads = (await connection.execute(_heads(claim))).scalars().all()
        return await self._committer.do(_claim, (claim, heads)) if heads else []

    async def next_due(self, after: datetime) -> datetime | None:
        """When the next one that is not due yet will be."""
        query = select(func.min(mails.c.due_at)).where(
            mails.c.state == QUEUED, mails.c.channel == WEBHOOK, mails.c.due_at > after
        )
        async with reading(self._engine) as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one_or_none()
            return due


def _is_free(now: datetime) -> ColumnElement[bool]:
    return and_(
        mails.c.state == QUEUED,
        mails.c.channel == WEBHOOK,
        mails.c.due_at <= now,
        or_(mails.c.lease_until.is_(None), mails.c.lease_until < now),
    )


def _heads(claim: PostClaim) -> Select[str]:
    """The ids of those that are first in line for their addresses, as far as the first `_LOOKED_AT` tell."""
    first = (
        select(mails.c.id, mails.c.due_at, mails.c.envelope_to)
        .where(_is_free(claim.now), mails.c.envelope_to.not_in(claim.busy))
        .order_by(mails.c.due_at, mails.c.id)
        .limit(_LOOKED_AT)
        .subquery()
    )
    place = func.row_number().over(partition_by=first.c.envelope_to, order_by=(first.c.due_at, first.c.id))
    lines = select(first.c.id, first.c.due_at, place.label("place")).subquery()
    return select(lines.c.id).where(lines.c.place == 1).order_by(lines.c.due_at, lines.c.id).limit(claim.limit)


def _claim(connection: Connection, claims: Sequence[tuple[PostClaim, Sequence[str]]]) -> list[list[Posting]]:
    return [_claim_one(connection, claim, ids) for claim, ids in claims]


def _claim_one(connection: Connection, claim: PostClaim, ids: Sequence[str]) -> list[Posting]:
    # Another node that found the same at the same moment looks past a row that is locked here.
    due = (
        select(mails.c.id).where(mails.c.id.in_(ids), _is_free(claim.now)).with_for_update(skip_locked=True).cte("due")
    )
    leased = (
        update(mails)
        .where(mails.c.id.in_(select(due.c.id)))
        .values(lease_owner=claim.owner, lease_until=claim.until, attempts=mails.c.attempts + 1)
        .returning(mails.c.id)
    )
    mine = connection.execute(leased).scalars().all()
    if not mine:
        return []
    query = (
        select(mails, mail_contents.c.raw)
        .join(mail_contents, mail_contents.c.mail_id == mails.c.id)
        .where(mails.c.id.in_(mine))
        .order_by(mails.c.id)
    )
    return [
        Posting(row.id, row.mailbox_id, row.envelope_to, row.raw, row.created_at, row.attempts)
        for row in connection.execute(query)
    ]
