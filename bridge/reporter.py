"""The station that tells senders what became of their mails: due reports are composed and queued as mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bridge import clock, notices
from bridge.station import Station
from bridge.store.directory import Directory
from bridge.store.reports import DueReport, Reports, Told
from bridge.types import OutgoingMail, Report

log = structlog.get_logger("bridge.reporter")

PUT_OFF = 3600.0
"""Seconds after which a report that could not be composed is tried again."""

_BATCH = 100


class Reporter(Station):
    """Makes mails of the reports that are due."""

    name = "reporter"

    def __init__(
        self,
        reports: Reports,
        directory: Directory,
        *,
        hostname: str,
        domain: str,
        mailed: Callable[[], None],
        sign: Callable[[OutgoingMail], OutgoingMail],
    ) -> None:
        super().__init__()
        self._reports = reports
        self._directory = directory
        self._hostname = hostname
        self._domain = domain
        self._mailed = mailed
        self._sign = sign

    async def _next_due(self) -> datetime | None:
        return await self._reports.next_due(clock.now())

    async def _round(self) -> int:
        due = await self._reports.due(clock.now(), _BATCH)
        for report in due:
            if self._stopping:
                break
            await self._tell(report)
        if due:
            self._mailed()
        return len(due)

    async def _tell(self, report: DueReport) -> None:
        if self._directory.by_id(report.mailbox_id) is None:
            await self._directory.refresh()
        try:
            mails = self._compose(report)
        except Exception:
            # One mail that cannot be reported must not keep all the others from it.
            log.exception("report.failed", submission=report.submission_id)
            await self._reports.put_off(report.submission_id, clock.now() + timedelta(seconds=PUT_OFF))
            return
        if await self._reports.told(Told(report, mails)) and mails:
            log.info("report.queued", submission=report.submission_id, lines=len(report.lines), mails=len(mails))

    def _compose(self, due: DueReport) -> tuple[OutgoingMail, ...]:
        mailbox = self._directory.by_id(due.mailbox_id)
        if mailbox is None:
            raise LookupError("a report for a mailbox that does not exist")
        if not due.lines:
            return ()
        report = Report(
            notice_id=f"report.{due.submission_id}.{due.number}",
            to=due.to,
            mailbox=mailbox,
            message_id=due.message_id,
            references=due.references,
            subject=due.subject,
            envid=due.envid,
            ret=due.ret,
            headers=due.headers,
            reference=due.reference,
            received_at=due.received_at,
            created_at=clock.now(),
            lines=due.lines,
            deliver_by=due.deliver_by,
            release=due.release,
        )
        return (self._sign(notices.report(report, self._hostname, self._domain)),)
