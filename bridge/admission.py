"""One way in for every door and for preview: parse, decide, route, cut into segments, store, answer.

At RCPT `check_recipient` says whether this phone may be texted; after DATA `admit` takes the mail. What can be
refused at RCPT is refused there. When `admit` returns, the mail is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge import clock, parser
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal, StoreUnavailable
from bridge.policy.destinations import check_destination
from bridge.policy.reports import reports_wanted
from bridge.reading.addresses import read_address
from bridge.sms.encoding import encode
from bridge.sms.numbers import read_number
from bridge.store.directory import Directory
from bridge.store.outbox import NewMail, NewMessage, Outbox
from bridge.types import (
    Destination,
    Encoded,
    Envelope,
    Mailbox,
    MessageClass,
    Options,
    Recipient,
    Submission,
)

LARGE = 262_144
"""Octets from which a mail is read in a thread, so that it does not keep the other clients waiting."""


def resolve(mailbox: Mailbox, recipient: Recipient, domains: Collection[str]) -> Destination:
    """The phone that a recipient means, if the mailbox may text it at all. Raises RecipientRefusal."""
    number = read_number(read_address(recipient.address, domains), mailbox.region)
    check_destination(number, mailbox)
    return Destination(recipient, number.e164, number.region)


def read(mailbox: Mailbox, envelope: Envelope, raw: bytes, now: datetime) -> tuple[Submission, Encoded]:
    """The mail as it will be texted. Raises MailRefusal for what its author must change."""
    submission = parser.parse(raw, envelope)
    options = submission.options
    encoded = encode(submission.text, options.unicode or mailbox.unicode)
    limit = min(mailbox.max_segments, options.max_segments or mailbox.max_segments)
    if len(encoded.segments) > limit:
        raise MailRefusal(
            Reason.TOO_MANY_SEGMENTS,
            f"This text needs {len(encoded.segments)} SMS and the limit is {limit}. Shorten it and send it again.",
        )
    _check_options(mailbox, options, now)
    return submission, encoded


def _check_options(mailbox: Mailbox, options: Options, now: datetime) -> None:
    if options.sender is not None and options.sender != mailbox.sender:
        raise MailRefusal(
            Reason.BAD_HEADER,
            f"X-SMS-Sender names a sender that is not yours. Leave it out, or write {mailbox.sender}.",
        )
    if options.expires_at is not None and options.expires_at <= max(now, options.send_at or now):
        raise MailRefusal(Reason.BAD_HEADER, "X-SMS-Expires is over before the text may go. Give a later time.")


def message(
    mailbox: Mailbox, submission: Submission, encoded: Encoded, destination: Destination, gateway: str, now: datetime
) -> NewMessage:
    """The message that a mail makes for one phone."""
    options, recipient = submission.options, destination.recipient
    confirm = options.confirm or mailbox.confirm
    return NewMessage(
        recipient=recipient,
        number=destination.number,
        sender=mailbox.sender,
        gateway=gateway,
        message_class=options.message_class or MessageClass.TRANSACTIONAL,
        encoded=encoded,
        due_at=max(now, options.send_at or now),
        expires_at=options.expires_at,
        report_on=reports_wanted(recipient.notify, confirm, wants_receipt=submission.wants_receipt),
    )


class Admission:
    """Decides about recipients and mails, and hands what is taken to the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        directory: Directory,
        *,
        domains: Collection[str],
        gateway: str,
        taken: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._directory = directory
        self._domains = domains
        self._gateway = gateway
        self._taken = taken

    def check_recipient(self, mailbox: Mailbox, recipient: Recipient) -> Destination:
        """The phone behind a RCPT. Raises Refusal: for good when the phone may not be texted, for now when the
        mailbox may not text at the moment."""
        if mailbox.paused:
            raise RecipientRefusal(Reason.PAUSED, "This mailbox is paused. Ask your operator to resume it.")
        if mailbox.daily_cap is not None and self._outbox.used(mailbox.id, _day(mailbox)) >= mailbox.daily_cap:
            raise _over_cap(mailbox)
        destination = resolve(mailbox, recipient, self._domains)
        self._check_opt_out(mailbox, destination)
        return destination

    async def admit(
        self, mailbox: Mailbox, envelope: Envelope, destinations: Sequence[Destination], raw: bytes
    ) -> str:
        """Take a mail for the phones that were let in at RCPT; the id of its submission. Raises Refusal.

        The id of a mail that was taken before is that of the first time, and nothing is sent again.
        """
        now = clock.now()
        if len(raw) > LARGE:
            submission, encoded = await asyncio.to_thread(read, mailbox, envelope, raw, now)
        else:
            submission, encoded = read(mailbox, envelope, raw, now)
        mail = NewMail(
            mailbox=mailbox,
            envelope=envelope,
            submission=submission,
            report_to=_own_or_login(mailbox, envelope.mail_from),
            reply_to=_own_or_login(mailbox, submission.header_from),
            day=_day(mailbox),
            messages=tuple(
                message(mailbox, submission, encoded, destination, self._gateway, now) for destination in destinations
            ),
            at=now,
        )
        try:
            taken = await self._outbox.take(mail)
        except StoreUnavailable as error:
            raise MailRefusal(
                Reason.BUSY, "The bridge cannot take mail at the moment. Try again later.", detail=error.detail
            ) from error
        if taken.over_cap:
            raise _over_cap(mailbox)
        self._taken()
        return taken.submission_id

    def _check_opt_out(self, mailbox: Mailbox, destination: Destination) -> None:
        since = self._directory.opted_out_since(mailbox.organisation_id, mailbox.sender, destination.number)
        if since is not None:
            day = since.astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()
            raise RecipientRefusal(
                Reason.OPTED_OUT,
                f"This phone asked for no more texts from {mailbox.sender} on {day}. It can lift this by texting START.",
            )


def _own_or_login(mailbox: Mailbox, address: str) -> str:
    return address if address and mailbox.may_send_from(address) else mailbox.login


def _day(mailbox: Mailbox) -> str:
    return clock.now().astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()


def _over_cap(mailbox: Mailbox) -> Refusal:
    return RecipientRefusal(
        Reason.DAILY_CAP,
        f"This mailbox has reached its limit of {mailbox.daily_cap} messages a day. Try again tomorrow.",
    )
