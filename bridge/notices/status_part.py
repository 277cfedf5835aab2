"""What a delivery report says to programs: its `message/delivery-status` part and its own fields; below `delivery`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from bridge.errors import STATUS
from bridge.notices import mime
from bridge.types import Hindrance, MessageState, Report, ReportLine


class Fate(StrEnum):
    """What became of a text, as reports tell it; the worst first."""

    REFUSED = "refused"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    LATE = "late"
    SENT = "sent"
    DELIVERED = "delivered"

    @property
    def action(self) -> str:
        """RFC 3464 section 2.3.3. Unknown is not final, so it is never `failed`: another report follows if the truth
        comes out. `relayed` says that it was handed over."""
        return _ACTIONS.get(self, "failed")

    @property
    def shown(self) -> str:
        """The value of `X-SMS-Status`."""
        return _SHOWN.get(self, self.value)


_ACTIONS = {Fate.UNKNOWN: "delayed", Fate.LATE: "delayed", Fate.SENT: "relayed", Fate.DELIVERED: "delivered"}
_SHOWN = {Fate.CANCELLED: "failed", Fate.LATE: "delayed"}

_STATUS = {
    Fate.REFUSED: "5.7.1",
    Fate.FAILED: "5.3.0",
    Fate.UNDELIVERED: "5.4.1",
    Fate.EXPIRED: "5.4.7",
    Fate.CANCELLED: "5.7.0",
    Fate.UNKNOWN: "4.4.7",
    Fate.SENT: "2.0.0",
    Fate.DELIVERED: "2.1.5",
}
"""RFC 3463, where no reason says better."""

_LATE_STATUS = {
    Hindrance.TURN: "4.4.5",
    Hindrance.AWAY: "4.4.1",
    Hindrance.BUSY: "4.4.5",
    Hindrance.PHONE: "4.4.1",
    Hindrance.UNDECIDED: "4.7.1",
    Hindrance.PAUSED: "4.2.1",
}
_BY_IS_OVER = "4.4.7"
"""The delivery time that BY named has passed (RFC 2852)."""


def fate_of(line: ReportLine) -> Fate:
    """How a recipient's state is told. Raises ValueError for one that there is nothing to tell of."""
    if line.hindrance is not None:
        return Fate.LATE
    if line.state in (MessageState.HELD, MessageState.QUEUED, MessageState.SENDING):
        raise ValueError(f"nothing to report yet: {line.state}")
    return Fate(line.state.value)


def sms_fields(line: ReportLine) -> Iterator[bytes]:
    """The fields of our own about one recipient."""
    yield mime.machine_field("X-SMS-Message-Id", line.message_id)
    if line.number:
        yield mime.machine_field("X-SMS-Number", line.number)
    yield mime.machine_field("X-SMS-Status", fate_of(line).shown)
    yield mime.machine_field("X-SMS-Segments", str(line.segments))


def status_part(report: Report, lines: Sequence[ReportLine], hostname: str) -> bytes:
    """Fields of the mail, then a block a recipient (RFC 3464 section 2.1)."""
    # RFC 3464 section 2.2.3 wants DSN-Gateway in a report that was translated from a foreign one, and nowhere else.
    # Translated is a report that says nothing but what one gateway's receipts said. As soon as one recipient was
    # decided by the bridge, or two gateways had their say, the report as a whole is the bridge's own finding: then the
    # bridge is the Reporting-MTA, and Remote-MTA names for each recipient whose word it rests on (section 2.3.5).
    gateways = {line.gateway for line in lines}
    translated = len(gateways) == 1 and "" not in gateways
    if translated:
        fields = [
            mime.machine_field("Reporting-MTA", f"x-smsc; {lines[0].gateway}"),
            mime.machine_field("DSN-Gateway", f"dns; {hostname}"),
        ]
    else:
        fields = [mime.machine_field("Reporting-MTA", f"dns; {hostname}")]
    if report.envid:
        fields.insert(0, mime.machine_field("Original-Envelope-Id", report.envid))
    fields.append(mime.machine_field("Arrival-Date", _date(report.received_at, report)))
    if report.deliver_by is not None:
        fields.append(mime.machine_field("Deliver-By-Date", _date(report.deliver_by, report)))
    if report.release is not None:
        fields.append(mime.machine_field("Future-Release-Request", report.release))
    for line in lines:
        fields.append(b"\r\n")
        fields.extend(_recipient_fields(report, line, name_remote=not translated))
    return b"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + b"".join(fields)


def _recipient_fields(report: Report, line: ReportLine, *, name_remote: bool) -> Iterator[bytes]:
    kind, _, address = (line.orcpt or "").partition(";")
    if address.strip():
        original = address.strip()
        yield mime.machine_field(
            "Original-Recipient", f"{kind.strip()}; {original}" if original.isascii() else _typed(original)
        )
    yield mime.machine_field("Final-Recipient", _typed(line.address))
    yield mime.machine_field("Action", fate_of(line).action)
    yield mime.machine_field("Status", _status(report, line))
    remote = line.gateway or line.remote
    if remote and name_remote:
        yield mime.machine_field("Remote-MTA", f"x-smsc; {remote}")
    said = mime.one_line(line.diagnostic or line.detail)
    if said:
        yield mime.machine_field("Diagnostic-Code", f"x-sms; {said}")
    if line.tried_at is not None:
        yield mime.machine_field("Last-Attempt-Date", _date(line.tried_at, report))
    if line.tried_until is not None and line.hindrance is not None:
        yield mime.machine_field("Will-Retry-Until", _date(line.tried_until, report))
    yield from sms_fields(line)
    if line.reference:
        yield mime.text_field("X-SMS-Reference", line.reference)


def _status(report: Report, line: ReportLine) -> str:
    fate = fate_of(line)
    if line.hindrance is not None:
        over = report.deliver_by is not None and report.deliver_by <= report.created_at
        return _BY_IS_OVER if over else _LATE_STATUS[line.hindrance]
    return STATUS[line.reason] if line.reason and fate.action == "failed" else _STATUS[fate]


def _typed(address: str) -> str:
    """The recipient exactly as it was received; one that is not ASCII in the 7-bit form of RFC 6533 section 3."""
    if address.isascii():
        return f"rfc822; {address}"
    escaped = re.sub(r"[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]", lambda found: rf"\x{{{ord(found[0]):02X}}}", address)
    return f"utf-8; {escaped}"


def _date(when: datetime, report: Report) -> str:
    """With a numeric zone, as RFC 3464 section 2.2.5 wants it."""
    return format_datetime(when.astimezone(ZoneInfo(report.mailbox.timezone)))
