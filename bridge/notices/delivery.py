"""The delivery report: what became of a mail's text messages, for the person and for the mail client (RFC 3464).

One report speaks of all recipients of one mail, the worst outcome first: in the sentences, in the repeated
`X-SMS-…` headers, whose n-th values belong together, and in the machine-readable part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from bridge.errors import STATUS, Reason
from bridge.notices import mime
from bridge.notices.address import called
from bridge.notices.letter import Heading
from bridge.notices.wording import WORDINGS, Wording
from bridge.types import MessageState, OutgoingMail, Report, ReportLine, Ret

MAX_TEXT = 2_000
"""Characters of the text that a report repeats: more than six segments hold, so only a refused text is ever cut."""
MAX_LISTED = 100
"""Recipients named in the headers; relays limit the size of a header block, and the machine-readable part names all."""


@dataclass(frozen=True, slots=True)
class _Fate:
    """How a state is told: Action (RFC 3464 section 2.3.3), Status when no reason says better, `X-SMS-Status`."""

    action: str
    status: str
    shown: MessageState


_FATES: dict[MessageState, _Fate] = {
    MessageState.REFUSED: _Fate("failed", "5.7.1", MessageState.REFUSED),
    MessageState.FAILED: _Fate("failed", "5.3.0", MessageState.FAILED),
    MessageState.UNDELIVERED: _Fate("failed", "5.4.1", MessageState.UNDELIVERED),
    MessageState.EXPIRED: _Fate("failed", "5.4.7", MessageState.EXPIRED),
    MessageState.CANCELLED: _Fate("failed", "5.7.0", MessageState.FAILED),
    MessageState.UNKNOWN: _Fate("delayed", "4.4.7", MessageState.UNKNOWN),
    MessageState.SENT: _Fate("relayed", "2.0.0", MessageState.SENT),
    MessageState.DELIVERED: _Fate("delivered", "2.1.5", MessageState.DELIVERED),
}
"""The states a report can speak of, the worst first. Unknown is not final, so it is never `failed`: another report
follows if the truth comes out. `relayed` says that no receipt will come."""

_UNEXPLAINED: dict[MessageState, str] = {
    MessageState.EXPIRED: "reason.validity_expired",
    MessageState.CANCELLED: "reason.cancelled",
    MessageState.UNKNOWN: "reason.no_answer",
    MessageState.SENT: "sent",
}
"""What is said of a state that came without a reason, where the state says something by itself."""

_RANK = {state: rank for rank, state in enumerate(_FATES)}


def report(report: Report, hostname: str, domain: str) -> OutgoingMail:
    """The mail that tells the sender of a mail what became of it.

    `hostname` is the bridge's own name (Reporting-MTA), `domain` the one that phone addresses are in. A line in a
    state that is still open is a mistake of the caller and raises ValueError.
    """
    pending = [line.state for line in report.lines if line.state not in _FATES]
    if pending or not report.lines:
        raise ValueError(f"nothing to report yet: {', '.join(pending) or 'no recipients'}")
    lines = sorted(report.lines, key=lambda line: _RANK[line.state])
    wording = WORDINGS[report.mailbox.language]
    parts = [mime.text_part(_letter(report, lines, wording)), _status_part(report, lines, hostname)]
    if report.headers.strip():
        parts.append(mime.headers_part(report.headers))
    raw = _headers(report, lines, wording, domain) + mime.multipart(
        "multipart/report; report-type=delivery-status", report.notice_id, parts
    )
    return OutgoingMail(id=report.notice_id, envelope_from="", envelope_to=report.to, raw=raw)


def _headers(report: Report, lines: Sequence[ReportLine], wording: Wording, domain: str) -> bytes:
    heading = Heading(
        mail_id=report.notice_id,
        name=wording.say(f"state.{lines[0].state}.name"),
        to=report.to,
        subject=mime.answer_subject(report.subject) or wording.say("subject.report"),
        at=report.created_at.astimezone(ZoneInfo(report.mailbox.timezone)),
        domain=domain,
        answered=report.message_id,
        references=report.references,
    )
    fields = [heading.fields()]
    reference = _reference(report)
    if reference:
        fields.append(mime.text_field("X-SMS-Reference", reference))
    for line in lines[:MAX_LISTED]:
        fields.extend(_sms_fields(line))
    return b"".join(fields)


def _reference(report: Report) -> str | None:
    """What the whole report answers by: the mail's own reference, or the one that all its addresses had."""
    given = {line.reference for line in report.lines}
    return report.reference or (given.pop() if len(given) == 1 else None)


def _sms_fields(line: ReportLine) -> Iterator[bytes]:
    yield mime.machine_field("X-SMS-Message-Id", line.message_id)
    if line.number:
        yield mime.machine_field("X-SMS-Number", line.number)
    yield mime.machine_field("X-SMS-Status", _FATES[line.state].shown)
    yield mime.machine_field("X-SMS-Segments", str(line.segments))


# ------------------------------------------------------------------------------------------ for the mail client


