"""Every kind of delivery report that the bridge writes, for those who parse and relay them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge import notices
from bridge.errors import Reason
from bridge.types import Hindrance, Language, MessageState, OutgoingMail, Report, ReportLine, Ret
from tests.notices.samples import DOMAIN, HEADERS, HOSTNAME, SENT, SETTLED, a_report, line
from tests.notices.test_late import late

S = MessageState
MESSAGE_ID = "<visit@example.test>"
GIVEN_BACK = HEADERS + f"Message-ID: {MESSAGE_ID}\r\n".encode()
TOMORROW = SENT + timedelta(days=1)


@dataclass(frozen=True)
class Sample:
    """One of them, and what is to be read in it."""

    report: Report
    failed: tuple[str, ...] = ()
    """Addresses that got nothing, for good; those of ORCPT where it was given."""
    delayed: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    """Of the recipients that failed, in order."""

    @property
    def mail(self) -> OutgoingMail:
        return notices.report(self.report, HOSTNAME, DOMAIN)


def _sample(*lines: ReportLine, failed: int = 0, delayed: int = 0, statuses: str = "", **changes: Any) -> Sample:
    """A report of these lines; the last digits of phones that `failed` or are `delayed` are 1, 2, 3…"""
    values = {"headers": GIVEN_BACK, "envid": "QQ+31 4159", **changes}
    addresses = [each.address for each in lines]
    return Sample(
        a_report(*lines, **values),
        tuple(addresses[:failed]),
        tuple(addresses[failed : failed + delayed]),
        tuple(statuses.split()),
    )


def _phone(number: int) -> str:
    return f"+39333123{number:04}"


def _samples() -> Iterator[tuple[str, Sample]]:
    heard: dict[str, Any] = {"gateway": "acme", "tried_at": SETTLED}
    off = line(S.UNDELIVERED, reason=Reason.ABSENT_SUBSCRIBER, diagnostic="UNDELIV err:027", **heard)
    yield "translated: delivered", _sample(line(**heard))
    yield "translated: phone off", _sample(off, failed=1, statuses="5.4.1")
    yield "own: delivered without a time", _sample(line(), envid=None)
    yield "own: handed over", _sample(line(S.SENT))
    refused = line(S.FAILED, reason=Reason.UNKNOWN_SUBSCRIBER, diagnostic="0x0B", remote="acme", tried_at=SETTLED)
    yield "own: refused by the provider", _sample(refused, failed=1, statuses="5.1.1")
    opted = line(S.REFUSED, reason=Reason.OPTED_OUT, detail="This phone asked for no more texts.")
    yield "own: refused here", _sample(opted, failed=1, statuses="5.7.1")
    yield "own: expired", _sample(line(S.EXPIRED, reason=Reason.GAVE_UP), failed=1, statuses="5.4.7", ret=Ret.FULL)
    yield "own: cancelled", _sample(line(S.CANCELLED, reason=Reason.CANCELLED), failed=1, statuses="5.7.0")
    yield "own: nobody knows", _sample(line(S.UNKNOWN, reason=Reason.NO_ANSWER), delayed=1)
    for hindrance in Hindrance:
        yield f"late: {hindrance}", _sample(late(hindrance, tried_until=TOMORROW), delayed=1)
    held: dict[str, Any] = {"deliver_by": SENT, "release": "for;3600"}
    yield "late: by is over", _sample(late(Hindrance.AWAY), delayed=1, **held)
    mixed = (
        line(S.FAILED, _phone(1), reason=Reason.BARRED),
        line(S.UNKNOWN, _phone(2)),
        late(Hindrance.PHONE, _phone(3)),
        line(number=_phone(4), **heard),
    )
    yield "several phones, all kinds", _sample(*mixed, failed=1, delayed=2, statuses="5.2.1")
    for language in Language:
        yield f"words in {language}", _sample(off, failed=1, statuses="5.4.1", language=language)
    forwarded = line(S.FAILED, orcpt="rfc822;Anna.Rossi@example.test")
    yield "ORCPT", Sample(a_report(forwarded, headers=GIVEN_BACK), ("Anna.Rossi@example.test",), (), ("5.3.0",))
    subject = "Visita è domani 🎉 " * 40
    yield "a long subject beyond ASCII", _sample(off, failed=1, statuses="5.4.1", subject=subject)
    eight_bit = GIVEN_BACK + "Subject: Visità\r\n".encode("latin-1")
    yield "8-bit header given back", _sample(off, failed=1, statuses="5.4.1", headers=eight_bit)
    utf8 = GIVEN_BACK + "To: Zoë <zoë@example.test>\r\nSubject: Città\r\n".encode()
    yield "UTF-8 header given back", _sample(off, failed=1, statuses="5.4.1", headers=utf8)
    endless = GIVEN_BACK + b"X-Long: " + b"x" * 3_000 + b"\r\n"
    yield "a line of 3,000 octets given back", _sample(off, failed=1, statuses="5.4.1", headers=endless)
    everybody = [line(S.FAILED, _phone(number), reason=Reason.LANDLINE) for number in range(1_000)]
    yield "1,000 phones", _sample(*everybody, failed=1_000, statuses="5.7.1 " * 1_000)
    yield "header no longer kept", _sample(off, failed=1, statuses="5.4.1", headers=b"")


SAMPLES: Mapping[str, Sample] = dict(_samples())
"""By what is special about each."""

BEYOND_ASCII = _sample(line(S.FAILED, address="+39è@sms.example.test"), failed=1, statuses="5.3.0")
"""An address as RFC 6533 writes it; few programs know that."""
