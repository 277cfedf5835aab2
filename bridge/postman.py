"""The station between the store and the mail servers: claims due mails, hands each over, tries again if need be."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bridge import clock, metrics
from bridge.errors import MailRefused
from bridge.mailback.relay import Relay
from bridge.returns import Returns
from bridge.station import Station, insist
from bridge.store.claims import Claim
from bridge.store.mails import MailResult, Mails, MailState
from bridge.streaks import RELAY, Streaks
from bridge.types import OutgoingMail

log = structlog.get_logger("bridge.postman")

LEASE = 600.0
"""Seconds a claim of a batch lasts; longer than a slow mail server takes for all of it."""

FIRST_RETRY = 5.0
MAX_RETRY = 900.0
GIVE_UP_TRIES = 500
"""About five days of tries (RFC 5321 section 4.5.4.1), then the mail is kept as failed."""

_BATCH = 20


class Postman(Station):
    """Takes the bridge's own mails to the relay."""

    name = "postman"

    def __init__(self, mails: Mails, relay: Relay, returns: Returns, *, node: str, streaks: Streaks) -> None:
        super().__init__()
        self._returns = returns
        self._streaks = streaks
        self._mails = mails
        self._relay = relay
        self._owner = node

    async def _next_due(self) -> datetime | None:
        return await self._mails.next_due(clock.now())

    async def _round(self) -> int:
        now = clock.now()
        claimed = await self._mails.claim(Claim(self._owner, now, now + timedelta(seconds=LEASE), _BATCH))
        for mail in claimed:
            if self._stopping:
                at = clock.now()
                await self._mails.settle(MailResult(mail.id, MailState.QUEUED, at, due_at=at))
            else:
                await self._settle(await self._deliver(mail))
        return len(claimed)

    async def _settle(self, result: MailResult) -> None:
        """What the mail server said is known only here: it is kept until the database takes it."""
        metrics.MAIL_TRIES.labels(result.state).inc()
        self._streaks.note(RELAY, result.at, good=result.state != MailState.QUEUED)
        await insist(
            lambda: self._write(result), "postman.outcome_waits", stopping=lambda: self._stopping, mail=result.mail_id
        )

    async def _write(self, result: MailResult) -> None:
        if result.state == MailState.FAILED:
            await self._returns.lost(result)
        else:
            await self._mails.settle(result)

    async def _deliver(self, mail: OutgoingMail) -> MailResult:
        try:
            await self._relay.send(mail)
        except MailRefused as refused:
            log.warning("mail.refused", mail=mail.id, attempt=mail.attempts, detail=refused.detail)
            return _after(mail, refused.detail, retryable=refused.retryable)
        except Exception as error:
            # One mail that breaks the client must not keep all the others from leaving.
            log.exception("mail.failed", mail=mail.id, attempt=mail.attempts)
            return _after(mail, type(error).__name__, retryable=True)
        log.info("mail.sent", mail=mail.id, attempt=mail.attempts)
        return MailResult(mail.id, MailState.SENT, clock.now())


def _after(mail: OutgoingMail, detail: str, *, retryable: bool) -> MailResult:
    now = clock.now()
    if not retryable or mail.attempts >= GIVE_UP_TRIES:
        return MailResult(mail.id, MailState.FAILED, now, detail)
    delay = clock.jitter(min(FIRST_RETRY * 2.0 ** min(mail.attempts - 1, 30), MAX_RETRY))
    return MailResult(mail.id, MailState.QUEUED, now, detail, now + timedelta(seconds=delay))
