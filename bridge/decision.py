"""What may go out of a mail, and as what: the pure half of admission, which preview asks the same way.

Values in, values out: who stores what was decided is `bridge.admission`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge import parser
from bridge.errors import MailRefusal, Reason, RecipientRefusal
from bridge.notices.invitation import summary
from bridge.policy.destinations import check_destination
from bridge.policy.reports import reports_wanted
from bridge.reading.addresses import read_address
from bridge.sms.encoding import encode
from bridge.sms.numbers import read_number
from bridge.types import (
    Destination,
    Encoded,
    Envelope,
    Mailbox,
    MessageClass,
    NewMessage,
    Options,
    Recipient,
    Submission,
)


def check_mailbox(mailbox: Mailbox) -> None:
    """Whether the mailbox may text at the moment. Raises RecipientRefusal (for now) when it is paused."""
    if mailbox.paused:
        raise RecipientRefusal(Reason.PAUSED, "This mailbox is paused. Ask your operator to resume it.")


def check_opt_out(mailbox: Mailbox, since: datetime | None) -> None:
    """`since` is when the phone asked this sender number for no more texts. Raises RecipientRefusal if it did."""
    if since is not None:
        day = since.astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()
        raise RecipientRefusal(
            Reason.OPTED_OUT,
            f"This phone asked for no more texts from {mailbox.sender} on {day}. It can lift this by texting START.",
        )


def resolve(mailbox: Mailbox, recipient: Recipient, domains: Collection[str]) -> Destination:
    """The phone that a recipient means, if the mailbox may text it at all. Raises RecipientRefusal."""
    number = read_number(read_address(recipient.address, domains), mailbox.region)
    check_destination(number, mailbox)
    return Destination(recipient, number.e164, number.region)


def read(mailbox: Mailbox, envelope: Envelope, raw: bytes, now: datetime) -> tuple[Submission, Encoded]:
    """The mail as it will be texted. Raises MailRefusal for what its author must change."""
    submission = parser.parse(raw, envelope)
    if submission.invitation is not None:
        submission = replace(submission, text=summary(submission.invitation, mailbox.language, mailbox.timezone))
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


def message_class(submission: Submission) -> MessageClass:
    """What the mail says of itself, or what a clinic's mails are."""
    return submission.options.message_class or MessageClass.TRANSACTIONAL


def message(
    mailbox: Mailbox,
    submission: Submission,
    encoded: Encoded,
    destination: Destination,
    gateways: Sequence[str],
    now: datetime,
) -> NewMessage:
    """The message that a mail makes for one phone. `gateways` may carry it, the one to try first in front."""
    options, recipient = submission.options, destination.recipient
    confirm = options.confirm or mailbox.confirm
    return NewMessage(
        recipient=recipient,
        number=destination.number,
        sender=mailbox.sender,
        gateway=gateways[0],
        stand_ins=tuple(gateways[1:]),
        message_class=message_class(submission),
        encoded=encoded,
        due_at=max(now, options.send_at or now),
        expires_at=options.expires_at,
        report_on=reports_wanted(recipient.notify, confirm, wants_receipt=submission.wants_receipt),
    )
