"""The mail that says that a signature was learned: which lines are no longer texted, from when on, how to keep them.

A place where a patient is expected looks like a signature, too. So nothing is left out by what was learned before the
mailbox has been told, once, in the thread of the mail that made it so.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from bridge.notices import mime
from bridge.notices.letter import Heading, letter
from bridge.notices.wording import WORDINGS, Wording
from bridge.types import CutRule, Mailbox, NewMail, OutgoingMail


def learned(mail: NewMail, signature_id: str, domain: str) -> OutgoingMail:
    """The mail that tells that with `mail` its ending, `mail.signature`, was learned; `signature_id` is the id under
    which it was, and `domain` the one that phone addresses are in.

    A signature is learned once at the most, so the id that is made of its own is that of one mail.
    """
    wording = WORDINGS[mail.mailbox.language]
    read = mail.submission
    heading = Heading(
        mail_id=f"learned.{signature_id}",
        name=wording.say("learned.name"),
        to=mail.reply_to,
        subject=mime.answer_subject(read.subject) or wording.say("subject.learned"),
        at=mail.at.astimezone(ZoneInfo(mail.mailbox.timezone)),
        domain=domain,
        answered=read.message_id,
        references=read.references,
    )
    return letter(heading, _paragraphs(mail, wording))


def _paragraphs(mail: NewMail, wording: Wording) -> Iterator[str]:
    lines = (mime.one_line(line) for line in mime.lines_of(mail.signature).split("\n"))
    yield "\n".join((wording.say("learned.what", login=mime.one_line(mail.mailbox.login)), "", *_indented(lines)))
    yield wording.say("learned.when")
    yield wording.say("learned.do")
    yield "\n".join(_commands(mail.mailbox, wording))


def _commands(mailbox: Mailbox, wording: Wording) -> Iterator[str]:
    """What the operator can do, each with the command for it."""
    login = shlex.quote(mime.one_line(mailbox.login))
    # A list that is named replaces the old one: the rules that are switched off already stay so.
    kept = sorted(mailbox.habits.kept | {CutRule.LEARNED_SIGNATURE})
    switches = " ".join(f"--keep-cut {rule.replace(' ', '-')}" for rule in kept)
    for what, command in (
        ("show", f"signatures {login}"),
        ("forget", f"forget {login} NUMBER"),
        ("switch", f"set {login} {switches}"),
    ):
        yield wording.say(f"learned.{what}")
        yield from _indented((f"bridge mailbox {command}",))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines)
