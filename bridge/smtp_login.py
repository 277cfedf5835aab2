"""AUTH: a login over the wire (RFC 4954), from the client's answers to the front door's decision.

A mechanism asks what it needs and gives the login, or raises; nothing else leads to 235. A wrong password costs time,
more with each that came from this address or for this login lately, and the third one the connection: guessing does not
pay, and who mistyped still has two tries.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable

import structlog

from bridge import metrics
from bridge.access import scram
from bridge.access.issuer_keys import KeysUnavailable
from bridge.access.throttle import Locked
from bridge.logins import Login, WrongLogin
from bridge.smtp_auth import decode_response, read_oauthbearer, read_plain, read_text, read_xoauth2
from bridge.smtp_handler import EXTERNAL
from bridge.smtp_session import Session
from bridge.smtp_syntax import BadCommand
from bridge.smtp_wire import Goodbye, LineTooLong

MAX_LOGIN_FAILURES = 3
"""On one connection."""
LOGIN_DELAY = 1.0
"""Seconds that a wrong password costs, times the failures so far, as far as"""
MAX_DELAYS = 10
"""times."""

log = structlog.get_logger("bridge.smtp")


async def auth(session: Session, argument: str) -> None:
    """AUTH with one of the mechanisms that EHLO offers."""
    session.need_greeting()
    client = session.client
    if not session.extended:
        raise BadCommand("503 5.5.1 Say EHLO before AUTH.")
    if client.mail is not None:
        raise BadCommand("503 5.5.1 Log in before the mail, not inside it.")
    if client.logged_in:
        raise BadCommand("503 5.5.1 You are logged in already.")
    if not session.login_allowed:
        raise BadCommand("538 5.7.11 A login needs an encrypted connection. Turn on TLS in the mail program.")
    name, _, initial = argument.partition(" ")
    offered = client.mechanisms
    if name.upper() not in offered:
        raise BadCommand(f"504 5.5.4 This kind of login is not offered. Use {' or '.join(offered)}.")
    await _log_in(session, name.upper(), initial)


async def _log_in(session: Session, mechanism: str, initial: str) -> None:
    address = session.visit.address
    try:
        login = await _MECHANISMS[mechanism](session, initial)
    except Locked as locked:
        metrics.LOGINS.labels(mechanism, "locked").inc()
        log.warning("login.locked", peer=address, mechanism=mechanism, by=locked.by)
        raise Goodbye(f"421 4.7.0 {locked.sentence}") from None
    except WrongLogin as wrong:
        metrics.LOGINS.labels(mechanism, "refused").inc()
        session.login_failures += 1
        log.warning("login.refused", peer=address, mechanism=mechanism, failures=session.login_failures, why=wrong.why)
        session.slowed = True
        await asyncio.sleep(LOGIN_DELAY * min(MAX_DELAYS, max(session.login_failures, wrong.failures)))
        session.slowed = False
        if session.login_failures >= MAX_LOGIN_FAILURES:
            session.reply(wrong.reply)
            raise Goodbye("421 4.7.0 Too many wrong logins. Check login and password, then connect again.") from None
        raise
    session.client.enter(login)
    metrics.LOGINS.labels(mechanism, "taken").inc()
    session.made_progress()
    session.reply("235 2.7.0 Logged in.")


async def _plain(session: Session, initial: str) -> Login:
    """PLAIN (RFC 4616)."""
    login, password = read_plain(await _first(session, initial))
    return await session.client.logins.by_password(login, password, session.visit.address)


async def _prompted(session: Session, initial: str) -> Login:
    """LOGIN: base64 of `Username:` and `Password:`, the only prompts that some devices know."""
    login = read_text(await _first(session, initial, b"Username:"))
    password = read_text(await _challenge(session, b"Password:"))
    return await session.client.logins.by_password(login, password, session.visit.address)


async def _scram(session: Session, initial: str) -> Login:
    """SCRAM-SHA-256 (RFC 7677). The server's last message is a challenge, answered with an empty line (RFC 4954
    section 4)."""
    logins = session.client.logins
    exchange = logins.exchange(scram.read_first(await _first(session, initial)))
    final = await _challenge(session, exchange.server_first.encode())
    login, proof = logins.by_proof(exchange, final, session.visit.address)
    await _challenge(session, proof)
    return login


async def _oauthbearer(session: Session, initial: str) -> Login:
    """OAUTHBEARER (RFC 7628)."""
    user, token = read_oauthbearer(await _first(session, initial))
    return await _with_token(session, user, token, {"status": "invalid_token"})


async def _xoauth2(session: Session, initial: str) -> Login:
    """XOAUTH2, which came before OAUTHBEARER and is what Google and Microsoft speak."""
    user, token = read_xoauth2(await _first(session, initial))
    return await _with_token(session, user, token, {"status": "401", "schemes": "bearer"})


async def _with_token(session: Session, user: str, token: str, failure: dict[str, str]) -> Login:
    """A failure is a challenge first, which the client answers with something empty (RFC 7628 section 3.2.3)."""
    try:
        return await session.client.logins.by_token(token, user, session.visit.address)
    except KeysUnavailable:
        raise BadCommand("454 4.7.0 Access tokens cannot be checked just now. Try again in a minute.") from None
    except WrongLogin as wrong:
        try:
            await _challenge(session, json.dumps(failure).encode())
        except BadCommand as bad:
            log.debug("login.answer_to_failure", reply=bad.reply)  # whatever it is, what counts is said already
        raise wrong from None


async def _external(session: Session, initial: str) -> Login:
    """EXTERNAL (RFC 4422 appendix A): nothing need be said where a certificate was shown, not even a name."""
    acting = b"" if initial == "=" else await _first(session, initial)
    return session.client.external(read_text(acting))


_MECHANISMS: dict[str, Callable[[Session, str], Awaitable[Login]]] = {
    "PLAIN": _plain,
    "LOGIN": _prompted,
    scram.NAME: _scram,
    "OAUTHBEARER": _oauthbearer,
    "XOAUTH2": _xoauth2,
    EXTERNAL: _external,
}


async def _first(session: Session, initial: str, prompt: bytes = b"") -> bytes:
    """The client's first answer. It may stand behind the mechanism; `=` there stands for an empty one (RFC 4954 section
    4), which no mechanism has that is asked here: it is asked for."""
    return decode_response(initial.encode()) if initial not in ("", "=") else await _challenge(session, prompt)


async def _challenge(session: Session, challenge: bytes) -> bytes:
    session.reply(f"334 {base64.b64encode(challenge).decode()}")
    try:
        line = await session.read_line()
    except LineTooLong:
        raise BadCommand("500 5.5.6 This line is too long for a login.") from None
    if not line.endswith(b"\r\n"):
        raise BadCommand("500 5.5.2 This line ends with a bare line feed. End every line with CRLF.")
    return decode_response(line[:-2])
