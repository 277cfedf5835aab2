"""The mail that says that a mail in a watched mailbox was not texted, and why; to its author, or to that mailbox."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.notices import mime
from bridge.notices.letter import answering, letter
from bridge.notices.wording import WORDINGS, Wording
from bridge.types import OutgoingMail, Turned, TurnedAway


def turned_away(notice: TurnedAway, domain: str) -> OutgoingMail:
    """The mail; `domain` is that of the phones."""
    wording = WORDINGS[notice.mailbox.language]
    name, subject = wording.say("turned_away.name"), wording.say("subject.turned_away")
    heading = answering(notice, domain, name=name, subject=subject)
    return letter(heading, _paragraphs(notice, wording))


def _paragraphs(notice: TurnedAway, wording: Wording) -> Iterator[str]:
    yield wording.say(f"turned_away.{notice.turned}", watched=mime.one_line(notice.watched), author=_author(notice))
    if notice.turned is Turned.REFUSED:
        yield f"{wording.say(f'reason.{notice.reason}.why')} {wording.say(f'reason.{notice.reason}.do')}"
    code, enhanced, _ = notice.reply.split(" ", 2)
    yield "\n".join((wording.say("turned_away.answer"), f"  {code} {enhanced} {mime.one_line(notice.sentence)}"))


def _author(notice: TurnedAway) -> str:
    return mime.one_line(notice.author) or "?"
