"""The answer to `preview@…`: what a mail would send, so that its author can see it before anybody is texted.

It is written for a phone's screen: what would happen in one sentence, then each text between bars, which show every
blank and every empty line of it, then what was left out and who would get nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from bridge.notices import mime
from bridge.notices.address import called
from bridge.notices.letter import answering, letter
from bridge.notices.wording import WORDINGS, Wording
from bridge.sms import look_alikes
from bridge.sms.expense import most_expensive
from bridge.sms.gsm7 import DEFAULT
from bridge.sms.numbers import international
from bridge.types import (
    Cut,
    CutRule,
    Encoded,
    Encoding,
    MessageClass,
    NewMessage,
    OutgoingMail,
    Preview,
    PreviewNotice,
    PreviewRefusal,
    Priority,
    UnicodePolicy,
)

MAX_LISTED = 50
"""Phones, refused recipients or cuts that are named one by one."""
MAX_CHARACTERS = 5
"""Costly characters that are named one by one."""
MAX_TEXT = 2_000
"""Characters shown of a text that is not sent; one that is, is shown whole."""
MAX_CUT_LINES = 6
MAX_CUT = 400
"""Characters of a cut that are shown, in so many lines at the most."""

_AROUND_BREAK = 20
"""Characters shown on each side of the border between two SMS."""
_BAR, _NEW_LINE, _MORE = "│", "↵", "…"
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)
"""The last moment that can be told in every time zone."""


def previewed(notice: PreviewNotice, domain: str) -> OutgoingMail:
    """The mail that tells what a mail would send, in its thread; `domain` is the one that phone addresses are in."""
    wording = WORDINGS[notice.mailbox.language]
    name, subject = wording.say("preview.name"), wording.say("subject.preview")
    heading = answering(notice, domain, name=name, subject=subject)
    return letter(heading, _paragraphs(notice, wording))


def foreign_characters(encoded: Encoded, policy: UnicodePolicy) -> dict[str, int]:
    """The characters that keep a text out of the basic alphabet, each with its first position, from 1; without those
    that would have been replaced, and without what is only seen on another character."""
    if encoded.encoding is Encoding.GSM7:
        return {}
    replaced = policy is UnicodePolicy.TRANSLITERATE
    outside = look_alikes.kept_out(encoded.text, DEFAULT) if replaced else set(encoded.text) - DEFAULT.characters
    found: dict[str, int] = {}
    for position, char in enumerate(encoded.text, 1):
        if char in outside:
            found.setdefault(char, position)
    seen = {char: position for char, position in found.items() if unicodedata.category(char)[0] not in "MC"}
    return seen or found


def breaks_of(encoded: Encoded) -> list[str]:
    """Where a text of several SMS is cut: the words on either side of each border, a bar between them."""
    return [
        f"{number}/{number + 1}: {_tail(before)}{_BAR}{_head(after)}"
        for number, (before, after) in enumerate(pairwise(encoded.segments), 1)
    ]


# ------------------------------------------------------------------------------------------------- the letter


def _paragraphs(notice: PreviewNotice, wording: Wording) -> Iterator[str]:
    preview = notice.preview
    yield _outcome(preview, wording)
    yield wording.say("preview.trial")
    for same in alike(preview.messages):
        yield "\n".join(_facts(notice, same, wording))
        encoded = same[0].encoded
        yield "\n".join((wording.say("preview.text"), "", *_framed(encoded.text)))
        if len(encoded.segments) > 1:
            yield "\n".join((wording.say("preview.breaks"), *_listed(breaks_of(encoded), wording)))
    yield from _refusals(preview, wording)
    read = preview.submission
    if read is not None and not preview.messages:
        yield "\n".join((wording.say("fact.text"), "", *_framed(read.text[:MAX_TEXT])))
        if len(read.text) > MAX_TEXT:
            yield f"[{_MORE}]"
    if preview.cuts:
        yield wording.say("preview.cuts")
        for cut in preview.cuts[:MAX_LISTED]:
            yield "\n".join(_cut(cut, wording))
    if preview.warnings:
        yield "\n".join(f"{wording.say('preview.note')} {mime.one_line(warning)}" for warning in preview.warnings)


def _outcome(preview: Preview, wording: Wording) -> str:
    messages = preview.messages
    segments = sum(len(message.encoded.segments) for message in messages)
    if not messages:
        return wording.say("preview.nobody")
    if len(messages) > 1:
        said = wording.say("preview.many", segments=segments, count=len(messages))
    elif messages[0].number:
        phone = called(messages[0].number, messages[0].contact)
        said = wording.say("preview.one", segments=segments, phone=phone)
    else:
        said = wording.say("preview.unaddressed", segments=segments)
    if preview.refused:
        said += f" {wording.say('preview.also_refused', count=len(preview.refused))}"
    return said


def alike(messages: Sequence[NewMessage]) -> list[list[NewMessage]]:
    """The messages that differ in nothing but the phone, together."""
    found: dict[tuple[object, ...], list[NewMessage]] = {}
    for each in messages:
        kind = each.encoded, each.sender, each.pool, each.message_class, each.due_at, each.expires_at
        found.setdefault((*kind, each.priority, each.flash, each.reference), []).append(each)
    return list(found.values())


def _facts(notice: PreviewNotice, messages: Sequence[NewMessage], wording: Wording) -> Iterator[str]:
    message, preview, timezone = messages[0], notice.preview, notice.mailbox.timezone
    if len(messages) > 1:
        yield wording.say("preview.to")
        yield from _listed([called(each.number, each.contact) for each in messages], wording)
    elif message.number:
        yield f"{wording.say('preview.to')} {called(message.number, message.contact)}"
    yield from _size(message.encoded, preview.policy(notice.mailbox.unicode), wording)
    senders = " / ".join(map(international, (message.sender, *message.pool)))
    yield f"{wording.say('preview.sender')} {senders}"
    if message.message_class is not MessageClass.TRANSACTIONAL:
        yield f"{wording.say('preview.class')} {message.message_class}"
    if message.flash:
        yield wording.say("preview.flash")
    if message.priority is Priority.HIGH:
        yield wording.say("preview.high")
    if message.due_at > notice.created_at:
        yield f"{wording.say('preview.send_at')} {wording.moment(min(message.due_at, _LATEST), timezone)}"
    if message.expires_at is not None:
        yield f"{wording.say('preview.expires')} {wording.moment(min(message.expires_at, _LATEST), timezone)}"
    reference = preview.reference_of(message)
    if reference is not None:
        yield f"{wording.say('fact.reference')} {mime.one_line(reference)}"


def _size(encoded: Encoded, policy: UnicodePolicy, wording: Wording) -> Iterator[str]:
    """How many SMS a text takes, in which alphabet, and which of its characters make it more than it had to be."""
    alphabet = "national" if encoded.shift is not None else encoded.encoding.value
    yield f"{wording.say('preview.size')} {len(encoded.segments)}"
    yield f"{wording.say('preview.alphabet')} {wording.say(f'preview.{alphabet}')}"
    yield f"{wording.say('preview.left')} {encoded.units_left}"
    places = foreign_characters(encoded, policy)
    found = most_expensive(encoded, policy)
    if places:
        yield f"{wording.say('preview.foreign')} {_places(places, wording)}"
    elif found is not None:
        yield f"{wording.say('preview.double')} {_places({found.char: found.position}, wording)}"
    if found is not None:
        yield wording.say("preview.cheaper", segments=found.segments_without)


def _places(places: dict[str, int], wording: Wording) -> str:
    named = [
        wording.say("preview.place", character=_shown(char), position=position)
        for char, position in list(places.items())[:MAX_CHARACTERS]
    ]
    further = len(places) - len(named)
    return ", ".join(named) + (f" {wording.say('preview.further', count=further)}" if further else "")


def _refusals(preview: Preview, wording: Wording) -> Iterator[str]:
    """Who would get nothing, and why; without the recipients where the mail as a whole is what is refused."""
    reasons: dict[tuple[object, ...], list[PreviewRefusal]] = {}
    for each in preview.refused:
        reasons.setdefault((each.reason, each.reply), []).append(each)
    named = bool(preview.messages) or len(reasons) > 1
    for same in reasons.values():
        first = same[0]
        key = f"reason.{first.reason}"
        lines = [f"{wording.say(f'{key}.why')} {wording.say(f'{key}.do')}"]
        if named:
            listed = _listed([_address(each.address) for each in same], wording)
            lines = [wording.say("preview.refused"), *listed, *lines]
        yield "\n".join((*lines, wording.say("preview.reply"), f"  {mime.one_line(_answer(first))}"))


def _answer(refusal: PreviewRefusal) -> str:
    """The reply line, its sentence in all its characters."""
    code, enhanced, _ = refusal.reply.split(" ", 2)
    return " ".join((code, enhanced, refusal.sentence))


def _cut(cut: Cut, wording: Wording) -> Iterator[str]:
    yield f"{wording.say(f'preview.rule.{cut.rule.name.lower()}')}:"
    shown = mime.lines_of(cut.text[: 2 * MAX_CUT]).strip("\n")[:MAX_CUT]
    lines = shown.split("\n")
    whole = len(lines) <= MAX_CUT_LINES and len(cut.text.strip("\r\n")) <= len(shown)
    yield from (f"  - {line}".rstrip() for line in lines[:MAX_CUT_LINES])
    if not whole:
        yield f"  - [{_MORE}]"
    if cut.rule is CutRule.LEARNED_SIGNATURE:
        yield wording.say("preview.learned")


# ------------------------------------------------------------------------------------------------ small pieces


def _framed(text: str) -> Iterator[str]:
    """Each line between bars."""
    for line in mime.lines_of(text).split("\n"):
        yield f"{_BAR}{line}{_BAR}"


def _listed(lines: Sequence[str], wording: Wording) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:MAX_LISTED])
    if len(lines) > MAX_LISTED:
        yield f"  {wording.say('preview.further', count=len(lines) - MAX_LISTED)}"


def _address(address: str) -> str:
    """A recipient as people read it: its number, or what was written."""
    local = address.rpartition("@")[0]
    dialled = local.startswith("+") and local[1:].isdecimal() and local.isascii()
    return international(local) if dialled else mime.one_line(address)


def _shown(char: str) -> str:
    """A character as people can find it; one that cannot be seen by its code."""
    return f"“{char}”" if char.isprintable() and unicodedata.category(char)[0] not in "MCZ" else f"U+{ord(char):04X}"


def _tail(segment: str) -> str:
    kept = segment[-_AROUND_BREAK:]
    return (_MORE if len(kept) < len(segment) else "") + _marked(kept)


def _head(segment: str) -> str:
    kept = segment[:_AROUND_BREAK]
    return _marked(kept) + (_MORE if len(kept) < len(segment) else "")


def _marked(text: str) -> str:
    return mime.lines_of(text).replace("\n", _NEW_LINE)
