"""Mails that wait to be filed in IMAP folders: put aside by what causes them, claimed in order for each mailbox.

A filing is written in the transaction that makes it necessary, so each exists once, and its id is its place in the
order of its mailbox. While one is under way or waits to be tried again, none behind it is claimed. What became of a
text that is filed can stand in the same queue, to be shown on its copy (`copies`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import clock
from bridge.notices.address import called
from bridge.store.committer import Committer
from bridge.store.copies import ClaimedState, Moved, claimed_states, filing_row, have_copies, mark_copies
from bridge.store.engine import reading, upsert
from bridge.store.tables import (
    FILING,
    QUEUED,
    conversations,
    mail_contents,
    mailboxes,
    mails,
    message_contents,
    messages,
    submission_contents,
    submissions,
)
from bridge.types import FiledKind, MessageState, OutgoingMail, ReportLine, SentText

_BLANK = re.compile(r"\{(?:number|contact|year)\}")


@dataclass(frozen=True, slots=True)
class FilingRule:
    """What one mailbox has filed, and where: a path with `/` between levels and `{number}`, `{contact}`, `{year}`."""

    folder: str
    what: frozenset[FiledKind]
    shows_state: bool = False
    """Whether copies show what became of their texts, in place of failure reports beside them."""

    def path(self, number: str, year: int, contact: str = "") -> tuple[str, ...]:
        """The levels of the folder for one phone, the outermost first; `contact` is what its mailbox calls it.

        The number stands behind the name: people who have one name must not have one folder.
        """
        known = number or "unknown"
        blanks = {"{number}": known, "{contact}": called(known, contact), "{year}": str(year)}
        return tuple(_BLANK.sub(lambda found: blanks[found[0]], level) for level in self.folder.split("/"))


FilingRules = Mapping[str, FilingRule]
"""By the mailbox's login, in lower case; a mailbox without a rule files nothing."""

NOTHING: FilingRules = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FilingClaim:
    """A wish for the next filings of one mailbox, at most `limit`, leased to `owner` until `until`."""

    mailbox_id: str
    owner: str
    now: datetime
    until: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class ClaimedFiling:
    """A mail that is ours to file until its lease ends: a composed one, or the text that one is to be made of."""

    id: str
    kind: FiledKind
    folder: tuple[str, ...]
    date: datetime
    attempts: int
    """This try included."""
    mail: bytes | SentText


class Filings:
    """The queue of filings. `Mails.settle` settles them too. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def claim(self, claim: FilingClaim) -> list[ClaimedFiling | ClaimedState]:
        """Lease the oldest unsettled filings of a mailbox, in order; none while the first of them must wait."""
        return await self._committer.do(_claim, claim)

    async def release(self, filing_ids: Collection[str]) -> None:
        """Give back filings that were claimed and not tried."""
        if filing_ids:
            await self._committer.do(_release, tuple(filing_ids))

    async def next_due(self, mailbox_id: str, after: datetime) -> datetime | None:
        """When the mailbox's first filing may be tried, if that is later than `after`."""
        query = _queued(mailbox_id).with_only_columns(mails.c.due_at, mails.c.lease_until).limit(1)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        due: datetime = max(row.due_at, row.lease_until or row.due_at)
        return due if due > after else None


def file_texts(connection: Connection, rules: FilingRules, message_ids: Collection[str]) -> None:
    """Put aside the texts of messages that have left, each once however often it leaves."""
    if not rules or not message_ids:
        return
    query = (
        select(messages.c.id, messages.c.submission_id, messages.c.number, conversations.c.contact, *_owner_columns())
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .outerjoin(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.id.in_(message_ids), func.lower(mailboxes.c.login).in_(rules))
    )
    found = {row.id: row for row in connection.execute(query)}
    now = clock.now()
    rows = []
    for message_id in message_ids:
        row = found.get(message_id)
        rule = rules[row.login.lower()] if row is not None else None
        if row is None or rule is None or FiledKind.SENT not in rule.what:
            continue
        filing = _row(row, FiledKind.SENT, rule, row.number, row.contact or "", now)
        rows.append(filing | {"message_id": message_id, "submission_id": row.submission_id})
    if rows:
        statement = upsert(connection.dialect.name, mails).on_conflict_do_nothing(index_elements=[mails.c.message_id])
        connection.execute(statement, rows)


def show_states(connection: Connection, rules: FilingRules, moved: Moved) -> None:
    """Put aside what became of messages, to be shown on the copies of their texts; `file_texts` must come before."""
    logins = [login for login, rule in rules.items() if rule.shows_state]
    if logins and moved:
        mark_copies(connection, logins, moved)


def file_report(
    connection: Connection, rules: FilingRules, mailbox_id: str, mail: OutgoingMail, failed: Sequence[ReportLine]
) -> None:
    """Put aside a report, once for each phone that a text did not reach, unless the copy of the text shows it."""
    if not rules or not failed:
        return
    rule = rules.get(_owner(connection, mailbox_id).login.lower())
    if rule is not None and rule.shows_state:
        shown = have_copies(connection, [line.message_id for line in failed])
        failed = [line for line in failed if line.message_id not in shown]
    phones = {line.number: line.contact for line in failed}
    file_mail(connection, rules, mailbox_id, FiledKind.FAILURES, mail, phones)


