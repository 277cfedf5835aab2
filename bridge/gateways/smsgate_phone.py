"""What SMSGate's phone says in its own way: numbers as its country writes them, and why a text failed.

The words of its app are Android's and its own: https://docs.sms-gate.app (errors) and the source of the app
(github.com/capcom6/android-sms-gateway).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from bridge.errors import Reason, RecipientRefusal
from bridge.gateways.callback import phone_of, text_of
from bridge.sms.numbers import read_number
from bridge.types import MessageState

_RESULT = re.compile(r"\bRESULT_[A-Z_]{1,60}")
_TP_STATUS = re.compile(r"Delivery result(?: from SC .*: (\d{1,3})\Z)?", re.DOTALL)
TP_REASONS = {
    0x43: Reason.UNKNOWN_SUBSCRIBER,  # not obtainable
    0x46: Reason.VALIDITY_EXPIRED,
    0x61: Reason.ABSENT_SUBSCRIBER,  # busy
    0x62: Reason.ABSENT_SUBSCRIBER,  # does not respond
}
"""What the network's status tells (TP-Status, 3GPP TS 23.040 section 9.2.3.15)."""


def failure(told: str) -> tuple[MessageState, Reason | None, str]:
    """The state, reason and code of the app's own words; they may hold the number of a service centre."""
    if told == "TTL expired":
        return MessageState.EXPIRED, Reason.VALIDITY_EXPIRED, ""
    if found := _TP_STATUS.match(told):
        reason = TP_REASONS.get(int(found[1] or 0))
        expired = reason is Reason.VALIDITY_EXPIRED
        code = f"TP-Status {found[1]}" if found[1] else ""
        return MessageState.EXPIRED if expired else MessageState.UNDELIVERED, reason, code
    result = _RESULT.search(told)
    return MessageState.FAILED, None, result[0] if result else ""


def phone_in(payload: Mapping[str, object], key: str, own: str) -> str:
    """The phone under `key`; Android may give a number of `own`'s country without the country's code."""
    phone = phone_of(payload, key)
    if phone.startswith("+") and not text_of(payload, key).startswith("+"):
        with suppress(RecipientRefusal):
            return read_number(phone[1:], read_number(own, "").region).e164
    return phone
