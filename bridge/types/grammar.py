"""The other services whose mails a mailbox may write, so that a legacy system need not be changed."""

from __future__ import annotations

from enum import StrEnum


class GrammarName(StrEnum):
    """An email-to-SMS service whose form of mail `bridge.reading.grammars` reads."""

    CLICKATELL = "clickatell"
    OVH = "ovh"
    ASPSMS = "aspsms"
    TEXTLOCAL = "textlocal"
    TEXTANYWHERE = "textanywhere"
    SEVEN = "seven"
    SMS_PARTNER = "sms-partner"
    LOX24 = "lox24"