def file_mail(
    connection: Connection,
    rules: FilingRules,
    mailbox_id: str,
    what: FiledKind,
    mail: OutgoingMail,
    phones: Mapping[str, str],
) -> None:
    """Put aside a composed mail, once for each phone it speaks of: their numbers, and what the mailbox calls them."""
    if not rules:
        return
    owner = _owner(connection, mailbox_id)
    rule = rules.get(owner.login.lower())
    if rule is None or what not in rule.what:
        return
    for number, contact in phones.items():
        filing = _row(owner, what, rule, number, contact, clock.now())
        connection.execute(insert(mails).values(filing))
        connection.execute(insert(mail_contents).values(mail_id=filing["id"], raw=mail.raw))


def _owner(connection: Connection, mailbox_id: str) -> Any:
    return connection.execute(select(*_owner_columns()).where(mailboxes.c.id == mailbox_id)).one()


def _owner_columns() -> list[Any]:
    return [mailboxes.c.id.label("mailbox_id"), mailboxes.c.organisation_id, mailboxes.c.login, mailboxes.c.timezone]


def _row(owner: Any, what: FiledKind, rule: FilingRule, number: str, contact: str, now: datetime) -> dict[str, Any]:
    year = now.astimezone(ZoneInfo(owner.timezone)).year
    return filing_row(owner, what.value, rule.path(number, year, contact), now)


def _queued(mailbox_id: str) -> Any:
    return (
        select(mails.c.id)
        .where(mails.c.state == QUEUED, mails.c.channel == FILING, mails.c.mailbox_id == mailbox_id)
        .order_by(mails.c.id)
    )


def _claim(connection: Connection, claims: Sequence[FilingClaim]) -> list[list[ClaimedFiling | ClaimedState]]:
    return [_claim_one(connection, claim) for claim in claims]


def _claim_one(connection: Connection, claim: FilingClaim) -> list[ClaimedFiling | ClaimedState]:
    waiting = _queued(claim.mailbox_id).with_only_columns(mails.c.id, mails.c.due_at, mails.c.lease_until)
    # Another node that claims at the same moment waits here for the first row, and then sees its lease.
    head = (connection.execute(waiting.limit(1).with_for_update())).first()
    if head is None or not _is_free(head, claim.now):
        return []
    # Of a node whose clock is behind, a filing can come to stand before some that are under way or must wait.
    rows = (connection.execute(waiting.limit(claim.limit).with_for_update())).all()
    ids = [row.id for row in takewhile(lambda row: _is_free(row, claim.now), rows)]
    leased = (
        update(mails)
        .where(mails.c.id.in_(ids))
        .values(lease_owner=claim.owner, lease_until=claim.until, attempts=mails.c.attempts + 1)
    )
    connection.execute(leased)
    query = (
        select(
            mails.c.id.label("filing_id"),
            mails.c.kind,
            mails.c.folder,
            mails.c.created_at.label("filed_at"),
            mails.c.attempts.label("tries"),
            mail_contents.c.raw,
            messages,
            message_contents.c.text,
            submissions.c.message_id.label("in_reply_to"),
            func.coalesce(messages.c.reference, submissions.c.reference).label("own_reference"),
            conversations.c.contact,
            submission_contents.c.subject,
            submission_contents.c.references,
        )
        .select_from(mails)
        .outerjoin(mail_contents, mail_contents.c.mail_id == mails.c.id)
        .outerjoin(messages, messages.c.id == mails.c.message_id)
        .outerjoin(message_contents, message_contents.c.message_id == messages.c.id)
        .outerjoin(conversations, conversations.c.id == messages.c.conversation_id)
        .outerjoin(submissions, submissions.c.id == messages.c.submission_id)
        .outerjoin(submission_contents, submission_contents.c.submission_id == submissions.c.id)
        .where(mails.c.id.in_(ids))
        .order_by(mails.c.id)
    )
    rows = connection.execute(query).all()
    states = claimed_states(connection, rows)
    return [states.get(row.filing_id) or _claimed(row) for row in rows]


def _is_free(row: Any, now: datetime) -> bool:
    """Whether a filing may be tried, and nobody is at it."""
    return bool(row.due_at <= now and (row.lease_until is None or row.lease_until <= now))


def _claimed(row: Any) -> ClaimedFiling:
    return ClaimedFiling(
        id=row.filing_id,
        kind=FiledKind(row.kind),
        folder=tuple(row.folder),
        date=row.filed_at,
        attempts=row.tries,
        mail=row.raw if row.id is None else _text(row),
    )


def _text(row: Any) -> SentText:
    return SentText(
        message_id=row.id,
        number=row.number,
        sender=row.sender,
        text=row.text,
        segments=row.segments,
        state=MessageState(row.state),
        sent_at=row.filed_at,
        subject=row.subject,
        in_reply_to=row.in_reply_to,
        references=tuple(row.references),
        reference=row.own_reference,
        contact=row.contact or "",
    )


def _release(connection: Connection, requests: Sequence[Collection[str]]) -> list[None]:
    for filing_ids in requests:
        free = update(mails).where(mails.c.id.in_(filing_ids), mails.c.state == QUEUED)
        connection.execute(free.values(lease_owner=None, lease_until=None, attempts=mails.c.attempts - 1))
    return [None] * len(requests)
