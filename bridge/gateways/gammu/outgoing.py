"""An SMS as rows of gammu-smsd's outbox: one a segment, since gammu-smsd sends what it finds and cuts nothing; pure.

Texts go as UTF-16 in hexadecimal in both alphabets; gammu-smsd turns them into septets itself where `Coding` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bridge.sms import header
from bridge.types import Encoding, OutboundSms

_CODINGS = {Encoding.GSM7: "Default_No_Compression", Encoding.UCS2: "Unicode_No_Compression"}

_FLASH, _NO_CLASS = 0, -1
_NO_VALIDITY = -1


def rows(sms: OutboundSms, phone: str, reference: int, now: datetime) -> Sequence[Mapping[str, object]]:
    """The row of the outbox, and those of outbox_multipart without their ID, which is that of the first.

    `phone` is the PhoneID of the gammu-smsd that is to send it, empty for any; `reference` binds the segments together
    (its low octet counts, 3GPP TS 23.040 section 9.2.3.24.1).
    """
    total = len(sms.segments)
    bodies = [
        {
            "Text": segment.encode("utf-16-be", "surrogatepass").hex().upper(),
            "TextDecoded": "",
            "Coding": _CODINGS[sms.encoding],
            "UDH": header.header(header.place(reference, total, ordinal)).hex().upper() if total > 1 else "",
            "Class": _FLASH if sms.flash else _NO_CLASS,
        }
        for ordinal, segment in enumerate(sms.segments, 1)
    ]
    first = {
        **bodies[0],
        "DestinationNumber": sms.number,
        "SenderID": phone or None,
        "CreatorID": sms.reference,
        "DeliveryReport": "yes",
        "MultiPart": total > 1,
        "RelativeValidity": validity(sms.expires_at - now) if sms.expires_at is not None else _NO_VALIDITY,
    }
    return [first, *({**body, "SequencePosition": ordinal} for ordinal, body in enumerate(bodies[1:], 2))]


def validity(left: timedelta) -> int:
    """How long the network may try, as TP-Validity-Period (3GPP TS 23.040 section 9.2.3.12.1): never longer than `left`
    but at least the five minutes that can be said, at most 63 weeks."""
    minutes = max(5, int(left.total_seconds()) // 60)
    if minutes <= 12 * 60:
        return minutes // 5 - 1
    if minutes <= 24 * 60:
        return 143 + (minutes - 12 * 60) // 30
    days = minutes // (24 * 60)
    if days < 2:
        return 167  # a day; the next that can be said is two
    return 166 + days if days <= 30 else min(192 + days // 7, 255)
