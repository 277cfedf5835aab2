"""Which mails' delivery reports are due, what they have to say, and that it was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.errors import Reason
from bridge.store.committer import Committer
from bridge.store.due import IS_WISHED_AWAY, UNDECIDED, first_tried_at
from bridge.store.engine import reading
from bridge.store.filings import NOTHING, FilingRules, file_report
from bridge.store.mails import MailKind, insert_mail
from bridge.store.rows import LATEST
from bridge.store.tables import (
    attempts,
    conversations,
    mailboxes,
    message_contents,
    messages,
    receipts,
    submission_contents,
    submissions,
)
from bridge.store.transitions import LATE, schedule_reports
from bridge.types import SETTLED, Hindrance, MessageState, OutcomeKind, OutgoingMail, ReportLine, Ret

_FAILURES = SETTLED - {MessageState.DELIVERED} | {MessageState.UNKNOWN}

_ANSWERS = frozenset({OutcomeKind.REJECTED, OutcomeKind.THROTTLED, OutcomeKind.UNKNOWN})
"""What a try comes to that somebody took up, and that is not what became of the text."""

_DECIDED_HERE = frozenset({MessageState.REFUSED, MessageState.CANCELLED})


@dataclass(frozen=True, slots=True)
class DueReport:
    """One mail whose sender is to be told something now."""

    submission_id: str
    organisation_id: str
    mailbox_id: str
    number: int
    """1 for the mail's first report."""
    to: str
    message_id: str
    references: tuple[str, ...]
    subject: str
    envid: str | None
    ret: Ret | None
    headers: bytes
    reference: str | None
    received_at: datetime
    deliver_by: datetime | None
    release: str | None
    lines: tuple[ReportLine, ...]
    versions: tuple[tuple[str, int], ...]
    """Message id and version of every line: what was read is what is marked as told."""


@dataclass(frozen=True, slots=True)
class Told:
    """A due report, and the mails that tell it."""

    report: DueReport
    mails: tuple[OutgoingMail, ...]


