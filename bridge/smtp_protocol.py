"""The SMTP conversation of one connection (RFC 5321, RFC 6409): from the wire's lines to the commands, one at a time.

Every reply carries an enhanced status code (RFC 2034). Lines end with CRLF (RFC 5321 section 2.3.8): a command that
ends with a bare LF is refused, so that a device which does not speak SMTP learns it at once and not after waiting
for the end of a mail that never comes.
"""

from __future__ import annotations

import asyncio
import os
import socket
from asyncio import AbstractEventLoop, BaseTransport
from collections.abc import Awaitable, Callable

import structlog

from bridge import smtp_greeting, smtp_login, smtp_transaction, smtp_transfer
from bridge.access.limits import Full
from bridge.access.networks import plain_address
from bridge.errors import Refusal
from bridge.smtp_proxy import BadHeader, read_header
from bridge.smtp_session import Session
from bridge.smtp_syntax import BadCommand
from bridge.smtp_visit import internal_reply
from bridge.smtp_wire import STOPPING, ClientLeft, Goodbye, LineTooLong, Lobby

MAX_COMMAND = 2048
"""Octets of a command other than AUTH: 512 (RFC 5321 section 4.5.3.1.4) and what SIZE, DSN and the others add."""

INTRODUCTION_TIMEOUT = 5.0
"""Seconds that a proxy has for its header; at least 3, as one packet may be lost (PROXY protocol, section 2)."""

_MAILS = frozenset({"MAIL", "RCPT", "DATA", "BDAT"})
"""What brings a mail nearer."""
_BROWSERS = frozenset({"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT"})

log = structlog.get_logger("bridge.smtp")


