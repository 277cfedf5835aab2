"""What was written before: the last texts of a conversation, as mails quote them; set by `answer` below the new words.

People know a line that says who wrote when, and the quotation under it; so do mail programs and help desks, which fold
such quotations away and cut them off. What stands in them is hostile until it has passed `mime` and `html.escape`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bridge.notices import mime
from bridge.notices.address import called
from bridge.notices.wording import Wording
from bridge.sms.graphemes import last_boundary
from bridge.types import ReplyNotice

MAX_CHARACTERS = 320
"""Of one text that are shown; it is there to remember what was said, and a mail holds twenty."""
MAX_LINES = 8
_CUT = "[…]"
_SHORTEST_SHARE = 0.8
"""Of `MAX_CHARACTERS`, that must be left for the cut to be made between two words."""

# Gmail's frame around a quotation, which other programs and help desks know too; what stands below one is new again.
_FRAME = '<div class="gmail_quote">\n{}</div>\n'
_SMALL = "font-size:13px;color:#595959;overflow-wrap:break-word;word-break:break-word"
_ABOVE = f'<div class="earlier" dir="auto" style="margin:0 0 4px 0;{_SMALL}">{{}}</div>\n'
# As Outlook itself writes a quotation, so that Word keeps the line at its side.
_QUOTATION = (
    '<blockquote type="cite" style="border:none;border-left:solid #cccccc 1.5pt;padding:0 0 0 8pt;margin:0 0 12px 0">'
    f'<div class="earlier" dir="auto" style="{_SMALL}">{{}}</div></blockquote>\n'
)


@dataclass(frozen=True, slots=True)
class Quotation:
    """One earlier text as it is quoted."""

    above: str
    """The line that says who wrote it, and when."""
    words: str


def quotations(notice: ReplyNotice, wording: Wording) -> tuple[Quotation, ...]:
    """The earlier texts in the words of the mailbox's language, and in its zone."""
    if not notice.earlier:
        return ()
    phone, mailbox = called(notice.number, notice.contact), mime.one_line(notice.mailbox.login)
    return tuple(
        Quotation(
            wording.say(
                "reply.wrote",
                when=wording.moment(each.at, notice.mailbox.timezone),
                who=phone if each.from_phone else mailbox,
            ),
            shortened(each.text) or wording.say("reply.without_words"),
        )
        for each in notice.earlier
    )


def as_plain(quoted: Iterable[Quotation]) -> Iterator[str]:
    """Each as a paragraph of plain text."""
    for each in quoted:
        yield "\n".join((each.above, *(f"> {line}".rstrip() for line in each.words.split("\n"))))


def as_html(quoted: Iterable[Quotation]) -> Iterator[str]:
    """Each as HTML."""
    for each in quoted:
        words = html.escape(each.words).replace("\n", "<br>\n")
        yield _FRAME.format(_ABOVE.format(html.escape(each.above)) + _QUOTATION.format(words))


def shortened(text: str) -> str:
    """The beginning of a text, with a mark where it was cut: between words if one ends near, never in a character."""
    lines = mime.lines_of(text).strip().split("\n")
    kept = "\n".join(line.rstrip() for line in lines[:MAX_LINES])
    if len(kept) > MAX_CHARACTERS:
        kept = kept[: last_boundary(kept, 0, MAX_CHARACTERS)]
        words, space, _ = kept.rpartition(" ")
        if space and len(words) >= MAX_CHARACTERS * _SHORTEST_SHARE:
            kept = words
    elif len(lines) <= MAX_LINES:
        return kept
    return f"{kept.rstrip()} {_CUT}"
