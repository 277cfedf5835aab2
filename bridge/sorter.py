"""What is done with an SMS from a phone: whose it is, the mails that bring it, the text that answers it; for intake.

It is asked within the transaction that keeps the SMS, so it does nothing itself: what it says is written there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from bridge import answering, clock, mailing, notices, replies, webhook
from bridge.answering import Heard, Manners
from bridge.mailing import Mailing
from bridge.meaning import Command, Meaning, meaning
from bridge.meaning.keywords import first_word
from bridge.notices import bounces
from bridge.notices.bounces import BounceKey
from bridge.routing import Routes
from bridge.settings import Ambiguous, ReplySettings
from bridge.sms.numbers import is_number
from bridge.store.automatic import Automatic, Dealings
from bridge.store.directory import Directory
from bridge.store.inbounds import Copy, Filing, Thread
from bridge.store.mails import MailKind
from bridge.store.phone_mails import mailed
from bridge.types import (
    AutomaticKind,
    BlockKind,
    InboundSms,
    Keyword,
    Mailbox,
    Match,
    Objection,
    OutgoingMail,
    Posting,
    ReplyNotice,
)
from bridge.types.phone_mail import MOST_MAILS

log = structlog.get_logger("bridge.sorter")


class Sorter:
    """Decides about inbound SMS."""

    def __init__(
        self,
        directory: Directory,
        *,
        domain: str,
        settings: ReplySettings,
        sign: Callable[[OutgoingMail], OutgoingMail],
        bounce_key: BounceKey,
        routes: Routes,
        manners: Manners,
        through: str = "",
    ) -> None:
        """`routes` are those of the texts that the bridge sends by itself, as `manners` say; `through` is the address
        of the watched mailbox that answers to phones go to, or empty."""
        self._directory = directory
        self._domain = domain
        self._settings = settings
        self._sign = sign
        self._bounce_key = bounce_key
        self._routes = routes
        self._manners = manners
        self._through = through

    def decide(self, inbound_id: str, sms: InboundSms, threads: Sequence[Thread], dealings: Dealings) -> Filing:
        """What becomes of an SMS that is kept as `inbound_id`; a `store.inbounds.Decide`."""
        asked = self._facts(sms, threads)
        verdict = replies.choose(asked)
        mailbox = self._directory.by_id(verdict.mailbox_id) if verdict.mailbox_id is not None else None
        if mailbox is None:
            log.error("inbound.no_mailbox", inbound=inbound_id, gateway=sms.gateway)
            return Filing(None, None, None, verdict.match, None)
        by_id = {thread.conversation_id: thread for thread in threads}
        meant = meaning(sms.text, self._directory.languages(sms.to, mailbox))
        written = self._written(sms, dealings) if meant.command is None else None
        if written is not None:
            meant = Meaning()  # what it says, it says to others
        objects = self._objection(meant, sms, mailbox, dealings)
        notice = self._notice(inbound_id, sms, mailbox, by_id.get(verdict.conversation_id or ""), verdict, meant)
        notice = replace(notice, objection=objects)
        asks = meant.command is None and written is None
        keyword = self._directory.keywords(mailbox.id).get(first_word(sms.text)) if asks else None
        if keyword is not None:
            by_keyword = verdict.match is Match.NONE and asked.keyword == mailbox.id
            notice = replace(notice, tag=keyword.tag, keyword=keyword.word if by_keyword else "")
        message_id = f"<{notice.notice_id}@{self._domain}>"
        prompted = self._is_prompted(sms, mailbox, verdict, threads)
        heard = answering.Heard(sms, mailbox, meant, keyword, prompted, clock.now())
        automatic = self._automatic(heard, message_id, dealings) if written is None and objects is None else None
        notice = self._with(notice, automatic, written)
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
            objects=objects is not None,
            senders=mailbox.senders,
            copies=(
                *self._copies(sms, by_id, verdict, meant, objects, automatic, written),
                *(self._forwarded(notice, address) for address in (keyword.forward if keyword is not None else ())),
                *(self._phone_mails(notice, written) if written is not None else ()),
            ),
            automatic=automatic,
            webhook=_posting(inbound_id, sms, mailbox, keyword, verdict.match),
        )

    def _objection(self, meant: Meaning, sms: InboundSms, mailbox: Mailbox, dealings: Dealings) -> Objection | None:
        """What follows from it that a phone asks for no more texts in words of its own; nothing where none can be
        texted: to a short code, or to a name. An order to one number of the mailbox holds for all it sends."""
        if not meant.objection or not is_number(sms.number, mailbox.region):
            return None
        standing = dealings.blocks(mailbox.organisation_id, (sms.to, *mailbox.senders))
        return Objection.YOURS if all(each.kind is BlockKind.WISH for each in standing) else Objection.BLOCKED

    def _automatic(self, heard: Heard, message_id: str, dealings: Dealings) -> Automatic | None:
        """What the bridge answers the phone by itself; `message_id` is that of the mail with the SMS."""
        wish = answering.wish(heard, self._manners)
        if wish is None:
            return None
        dealings.lock()
        block = dealings.block(heard.mailbox.organisation_id)
        facts = answering.Facts(
            sms=heard.sms,
            mailbox=heard.mailbox,
            blocked=block is not None and not (wish.kind is AutomaticKind.STOP and block.kind is BlockKind.WISH),
            texts=dealings.texts(heard.now - answering.WINDOW),
            used=dealings.used(heard.mailbox, answering.today(heard.mailbox, heard.now)),
            now=heard.now,
        )
        verdict = answering.judge(wish, facts, self._manners)
        mail = answering.compose(wish, facts, self._routes, self._domain, message_id) if verdict.leaves else None
        return Automatic(wish.kind, mail) if mail is not None or verdict.told else None

    def _is_prompted(
        self, sms: InboundSms, mailbox: Mailbox, verdict: replies.Verdict, threads: Sequence[Thread]
    ) -> bool:
        """Whether the phone answers a text, as its provider says, or the mailbox has texted it lately."""
        since = sms.received_at - timedelta(days=self._settings.window_days)
        written = (thread.last_written_at for thread in threads if thread.mailbox_id == mailbox.id)
        return verdict.match is Match.PROVIDER or any(at is not None and at >= since for at in written)

    def _written(self, sms: InboundSms, dealings: Dealings) -> Mailing | None:
        """What becomes of an SMS that the phone wrote as a mail."""
        return mailing.judge(sms, self._settings, self._domain, lambda: mailed(dealings, clock.now() - mailing.WINDOW))

    def _with(self, notice: ReplyNotice, automatic: Automatic | None, written: Mailing | None) -> ReplyNotice:
        """The same, and it tells what the bridge has answered by itself, and whom it has mailed."""
        if written is not None:
            enough = MOST_MAILS if written.too_many else 0
            notice = replace(notice, mailed=written.mail.addresses, not_mailed=written.refused, mailed_enough=enough)
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
        objects: Objection | None,
        automatic: Automatic | None,
        written: Mailing | None,
    ) -> Iterator[Copy]:
        """The mails to the others that an ambiguous SMS may be for, where all of them are to have it."""
        if self._settings.ambiguous is not Ambiguous.ALL:
            return
        for candidate in verdict.candidates[1:]:
            mailbox = self._directory.by_id(candidate.mailbox_id)
            if mailbox is not None:
                thread = threads[candidate.conversation_id]
                notice = self._with(
                    self._notice(clock.new_id(), sms, mailbox, thread, verdict, meant), automatic, written
                )
                decides = sms.to in mailbox.senders
                notice = replace(notice, objection=objects if decides else _elsewhere(objects))
                yield Copy(mailbox.id, self._mail(notice), notice.contact)

    def _forwarded(self, notice: ReplyNotice, address: str) -> Copy:
        """The same mail to a further address, without what the mailbox and the phone wrote before."""
        unique = bounces.mail_id(clock.new_id())
        objection = _elsewhere(notice.objection)
        mail = self._mail(replace(notice, notice_id=unique, to=address, objection=objection, earlier=()))
        return Copy(notice.mailbox.id, mail, notice.contact, filed=False)

    def _phone_mails(self, notice: ReplyNotice, written: Mailing) -> Iterator[Copy]:
        """The mails that the phone wrote, one to each address."""
        for address in written.mail.addresses:
            own = replace(notice, notice_id=bounces.mail_id(clock.new_id()), to=address)
            mail = self._sign(notices.phone_mail(written.mail, own, self._domain, self._bounce_key))
            yield Copy(notice.mailbox.id, mail, notice.contact, filed=False, kind=MailKind.PHONE)

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
            enclosed=sms.enclosed,
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
            intent=meant.intent,
            contact=contact or self._directory.book(mailbox.organisation_id).names.get(sms.number, ""),
            earlier=thread.recall() if thread is not None else (),
            through=self._through,
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


def _posting(
    inbound_id: str, sms: InboundSms, mailbox: Mailbox, keyword: Keyword | None, match: Match
) -> Posting | None:
    """What the webhook of a keyword is told."""
    if keyword is None or not keyword.webhook:
        return None
    return webhook.posting(inbound_id, sms, mailbox, keyword, match, clock.now())


def _elsewhere(objection: Objection | None) -> Objection | None:
    """The same for somebody who does not decide."""
    return Objection.THEIRS if objection is Objection.YOURS else objection
