"""What one connection has come to, which all its commands look at and change: between the wire and the commands.

Each group of commands is a module of its own (`smtp_greeting`, `smtp_login`, `smtp_transaction`, `smtp_transfer`);
`smtp_protocol` reads the lines and says whose turn it is.
"""

from __future__ import annotations

import ssl
from asyncio import AbstractEventLoop

import structlog

from bridge.smtp_data import Chunks
from bridge.smtp_handler import ClientVisit
from bridge.smtp_syntax import BadCommand
from bridge.smtp_visit import Visit
from bridge.smtp_wire import ClientLeft, Goodbye, Lobby, Wire

log = structlog.get_logger("bridge.smtp")

MAX_IDLE_COMMANDS = 100
"""Commands in a row that bring no mail nearer."""
MAX_MAILS = 1000
"""Mails on one connection; whoever has more connects again, and so comes to all nodes and workers in turn."""
SMALL_MAIL = 1 << 16
"""Octets of a mail that always have room: a text without attachments comes through whatever else does."""


_NO_MAIL = "421 4.7.0 Too many commands and no mail. Connect again when you have one."


class Session(Wire):
    """One connection between its commands."""

    def __init__(self, lobby: Lobby, loop: AbstractEventLoop, *, implicit_tls: bool) -> None:
        super().__init__(lobby, loop)
        self.implicit_tls = implicit_tls
        self.greeted = False
        self.extended = False
        """Greeted with EHLO."""
        self.login_failures = 0
        self.slowed = False
        """It waits out what a wrong login costs."""
        self.chunks: Chunks | None = None
        """The mail as far as it came with BDAT; None before the first chunk."""
        self._visit: Visit | None = None
        self._idle_commands = 0
        self._commands = 0
        self._mails = 0
        self._charged = 0
        self.known = False
        """The peer has logged in, or stands in a trusted network."""

    @property
    def visit(self) -> Visit:
        """The decisions about this peer; there once the connection was let in."""
        assert self._visit is not None
        return self._visit

    @property
    def client(self) -> ClientVisit:
        """The visit of a mail program. Raises `BadCommand` at a door where nobody logs in."""
        if isinstance(self.visit, ClientVisit):
            return self.visit
        raise BadCommand("502 5.5.1 Nobody logs in here. Mail programs log in at the submission port, 587 or 465.")

    @property
    def submission(self) -> bool:
        """Mail programs hand in mails of their own here (RFC 6409); elsewhere servers bring those of anybody."""
        return isinstance(self.visit, ClientVisit)

    def begin_visit(self, address: str) -> None:
        """Know the peer by its plain IP address, and nothing of what it has said so far."""
        visit = self._visit = self.lobby.keeper.visit(address)
        if isinstance(visit, ClientVisit) and (shown := self.peer_certificate) is not None:
            visit.show(shown)
        self.known = visit.mailbox is not None
        self.greeted = self.extended = False
        self.chunks = None
        self.let_go()

    async def go_secure(self, address: str) -> None:
        """Go on under TLS with a peer of this plain IP address, which is asked for a certificate where the settings say
        so and any is registered: people's mail programs may answer that with a question to their user."""
        certificate, registered = self.lobby.certificate, self.lobby.keeper.directory.certificates
        assert certificate is not None
        asks = bool(registered) and address in self.settings.certificates_from
        try:
            await self.upgrade(certificate.asking(registered) if asks else certificate.context)
        except ClientLeft as left:
            if isinstance(left.__cause__, ssl.SSLCertVerificationError):
                log.warning("login.certificate_refused", peer=address, why=left.__cause__.verify_message)
            raise

    def greet(self, hostname: str, *, extended: bool) -> None:
        """Take the peer's HELO or EHLO; a mail that was begun is forgotten (RFC 5321 section 4.1.4)."""
        if not hostname:
            raise BadCommand("501 5.5.4 Say who you are, as in EHLO mail.example.com.")
        self.visit.helo = hostname
        self.greeted = True
        self.extended = extended
        self.forget_mail()

    def need_greeting(self) -> None:
        """Raises `BadCommand` before HELO and EHLO."""
        if not self.greeted:
            raise BadCommand("503 5.5.1 Say EHLO first.")

    def forget_mail(self) -> None:
        """The mail is over: taken, refused or given up."""
        self.visit.reset()
        self.chunks = None
        self.let_go()

    @property
    def login_allowed(self) -> bool:
        """A login is offered: the connection is encrypted, or the settings and the peer's address make it needless."""
        if not self.submission:
            return False
        return self.secure or (self.settings.plaintext_login and self.client.loopback)

    def count_idle(self) -> None:
        """One more command that brings no mail nearer. Raises `Goodbye` when they are too many."""
        self._idle_commands += 1
        # A stranger's recipients count too, since nobody knows yet whether the mail is wanted.
        strange = 0 if self.submission else self.settings.max_recipients
        if self._idle_commands > MAX_IDLE_COMMANDS + strange:
            raise Goodbye(_NO_MAIL)

    def count(self) -> None:
        """One more command that might. As many recipients may be refused as taken. Raises `Goodbye`, as above."""
        self._commands += 1
        if self._commands > MAX_IDLE_COMMANDS + 2 * self.settings.max_recipients:
            raise Goodbye(_NO_MAIL)

    def count_mail(self) -> None:
        """One more mail has come whole."""
        self._mails += 1

    def check_mails(self) -> None:
        """Before a mail. Raises `Goodbye` after the last one that a connection may bring."""
        if self._mails >= MAX_MAILS:
            raise Goodbye(f"421 4.7.0 This connection has brought {MAX_MAILS} mails. Connect again for the next one.")

    def made_progress(self) -> None:
        """A login or a mail: the counts of commands begin anew."""
        self._idle_commands = self._commands = 0
        self.known = self.visit.mailbox is not None
        self.lobby.limits.refresh(self)

    # ------------------------------------------------------------------------------ what others need it for

    @property
    def spare(self) -> bool:
        """It waits for its peer, or waits out a wrong login, and nothing that anybody counts on is lost with it."""
        return (self.waits or self.slowed) and (self.idle or not self.known)

    def give_way(self) -> None:
        """End for another connection, which may bring more."""
        self.let_go()
        if self.shaking_hands:
            self._pipe().abort()
            return
        self.reply("421 4.3.2 There are too many connections, and this one brings nothing. Connect again later.")
        self.hang_up()
        if self.secure and self.transport is not None:
            self._pipe().abort()  # the end of TLS would wait for a peer that may not answer

    def has_room(self, octets: int) -> bool:
        """Whether a mail that says it has so many octets could be held now."""
        return octets - SMALL_MAIL <= self.lobby.room.free

    def hold(self, octets: int) -> bool:
        """Whether so many octets of a mail can be held in memory, beside what other connections hold."""
        more = octets - SMALL_MAIL - self._charged
        if more <= 0:
            return True
        if not self.lobby.room.take(more):
            return False
        self._charged += more
        return True

    def let_go(self) -> None:
        """No mail comes any more, and nothing of one is held."""
        self.end_upload()
        self.release()

    def release(self) -> None:
        """What was held of a mail has been thrown away."""
        self.lobby.room.give(self._charged)
        self._charged = 0
