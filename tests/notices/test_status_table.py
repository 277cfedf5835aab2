"""The statuses of reports, event by event: what networks and the bridge say, and what a program reads of it."""

from __future__ import annotations

import pytest

from bridge import notices
from bridge.errors import REPLIES, Reason
from bridge.gateways.smpp import status as smpp
from bridge.types import Hindrance, MessageState, OutcomeKind
from tests.notices import grammar
from tests.notices.samples import DOMAIN, HOSTNAME, a_report, line
from tests.notices.test_late import late

S, R, H = MessageState, Reason, Hindrance

REPORTED = {
    "DELIVRD": (line(S.DELIVERED), "delivered 2.1.5"),
    "taken, and no receipt will come": (line(S.SENT), "relayed 2.0.0"),
    "number not allocated": (line(S.FAILED, reason=R.UNKNOWN_SUBSCRIBER), "failed 5.1.1"),
    "landline": (line(S.REFUSED, reason=R.LANDLINE), "failed 5.7.1"),
    "phone off, the network goes on trying": (late(H.PHONE), "delayed 4.4.1"),
    "UNDELIV, phone off": (line(S.UNDELIVERED, reason=R.ABSENT_SUBSCRIBER), "failed 5.4.1"),
    "UNDELIV without a reason": (line(S.UNDELIVERED), "failed 5.4.1"),
    "EXPIRED": (line(S.EXPIRED, reason=R.VALIDITY_EXPIRED), "failed 5.4.7"),
    "barred": (line(S.UNDELIVERED, reason=R.BARRED), "failed 5.2.1"),
    "opted out": (line(S.REFUSED, reason=R.OPTED_OUT), "failed 5.7.1"),
    "spam filter": (line(S.UNDELIVERED, reason=R.FILTERED), "failed 5.7.1"),
    "country not allowed": (line(S.REFUSED, reason=R.COUNTRY_NOT_ALLOWED), "failed 5.7.1"),
    "premium number": (line(S.REFUSED, reason=R.PREMIUM_NUMBER), "failed 5.7.1"),
    "sender refused": (line(S.FAILED, reason=R.SENDER_REFUSED), "failed 5.1.8"),
    "throttled for long": (late(H.BUSY), "delayed 4.4.5"),
    "not reached for long": (late(H.AWAY), "delayed 4.4.1"),
    "given up": (line(S.EXPIRED, reason=R.GAVE_UP), "failed 5.4.7"),
    "no answer": (line(S.UNKNOWN, reason=R.NO_ANSWER), "delayed 4.4.7"),
    "refused by the provider": (line(S.FAILED, reason=R.PROVIDER_REFUSED), "failed 5.3.0"),
    "too many parts, on the way to one phone": (line(S.REFUSED, reason=R.TOO_MANY_SEGMENTS), "failed 5.3.4"),
}

ANSWERED = {
    R.MALFORMED_NUMBER: "553 5.1.3",
    R.OPTED_OUT: "550 5.7.1",
    R.COUNTRY_NOT_ALLOWED: "550 5.7.1",
    R.PREMIUM_NUMBER: "550 5.7.1",
    R.LANDLINE: "550 5.7.1",
    R.DAILY_CAP: "452 4.2.2",
    R.BUSY: "452 4.3.1",
    R.TOO_MANY_SEGMENTS: "552 5.3.4",
    R.ENCRYPTED: "550 5.6.1",
}
"""What is refused while its sender is still connected; no report follows."""

SMPP = {
    0x0B: (OutcomeKind.REJECTED, R.UNKNOWN_SUBSCRIBER),
    0x0A: (OutcomeKind.REJECTED, R.SENDER_REFUSED),
    0x58: (OutcomeKind.THROTTLED, None),
    0x14: (OutcomeKind.THROTTLED, None),
    0x45: (OutcomeKind.REJECTED, None),
    0x65: (OutcomeKind.REJECTED, None),
}
"""Without a reason of its own, a refusal is told as one of the provider: 5.3.0."""


@pytest.mark.parametrize("event", REPORTED)
def test_what_a_report_says(event: str) -> None:
    told, expected = REPORTED[event]
    _, (recipient,) = grammar.delivery_status(notices.report(a_report(told), HOSTNAME, DOMAIN).raw)
    assert f"{recipient['action']} {recipient['status']}" == expected


@pytest.mark.parametrize("reason", ANSWERED)
def test_what_the_front_door_answers(reason: Reason) -> None:
    code, enhanced = REPLIES[reason]
    assert f"{code} {enhanced}" == ANSWERED[reason]


@pytest.mark.parametrize("code", SMPP, ids=hex)
def test_what_an_smsc_s_code_means(code: int) -> None:
    outcome = smpp.outcome(code)
    assert (outcome.kind, outcome.reason) == SMPP[code]
