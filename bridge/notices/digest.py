"""The digest: the mail that tells once a day what became of a mailbox's texts, with all of them in a table.

It goes to people who did not write the texts, and perhaps into one place with other mailboxes' digests; so the subject
names the mailbox, and each address gets a mail of its own.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from bridge.notices import mime
from bridge.notices.address import called
from bridge.notices.letter import Heading
from bridge.notices.sheet import Sheet, sheet
from bridge.notices.wording import WORDINGS, Wording
from bridge.types import Digest, DigestText, Intent, Mailbox, MessageState, OutgoingMail
from bridge.types.digest import LOST

_WAITING = frozenset({MessageState.HELD, MessageState.QUEUED, MessageState.SENDING})
_SEPARATE = (MessageState.DELIVERED, MessageState.SENT, MessageState.UNKNOWN)
_KEYWORDS = 20
"""Keywords that are counted; the most frequent ones."""
_SUBJECT = 80
"""Characters of a subject in a list."""
_CELL = 'style="padding:2px 12px 2px 0;text-align:left;font-weight:normal"'


@dataclass(frozen=True, slots=True)
class _List:
    """Texts below a heading."""

    heading: str
    lines: tuple[str, ...]


def digest(mailbox: Mailbox, told: Digest, domain: str) -> tuple[OutgoingMail, ...]:
    """The digest of a mailbox, a mail for each address of its plan; `domain` is the one that phone addresses are in."""
    wording = WORDINGS[mailbox.language]
    table = sheet(told, wording, mailbox.timezone)
    intro = wording.say(
        "digest.intro", login=mime.one_line(mailbox.login), since=wording.moment(told.since, mailbox.timezone)
    )
    counts = tuple(_counts(told, wording))
    lists = tuple(_lists(told, wording, mailbox.timezone))
    remarks = tuple(_remarks(told, table, wording))
    attached = mime.attachment_part(table.data, "text/csv; charset=utf-8", f"sms-{told.day.isoformat()}.csv")
    mails = []
    for place, address in enumerate(mailbox.digest.to, 1):
        footer = wording.say("digest.footer", address=mime.one_line(address), hour=f"{mailbox.digest.at:%H:%M}")
        said = (
            mime.text_part(_plain(intro, counts, lists, (*remarks, footer))),
            mime.text_part(_html(intro, counts, lists, (*remarks, footer), wording), "html"),
        )
        mail_id = f"digest.{mailbox.id}.{told.day.isoformat()}.{place}"
        heading = Heading(
            mail_id=mail_id,
            name=wording.say("digest.name"),
            to=address,
            subject=wording.say("subject.digest", login=mailbox.login, day=_day(told.day, wording)),
            at=told.at.astimezone(ZoneInfo(mailbox.timezone)),
            domain=domain,
            automatic="auto-generated",
        )
        words = mime.multipart("multipart/alternative", f"words.{mail_id}", said)
        raw = heading.fields() + mime.multipart("multipart/mixed", mail_id, (words, attached))
        mails.append(OutgoingMail(id=mail_id, envelope_from="", envelope_to=address, raw=raw))
    return tuple(mails)


def _day(day: date, wording: Wording) -> str:
    return wording.say("invitation.day", day=day.day, month=wording.months[day.month - 1], year=day.year)


def _counts(told: Digest, wording: Wording) -> Iterator[tuple[str, int]]:
    """What is counted, and how many; what is asked for every day is there even when it is none."""
    yield wording.say("digest.texts"), told.texts
    for state in _SEPARATE:
        if state is MessageState.DELIVERED or told.states.get(state):
            yield wording.say(f"state.{state}.heading"), told.states.get(state, 0)
    yield wording.say("digest.lost"), told.count(LOST)
    if told.count(_WAITING):
        yield wording.say("digest.waiting"), told.count(_WAITING)
    if told.states.get(MessageState.CANCELLED):
        yield wording.say("state.cancelled.heading"), told.states[MessageState.CANCELLED]
    yield wording.say("digest.answered"), told.answered
    yield wording.say("digest.unanswered"), told.unanswered
    yield wording.say("digest.answers"), told.answers
    for intent in Intent:
        count = sum(answer.intent is intent for answer in told.answers_listed)
        if count:
            yield wording.say("digest.among", what=wording.say(f"digest.intent.{intent}")), count
    keywords = Counter(answer.keyword for answer in told.answers_listed if answer.keyword)
    for word, count in sorted(keywords.items(), key=lambda each: (-each[1], each[0]))[:_KEYWORDS]:
        yield wording.say("digest.with_keyword", word=mime.one_line(word)), count


def _lists(told: Digest, wording: Wording, timezone: str) -> Iterator[_List]:
    lost = told.count(LOST) + told.states.get(MessageState.UNKNOWN, 0)
    if told.silent:
        yield _list("silent", told.silent, told.silent_phones, wording, timezone)
    if told.lost:
        yield _list("missing", told.lost, lost, wording, timezone, with_state=True)


def _list(
    name: str, texts: Sequence[DigestText], count: int, wording: Wording, timezone: str, *, with_state: bool = False
) -> _List:
    lines = [_line(text, wording, timezone, with_state=with_state) for text in texts]
    if count > len(lines):
        lines.append(wording.say("preview.further", count=count - len(lines)))
    return _List(wording.say(f"digest.{name}", count=count), tuple(lines))


def _line(text: DigestText, wording: Wording, timezone: str, *, with_state: bool) -> str:
    subject = mime.one_line(text.subject)
    said = [
        called(text.number, text.contact),
        subject if len(subject) <= _SUBJECT else f"{subject[: _SUBJECT - 1].rstrip()}…",
        wording.moment(text.at, timezone),
        wording.say(f"digest.state.{text.state}") if with_state else "",
    ]
    return " · ".join(each for each in said if each)


def _remarks(told: Digest, table: Sheet, wording: Wording) -> Iterator[str]:
    total = told.texts + told.answers
    if table.lines < total:
        yield wording.say("digest.attached_newest", count=table.lines, total=total)
    else:
        yield wording.say("digest.attached")
    if len(told.answers_listed) < told.answers:
        yield wording.say("digest.intents_of_newest", count=len(told.answers_listed))


def _plain(intro: str, counts: Sequence[tuple[str, int]], lists: Sequence[_List], remarks: Sequence[str]) -> str:
    table = "\n".join(f"{name}: {count}" for name, count in counts)
    shown = ("\n".join((each.heading, *(f"- {line}" for line in each.lines))) for each in lists)
    return "\n\n".join((intro, table, *shown, *remarks))


def _html(
    intro: str, counts: Sequence[tuple[str, int]], lists: Sequence[_List], remarks: Sequence[str], wording: Wording
) -> str:
    """The same as HTML; each line that holds words of others in its own direction."""
    table = "".join(
        f'<tr><th {_CELL}>{html.escape(name)}</th><td style="text-align:right">{count}</td></tr>\n'
        for name, count in counts
    )
    shown = "".join(
        f"<p><b>{html.escape(each.heading)}</b></p>\n<ul>\n"
        + "".join(f'<li dir="auto">{html.escape(line)}</li>\n' for line in each.lines)
        + "</ul>\n"
        for each in lists
    )
    below = "".join(f'<p style="color:#555555">{html.escape(remark)}</p>\n' for remark in remarks)
    return (
        f'<!DOCTYPE html>\n<html lang="{wording.language}">\n<head><meta charset="utf-8"></head>\n<body>\n'
        f"<p>{html.escape(intro)}</p>\n<table>\n{table}</table>\n{shown}<hr>\n{below}</body>\n</html>"
    )
