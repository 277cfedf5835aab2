"""What one connection has come to, which all its commands look at and change: between the wire and the commands.

Each group of commands is a module of its own (`smtp_greeting`, `smtp_login`, `smtp_transaction`, `smtp_transfer`);
`smtp_protocol` reads the lines and says whose turn it is.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop

from bridge.smtp_data import Chunks
from bridge.smtp_handler import ClientVisit
from bridge.smtp_syntax import BadCommand
from bridge.smtp_visit import Visit
from bridge.smtp_wire import Goodbye, Lobby, Wire

MAX_IDLE_COMMANDS = 100
"""Commands in a row that bring no mail nearer."""


class Session(Wire):
    """One connection between its commands."""

    def __init__(self, lobby: Lobby, loop: AbstractEventLoop, *, implicit_tls: bool) -> None:
        super().__init__(lobby, loop)
        self.implicit_tls = implicit_tls
        self.greeted = False
        self.extended = False
        """Greeted with EHLO."""
        self.login_failures = 0
        self.chunks: Chunks | None = None
        """The mail as far as it came with BDAT; None before the first chunk."""
        self._visit: Visit | None = None
        self._idle_commands = 0

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
        self._visit = self.lobby.keeper.visit(address)
        self.greeted = self.extended = False
        self.chunks = None

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
            raise Goodbye("421 4.7.0 Too many commands and no mail. Connect again when you have one.")

    def made_progress(self) -> None:
        """A login or a mail: the count of idle commands begins anew."""
        self._idle_commands = 0
