"""The station between the store and the IMAP servers: files what is put aside for a mailbox, in order, once each, and
marks copies of texts with what became of these.

Every account has a round of its own, so that a server which is down or a full mailbox makes nobody else wait. What
cannot be filed now is tried until it can be, however long that takes, and what stands behind it waits with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta

import structlog

from bridge import clock, notices
from bridge.errors import MailRefused, StoreUnavailable
from bridge.mailback.imap import Filed, Flag, Folders, IntentKeyword, Keyword, Mark
from bridge.station import insist
from bridge.store.copies import ClaimedState, Shown
from bridge.store.directory import Directory
from bridge.store.filings import ClaimedFiling, FilingClaim, Filings
from bridge.store.mails import MailResult, Mails, MailState
from bridge.types import FiledKind, Intent, Mailbox, SentText

log = structlog.get_logger("bridge.filer")

LEASE = 600.0
"""Seconds a claim of a batch lasts. What is not begun within half of them is given back: another node that files the
rest when they are over must not meet us at it."""

FIRST_RETRY = 2.0
"""Seconds; a server may still be writing a mail whose connection broke, and must have finished before it is asked."""

MAX_RETRY = 300.0
POLL = 5.0
_BATCH = 20

_MESSAGE_ID = re.compile(rb"^Message-ID:[ \t]*(<[^>\r\n]+>)", re.IGNORECASE | re.MULTILINE)

_INTENT = re.compile(rb"^X-SMS-Intent:[ \t]*([a-z]+)\r$", re.MULTILINE)
_BODY = b"\r\n\r\n"
"""Where a header ends; what looks like a field behind it was written by a phone."""

FLAGS = {
    FiledKind.SENT: (Flag.SEEN,),
    FiledKind.REPLIES: (Flag.SEEN,),
    FiledKind.FAILURES: (Flag.SEEN, Flag.FLAGGED),
}
"""Nothing is unread: replies and reports come to the inbox too, and nobody should have to read them twice."""


KEYWORDS = {
    Shown.NOTHING: None,
    Shown.DELIVERED: Keyword.DELIVERED,
    Shown.FAILED: Keyword.FAILED,
    Shown.UNKNOWN: Keyword.UNKNOWN,
}


INTENTS = {
    Intent.CONFIRM: IntentKeyword.CONFIRMS,
    Intent.CANCEL: IntentKeyword.CANCELS,
    Intent.MOVE: IntentKeyword.MOVES,
}


class Filer:
    """Takes filings to the folders of each account; `accounts` are by the login of their mailbox."""

    def __init__(
        self,
        filings: Filings,
        mails: Mails,
        accounts: Mapping[str, Folders],
        directory: Directory,
        *,
        domain: str,
        node: str,
    ) -> None:
        self._filings = filings
        self._mails = mails
        self._accounts = accounts
        self._directory = directory
        self._domain = domain
        self._owner = node
        self._alarms = {login: clock.Alarm() for login in accounts}
        self._stopping = False

    def ring(self) -> None:
        """There may be something to file."""
        for alarm in self._alarms.values():
            alarm.ring()

    async def run(self) -> None:
        """File until `stop` is called."""
        async with asyncio.TaskGroup() as group:
            for login in self._accounts:
                group.create_task(self._serve(login), name=f"filer {login}")

    def stop(self) -> None:
        """File no further mail."""
        self._stopping = True
        self.ring()

    async def _serve(self, login: str) -> None:
        while not self._stopping:
            found, due = 0, None
            mailbox = self._directory.by_login(login)
            try:
                if mailbox is not None:
                    found = await self._round(login, mailbox)
                    if not found:
                        due = await self._filings.next_due(mailbox.id, clock.now())
            except StoreUnavailable as error:
                log.warning("filer.store_unavailable", detail=error.detail)
            if not found:
                await self._alarms[login].sleep(due, POLL)

    async def _round(self, login: str, mailbox: Mailbox) -> int:
        """File the next of one account, until one must wait; how many were filed or refused for good."""
        now = clock.now()
        claimed = await self._filings.claim(
            FilingClaim(mailbox.id, self._owner, now, now + timedelta(seconds=LEASE), _BATCH)
        )
        done = 0
        for filing in claimed:
            if self._stopping or clock.now() > now + timedelta(seconds=LEASE / 2):
                break
            result = await self._file(login, mailbox, filing)
            await self._settle(result)
            done += 1
            if result.state == MailState.QUEUED:
                await self._filings.release([late.id for late in claimed[done:]])
                # Servers keep rights and quota in mind for as long as somebody is logged in.
                await self._accounts[login].close()
                return done - 1
        await self._filings.release([late.id for late in claimed[done:]])
        return done

    async def _file(self, login: str, mailbox: Mailbox, filing: ClaimedFiling | ClaimedState) -> MailResult:
        account, passed_over = self._accounts[login], ""
        try:
            if isinstance(filing, ClaimedState):
                passed_over = await account.mark(_mark(filing, self._domain))
            else:
                await account.file(_mail(filing, mailbox, self._domain))
        except MailRefused as refused:
            log.warning("filing.refused", filing=filing.id, attempt=filing.attempts, detail=refused.detail)
            return _after(filing, refused.detail, retryable=refused.retryable)
        except Exception as error:
            # What breaks the client once may pass; the rest of the account waits, as after any other fault.
            log.exception("filing.failed", filing=filing.id, attempt=filing.attempts)
            return _after(filing, type(error).__name__, retryable=True)
        if isinstance(filing, ClaimedState):
            log.info("mail.marked", filing=filing.id, shown=filing.shown.value, passed_over=passed_over)
        else:
            log.info("mail.filed", filing=filing.id, kind=filing.kind.value, attempt=filing.attempts)
        return MailResult(filing.id, MailState.SENT, clock.now(), passed_over)

    async def _settle(self, result: MailResult) -> None:
        """What the server said is known only here: it is kept until the database takes it."""
        await insist(
            lambda: self._mails.settle(result),
            "filer.outcome_waits",
            stopping=lambda: self._stopping,
            filing=result.mail_id,
        )


def _mail(filing: ClaimedFiling, mailbox: Mailbox, domain: str) -> Filed:
    raw = filing.mail
    if isinstance(raw, SentText):
        raw = notices.filed_copy(raw, mailbox, domain)
    found = _MESSAGE_ID.search(raw)
    if found is None:
        raise ValueError("a mail of ours without a Message-ID")
    return Filed(
        message_id=found[1].decode("ascii"),
        folder=filing.folder,
        raw=raw,
        date=filing.date,
        flags=FLAGS[filing.kind],
        keyword=_keyword(raw) if filing.kind is FiledKind.REPLIES else None,
        tried_before=filing.attempts > 1,
    )


def _keyword(raw: bytes) -> IntentKeyword | None:
    """What the mail with a phone's answer says in its header that the phone wants."""
    found = _INTENT.search(raw.partition(_BODY)[0] + b"\r\n")
    return INTENTS[Intent(found[1].decode("ascii"))] if found is not None else None


def _mark(filing: ClaimedState, domain: str) -> Mark:
    return Mark(
        message_id=notices.copy_id(filing.message_id, domain),
        folder=filing.folder,
        keyword=KEYWORDS[filing.shown],
        before=KEYWORDS[filing.before],
    )


def _after(filing: ClaimedFiling | ClaimedState, detail: str, *, retryable: bool) -> MailResult:
    now = clock.now()
    if not retryable:
        return MailResult(filing.id, MailState.FAILED, now, detail)
    delay = max(FIRST_RETRY, clock.jitter(min(FIRST_RETRY * 2.0 ** min(filing.attempts - 1, 30), MAX_RETRY)))
    return MailResult(filing.id, MailState.QUEUED, now, detail, now + timedelta(seconds=delay))
