"""DATA and BDAT: the mail itself, from the wire to the handler (RFC 5321 section 4.1.1.4, RFC 3030).

The octets that BDAT announces are read before it is answered, whatever the answer: otherwise they would be taken for
commands. Where nobody can know how many come, the connection ends.
"""

from __future__ import annotations

import re

import structlog

from bridge.errors import MailRefusal, Reason, Refusal
from bridge.smtp_data import DISCARD_FACTOR, Chunks, Collected, Flaw, MailData
from bridge.smtp_session import Session
from bridge.smtp_syntax import BadCommand
from bridge.smtp_visit import no_room, too_large
from bridge.smtp_wire import Goodbye

_BAD_LINES = "The mail has a lone CR, a NUL octet or a false end in it. Send it as plain text with CRLF line ends."
_ENDLESS = "421 4.3.4 The mail is far too large to be read to its end."
_NO_MAIL = "503 5.5.1 Name the sender with MAIL FROM first."
_FAILED = "503 5.5.1 A part of this mail was refused, and the mail with it. RSET starts a new one."
_NOT_A_SIZE = "501 5.5.4 BDAT needs its number of octets, as in BDAT 1000 LAST. Nothing after it can be read."

_SIZE = re.compile(r"([0-9]{1,20})(?: +(.*))?\Z", re.ASCII)

log = structlog.get_logger("bridge.smtp")


async def data(session: Session, argument: str) -> None:
    """DATA: all that follows up to the lone dot."""
    visit, limit = session.visit, session.settings.max_mail_bytes
    if visit.mail is None:
        raise BadCommand(_NO_MAIL)
    if argument:
        raise BadCommand("501 5.5.4 DATA takes no argument.")
    if session.chunks is not None:
        # RFC 3030 section 2: the two ways of sending a mail are not mixed.
        raise BadCommand("503 5.5.1 This mail was begun with BDAT. Go on with BDAT, or start anew with RSET.")
    not_ready = visit.ready()
    if not_ready is not None:
        raise BadCommand(not_ready)
    session.reply("354 Send the mail and end it with a dot on a line of its own.")
    session.begin_upload()
    collected = MailData(limit)
    while not collected.feed(await session.read_block()):
        _find_room(session, collected)
        if collected.endless:
            session.reply(visit.turn_away(too_large(limit)).reply)
            raise Goodbye(_ENDLESS)
    session.unread(collected.rest)
    await _hand_over(session, collected.content())


async def bdat(session: Session, argument: str) -> None:
    """BDAT (RFC 3030 section 2): as many octets as it says, and with LAST the end of the mail.

    A chunk that is refused before the last one fails the mail: nothing but RSET, EHLO and QUIT is right then. The last
    one ends the mail, taken or not.
    """
    found = _SIZE.match(argument)
    if found is None:
        raise Goodbye(_NOT_A_SIZE)
    octets, word = int(found[1]), (found[2] or "").upper()
    if octets > session.settings.max_mail_bytes * DISCARD_FACTOR:
        session.reply(session.visit.turn_away(too_large(session.settings.max_mail_bytes)).reply)
        raise Goodbye(_ENDLESS)
    if not octets:
        session.count_idle()  # a piece of a mail, and brings it no nearer
    session.begin_upload()
    had_failed = session.chunks is not None and session.chunks.failed
    try:
        chunks = _announce(session, octets, word)
    except (BadCommand, Refusal):
        await _receive(session, octets, None)
        session.let_go()
        session.count_idle()
        if word == "LAST" and not had_failed:
            session.forget_mail()
        elif session.chunks is not None:
            session.chunks.fail()
        raise
    await _receive(session, octets, chunks)
    if word:
        await _hand_over(session, chunks.content())
    else:
        session.reply(f"250 2.0.0 {octets} octets taken.")


def _announce(session: Session, octets: int, word: str) -> Chunks:
    """What collects a chunk that may come. Raises `BadCommand`, and `Refusal` for a mail that is too large."""
    visit, limit = session.visit, session.settings.max_mail_bytes
    if visit.mail is None:
        raise BadCommand(_NO_MAIL)
    if session.chunks is None:
        session.chunks = Chunks(limit)
    if session.chunks.failed:
        raise BadCommand(_FAILED)
    if word not in ("", "LAST"):
        raise BadCommand("501 5.5.4 After its number of octets BDAT has nothing but LAST.")
    not_ready = visit.ready()
    if not_ready is not None:
        raise BadCommand(not_ready)
    if not session.chunks.announce(octets):
        raise visit.turn_away(too_large(limit))
    return session.chunks


async def _receive(session: Session, octets: int, chunks: Chunks | None) -> None:
    """Read a chunk to its end; without `chunks` it is thrown away."""
    while octets:
        block = await session.read_block(octets)
        octets -= len(block)
        if chunks is not None:
            chunks.add(block)
            _find_room(session, chunks)


def _find_room(session: Session, collected: Collected) -> None:
    """Give a mail up that there is no room for beside the others; it is read to its end all the same."""
    if not session.hold(collected.held):
        collected.give_up(Flaw.NO_ROOM)
        session.release()


async def _hand_over(session: Session, content: bytes | Flaw) -> None:
    """Answer a mail that has come whole; taken or refused, it is over. Raises `Refusal`."""
    visit = session.visit
    session.count_mail()
    try:
        match content:
            case Flaw.TOO_LARGE:
                raise visit.turn_away(too_large(session.settings.max_mail_bytes))
            case Flaw.NO_ROOM:
                raise visit.turn_away(no_room())
            case Flaw.BAD_LINES:
                raise visit.turn_away(MailRefusal(Reason.BAD_LINES, _BAD_LINES))
            case bytes() as raw:
                session.reply(await visit.take(raw))
    finally:
        session.forget_mail()
    session.made_progress()
    if session.transport is None:
        log.warning("mail.answer_lost")
