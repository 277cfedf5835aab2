"""The mail that brings a phone's answer: the phone's words, from an address that texts the phone when answered.

A person wrote it, so it is not marked Auto-Submitted (RFC 3834 section 5); answering machines are held off with
`X-Auto-Response-Suppress`. What the phone wrote is hostile until it has passed `mime` and, for HTML, `html.escape`.

The words come first, so that lists of mails show them and not the bridge's. Below stand, apart: what must be known to
answer; one small line that says when it came and why to this mailbox; the conversation so far. In plain text that line
is behind `-- ` (RFC 3676 section 4.3), which programs show in grey and leave out when they quote.

Reply-To is From once more. Answers go to From anyway; but a mailing list on the way may write its own address there for
the sake of DMARC (RFC 7960 section 4.1.3), and the answer must reach the phone all the same. It holds no secret: who
answers needs a login or a trusted network, as for any mail to a phone.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bridge.notices import bounces, earlier, enclosed, mime
from bridge.notices.address import phone_address, phone_field
from bridge.notices.bounces import BounceKey
from bridge.notices.earlier import Quotation
from bridge.notices.wording import WORDINGS, Wording
from bridge.sms.numbers import international
from bridge.types import Intent, Language, Match, Objection, OutgoingMail, ReplyNotice

_SEPARATOR = "* * *"
_SMALL_PRINT = "-- "

# Mail programs differ in what CSS they keep. What each must obey stands in the tags; Outlook's Word leaves out the
# wrapping of long words, which it does by itself, and Gmail the second colours, since it makes its own.
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>@media (prefers-color-scheme: dark) {{ .how, .earlier {{ color: #b8b8b8 !important }} }}</style></head>
<body>
<div style="font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.35">
{body}</div>
</body>
</html>"""
_WRAPPED = "overflow-wrap:break-word;word-break:break-word"
_WORDS = f'<p dir="auto" style="margin:0 0 16px 0;{_WRAPPED}">{{}}</p>\n'
_NOTE = (
    '<p style="border:none;border-left:solid #c77700 2.25pt;padding:0 0 0 8pt;margin:0 0 16px 0;font-size:14px;'
    f'{_WRAPPED}">{{}}</p>\n'
)
_HOW = f'<p class="how" style="margin:0 0 16px 0;font-size:12px;color:#595959;{_WRAPPED}">{{}}</p>\n'


@dataclass(frozen=True, slots=True)
class _Choice:
    """An address of ours to which an empty mail decides something."""

    what: str
    address: str
    subject: str
    """Filled in where the mail program can: some of them ask before they send a mail without one."""

    def as_plain(self) -> str:
        return f"{self.what}\n{self.address}"

    def as_html(self) -> str:
        """With a link (RFC 6068): its signs are spelt out, since some programs read a plus as a blank."""
        link = f"mailto:{quote(self.address, safe='@')}?subject={quote(self.subject)}"
        return f'{html.escape(self.what)}<br>\n<a href="{html.escape(link)}">{html.escape(self.address)}</a>'


@dataclass(frozen=True, slots=True)
class _Letter:
    """What the mail says, from its top to its end."""

    above: tuple[str, ...]
    choices: tuple[_Choice, ...]
    words: str
    remarks: tuple[str, ...]
    how: str
    quoted: tuple[Quotation, ...]

    def as_plain(self) -> str:
        above = (*self.above, *(each.as_plain() for each in self.choices))
        above = (*above, _SEPARATOR) if above else ()
        remarks = (_SEPARATOR, *self.remarks) if self.remarks else ()
        return "\n\n".join(
            (*above, self.words, *remarks, f"{_SMALL_PRINT}\n{self.how}", *earlier.as_plain(self.quoted))
        )

    def as_html(self, language: Language) -> str:
        """The same: line breaks as `<br>`, since Outlook ignores `white-space`; each text in its own direction."""
        body = (
            *(_NOTE.format(html.escape(note)) for note in self.above),
            *(_NOTE.format(each.as_html()) for each in self.choices),
            _WORDS.format(html.escape(self.words).replace("\n", "<br>\n")),
            *(_NOTE.format(html.escape(note)) for note in self.remarks),
            _HOW.format(html.escape(self.how)),
            *earlier.as_html(self.quoted),
        )
        return _PAGE.format(language=language.value, body="".join(body))


def reply(notice: ReplyNotice, domain: str, key: BounceKey) -> OutgoingMail:
    """The mail with a phone's answer, in the thread it answers; `domain` is the one that phone addresses are in.

    It leaves with a bounce address made with `key` that holds the mail's id, never with the phone's address: a bounce
    or an out-of-office answer must not become a text message.
    """
    wording = WORDINGS[notice.mailbox.language]
    number = mime.one_line(international(notice.number))
    words = mime.lines_of(notice.text).strip() or wording.say("reply.wordless" if notice.enclosed else "reply.empty")
    letter = _Letter(
        above=tuple(_above(notice, wording, number)),
        choices=tuple(_choices(notice, wording, number, domain)),
        words=words,
        remarks=tuple(_remarks(notice, wording, number)),
        how=_how(notice, wording),
        quoted=earlier.quotations(notice, wording),
    )
    texts = (mime.text_part(letter.as_plain()), mime.text_part(letter.as_html(wording.language), "html"))
    if notice.enclosed.files:
        both = mime.multipart_part("multipart/alternative", notice.notice_id, texts)
        body = enclosed.with_files(notice.enclosed, notice.notice_id, both, wording)
    else:
        body = mime.multipart("multipart/alternative", notice.notice_id, texts)
    raw = _headers(notice, wording, number, domain) + body
    bounces_to = f"{bounces.make(notice.notice_id, key, notice.created_at)}@{domain}"
    return OutgoingMail(id=notice.notice_id, envelope_from=bounces_to, envelope_to=notice.to, raw=raw)


