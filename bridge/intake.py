"""Where news from the phone network arrives: receipts settle messages, inbound SMS become mails; once each.

Gateways and web callbacks hand over what they heard; when `hear` returns it is committed, and the provider may be
told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bridge import clock, metrics, notices, replies
from bridge.meaning import Command, meaning
from bridge.notices import bounces
from bridge.notices.bounces import BounceKey
from bridge.store.directory import Directory
from bridge.store.inbox import Filing, Inbox, Thread
from bridge.store.polls import Cursor, Look
from bridge.types import GatewayEvent, InboundSms, Language, Mailbox, OutgoingMail, Receipt, ReplyNotice

log = structlog.get_logger("bridge.intake")

_NEVER = datetime.min.replace(tzinfo=UTC)


class Intake:
    """Takes `GatewayEvent`s in."""

    def __init__(
        self,
        inbox: Inbox,
        directory: Directory,
        *,
        domain: str,
        window: timedelta,
        fallback: str,
        settled: Callable[[], None],
        mailed: Callable[[], None],
        sign: Callable[[OutgoingMail], OutgoingMail],
        bounce_key: BounceKey,
    ) -> None:
        self._inbox = inbox
        self._directory = directory
        self._domain = domain
        self._window = window
        self._fallback = fallback
        self._settled = settled
        self._mailed = mailed
        self._sign = sign
        self._bounce_key = bounce_key

    async def hear(self, events: Sequence[GatewayEvent]) -> None:
        """Commit events and all that follows from them. Raises StoreUnavailable; then none of them may be confirmed."""
        await asyncio.gather(*(self._one(event) for event in events))

    async def hear_polled(self, events: Sequence[Receipt | InboundSms], cursor: Cursor) -> None:
        """Commit what was fetched together with how far it was read, all or nothing. Raises StoreUnavailable."""
        receipts = [event for event in events if isinstance(event, Receipt)]
        inbounds = [event for event in events if isinstance(event, InboundSms)]
        new, filings = await self._inbox.polled(Look(receipts, inbounds, cursor, clock.now()), self._decide)
        for receipt, is_new in zip(receipts, new, strict=True):
            self._told(receipt, is_new)
        for sms, filing in zip(inbounds, filings, strict=True):
            await self._filed(sms, filing)

    async def give_up(self) -> None:
        """File what phones sent in part and waited too long for the rest, as it is. Raises StoreUnavailable."""
        for sms, filing in await self._inbox.given_up(clock.now(), self._decide):
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
        self._mailed()
        if filing is not None and (filing.stops or filing.resumes):
            await self._directory.refresh()

    def _decide(self, inbound_id: str, sms: InboundSms, threads: Sequence[Thread]) -> Filing:
        verdict = replies.choose(self._facts(sms, threads))
        mailbox = self._directory.by_id(verdict.mailbox_id) if verdict.mailbox_id is not None else None
        if mailbox is None:
            log.error("inbound.no_mailbox", inbound=inbound_id, gateway=sms.gateway)
            return Filing(None, None, None, verdict.match, None)
        thread = next((known for known in threads if known.conversation_id == verdict.conversation_id), None)
        meant = meaning(sms.text, self._languages(sms.to, mailbox))
        reply_to = thread.reply_to if thread is not None else mailbox.login
        contact = thread.contact if thread is not None else ""
        contact = contact or self._directory.book(mailbox.organisation_id).names.get(sms.number, "")
        notice = ReplyNotice(
            notice_id=bounces.mail_id(inbound_id),
            to=reply_to,
            mailbox=mailbox,
            number=sms.number,
            sender=sms.to,
            text=sms.text,
            received_at=sms.received_at,
            created_at=clock.now(),
            match=verdict.match,
            candidates=verdict.candidates,
            in_reply_to=thread.message_id if thread is not None else "",
            references=thread.references if thread is not None else (),
            subject=thread.subject if thread is not None else "",
            stopped=meant.command is Command.STOP,
            resumed=meant.command is Command.START,
            objects=meant.objection,
            intent=meant.intent,
            contact=contact,
        )
        return Filing(
            organisation_id=mailbox.organisation_id,
            mailbox_id=mailbox.id,
            conversation_id=verdict.conversation_id,
            match=verdict.match,
            mail=self._sign(notices.reply(notice, self._domain, self._bounce_key)),
            reply_to=reply_to,
            message_id=f"<{notice.notice_id}@{self._domain}>",
            contact=contact,
            stops=notice.stopped,
            resumes=notice.resumed,
        )

    def _facts(self, sms: InboundSms, threads: Sequence[Thread]) -> replies.Facts:
        candidates = []
        for thread in threads:
            mailbox = self._directory.by_id(thread.mailbox_id)
            if mailbox is not None:
                written_at = thread.last_written_at or _NEVER
                candidates.append(replies.Candidate(mailbox.id, mailbox.login, thread.conversation_id, written_at))
        fallback = self._directory.by_login(self._fallback) or next(iter(self._directory.all()), None)
        return replies.Facts(
            candidates=tuple(candidates),
            owners=tuple(mailbox.id for mailbox in self._directory.owners(sms.to)),
            fallback=fallback.id if fallback is not None else None,
            now=sms.received_at,
            window=self._window,
        )

    def _languages(self, sender: str, mailbox: Mailbox) -> set[Language]:
        """A phone may answer in the language of any mailbox that texts from this number."""
        return {mailbox.language, *(owner.language for owner in self._directory.owners(sender))}
