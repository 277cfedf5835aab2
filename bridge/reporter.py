"""The station that tells senders what became of their mails: due reports are composed and queued as mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog

from bridge import clock, notices
from bridge.errors import StoreUnavailable
from bridge.store.directory import Directory
from bridge.store.reports import DueReport, Reports, Told
from bridge.types import OutgoingMail, Report

log = structlog.get_logger("bridge.reporter")

POLL = 5.0
"""Seconds after which an idle reporter looks for reports that another process made due."""

PUT_OFF = 3600.0
"""Seconds after which a report that could not be composed is tried again."""

_BATCH = 100


class Reporter:
    """Makes mails of the reports that are due."""

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
        self._reports = reports
        self._directory = directory
        self._hostname = hostname
        self._domain = domain
        self._mailed = mailed
        self._sign = sign
        self._alarm = clock.Alarm()
        self._stopping = False

    def ring(self) -> None:
        """A report may have become due."""
        self._alarm.ring()

    async def run(self) -> None:
        """Report until `stop` is called."""
        while not self._stopping:
            found, due = 0, None
            try:
                found = await self._round()
                if not found:
                    due = await self._reports.next_due(clock.now())
            except StoreUnavailable as error:
                log.warning("reporter.store_unavailable", detail=error.detail)
            if not found:
                await self._alarm.sleep(due, POLL)

    def stop(self) -> None:
        """Begin no further report."""
        self._stopping = True
        self._alarm.ring()

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
        )
        return (self._sign(notices.report(report, self._hostname, self._domain)),)
