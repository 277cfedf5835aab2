"""The rows of a mail that is taken, and of its messages; written by the outbox, and for what the bridge sends by
itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.types import MessageState, NewMail, NewMessage, Notify

LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Leaves room for what is added to a time that a mail may name."""


def late_at(mail: NewMail, message: NewMessage, late_after: timedelta | None) -> datetime | None:
    """From when on a message is late: the moment that the mail names, or else so long after it may leave; never before
    it may. None when nobody wants to hear of it, and when it is worth nothing any more by then."""
    if late_after is None or message.refused is not None or Notify.DELAY not in message.report_on:
        return None
    named, leaves_at = mail.envelope.options.late_at, min(message.due_at, LATEST)
    late = max(named, leaves_at) if named is not None else leaves_at + late_after
    return late if message.expires_at is None or late < message.expires_at else None


def submission_row(
    mail: NewMail, submission_id: str, new: Sequence[NewMessage], late_after: timedelta | None = None
) -> dict[str, Any]:
    """The mail with its envelope; `new` are the messages that it makes."""
    late = (late_at(mail, message, late_after) for message in new)
    refused = any(message.refused for message in new)
    return {
        "id": submission_id,
        "organisation_id": mail.mailbox.organisation_id,
        "mailbox_id": mail.mailbox.id,
        "door": mail.envelope.door,
        "message_id": mail.submission.message_id,
        "mail_from": mail.envelope.mail_from,
        "report_to": mail.report_to,
        "envid": mail.envelope.envid,
        "ret": mail.envelope.ret,
        "reference": mail.submission.options.reference,
        "deliver_by": mail.envelope.options.deliver_by,
        "release": mail.envelope.options.release,
        "received_at": mail.envelope.received_at,
        "report_due_at": mail.at if refused else min(filter(None, late), default=None),
        "report_count": 0,
    }


def submission_content(mail: NewMail, submission_id: str) -> dict[str, Any]:
    """What the mail says of itself."""
    submission = mail.submission
    return {
        "submission_id": submission_id,
        "subject": submission.subject,
        "references": list(submission.references),
        "headers": submission.headers,
    }


def message_row(
    mail: NewMail,
    submission_id: str,
    message_id: str,
    message: NewMessage,
    number_hash: str,
    conversation_id: str | None,
    late_after: timedelta | None = None,
) -> dict[str, Any]:
    """One message of the mail, in the queue or refused."""
    refused, late = message.refused is not None, late_at(mail, message, late_after)
    return {
        "id": message_id,
        "organisation_id": mail.mailbox.organisation_id,
        "submission_id": submission_id,
        "mailbox_id": mail.mailbox.id,
        "conversation_id": conversation_id,
        "address": message.recipient.address,
        "orcpt": message.recipient.orcpt,
        "number": message.number,
        "number_hash": number_hash,
        "sender": message.sender,
        "gateway": message.gateway,
        "stand_ins": ",".join(message.stand_ins),
        "message_class": message.message_class,
        "priority": message.priority,
        "flash": message.flash,
        "reference": message.reference,
        "encoding": message.encoded.encoding,
        "shift": str(message.encoded.shift) if message.encoded.shift is not None else None,
        "segments": len(message.encoded.segments),
        "units": message.encoded.units,
        "state": MessageState.REFUSED if refused else MessageState.QUEUED,
        "version": 1,
        "due_at": message.due_at,
        "expires_at": message.expires_at,
        "lease_owner": None,
        "lease_until": None,
        "attempts": 0,
        "provider_id": None,
        "reason": message.refused,
        "diagnostic": "",
        "report_on": ",".join(sorted(message.report_on)),
        "report_at": mail.at if refused and Notify.FAILURE in message.report_on else late,
        "late_at": late,
        "reported": None,
        "created_at": mail.at,
        "settled_at": mail.at if refused else None,
    }


def message_content(message_id: str, message: NewMessage) -> dict[str, Any]:
    """The words of a message, and where they were cut."""
    lengths = [len(segment) for segment in message.encoded.segments]
    return {"message_id": message_id, "text": message.encoded.text, "lengths": lengths}
