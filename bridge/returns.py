"""Answers of phones that did not reach their mailbox; called by the front door and by the postman, above the store.

A bounce comes back to the front door at an address that only the bridge can make; or the mail server refuses the mail
at once, or never takes it. It is one and the same then: once for each mail the operator is told, and the answer goes to
the fallback mailbox, in the transaction that marks the mail. What becomes of that mail is told too, and ends there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import structlog

from bridge import clock, mailing, notices
from bridge.access.networks import Networks
from bridge.errors import MailRefusal, Reason, RecipientRefusal, StoreUnavailable
from bridge.meaning import Command, Meaning, meaning
from bridge.notices import alert, bounces
from bridge.notices.alert import LostAnswer
from bridge.notices.bounces import BounceKey
from bridge.reading.bounce import BounceKind, read_bounce
from bridge.settings import Settings
from bridge.sms.numbers import is_number
from bridge.store.directory import Directory
from bridge.store.mails import FollowUp, MailedReply, MailKind, MailResult, Mails, MailState
from bridge.types import BlockKind, Enclosed, Mailbox, Objection, OutgoingMail, ReplyNotice

log = structlog.get_logger("bridge.returns")

_CODES = re.compile(r"\((\d{3}(?: \d\.\d{1,3}\.\d{1,3})?)\)|^(\d\.\d{1,3}\.\d{1,3})$")
"""The codes in a refusal of `mailback.relay`, or the status of a bounce alone."""

_TOO_LARGE = re.compile(r"\b5\.(?:3\.4|2\.3)$|^552$")
"""What says that a mail is larger than the system or the mailbox takes (RFC 3463 sections 3.3 and 3.4, RFC 1870 section
6.1); 552 with another status is a mailbox that is full."""


class Returns:
    """Takes bounces in, and does what follows when an answer does not arrive."""

    def __init__(
        self,
        mails: Mails,
        directory: Directory,
        *,
        settings: Settings,
        key: BounceKey,
        sign: Callable[[OutgoingMail], OutgoingMail],
        mailed: Callable[[], None],
    ) -> None:
        self._mails = mails
        self._directory = directory
        self._settings = settings
        self._networks = Networks(settings.relay.bounces_from)
        self._key = key
        self._sign = sign
        self._mailed = mailed

    def may_come_from(self, peer: str) -> bool:
        """Whether the machine with this plain IP address may hand bounces back."""
        return peer in self._networks

    def mail_of(self, address: str) -> str | None:
        """The id of the mail that a recipient's bounce address was made for; None for another kind of address.

        Raises RecipientRefusal for an address that looks like one and is forged or expired.
        """
        local_part, _, domain = address.rpartition("@")
        if domain.lower() != self._settings.domain.lower() or not local_part.lower().startswith(bounces.PREFIX):
            return None
        mail_id = bounces.read(local_part, [self._key], clock.now())
        if mail_id is None:
            raise RecipientRefusal(
                Reason.UNKNOWN_ALIAS, "No mail of this bridge waits for a bounce at this address, or not any more."
            )
        return mail_id

    async def take(self, mail_id: str, raw: bytes) -> None:
        """Commit what follows from a bounce of the mail `mail_id`. Raises MailRefusal when that is not possible now."""
        bounce = read_bounce(raw)
        log.info("bounce.heard", mail=mail_id, kind=bounce.kind.value, status=bounce.status)
        if bounce.kind is not BounceKind.FAILED:
            return
        try:
            await self.lost(MailResult(mail_id, MailState.BOUNCED, clock.now(), bounce.status))
        except StoreUnavailable as error:
            raise MailRefusal(
                Reason.BUSY, "The bridge cannot take mail at the moment. Try again later.", detail=error.detail
            ) from error

    async def lost(self, result: MailResult) -> None:
        """Settle a mail that does not arrive (`bounced` or `failed`); if it is an answer, with all that follows.

        What is settled so already stays as it is, and nothing follows twice. Raises StoreUnavailable.
        """
        reply = await self._mails.reply(result.mail_id)
        then = self._follow_ups(reply, result) if reply is not None else ()
        is_new = await self._mails.settle(replace(result, then=then))
        if reply is None or not is_new:
            log.info("mail.lost", mail=result.mail_id, state=result.state, repeated=not is_new)
            return
        log.error(
            "reply.lost",
            mail=result.mail_id,
            state=result.state,
            mailbox=reply.mailbox_id,
            codes=_codes(result.diagnostic),
            follow=[each.kind.value for each in then],
        )
        self._mailed()

    def _follow_ups(self, reply: MailedReply, result: MailResult) -> tuple[FollowUp, ...]:
        lighter = self._without_files(reply, result)
        if lighter is not None:
            return (lighter,)
        settings = self._settings
        stand_in = self._stand_in(reply, result.mail_id)
        if not settings.operator.address:
            return (stand_in,) if stand_in is not None else ()
        lost = LostAnswer(
            mail_id=result.mail_id,
            mailbox=reply.login,
            address=reply.address,
            codes=_codes(result.diagnostic),
            at=result.at,
            sent_to=stand_in.mail.envelope_to if stand_in is not None else "",
            second=reply.kind is MailKind.FALLBACK,
        )
        told = alert.undelivered(lost, to=settings.operator.address, domain=settings.domain, hostname=settings.hostname)
        follow_up = FollowUp(self._sign(told), MailKind.ALERT, reply.mailbox_id)
        return (follow_up, stand_in) if stand_in is not None else (follow_up,)

    def _without_files(self, reply: MailedReply, result: MailResult) -> FollowUp | None:
        """The answer once more to the same address and without its files, if the mail was too large with them."""
        files = notices.files_of(reply.raw, result.mail_id)
        if not files.files or not _TOO_LARGE.search(_codes(result.diagnostic)):
            return None
        fallback = self._directory.by_login(self._settings.replies.fallback)
        mailbox = fallback if reply.kind is MailKind.FALLBACK else self._directory.by_id(reply.mailbox_id)
        if mailbox is None:
            return None
        left = Enclosed(missing=files.missing + len(files.files))
        mail = self._composed(self._notice(reply, mailbox), left, result.mail_id)
        return FollowUp(mail, reply.kind, mailbox.id) if mail is not None else None

    def _stand_in(self, reply: MailedReply, mail_id: str) -> FollowUp | None:
        """The mail to the fallback mailbox, if there is one to write to."""
        fallback = self._fallback(reply)
        if fallback is None:
            return None
        notice = replace(self._notice(reply, fallback), to=fallback.login, meant_for=reply.address)
        mail = self._composed(notice, notices.files_of(reply.raw, mail_id), mail_id)
        return FollowUp(mail, MailKind.FALLBACK, fallback.id) if mail is not None else None

    def _composed(self, notice: ReplyNotice, files: Enclosed, mail_id: str) -> OutgoingMail | None:
        """The mail, with what came with the answer that `mail_id` has not brought."""
        try:
            return self._sign(notices.reply(replace(notice, enclosed=files), self._settings.domain, self._key))
        except Exception:
            # The lost mail must be settled all the same, or it would be tried, or bounce, for ever.
            log.exception("reply.not_passed_on", mail=mail_id)
            return None

    def _fallback(self, reply: MailedReply) -> Mailbox | None:
        """The mailbox that the answer goes to now: none if the mail that was lost was for that address."""
        fallback = self._directory.by_login(self._settings.replies.fallback)
        if fallback is None or reply.kind is MailKind.FALLBACK or fallback.login.lower() == reply.address.lower():
            return None
        return fallback

    def _notice(self, reply: MailedReply, reader: Mailbox) -> ReplyNotice:
        """The same answer again, to the same address, for `reader`."""
        mailbox = self._directory.by_id(reply.mailbox_id) or reader
        meant = Meaning()
        if mailing.written(reply.number, reply.text, self._settings.replies) is None:
            meant = meaning(reply.text, self._directory.languages(reply.sender, mailbox))
        return ReplyNotice(
            notice_id=bounces.mail_id(clock.new_id()),
            to=reply.address,
            mailbox=reader,
            number=reply.number,
            sender=reply.sender,
            text=reply.text,
            received_at=reply.received_at,
            created_at=clock.now(),
            match=reply.match,
            in_reply_to=reply.in_reply_to,
            references=reply.references,
            subject=reply.subject,
            stopped=meant.command is Command.STOP,
            resumed=meant.command is Command.START,
            objection=self._objection(reply, reader) if meant.objection else None,
            intent=meant.intent,
            contact=reply.contact,
            through=self._settings.answers_through,
        )

    def _objection(self, reply: MailedReply, reader: Mailbox) -> Objection | None:
        """What `reader` is told of a phone that asked for no more texts in words of its own."""
        if not is_number(reply.number, reader.region):
            return None
        if any(block.kind is not BlockKind.WISH for _, block in self._directory.blocks(reader, reply.number)):
            return Objection.BLOCKED
        return Objection.YOURS if reply.sender in reader.senders else Objection.THEIRS


def _codes(diagnostic: str) -> str:
    """What the mail server said, in codes alone."""
    found = _CODES.search(diagnostic)
    return (found[1] or found[2]) if found is not None else ""
