"""The station between the store and the webhooks of keywords: posts an SMS where its keyword says, until it is taken.

A receiver gets everything at least once, always with the same id: between its answer and the commit of it the power can
fail. It gets one at a time, so that whoever is slow keeps waiting nobody but himself. What it says besides a status and
when to come again is not read, redirects lead nowhere, and no address is logged but its host: the rest may hold a
secret.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bridge import clock, metrics, webhook
from bridge.errors import StoreUnavailable
from bridge.http_clients import HttpClients, retry_after
from bridge.station import Station, insist
from bridge.store.directory import Directory
from bridge.store.mails import MailResult, Mails, MailState
from bridge.store.webhooks import PostClaim, Webhooks
from bridge.types import Posting

log = structlog.get_logger("bridge.caller")

LEASE = 60.0
"""Seconds a claim lasts; several times as long as a try may take."""

LONGEST = 10.0
"""Seconds for one try, from the first look for the host to the status."""

AT_ONCE = 8
"""Receivers that are called at the same time."""

FIRST_RETRY = 5.0
MAX_RETRY = 3600.0
GIVE_UP_AFTER = timedelta(days=1)
"""From when the SMS was kept."""

_AGAIN = frozenset({408, 409, 425, 429})
"""Refusals that say "not now": timeout, conflict, too early, too many (RFC 9110 section 15.5, RFC 8470, RFC 6585)."""


class Caller(Station):
    """Takes SMS to webhooks."""

    name = "caller"

    def __init__(
        self, webhooks: Webhooks, mails: Mails, directory: Directory, *, derived: Callable[[str], bytes], node: str
    ) -> None:
        """`derived` makes keys for a purpose from the installation's own."""
        super().__init__()
        self._webhooks = webhooks
        self._mails = mails
        self._directory = directory
        self._derived = derived
        self._owner = node
        self._clients = HttpClients(LONGEST)
        self._group = asyncio.TaskGroup()
        self._busy: set[str] = set()
        """Addresses that are being called."""

    async def run(self) -> None:
        """Work until `stop` is called, and end what was begun."""
        try:
            async with self._group:
                await super().run()
        finally:
            await self._clients.close()

    async def _next_due(self) -> datetime | None:
        return await self._webhooks.next_due(clock.now())

    async def _round(self) -> int:
        free = AT_ONCE - len(self._busy)
        if not free:
            return 0
        now = clock.now()
        until = now + timedelta(seconds=LEASE)
        claimed = await self._webhooks.claim(PostClaim(self._owner, now, until, free, frozenset(self._busy)))
        for posting in claimed:
            self._busy.add(posting.url)
            self._group.create_task(self._take(posting), name=f"caller {posting.id}")
        return len(claimed)

    async def _take(self, posting: Posting) -> None:
        try:
            if self._stopping:
                at = clock.now()
                result = MailResult(posting.id, MailState.QUEUED, at, due_at=at)
            else:
                result = await self._post(posting)
                metrics.WEBHOOK_TRIES.labels(result.state).inc()
            # What the receiver said is known only here: it is kept until the database takes it.
            await insist(
                lambda: self._mails.settle(result),
                "caller.outcome_waits",
                stopping=lambda: self._stopping,
                webhook=posting.id,
            )
        except StoreUnavailable as error:
            log.warning("station.store_unavailable", station=self.name, detail=error.detail)
        finally:
            self._busy.discard(posting.url)
            self.ring()

    async def _post(self, posting: Posting) -> MailResult:
        receiver = webhook.receiver_of(posting.url)
        if not await self._is_wanted(posting):
            log.warning("webhook.dropped", webhook=posting.id, receiver=receiver)
            return MailResult(posting.id, MailState.FAILED, clock.now(), "no keyword names this address any more")
        secret = webhook.secret_of(self._derived, posting.mailbox_id, posting.url)
        headers = webhook.headers(posting, secret, clock.now())
        status, wait = 0, 0.0
        try:
            async with asyncio.timeout(LONGEST):
                async with self._clients.response("POST", posting.url, headers, posting.body) as response:
                    status = response.status_code
                    wait = retry_after(response.headers, clock.now()) or 0.0
            said = f"HTTP {status}"
        except Exception as error:
            # Whatever one receiver breaks, the others are called. The error's text may hold the address.
            said = type(error).__name__
        result = _result(posting, status, said, wait)
        event, level = _TOLD[MailState(result.state)]
        log.log(level, event, webhook=posting.id, receiver=receiver, attempt=posting.attempts, detail=said)
        return result

    async def _is_wanted(self, posting: Posting) -> bool:
        """Whether the mailbox still has it posted there: a keyword that was taken away sends no more."""
        if not self._names(posting):
            await self._directory.refresh()  # another node may have heard of the keyword before this one
        return self._names(posting)

    def _names(self, posting: Posting) -> bool:
        return any(each.webhook == posting.url for each in self._directory.keywords(posting.mailbox_id).values())


_TOLD = {
    MailState.SENT: ("webhook.posted", logging.INFO),
    MailState.QUEUED: ("webhook.not_taken", logging.WARNING),
    MailState.FAILED: ("webhook.given_up", logging.ERROR),
}


def _result(posting: Posting, status: int, said: str, wait: float) -> MailResult:
    """What a try came to; `status` is 0 where there was no answer, and `wait` the seconds that it asks us for."""
    now = clock.now()
    if 200 <= status < 300:
        return MailResult(posting.id, MailState.SENT, now)
    is_refused = 0 < status < 500 and status not in _AGAIN
    if is_refused or now - posting.begun_at >= GIVE_UP_AFTER:
        return MailResult(posting.id, MailState.FAILED, now, said)
    delay = max(clock.jitter(min(FIRST_RETRY * 2.0 ** min(posting.attempts - 1, 30), MAX_RETRY)), wait)
    return MailResult(posting.id, MailState.QUEUED, now, said, now + timedelta(seconds=delay))
