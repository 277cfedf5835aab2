"""HELO, EHLO and STARTTLS: what client and server are to each other, and what is offered (RFC 5321 section 4.1.1.1).

What EHLO offers, and where what it means is written:

    SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531)    smtp_parameters
    PIPELINING (RFC 2920)                                        smtp_wire, which sends answers in batches
    ENHANCEDSTATUSCODES (RFC 2034)                               every reply but the greeting, HELO, EHLO and 3yz
    CHUNKING (RFC 3030)                                          smtp_transfer, smtp_data
    DSN (RFC 3461)                                               smtp_dsn
    FUTURERELEASE (RFC 4865), DELIVERBY (RFC 2852)               smtp_timing
    MT-PRIORITY (RFC 6710)                                       smtp_priority
    STARTTLS (RFC 3207)                                          here
    AUTH (RFC 4954)                                              smtp_login, smtp_auth, logins
"""

from __future__ import annotations

from bridge import smtp_priority, smtp_timing
from bridge.clock import now
from bridge.smtp_session import Session
from bridge.smtp_syntax import BadCommand


async def helo(session: Session, hostname: str) -> None:
    """HELO: a client that knows no extensions."""
    session.greet(hostname, extended=False)
    session.reply(f"250 {session.settings.hostname}")


async def ehlo(session: Session, hostname: str) -> None:
    """EHLO. Nothing is offered that would be refused on this connection."""
    session.greet(hostname, extended=True)
    offers = [
        session.settings.hostname,
        f"SIZE {session.settings.max_mail_bytes}",
        "8BITMIME",
        "SMTPUTF8",
        "PIPELINING",
        "CHUNKING",
        "ENHANCEDSTATUSCODES",
        "DSN",
    ]
    if session.submission:
        offers += [smtp_timing.offer(now()), "DELIVERBY", smtp_priority.OFFER]
    if session.lobby.certificate is not None and not session.secure:
        offers.append("STARTTLS")
    if session.login_allowed:
        offers.append("AUTH " + " ".join(session.client.mechanisms))
    for offer in offers:
        session.reply("250-" + offer)
    session.reply("250 HELP")


async def starttls(session: Session, argument: str) -> None:
    """STARTTLS (RFC 3207). What was said before counts for nothing (section 4.2)."""
    if argument:
        raise BadCommand("501 5.5.4 STARTTLS takes no argument.")
    if session.secure:
        raise BadCommand("503 5.5.1 TLS is already on.")
    if session.lobby.certificate is None:
        raise BadCommand("454 4.7.0 TLS is not set up on this server.")
    session.reply("220 2.0.0 Ready to start TLS.")
    await session.flush()
    address = session.visit.address
    await session.go_secure(address)
    session.begin_visit(address)
