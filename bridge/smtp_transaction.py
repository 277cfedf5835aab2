"""MAIL, RCPT and RSET: the envelope of a mail, command by command (RFC 5321 section 3.3)."""

from __future__ import annotations

from bridge.clock import now
from bridge.errors import Reason, Refusal
from bridge.smtp_parameters import parse_mail, parse_rcpt
from bridge.smtp_priority import accepted
from bridge.smtp_session import Session
from bridge.smtp_syntax import BadCommand
from bridge.smtp_visit import no_room


async def mail(session: Session, argument: str) -> None:
    """MAIL (RFC 5321 section 4.1.1.2): one mail at a time, and only from who may send."""
    session.need_greeting()
    visit = session.visit
    if visit.mail is not None:
        raise BadCommand("503 5.5.1 The sender of this mail is known already. RSET starts a new mail.")
    if visit.needs_login:
        raise Refusal(Reason.LOGIN_NEEDED, _how_to_log_in(session))
    session.check_mails()
    command = parse_mail(argument, now())
    visit.begin(command, session.settings.max_mail_bytes)
    if not session.has_room(command.size or 0):
        visit.reset()
        raise visit.turn_away(no_room())
    session.reply(accepted(command.priority))


def _how_to_log_in(session: Session) -> str:
    if session.submission and session.client.certificate_ran_out:
        return "The certificate that this machine shows has run out. Register its new one, or log in."
    if session.login_allowed:
        return "Log in first: turn on authentication in the mail program and give login and password."
    return "Log in first: turn on TLS and authentication in the mail program."


async def rcpt(session: Session, argument: str) -> None:
    """RCPT (RFC 5321 section 4.1.1.3), before the first octet of the mail."""
    command = session.visit.mail
    if command is None:
        raise BadCommand("503 5.5.1 Name the sender with MAIL FROM first.")
    if session.chunks is not None:
        raise BadCommand("503 5.5.1 The mail is on its way already. Name all recipients before BDAT.")
    recipient = parse_rcpt(argument, smtputf8=command.smtputf8)
    session.reply(session.visit.add(recipient, session.settings.max_recipients))


async def rset(session: Session, argument: str) -> None:
    """RSET (RFC 5321 section 4.1.1.5)."""
    if argument:
        raise BadCommand("501 5.5.4 RSET takes no argument.")
    session.forget_mail()
    session.check_mails()  # Postfix asks this before it keeps a connection; a refused MAIL would put its mail off
    session.reply("250 2.0.0 Ready for a new mail.")
