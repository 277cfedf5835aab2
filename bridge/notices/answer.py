"""The mail that brings a phone's answer: the phone's words, from an address that texts the phone when answered.

A person wrote it, so it is not marked Auto-Submitted (RFC 3834 section 5); answering machines are held off with
`X-Auto-Response-Suppress`. What the phone wrote is hostile until it has passed `mime` and, for HTML, `html.escape`.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from bridge.notices import bounces, mime
from bridge.notices.address import phone_field
from bridge.notices.bounces import BounceKey
from bridge.notices.wording import WORDINGS, Wording
from bridge.sms.numbers import international
from bridge.types import Match, OutgoingMail, ReplyNotice

_SEPARATOR = "* * *"


def reply(notice: ReplyNotice, domain: str, key: BounceKey) -> OutgoingMail:
    """The mail with a phone's answer, in the thread it answers; `domain` is the one that phone addresses are in.

    It leaves with a bounce address made with `key` that holds the mail's id, never with the phone's address: a bounce
    or an out-of-office answer must not become a text message.
    """
    wording = WORDINGS[notice.mailbox.language]
    number = mime.one_line(international(notice.number))
    words = mime.lines_of(notice.text).strip() or wording.say("reply.empty")
    above = tuple(_above(notice, wording, number))
    remarks = tuple(_remarks(notice, wording, number))
    raw = _headers(notice, wording, number, domain) + mime.multipart(
        "multipart/alternative",
        notice.notice_id,
        (
            mime.text_part(_plain(above, words, remarks)),
            mime.text_part(_html(above, words, remarks, wording), "html"),
        ),
    )
    bounces_to = f"{bounces.make(notice.notice_id, key, notice.created_at)}@{domain}"
    return OutgoingMail(id=notice.notice_id, envelope_from=bounces_to, envelope_to=notice.to, raw=raw)


def _headers(notice: ReplyNotice, wording: Wording, number: str, domain: str) -> bytes:
    subject = mime.answer_subject(notice.subject) or wording.say("subject.reply", number=number)
    created = notice.created_at.astimezone(ZoneInfo(notice.mailbox.timezone))
    received = notice.received_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return b"".join(
        (
            phone_field("From", notice.number, domain, notice.contact),
            mime.machine_field("To", notice.to),
            mime.text_field("Subject", subject),
            mime.machine_field("Date", format_datetime(created)),
            mime.machine_field("Message-ID", f"<{notice.notice_id}@{domain}>"),
            mime.thread_fields(notice.in_reply_to, notice.references),
            mime.machine_field("X-Auto-Response-Suppress", "All"),
            mime.machine_field("X-SMS-From", notice.number),
            mime.machine_field("X-SMS-To", notice.sender),
            mime.machine_field("X-SMS-Received", received),
            mime.machine_field("X-SMS-Match", notice.match),
            mime.machine_field("X-SMS-Intent", notice.intent) if notice.intent is not None else b"",
        )
    )


def _above(notice: ReplyNotice, wording: Wording, number: str) -> Iterator[str]:
    """What must be read before the words: whom they were meant for, and that the phone wants no more texts."""
    if notice.meant_for:
        yield wording.say("reply.returned", address=mime.one_line(notice.meant_for))
    if notice.objects:
        yield wording.say("reply.objects", number=number)


def _remarks(notice: ReplyNotice, wording: Wording, number: str) -> Iterator[str]:
    """What the reader must know beside the words: doubt about the addressee, and a block that was set or lifted."""
    if notice.match is Match.AMBIGUOUS and not notice.meant_for:
        yield wording.say("reply.ambiguous", candidates=", ".join(map(mime.one_line, notice.candidates)))
    if notice.match is Match.NONE and not notice.meant_for:
        yield wording.say("reply.none")
    if notice.stopped:
        yield wording.say("reply.stopped", number=number)
    if notice.resumed:
        yield wording.say("reply.resumed", number=number)


def _plain(above: tuple[str, ...], words: str, remarks: tuple[str, ...]) -> str:
    return "\n\n".join((*((*above, _SEPARATOR) if above else ()), words, *((_SEPARATOR, *remarks) if remarks else ())))


def _html(above: tuple[str, ...], words: str, remarks: tuple[str, ...], wording: Wording) -> str:
    """The same as HTML: line breaks as `<br>`, since Outlook ignores `white-space`; each text in its own direction."""
    shown = html.escape(words).replace("\n", "<br>\n")
    told, below = (
        "".join(f'<p style="color:#555555">{html.escape(remark)}</p>\n' for remark in each) for each in (above, remarks)
    )
    told += "<hr>\n" if above else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{wording.language}">\n<head><meta charset="utf-8"></head>\n<body>\n'
        f'{told}<p dir="auto">{shown}</p>\n{"<hr>" if remarks else ""}\n{below}</body>\n</html>'
    )
