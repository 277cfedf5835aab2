"""A clinic, its mails and its patients: the values that the tests of notices begin with."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

from bridge import notices
from bridge.notices.bounces import BounceKey
from bridge.types import (
    Language,
    Match,
    MessageState,
    OutgoingMail,
    ReplyNotice,
    Report,
    ReportLine,
)
from tests.clinic import CLINIC

HOSTNAME = "bridge.example.test"
DOMAIN = "sms.example.test"
PHONE = "+393331234567"
KEY = BounceKey(1, b"k" * 32)
REPLY = "mo.01kaw8n5xq0t3v7y9z2b4d6f8h"
SENT = datetime(2026, 11, 12, 8, 14, 3, tzinfo=UTC)
SETTLED = datetime(2026, 11, 12, 8, 15, 20, tzinfo=UTC)
HEADERS = b"From: Clinic <clinic@example.test>\r\nTo: +393331234567@sms.example.test\r\nSubject: Visit\r\n"


def line(state: MessageState = MessageState.DELIVERED, number: str = PHONE, **changes: Any) -> ReportLine:
    """One recipient of the clinic's mail."""
    values: dict[str, Any] = {
        "message_id": f"01message{number[-3:]}",
        "address": f"{number}@{DOMAIN}",
        "orcpt": None,
        "number": number,
        "state": state,
        "reason": None,
        "diagnostic": "",
        "segments": 1,
        "text": "Your visit is tomorrow at 9.",
        "settled_at": SETTLED,
    }
    return ReportLine(**(values | changes))


def a_report(*lines: ReportLine, language: Language = Language.ENGLISH, **changes: Any) -> Report:
    """The report of the clinic's mail; one delivered message unless told otherwise."""
    values: dict[str, Any] = {
        "notice_id": "01notice",
        "to": "clinic@example.test",
        "mailbox": replace(CLINIC, language=language),
        "message_id": "<visit@example.test>",
        "references": (),
        "subject": "Visit",
        "envid": None,
        "ret": None,
        "headers": HEADERS,
        "reference": None,
        "received_at": SENT,
        "created_at": SETTLED,
        "lines": lines or (line(),),
    }
    return Report(**(values | changes))


def a_reply(language: Language = Language.ENGLISH, **changes: Any) -> ReplyNotice:
    """A patient's answer to the clinic's mail."""
    values: dict[str, Any] = {
        "notice_id": REPLY,
        "to": "clinic@example.test",
        "mailbox": replace(CLINIC, language=language),
        "number": PHONE,
        "sender": "+390200000001",
        "text": "Yes, thank you",
        "received_at": SETTLED,
        "created_at": SETTLED,
        "match": Match.NUMBER,
        "in_reply_to": "<visit@example.test>",
        "subject": "Visit",
    }
    return ReplyNotice(**(values | changes))


def read(mail: OutgoingMail) -> Message:
    """The mail as Python's own parser reads it."""
    return email.message_from_bytes(mail.raw)


def report(*lines: ReportLine, **changes: Any) -> Message:
    """The delivery report about `lines`, parsed."""
    return read(notices.report(a_report(*lines, **changes), HOSTNAME, DOMAIN))


def reply(**changes: Any) -> Message:
    """The mail with a phone's answer, parsed."""
    return read(notices.reply(a_reply(**changes), DOMAIN, KEY))


def read_below(text: str) -> tuple[str, str]:
    """What a plain text says above the bridge's small print, and the small print."""
    above, mark, below = text.rpartition("\n\n-- \n")
    assert mark
    return above, below


def words(part: Message) -> str:
    """The decoded text of a part, with plain line ends."""
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8").replace("\r\n", "\n")


def subject_of(mail: Message) -> str:
    """The subject as a mail client shows it: unfolded and decoded."""
    return str(make_header(decode_header(mail["Subject"].replace("\n ", " ").replace("\r", ""))))


def parts(mail: Message) -> list[Message]:
    """The parts of a multipart."""
    payload = mail.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]
