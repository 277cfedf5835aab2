"""Where news from the phone network arrives: receipts settle messages, inbound SMS become mails; once each.

Gateways and web callbacks hand over what they heard; when `hear` returns it is committed, and the provider may be
told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from bridge import answering, clock, metrics, notices, replies
from bridge.answering import Manners, Wish
from bridge.meaning import Command, Meaning, meaning
from bridge.meaning.keywords import first_word
from bridge.notices import bounces
from bridge.notices.bounces import BounceKey
from bridge.routing import Routes
from bridge.settings import Ambiguous, ReplySettings
from bridge.store.automatic import Automatic, Dealings
from bridge.store.directory import Directory
from bridge.store.inbounds import Copy, Filing, Thread
from bridge.store.inbox import Inbox
from bridge.store.polls import Cursor, Look
from bridge.types import GatewayEvent, InboundSms, Mailbox, Match, OutgoingMail, Receipt, ReplyNotice

log = structlog.get_logger("bridge.intake")


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
        routes: Routes,
        manners: Manners,
        texted: Callable[[], None],
    ) -> None:
        """`routes` are those of the texts that the bridge sends by itself, as `manners` say; `texted` is called when
        there is one."""
        self._inbox = inbox
        self._directory = directory
        self._domain = domain
        self._settings = settings
        self._settled = settled
        self._mailed = mailed
        self._sign = sign
        self._bounce_key = bounce_key
        self._routes = routes
        self._manners = manners
        self._texted = texted

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
        if filing is not None and (filing.stops or filing.resumes):
            await self._directory.refresh()  # before its mailbox hears of it
        self._mailed()
        if filing is not None and filing.automatic is not None:
            outcome = "queued" if filing.automatic.mail is not None else "withheld"
            metrics.AUTOMATIC.labels(filing.automatic.kind.value, outcome).inc()
            log.info("inbound.answered", gateway=sms.gateway, kind=filing.automatic.kind.value, outcome=outcome)
            self._texted()

    def _decide(self, inbound_id: str, sms: InboundSms, threads: Sequence[Thread], dealings: Dealings) -> Filing:
        asked = self._facts(sms, threads)
        verdict = replies.choose(asked)
        mailbox = self._directory.by_id(verdict.mailbox_id) if verdict.mailbox_id is not None else None
        if mailbox is None:
            log.error("inbound.no_mailbox", inbound=inbound_id, gateway=sms.gateway)
            return Filing(None, None, None, verdict.match, None)
        by_id = {thread.conversation_id: thread for thread in threads}
        meant = meaning(sms.text, self._directory.languages(sms.to, mailbox))
        notice = self._notice(inbound_id, sms, mailbox, by_id.get(verdict.conversation_id or ""), verdict, meant)
        keyword = self._directory.keywords(mailbox.id).get(first_word(sms.text)) if meant.command is None else None
        if keyword is not None:
            by_keyword = verdict.match is Match.NONE and asked.keyword == mailbox.id
            notice = replace(notice, tag=keyword.tag, keyword=keyword.word if by_keyword else "")
        message_id = f"<{notice.notice_id}@{self._domain}>"
        wish = answering.wish(sms, mailbox, meant, keyword, self._manners)
        automatic = self._automatic(wish, sms, mailbox, message_id, dealings) if wish is not None else None
        notice = self._with(notice, automatic)
        return Filing(
            organisation_id=mailbox.organisation_id,
            mailbox_id=mailbox.id,
            conversation_id=verdict.conversation_id,
            match=verdict.match,
            mail=self._mail(notice),
            reply_to=notice.to,
            message_id=message_id,
            contact=notice.contact,
            stops=notice.stopped,
            resumes=notice.resumed,
            senders=mailbox.senders,
            copies=(
                *self._copies(sms, by_id, verdict, meant, automatic),
                *(self._forwarded(notice, address) for address in (keyword.forward if keyword is not None else ())),
            ),
            automatic=automatic,
        )

    def _automatic(
        self, wish: Wish, sms: InboundSms, mailbox: Mailbox, message_id: str, dealings: Dealings
    ) -> Automatic | None:
        """What the bridge answers the phone by itself; `message_id` is that of the mail with the SMS."""
        now = clock.now()
        dealings.lock()
        facts = answering.Facts(
            sms=sms,
            mailbox=mailbox,
            blocked=dealings.blocked(mailbox.organisation_id),
            texts=dealings.texts(now - answering.WINDOW),
            used=dealings.used(mailbox, answering.today(mailbox, now)),
            now=now,
        )
        verdict = answering.judge(wish, facts, self._manners)
        mail = answering.compose(wish, facts, self._routes, self._domain, message_id) if verdict.leaves else None
        return Automatic(wish.kind, mail) if mail is not None or verdict.told else None

    def _with(self, notice: ReplyNotice, automatic: Automatic | None) -> ReplyNotice:
        """The same, and it tells what the bridge has answered by itself."""
        if automatic is None:
            return notice
        if automatic.mail is None:
            return replace(notice, withheld=self._manners.limit)
        return replace(notice, answered=automatic.mail.messages[0].encoded.text)

    def _copies(
        self,
        sms: InboundSms,
        threads: Mapping[str, Thread],
        verdict: replies.Verdict,
        meant: Meaning,
        automatic: Automatic | None,
    ) -> Iterator[Copy]:
        """The mails to the others that an ambiguous SMS may be for, where all of them are to have it."""
        if self._settings.ambiguous is not Ambiguous.ALL:
            return
        for candidate in verdict.candidates[1:]:
            mailbox = self._directory.by_id(candidate.mailbox_id)
            if mailbox is not None:
                thread = threads[candidate.conversation_id]
                notice = self._with(self._notice(clock.new_id(), sms, mailbox, thread, verdict, meant), automatic)
                yield Copy(mailbox.id, self._mail(notice), notice.contact)

    def _forwarded(self, notice: ReplyNotice, address: str) -> Copy:
        """The same mail to a further address, without what the mailbox and the phone wrote before."""
        mail = self._mail(replace(notice, notice_id=bounces.mail_id(clock.new_id()), to=address, earlier=()))
        return Copy(notice.mailbox.id, mail, notice.contact, filed=False)

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
            for_all=self._settings.ambiguous is Ambiguous.ALL,
            in_reply_to=thread.message_id if thread is not None else "",
            references=thread.references if thread is not None else (),
            subject=thread.subject if thread is not None else "",
            stopped=meant.command is Command.STOP,
            resumed=meant.command is Command.START,
            objects=meant.objection,
            intent=meant.intent,
            contact=contact or self._directory.book(mailbox.organisation_id).names.get(sms.number, ""),
            earlier=thread.recall() if thread is not None else (),
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
                        last_written_at=thread.last_written_at or replies.NEVER,
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
            keyword=self._keyword_owner(sms),
            linked=next((thread.conversation_id for thread in threads if thread.linked), None),
        )

    def _keyword_owner(self, sms: InboundSms) -> str | None:
        """The mailbox of the number with whose keyword an SMS begins; of several the oldest."""
        word = first_word(sms.text)
        owners = self._directory.owners(sms.to)
        return next((owner.id for owner in owners if word in self._directory.keywords(owner.id)), None)
