"""The delivery report: what became of a mail's text messages, for the person and for the mail client (RFC 3464).

One report speaks of all recipients of one mail, the worst outcome first: in the sentences, in the repeated
`X-SMS-…` headers, whose n-th values belong together, and in the machine-readable part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bridge.notices import mime
from bridge.notices.address import called
from bridge.notices.letter import answering
from bridge.notices.status_part import Fate, fate_of, sms_fields, status_part
from bridge.notices.wording import WORDINGS, Wording
from bridge.types import Hindrance, OutgoingMail, Report, ReportLine, Ret

MAX_TEXT = 2_000
"""Characters of the text that a report repeats: more than six segments hold, so only a refused text is ever cut."""
MAX_LISTED = 100
"""Recipients named in the headers; relays limit the size of a header block, and the machine-readable part names all."""


_UNEXPLAINED: dict[Fate, str] = {
    Fate.EXPIRED: "reason.validity_expired",
    Fate.CANCELLED: "reason.cancelled",
    Fate.UNKNOWN: "reason.no_answer",
    Fate.SENT: "sent",
}
"""What is said of a fate that came without a reason, where it says something by itself."""

_SOMEBODY_DECIDES = frozenset({Hindrance.UNDECIDED, Hindrance.PAUSED})
"""What a text waits for that somebody has to do; of all else it is said that nobody has."""

_RANK = {fate: rank for rank, fate in enumerate(Fate)}


def report(report: Report, hostname: str, domain: str) -> OutgoingMail:
    """The mail that tells the sender of a mail what became of it.

    `hostname` is the bridge's own name (Reporting-MTA), `domain` the one that phone addresses are in. A line in a
    state that is still open is a mistake of the caller and raises ValueError.
    """
    if not report.lines:
        raise ValueError("nothing to report yet: no recipients")
    lines = sorted(report.lines, key=lambda line: _RANK[fate_of(line)])
    wording = WORDINGS[report.mailbox.language]
    parts = [mime.text_part(_letter(report, lines, wording)), status_part(report, lines, hostname)]
    if report.headers.strip():
        parts.append(mime.headers_part(report.headers))
    raw = _headers(report, lines, wording, domain) + mime.multipart(
        "multipart/report; report-type=delivery-status", report.notice_id, parts
    )
    return OutgoingMail(id=report.notice_id, envelope_from="", envelope_to=report.to, raw=raw)


def _headers(report: Report, lines: Sequence[ReportLine], wording: Wording, domain: str) -> bytes:
    name, subject = wording.say(f"state.{fate_of(lines[0])}.name"), wording.say("subject.report")
    heading = answering(report, domain, name=name, subject=subject)
    fields = [heading.fields()]
    reference = _reference(report)
    if reference:
        fields.append(mime.text_field("X-SMS-Reference", reference))
    for line in lines[:MAX_LISTED]:
        fields.extend(sms_fields(line))
    return b"".join(fields)


def _reference(report: Report) -> str | None:
    """What the whole report answers by: the mail's own reference, or the one that all its addresses had."""
    given = {line.reference for line in report.lines}
    return report.reference or (given.pop() if len(given) == 1 else None)


# ---------------------------------------------------------------------------------------------- for the person


def _letter(report: Report, lines: Sequence[ReportLine], wording: Wording) -> str:
    """The human part: what happened, why and what to do, then the facts, then the text."""
    paragraphs = [_outcome(lines[0], report, wording)] if len(lines) == 1 else _outcomes(lines, report, wording)
    if report.ret is Ret.FULL and fate_of(lines[0]).action == "failed":
        paragraphs.append(wording.say("headers_only"))
    paragraphs.append("\n".join(_facts(report, lines, wording)))
    texts = dict.fromkeys(mime.lines_of(line.text).strip() for line in lines)
    paragraphs.extend(
        f"{wording.say('fact.text')}\n\n{text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + ' …'}"
        for text in texts
        if text
    )
    return "\n\n".join(paragraphs)


def _outcome(line: ReportLine, report: Report, wording: Wording) -> str:
    return "\n\n".join(
        (wording.say(f"state.{fate_of(line)}.one", number=_number(line)), *_explained(line, report, wording))
    )


def _outcomes(lines: Sequence[ReportLine], report: Report, wording: Wording) -> list[str]:
    """A paragraph for all recipients who share an outcome and what is said of it."""
    paragraphs = [wording.say("many", count=len(lines))]
    for fate, same_fate in groupby(lines, key=fate_of):
        by_sentence: dict[tuple[str, ...], list[ReportLine]] = {}
        for line in same_fate:
            by_sentence.setdefault(_explained(line, report, wording), []).append(line)
        for sentences, alike in by_sentence.items():
            heading = wording.say("heading", state=wording.say(f"state.{fate}.heading"), count=len(alike))
            numbers = (f"  {_number(line)}" for line in alike)
            paragraphs.append("\n".join((heading, *numbers, *sentences)))
    return paragraphs


def _explained(line: ReportLine, report: Report, wording: Wording) -> tuple[str, ...]:
    """Why it came so and what to do; nothing for a message that arrived."""
    fate = fate_of(line)
    if fate is Fate.DELIVERED:
        return ()
    if line.hindrance is not None:
        return (_late(line, line.hindrance, report, wording),)
    told = line.reason is not None and fate is not Fate.SENT
    key = f"reason.{line.reason}" if told else _UNEXPLAINED.get(fate, "unexplained")
    return (f"{wording.say(f'{key}.why')} {wording.say(f'{key}.do')}",)


def _late(line: ReportLine, hindrance: Hindrance, report: Report, wording: Wording) -> str:
    """What is known of a text that has not arrived, that it must not be sent again, and what will be heard of it."""
    sentences = [wording.say(f"late.{hindrance}")]
    if hindrance not in _SOMEBODY_DECIDES:
        sentences.append(wording.say("late.nothing"))
    sentences.append(wording.say("late.not_again"))
    if line.tried_until is None:
        sentences.append(wording.say("late.open"))
    else:
        until = wording.moment(line.tried_until, report.mailbox.timezone)
        sentences.append(wording.say("late.until", until=until))
    return " ".join(sentences)


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
