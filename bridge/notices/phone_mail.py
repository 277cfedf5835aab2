"""The mail that a phone wrote by SMS, to whom it names; beside `answer`, which brings the same SMS to its mailbox.

A person wrote it, so it is not marked Auto-Submitted (RFC 3834 section 5), and whoever answers it texts the phone, with
a login of the bridge as for any mail to a phone. It continues no thread, and holds nothing but what the phone wrote, or
sent with it: what its mailbox calls the phone, or has written to it, is not for others.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from bridge.notices import bounces, enclosed, mime
from bridge.notices.address import phone_field
from bridge.notices.bounces import BounceKey
from bridge.notices.wording import WORDINGS
from bridge.sms.numbers import international
from bridge.types import OutgoingMail, ReplyNotice
from bridge.types.phone_mail import PhoneMail


def phone_mail(mail: PhoneMail, notice: ReplyNotice, domain: str, key: BounceKey) -> OutgoingMail:
    """The mail to `notice.to`, one of the addresses of `mail`, which all stand in it; `notice` has an id of its own.

    It leaves with a bounce address made with `key`, as the notice itself does.
    """
    wording = WORDINGS[notice.mailbox.language]
    number = mime.one_line(international(notice.number))
    created = notice.created_at.astimezone(ZoneInfo(notice.mailbox.timezone))
    text = mime.text_part("\n\n".join((mail.text, *enclosed.remarks(notice.enclosed, wording))))
    received = notice.received_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    raw = b"".join(
        (
            phone_field("From", notice.number, domain, mail.name),
            phone_field("Reply-To", notice.number, domain, mail.name, notice.through),
            b"To: " + b",\r\n ".join(mime.printable(address).encode("ascii") for address in mail.addresses) + b"\r\n",
            mime.text_field("Subject", mail.subject or wording.say("subject.reply", number=number)),
            mime.machine_field("Date", format_datetime(created)),
            mime.machine_field("Message-ID", f"<{notice.notice_id}@{domain}>"),
            mime.machine_field("X-Auto-Response-Suppress", "All"),
            mime.machine_field("X-SMS-From", notice.number),
            mime.machine_field("X-SMS-To", notice.sender),
            mime.machine_field("X-SMS-Received", received),
            enclosed.field(notice.enclosed),
            enclosed.with_files(notice.enclosed, notice.notice_id, text, wording)
            if notice.enclosed.files
            else b"MIME-Version: 1.0\r\n" + text,
        )
    )
    bounces_to = f"{bounces.make(notice.notice_id, key, notice.created_at)}@{domain}"
    return OutgoingMail(id=notice.notice_id, envelope_from=bounces_to, envelope_to=notice.to, raw=raw)
