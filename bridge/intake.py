"""Where news from the phone network arrives: receipts settle messages, inbound SMS become mails; once each.

Gateways and web callbacks hand over what they heard; when `hear` returns it is committed, and the provider may be
told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bridge import clock, metrics
from bridge.store.directory import Directory
from bridge.store.inbounds import Decide, Filing
from bridge.store.inbox import Inbox
from bridge.store.polls import Cursor
from bridge.types import GatewayEvent, InboundSms, Receipt

log = structlog.get_logger("bridge.intake")


class Intake:
    """Takes `GatewayEvent`s in."""

    def __init__(
        self,
        inbox: Inbox,
        directory: Directory,
        *,
        decide: Decide,
        settled: Callable[[], None],
        mailed: Callable[[], None],
        texted: Callable[[], None],
        posted: Callable[[], None],
    ) -> None:
        """`decide` says what is done with an SMS; `texted` is called when a text answers one, `posted` when a webhook
        is to be told of one."""
        self._inbox = inbox
        self._directory = directory
        self._decide = decide
        self._settled = settled
        self._mailed = mailed
        self._texted = texted
        self._posted = posted

    async def hear(self, events: Sequence[GatewayEvent]) -> None:
        """Commit events and all that follows from them. Raises StoreUnavailable; then none of them may be confirmed."""
        await asyncio.gather(*(self._one(event) for event in events))

    async def hear_polled(self, events: Sequence[Receipt | InboundSms], cursor: Cursor) -> None:
        """Commit what was fetched, and then how far it was read. Raises StoreUnavailable; what was kept by then is
        known when it is fetched again."""
        await self.hear([event for event in events if isinstance(event, Receipt)])
        for event in events:
            if isinstance(event, InboundSms):
                await self._one(event)
        await self._inbox.read_to(cursor)

    async def give_up(self) -> None:
        """File what phones sent in part and waited too long for the rest, as it is. Raises StoreUnavailable."""
        while (given_up := await self._inbox.given_up(clock.now(), self._decide)) is not None:
            sms, filing = given_up
            log.warning("inbound.segment_missing", gateway=sms.gateway)
            await self._filed(sms, filing)

    async def _one(self, event: GatewayEvent) -> None:
        if isinstance(event, Receipt):
            self._told(event, await self._inbox.receipt(event, clock.now()))
        elif isinstance(event, InboundSms):
            await self._filed(event, await self._inbox.inbound(event, self._decide))
        else:
            whole = await self._inbox.part(event, self._decide)
            log.info("inbound.part", gateway=event.gateway, ordinal=event.ordinal, total=event.total)
            if whole is not None:
                await self._filed(*whole)

    def _told(self, receipt: Receipt, is_new: bool) -> None:
        metrics.RECEIPTS.labels(receipt.gateway, receipt.state.value).inc()
        log.info("receipt.heard", gateway=receipt.gateway, state=receipt.state.value, repeated=not is_new)
        self._settled()

    async def _filed(self, sms: InboundSms, filing: Filing | None) -> None:
        if filing is not None:
            metrics.INBOUND.labels(sms.gateway, filing.match).inc()
        log.info("inbound.heard", gateway=sms.gateway, match=filing.match if filing else None, repeated=not filing)
        if filing is not None and (filing.stops or filing.resumes or filing.objects):
            await self._directory.refresh()  # before its mailbox hears of it
        self._mailed()
        if filing is not None and filing.webhook is not None:
            self._posted()
        if filing is not None and filing.automatic is not None:
            outcome = "queued" if filing.automatic.mail is not None else "withheld"
            metrics.AUTOMATIC.labels(filing.automatic.kind.value, outcome).inc()
            log.info("inbound.answered", gateway=sms.gateway, kind=filing.automatic.kind.value, outcome=outcome)
            self._texted()