def _headers(notice: ReplyNotice, wording: Wording, number: str, domain: str) -> bytes:
    subject = _subject(notice, wording) or wording.say("subject.reply", number=number)
    if notice.mailbox.subject_tags and notice.intent is not None:
        subject = f"[{wording.say(f'digest.intent.{notice.intent}')}] {subject}"
    created = notice.created_at.astimezone(ZoneInfo(notice.mailbox.timezone))
    received = notice.received_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return b"".join(
        (
            phone_field("From", notice.number, domain, notice.contact),
            phone_field("Reply-To", notice.number, domain, notice.contact, notice.through),
            mime.address_field("To", notice.to),
            mime.text_field("Subject", subject),
            mime.machine_field("Date", format_datetime(created)),
            mime.machine_field("Message-ID", f"<{notice.notice_id}@{domain}>"),
            mime.thread_fields(notice.in_reply_to, notice.references),
            mime.machine_field("X-Auto-Response-Suppress", "All"),
            mime.machine_field("X-SMS-From", notice.number),
            mime.machine_field("X-SMS-To", notice.sender),
            mime.machine_field("X-SMS-Received", received),
            mime.machine_field("X-SMS-Match", notice.match),
            mime.machine_field("X-SMS-Intent", notice.intent) if notice.intent is not None else b"",
            mime.machine_field("X-SMS-Tag", notice.tag) if notice.tag else b"",
            enclosed.field(notice.enclosed),
        )
    )


def _subject(notice: ReplyNotice, wording: Wording) -> str:
    """That of the thread, without the mark that an earlier answer in it had; empty when there is none."""
    subject = mime.answer_subject(notice.subject)
    if not notice.mailbox.subject_tags:
        return subject
    marks = tuple(f"[{wording.say(f'digest.intent.{intent}')}]" for intent in Intent)
    while True:
        bare = subject.removeprefix("Re: ")
        mark = next((each for each in marks if bare.startswith(each)), "")
        if not mark:
            return subject
        subject = mime.answer_subject(bare.removeprefix(mark))


def _above(notice: ReplyNotice, wording: Wording, number: str) -> Iterator[str]:
    """What must be read before the words: whom they were meant for, and that the phone wants no more texts."""
    if notice.meant_for:
        yield wording.say("reply.returned", address=mime.one_line(notice.meant_for))
    if notice.objection is not None:
        yield wording.say(f"reply.objects.{notice.objection}", number=number)


def _choices(notice: ReplyNotice, wording: Wording, number: str, domain: str) -> Iterator[_Choice]:
    """What whoever reads this decides about a phone that wants no more texts."""
    if notice.objection is Objection.YOURS:
        for word in ("allow", "block"):
            what = wording.say(f"reply.{word}", number=number)
            address = phone_address(notice.number, domain, notice.through, f"+{word}")
            yield _Choice(what, address, what.rstrip(":"))


def _remarks(notice: ReplyNotice, wording: Wording, number: str) -> Iterator[str]:
    """What the reader must know beside the words: files that are not attached, doubt about the addressee, and a block
    that was set or lifted."""
    yield from enclosed.remarks(notice.enclosed, wording)
    if notice.match is Match.AMBIGUOUS and not notice.meant_for:
        sentence = "reply.ambiguous_all" if notice.for_all else "reply.ambiguous"
        yield wording.say(sentence, candidates=", ".join(map(mime.one_line, notice.candidates)))
    names_others = bool(notice.mailed or notice.not_mailed or notice.mailed_enough)
    if notice.match is Match.NONE and not notice.meant_for and not notice.keyword and not names_others:
        yield wording.say("reply.none")
    if notice.stopped:
        yield wording.say("reply.stopped", number=number)
    if notice.resumed:
        yield wording.say("reply.resumed", number=number)
    if notice.answered:
        yield wording.say("reply.answered", number=number, text=mime.one_line(notice.answered))
    if notice.withheld:
        yield wording.say("reply.withheld", number=number, count=notice.withheld)
    if notice.mailed:
        yield wording.say("reply.mailed", addresses=", ".join(map(mime.one_line, notice.mailed)))
    if notice.not_mailed:
        yield wording.say("reply.not_mailed", addresses=", ".join(map(mime.one_line, notice.not_mailed)))
    if notice.mailed_enough:
        yield wording.say("reply.mailed_enough", number=number, count=notice.mailed_enough)


def _how(notice: ReplyNotice, wording: Wording) -> str:
    """When it came, through which number, and how it was decided whose it is."""
    when = wording.moment(notice.received_at, notice.mailbox.timezone)
    received = wording.say("reply.received", when=when, sender=mime.one_line(international(notice.sender)))
    if notice.meant_for:
        return received
    if notice.keyword:
        return f"{received} {wording.say('reply.how.keyword', word=mime.one_line(notice.keyword))}"
    return f"{received} {wording.say(f'reply.how.{_decision(notice)}')}"


def _decision(notice: ReplyNotice) -> str:
    match notice.match:
        case Match.AMBIGUOUS:
            return "all" if notice.for_all else "last"
        case decided:
            return decided.value