def _status_part(report: Report, lines: Sequence[ReportLine], hostname: str) -> bytes:
    """The `message/delivery-status` part: fields of the mail, then a block a recipient (RFC 3464 section 2.1)."""
    # RFC 3464 section 2.2.3 wants DSN-Gateway in a report that was translated from a foreign one, and nowhere else.
    # Translated is a report that says nothing but what one gateway's receipts said. As soon as one recipient was
    # decided by the bridge, or two gateways had their say, the report as a whole is the bridge's own finding: then the
    # bridge is the Reporting-MTA, and Remote-MTA names for each recipient whose receipt it rests on (section 2.3.5).
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
    yield mime.machine_field("Action", _FATES[line.state].action)
    yield mime.machine_field("Status", _status(line))
    if line.gateway and name_remote:
        yield mime.machine_field("Remote-MTA", f"x-smsc; {line.gateway}")
    said = mime.one_line(line.diagnostic or line.detail)
    if said:
        yield mime.machine_field("Diagnostic-Code", f"x-sms; {said}")
    # The time of a receipt is the network's last attempt. Of our own decisions the last attempt is not known here, and
    # section 2.3.7 forbids to guess it.
    if line.gateway and line.settled_at:
        yield mime.machine_field("Last-Attempt-Date", _date(line.settled_at, report))
    yield from _sms_fields(line)
    if line.reference:
        yield mime.text_field("X-SMS-Reference", line.reference)


def _status(line: ReportLine) -> str:
    fate = _FATES[line.state]
    return STATUS[line.reason] if line.reason and fate.action == "failed" else fate.status


def _typed(address: str) -> str:
    """The recipient exactly as it was received; one that is not ASCII in the 7-bit form of RFC 6533 section 3."""
    if address.isascii():
        return f"rfc822; {address}"
    escaped = re.sub(r"[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]", lambda found: rf"\x{{{ord(found[0]):02X}}}", address)
    return f"utf-8; {escaped}"


def _date(when: datetime, report: Report) -> str:
    return format_datetime(when.astimezone(ZoneInfo(report.mailbox.timezone)))


# ---------------------------------------------------------------------------------------------- for the person


def _letter(report: Report, lines: Sequence[ReportLine], wording: Wording) -> str:
    """The human part: what happened, why and what to do, then the facts, then the text."""
    paragraphs = [_outcome(lines[0], wording)] if len(lines) == 1 else _outcomes(lines, wording)
    if report.ret is Ret.FULL and _FATES[lines[0].state].action == "failed":
        paragraphs.append(wording.say("headers_only"))
    paragraphs.append("\n".join(_facts(report, lines, wording)))
    texts = dict.fromkeys(mime.lines_of(line.text).strip() for line in lines)
    paragraphs.extend(
        f"{wording.say('fact.text')}\n\n{text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + ' …'}"
        for text in texts
        if text
    )
    return "\n\n".join(paragraphs)


def _outcome(line: ReportLine, wording: Wording) -> str:
    return "\n\n".join((wording.say(f"state.{line.state}.one", number=_number(line)), *_explained(line, wording)))


def _outcomes(lines: Sequence[ReportLine], wording: Wording) -> list[str]:
    """A paragraph for all recipients who share an outcome and its reason."""
    paragraphs = [wording.say("many", count=len(lines))]
    for state, same_state in groupby(lines, key=lambda line: line.state):
        by_reason: dict[Reason | None, list[ReportLine]] = {}
        for line in same_state:
            by_reason.setdefault(line.reason, []).append(line)
        for alike in by_reason.values():
            heading = wording.say("heading", state=wording.say(f"state.{state}.heading"), count=len(alike))
            numbers = (f"  {_number(line)}" for line in alike)
            paragraphs.append("\n".join((heading, *numbers, *_explained(alike[0], wording))))
    return paragraphs


def _explained(line: ReportLine, wording: Wording) -> tuple[str, ...]:
    """Why it came so and what to do; nothing for a message that arrived."""
    if line.state is MessageState.DELIVERED:
        return ()
    told = line.reason is not None and line.state is not MessageState.SENT
    key = f"reason.{line.reason}" if told else _UNEXPLAINED.get(line.state, "unexplained")
    return (f"{wording.say(f'{key}.why')} {wording.say(f'{key}.do')}",)


def _facts(report: Report, lines: Sequence[ReportLine], wording: Wording) -> Iterator[str]:
    timezone = report.mailbox.timezone
    yield f"{wording.say('fact.mail')} {wording.moment(report.received_at, timezone)}"
    if len(lines) == 1 and lines[0].settled_at:
        yield f"{wording.say('fact.settled')} {wording.moment(lines[0].settled_at, timezone)}"
    reference = _reference(report)
    if reference:
        yield f"{wording.say('fact.reference')} {mime.one_line(reference)}"
    for line in lines:
        if line.reference and line.reference != reference:
            yield f"{wording.say('fact.reference')} {mime.one_line(line.reference)}, {_number(line)}"
        said = mime.one_line(line.diagnostic or line.detail)
        if len(lines) == 1 or said:
            yield f"{wording.say('fact.support')} {', '.join(filter(None, (line.message_id, said)))}"


def _number(line: ReportLine) -> str:
    return called(line.number, line.contact) if line.number else mime.one_line(line.address)