class Reports:
    """The reports that are owed. Every method raises StoreUnavailable."""

    def __init__(
        self,
        engine: AsyncEngine,
        committer: Committer,
        report_wait: float,
        give_up_after: float,
        filing: FilingRules = NOTHING,
    ) -> None:
        """`report_wait` is how many seconds a report may wait for further recipients, `give_up_after` how many a text
        is tried."""
        self._engine = engine
        self._committer = committer
        self._report_wait = report_wait
        self._patience = timedelta(seconds=give_up_after)
        self._filing = filing

    async def due(self, now: datetime, limit: int) -> list[DueReport]:
        """Reports to be made now."""
        query = (
            select(submissions, submission_contents)
            .join(submission_contents, submission_contents.c.submission_id == submissions.c.id)
            .where(submissions.c.report_due_at <= now)
            .order_by(submissions.c.report_due_at)
            .limit(limit)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
            found = []
            for row in rows:
                lines, versions = await self._lines(connection, row.id, now)
                found.append(
                    DueReport(
                        submission_id=row.id,
                        organisation_id=row.organisation_id,
                        mailbox_id=row.mailbox_id,
                        number=row.report_count + 1,
                        to=row.report_to,
                        message_id=row.message_id,
                        references=tuple(row.references),
                        subject=row.subject,
                        envid=row.envid,
                        ret=Ret(row.ret) if row.ret else None,
                        headers=row.headers,
                        reference=row.reference,
                        received_at=row.received_at,
                        deliver_by=row.deliver_by,
                        release=row.release,
                        lines=lines,
                        versions=versions,
                    )
                )
            return found

    async def told(self, told: Told) -> bool:
        """Queue the report's mails and mark what it says as told.

        False, and nothing is queued or marked, when another node told it first or when a message has changed since
        the report was read: what is told must be true when it is told.
        """
        return await self._committer.do(self._told, told, wakes=True)

    async def put_off(self, submission_id: str, until: datetime) -> None:
        """Let a report that cannot be made now wait."""
        await self._committer.do(_put_off, (submission_id, until))

    async def next_due(self, after: datetime) -> datetime | None:
        """When the next report will be due."""
        query = select(func.min(submissions.c.report_due_at)).where(submissions.c.report_due_at > after)
        async with reading(self._engine) as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one_or_none()
            return due

    def _told(self, connection: Connection, reports: Sequence[Told]) -> list[bool]:
        results = []
        for told in reports:
            report = told.report
            mine = (
                update(submissions)
                .where(submissions.c.id == report.submission_id, submissions.c.report_count == report.number - 1)
                .values(report_count=report.number)
            )
            if not _is_still_true(connection, report) or (connection.execute(mine)).rowcount == 0:
                results.append(False)
                continue
            if report.versions:
                said = (
                    update(messages)
                    .where(messages.c.id == bindparam("b_id"))
                    .values(report_at=None, reported=bindparam("b_as"))
                )
                told_as = [LATE if line.hindrance is not None else line.state for line in report.lines]
                rows = [
                    {"b_id": message_id, "b_as": state}
                    for (message_id, _), state in zip(report.versions, told_as, strict=True)
                ]
                connection.execute(said, rows)
            for mail in told.mails:
                insert_mail(
                    connection,
                    mail,
                    organisation_id=report.organisation_id,
                    mailbox_id=report.mailbox_id,
                    kind=MailKind.REPORT,
                    submission_id=report.submission_id,
                )
                failed = [line for line in report.lines if line.state in _FAILURES]
                file_report(connection, self._filing, report.mailbox_id, mail, failed)
            schedule_reports(connection, [report.submission_id], self._report_wait)
            results.append(True)
        return results

    async def _lines(
        self, connection: AsyncConnection, submission_id: str, now: datetime
    ) -> tuple[tuple[ReportLine, ...], tuple[tuple[str, int], ...]]:
        found = list(await connection.execute(_LINES, {"b_submission": submission_id, "b_now": now}))
        return tuple(self._line(row, now) for row in found), tuple((row.id, row.version) for row in found)

    def _line(self, row: Any, now: datetime) -> ReportLine:
        state = MessageState(row.state)
        hindrance = _hindrance(row, state)
        heard = row.heard is not None and (state in SETTLED or hindrance is not None)
        answered = not heard and row.outcome in _ANSWERS and state not in _DECIDED_HERE
        return ReportLine(
            message_id=row.id,
            address=row.address,
            orcpt=row.orcpt,
            number=row.number,
            state=state,
            reason=Reason(row.reason) if row.reason else None,
            diagnostic=row.diagnostic,
            segments=row.segments,
            text=row.text,
            gateway=row.gateway if heard else "",
            remote=row.tried if answered else "",
            tried_at=row.occurred_at if heard else row.started_at,
            settled_at=row.settled_at,
            reference=row.reference,
            contact=row.contact or "",
            hindrance=hindrance,
            tried_until=self._tried_until(row, hindrance, now) if hindrance is not None else None,
        )

    def _tried_until(self, row: Any, hindrance: Hindrance, now: datetime) -> datetime | None:
        """When a text that is late will be given up, as far as that is known and still to come."""
        expires_at: datetime | None = row.expires_at
        ends = [expires_at] if expires_at is not None and expires_at < LATEST else []
        if hindrance is Hindrance.UNDECIDED:
            ends.append(row.due_at + UNDECIDED)
        elif hindrance is not Hindrance.PHONE and row.first_tried_at is not None:
            ends.append(row.first_tried_at + self._patience)
        until = min(ends, default=now)
        return until if until > now else None


_SAID = receipts.alias("said")

_LINES = (
    select(
        messages,
        message_contents.c.text,
        conversations.c.contact,
        mailboxes.c.paused,
        IS_WISHED_AWAY.label("undecided"),
        receipts.c.id.label("heard"),
        receipts.c.occurred_at,
        attempts.c.gateway.label("tried"),
        attempts.c.outcome,
        attempts.c.started_at,
        first_tried_at().label("first_tried_at"),
    )
    .join(message_contents, message_contents.c.message_id == messages.c.id)
    .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
    .outerjoin(conversations, conversations.c.id == messages.c.conversation_id)
    .outerjoin(
        attempts,
        and_(
            attempts.c.message_id == messages.c.id,
            attempts.c.segment_id.is_(None),
            attempts.c.number == messages.c.attempts,
        ),
    )
    .outerjoin(
        receipts,
        receipts.c.id
        == select(func.max(_SAID.c.id))
        .where(
            _SAID.c.message_id == messages.c.id,
            _SAID.c.gateway == messages.c.gateway,
            _SAID.c.state == messages.c.state,
        )
        .correlate(messages)
        .scalar_subquery(),
    )
    .where(messages.c.submission_id == bindparam("b_submission"), messages.c.report_at <= bindparam("b_now"))
    .order_by(messages.c.id)
)
"""What is to be told of a mail: its messages, the receipt that says what became of each, and the last try."""


def _hindrance(row: Any, state: MessageState) -> Hindrance | None:
    """Why a text that is late has not arrived; None for one that is not late."""
    if state is MessageState.SENT:
        # One without a reason is not late: it is told that it was handed over.
        return Hindrance.PHONE if row.reason else None
    if state not in (MessageState.QUEUED, MessageState.SENDING):
        return None
    if row.undecided:
        return Hindrance.UNDECIDED
    if row.paused:
        return Hindrance.PAUSED
    return {OutcomeKind.UNREACHABLE: Hindrance.AWAY, OutcomeKind.THROTTLED: Hindrance.BUSY}.get(
        row.outcome, Hindrance.TURN
    )


def _is_still_true(connection: Connection, report: DueReport) -> bool:
    query = (
        select(messages.c.id, messages.c.version)
        .where(messages.c.submission_id == report.submission_id, messages.c.report_at.is_not(None))
        .order_by(messages.c.id)  # as `transitions.apply` locks them: else each may wait for the other
        .with_for_update()
    )
    versions = {row.id: row.version for row in connection.execute(query)}
    return all(versions.get(message_id) == version for message_id, version in report.versions)


def _put_off(connection: Connection, requests: Sequence[tuple[str, datetime]]) -> list[None]:
    later = update(submissions).where(submissions.c.id == bindparam("b_id")).values(report_due_at=bindparam("b_until"))
    connection.execute(later, [{"b_id": submission_id, "b_until": until} for submission_id, until in requests])
    return [None] * len(requests)