class SmtpProtocol(Session):
    """One connection to a door."""

    def __init__(self, lobby: Lobby, loop: AbstractEventLoop, *, implicit_tls: bool) -> None:
        super().__init__(lobby, loop, implicit_tls=implicit_tls)

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.lobby.connections.add(self)
        if self.implicit_tls or self._is_proxy:
            # The peer's first octets are for a layer below, which is put in place by the task.
            self._pipe().pause_reading()

    async def _handle_client(self) -> None:
        try:
            await self._let_in()
            while True:
                if self.lobby.draining and self.visit.mail is None:
                    raise Goodbye(STOPPING)
                await self._turn()
        except Goodbye as goodbye:
            self.reply(goodbye.reply)
        except ClientLeft:
            log.debug("client.left")
        finally:
            self.hang_up()
            self.let_go()
            self.lobby.connections.discard(self)
            self.lobby.limits.leave(self)

    async def _let_in(self) -> None:
        address = self._peer
        if address is None:
            raise ClientLeft
        if self._is_proxy:
            address = await self._introduced(address) or address
        match self.lobby.limits.enter(self, address):
            case Full.ADDRESS:
                raise Goodbye("421 4.7.0 Too many connections from your address. Close some and try again.")
            case Full.SERVER:
                raise Goodbye("421 4.3.2 The bridge has too many connections just now. Try again in a minute.")
        if self.implicit_tls:
            await self.go_secure(address)
        self.begin_visit(address)
        if not self.submission:
            await asyncio.sleep(0)  # what has come already is read now
            if self.has_spoken:
                raise Goodbye("554 5.5.1 A mail server waits for the greeting before it speaks.")
        self.reply(f"220 {self.settings.hostname} ESMTP ready to text")

    @property
    def _peer(self) -> str | None:
        """Whose connection it is, as a plain IP address; None when the peer is gone already."""
        peer = self._pipe().get_extra_info("peername")
        return plain_address(peer[0]) if peer else None

    @property
    def _is_proxy(self) -> bool:
        """The peer connects for another, and has to say for whom."""
        peer = self._peer
        return peer is not None and peer in self.settings.trusted_proxies

    async def _introduced(self, proxy: str) -> str | None:
        """For whom a proxy connects. It is read past the transport, which would take what is for TLS too.

        Raises `ClientLeft`: to whom nobody was introduced nothing is said.
        """
        pipe = self._pipe()
        # Early releases of Python 3.11, such as Debian's, begin to read what was paused as soon as it was made.
        pipe.resume_reading()
        pipe.pause_reading()
        with socket.socket(fileno=os.dup(pipe.get_extra_info("socket").fileno())) as wire:
            wire.setblocking(False)
            has_spoken = False

            async def receive(count: int) -> bytes:
                nonlocal has_spoken
                octets = b""
                while len(octets) < count:
                    came = await self.loop.sock_recv(wire, count - len(octets))
                    if not came:
                        # Some look whether somebody is there, and say nothing.
                        raise BadHeader("cut off") if has_spoken else ClientLeft
                    has_spoken = True
                    octets += came
                return octets

            try:
                async with asyncio.timeout(INTRODUCTION_TIMEOUT):
                    address = await read_header(receive)
            except (BadHeader, TimeoutError, OSError) as error:
                why = error.sentence if isinstance(error, BadHeader) else type(error).__name__
                log.warning("smtp.proxy_header_refused", peer=proxy, why=why)
                raise ClientLeft from error
        if not self.implicit_tls:
            pipe.resume_reading()
        return address

    async def _turn(self) -> None:
        """Read one command and answer it."""
        self.idle = self.visit.mail is None
        try:
            line = await self.read_line()
        except LineTooLong:
            self.count_idle()
            self.reply("500 5.5.2 This line is too long. End every line with CRLF.")
            return
        finally:
            self.idle = False
        try:
            await self._obey(line)
        except BadCommand as bad:
            self.reply(bad.reply)
        except Refusal as refusal:
            self.reply(refusal.reply)
        except (ClientLeft, Goodbye):
            raise
        except Exception as error:
            # The one place that stops at everything: whatever broke, the client may try again and learns nothing.
            self.reply(internal_reply(error))

    async def _obey(self, line: bytes) -> None:
        try:
            verb, argument = self._read(line)
        except BadCommand as bad:
            if line[:4].upper() == b"BDAT":
                # What follows is no command but octets of a mail, and how many nobody knows.
                raise Goodbye(bad.reply) from None
            raise
        obey = COMMANDS.get(verb)
        if obey is None:
            if verb in _BROWSERS:
                raise Goodbye("421 4.7.0 This is a mail server and does not speak HTTP.")
            raise BadCommand("500 5.5.2 This command is not known. HELP lists the commands.")
        await obey(self, argument)

    def _read(self, line: bytes) -> tuple[str, str]:
        """The word of a command in capitals, and what follows it. Raises `BadCommand`."""
        if not line.endswith(b"\r\n"):
            self.count_idle()
            raise BadCommand("500 5.5.2 This line ends with a bare line feed. End every line with CRLF.")
        try:
            text = line[:-2].decode().rstrip(" \t")
        except UnicodeDecodeError:
            text = "\0"
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        if not self._brings_mail(verb):
            self.count_idle()
        elif verb != "BDAT":  # chunks are counted by their octets
            self.count()
        if not text.isprintable():
            raise BadCommand("500 5.5.2 This line holds characters that no command has.")
        if len(line) > MAX_COMMAND and verb != "AUTH":
            raise BadCommand("500 5.5.2 This command is too long.")
        return verb, argument.lstrip(" ")

    def _brings_mail(self, verb: str) -> bool:
        """Whether a command brings a mail nearer: of a peer that nobody knows, only the pieces of one under way do."""
        if self.visit.mailbox is not None:
            return verb in _MAILS
        return verb == "BDAT" and self.chunks is not None


async def _noop(session: Session, argument: str) -> None:
    session.reply("250 2.0.0 Still here.")


async def _help(session: Session, argument: str) -> None:
    session.reply("214 2.0.0 Commands: " + " ".join(sorted(COMMANDS)))


async def _vrfy(session: Session, argument: str) -> None:
    """Tells nobody which addresses there are (RFC 5321 section 7.3)."""
    if not argument:
        raise BadCommand("501 5.5.4 VRFY needs an address.")
    session.reply("252 2.5.0 An address is checked when there is a mail for it.")


async def _expn(session: Session, argument: str) -> None:
    raise BadCommand("502 5.5.1 There are no lists here to expand.")


async def _quit(session: Session, argument: str) -> None:
    if argument:
        raise BadCommand("501 5.5.4 QUIT takes no argument.")
    raise Goodbye("221 2.0.0 Goodbye.")


COMMANDS: dict[str, Callable[[Session, str], Awaitable[None]]] = {
    "HELO": smtp_greeting.helo,
    "EHLO": smtp_greeting.ehlo,
    "STARTTLS": smtp_greeting.starttls,
    "AUTH": smtp_login.auth,
    "MAIL": smtp_transaction.mail,
    "RCPT": smtp_transaction.rcpt,
    "DATA": smtp_transfer.data,
    "BDAT": smtp_transfer.bdat,
    "RSET": smtp_transaction.rset,
    "NOOP": _noop,
    "HELP": _help,
    "VRFY": _vrfy,
    "EXPN": _expn,
    "QUIT": _quit,
}
"""Every command that is known; a session and what follows the word go in, replies and exceptions come out."""
