"""Where news from the phone network arrives: receipts settle messages, inbound SMS become mails; once each.

Gateways and web callbacks hand over what they heard; when `hear` returns it is committed, and the provider may be
told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bridge import clock, metrics, notices, replies
from bridge.meaning import Command, Meaning, meaning
from bridge.notices import bounces
from bridge.notices.bounces import BounceKey
from bridge.settings import Ambiguous, ReplySettings
from bridge.store.directory import Directory
from bridge.store.inbounds import Copy, Filing, Thread
from bridge.store.inbox import Inbox
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
        settings: ReplySettings,
        settled: Callable[[], None],
        mailed: Callable[[], None],
        sign: Callable[[OutgoingMail], OutgoingMail],
        bounce_key: BounceKey,
    ) -> None:
        self._inbox = inbox
        self._directory = directory
        self._domain = domain
        self._settings = settings
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
        by_id = {thread.conversation_id: thread for thread in threads}
        meant = meaning(sms.text, self._languages(sms.to, mailbox))
        notice = self._notice(inbound_id, sms, mailbox, by_id.get(verdict.conversation_id or ""), verdict, meant)
        return Filing(
            organisation_id=mailbox.organisation_id,
            mailbox_id=mailbox.id,
            conversation_id=verdict.conversation_id,
            match=verdict.match,
            mail=self._mail(notice),
            reply_to=notice.to,
            message_id=f"<{notice.notice_id}@{self._domain}>",
            contact=notice.contact,
            stops=notice.stopped,
            resumes=notice.resumed,
            senders=mailbox.senders,
            copies=tuple(self._copies(sms, by_id, verdict, meant)),
        )

    def _copies(
        self, sms: InboundSms, threads: Mapping[str, Thread], verdict: replies.Verdict, meant: Meaning
    ) -> Iterator[Copy]:
        """The mails to the others that an ambiguous SMS may be for, where all of them are to have it."""
        if self._settings.ambiguous is not Ambiguous.ALL:
            return
        for candidate in verdict.candidates[1:]:
            mailbox = self._directory.by_id(candidate.mailbox_id)
            if mailbox is not None:
                thread = threads[candidate.conversation_id]
                notice = self._notice(clock.new_id(), sms, mailbox, thread, verdict, meant)
                yield Copy(mailbox.id, self._mail(notice), notice.contact)

    def _notice(
        self,
        unique: str,
        sms: InboundSms,
        mailbox: Mailbox,
        thread: Thread | None,
        verdict: replies.Verdict,
        meant: Meaning,
    ) -> ReplyNotice:
        contact = thread.contact if thread is not None else ""
        return ReplyNotice(
            notice_id=bounces.mail_id(unique),
            to=thread.reply_to if thread is not None else mailbox.login,
            mailbox=mailbox,
            number=sms.number,
            sender=sms.to,
            text=sms.text,
            received_at=sms.received_at,
            created_at=clock.now(),
            match=verdict.match,
            candidates=tuple(each.login for each in verdict.candidates),
            in_reply_to=thread.message_id if thread is not None else "",
            references=thread.references if thread is not None else (),
            subject=thread.subject if thread is not None else "",
            stopped=meant.command is Command.STOP,
            resumed=meant.command is Command.START,
            objects=meant.objection,
            intent=meant.intent,
            contact=contact or self._directory.book(mailbox.organisation_id).names.get(sms.number, ""),
        )

    def _mail(self, notice: ReplyNotice) -> OutgoingMail:
        return self._sign(notices.reply(notice, self._domain, self._bounce_key))

    def _facts(self, sms: InboundSms, threads: Sequence[Thread]) -> replies.Facts:
        candidates = []
        for thread in threads:
            mailbox = self._directory.by_id(thread.mailbox_id)
            if mailbox is not None:
                candidates.append(
                    replies.Candidate(
                        mailbox.id,
                        mailbox.login,
                        thread.conversation_id,
                        last_written_at=thread.last_written_at or _NEVER,
                        last_heard_at=thread.last_heard_at,
                        held_at=thread.held_at,
                    )
                )
        fallback = self._directory.by_login(self._settings.fallback) or next(iter(self._directory.all()), None)
        return replies.Facts(
            candidates=tuple(candidates),
            owners=tuple(mailbox.id for mailbox in self._directory.owners(sms.to)),
            fallback=fallback.id if fallback is not None else None,
            now=sms.received_at,
            window=timedelta(days=self._settings.window_days),
            linked=next((thread.conversation_id for thread in threads if thread.linked), None),
        )

    def _languages(self, sender: str, mailbox: Mailbox) -> set[Language]:
        """A phone may answer in the language of any mailbox that texts from this number."""
        return {mailbox.language, *(owner.language for owner in self._directory.owners(sender))}
