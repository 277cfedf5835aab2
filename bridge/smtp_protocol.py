"""The SMTP conversation of one connection (RFC 5321, RFC 6409): from the wire's lines to the handler's decisions.

Every reply carries an enhanced status code (RFC 2034). Lines end with CRLF (RFC 5321 section 2.3.8): a command that
ends with a bare LF is refused, so that a device which does not speak SMTP learns it at once and not after waiting
for the end of a mail that never comes.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, BaseTransport
from collections.abc import Awaitable, Callable
from typing import ClassVar

import structlog

from bridge.access.limits import Full
from bridge.access.networks import plain_address
from bridge.errors import MailRefusal, Reason, Refusal
from bridge.smtp_auth import MECHANISMS, decode_response, read_plain, read_text
from bridge.smtp_data import Flaw, MailData
from bridge.smtp_handler import Visit, internal_reply, too_large
from bridge.smtp_syntax import BadCommand, parse_mail, parse_rcpt
from bridge.smtp_wire import STOPPING, ClientLeft, Goodbye, LineTooLong, Lobby, Wire

MAX_COMMAND = 2048
"""Octets of a command other than AUTH: 512 (RFC 5321 section 4.5.3.1.4) and what SIZE, DSN and the others add."""
MAX_LOGIN_FAILURES = 3
LOGIN_DELAY = 1.0
"""Seconds that a wrong password costs, times the failures so far."""
MAX_IDLE_COMMANDS = 100
"""Commands in a row that bring no mail nearer."""

_BAD_LINES = "The mail has a lone CR, a NUL octet or a false end in it. Send it as plain text with CRLF line ends."
_BROWSERS = frozenset({"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT"})

log = structlog.get_logger("bridge.smtp")


class SubmissionProtocol(Wire):
    """One connection to the front door."""

    def __init__(self, lobby: Lobby, loop: AbstractEventLoop, *, implicit_tls: bool) -> None:
        super().__init__(lobby, loop)
        self._implicit_tls = implicit_tls
        self._visit: Visit | None = None
        self._greeted = False
        self._extended = False
        self._login_failures = 0
        self._idle_commands = 0
        self._counted_as: str | None = None

    @property
    def visit(self) -> Visit:
        """The decisions about this peer; there once the connection was let in."""
        assert self._visit is not None
        return self._visit

    # ------------------------------------------------------------------------------------ the conversation

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.lobby.connections.add(self)
        if self._implicit_tls:
            # The peer's first octets are for the TLS layer, which is put in place by the task.
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
            self.lobby.connections.discard(self)
            if self._counted_as is not None:
                self.lobby.limits.leave(self._counted_as)

    async def _let_in(self) -> None:
        peer = self._pipe().get_extra_info("peername")
        if not peer:
            raise ClientLeft
        address = plain_address(peer[0])
        match self.lobby.limits.enter(address):
            case Full.ADDRESS:
                raise Goodbye("421 4.7.0 Too many connections from your address. Close some and try again.")
            case Full.SERVER:
                raise Goodbye("421 4.3.2 The bridge has too many connections just now. Try again in a minute.")
            case None:
                self._counted_as = address
        if self._implicit_tls:
            await self.upgrade()
        self._visit = self.lobby.front.visit(address)
        self.reply(f"220 {self.settings.hostname} ESMTP ready to text")

    async def _turn(self) -> None:
        """Read one command and answer it."""
        self.idle = self.visit.mail is None
        try:
            line = await self.read_line()
        except LineTooLong:
            self._count_idle()
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
        if not line.endswith(b"\r\n"):
            self._count_idle()
            raise BadCommand("500 5.5.2 This line ends with a bare line feed. End every line with CRLF.")
        try:
            text = line[:-2].decode().rstrip(" \t")
        except UnicodeDecodeError:
            text = "\0"
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        if self.visit.mailbox is None or verb not in ("MAIL", "RCPT", "DATA"):
            self._count_idle()
        if not text.isprintable():
            raise BadCommand("500 5.5.2 This line holds characters that no command has.")
        if len(line) > MAX_COMMAND and verb != "AUTH":
            raise BadCommand("500 5.5.2 This command is too long.")
        obey = self._COMMANDS.get(verb)
        if obey is None:
            if verb in _BROWSERS:
                raise Goodbye("421 4.7.0 This is a mail server and does not speak HTTP.")
            raise BadCommand("500 5.5.2 This command is not known. HELP lists the commands.")
        await obey(self, argument.lstrip(" "))

    def _count_idle(self) -> None:
        self._idle_commands += 1
        if self._idle_commands > MAX_IDLE_COMMANDS:
            raise Goodbye("421 4.7.0 Too many commands and no mail. Connect again when you have one.")

    # ---------------------------------------------------------------------------------- session commands

    async def smtp_HELO(self, hostname: str) -> None:
        self._greet(hostname, extended=False)
        self.reply(f"250 {self.settings.hostname}")

    async def smtp_EHLO(self, hostname: str) -> None:
        self._greet(hostname, extended=True)
        offers = [
            self.settings.hostname,
            f"SIZE {self.settings.max_mail_bytes}",
            "8BITMIME",
            "SMTPUTF8",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "DSN",
        ]
        if self.lobby.tls is not None and not self.secure:
            offers.append("STARTTLS")
        if self._login_allowed:
            offers.append("AUTH " + " ".join(MECHANISMS))
        for offer in offers:
            self.reply("250-" + offer)
        self.reply("250 HELP")

    def _greet(self, hostname: str, *, extended: bool) -> None:
        if not hostname:
            raise BadCommand("501 5.5.4 Say who you are, as in EHLO mail.example.com.")
        self._greeted = True
        self._extended = extended
        self.visit.reset()

    async def smtp_STARTTLS(self, arg: str) -> None:
        if arg:
            raise BadCommand("501 5.5.4 STARTTLS takes no argument.")
        if self.secure:
            raise BadCommand("503 5.5.1 TLS is already on.")
        if self.lobby.tls is None:
            raise BadCommand("454 4.7.0 TLS is not set up on this server.")
        self.reply("220 2.0.0 Ready to start TLS.")
        await self.flush()
        await self.upgrade()
        # RFC 3207 section 4.2: what was said before counts for nothing.
        self._visit = self.lobby.front.visit(self.visit.address)
        self._greeted = self._extended = False

    @property
    def _login_allowed(self) -> bool:
        return self.secure or (self.settings.plaintext_login and self.visit.loopback)

    async def smtp_AUTH(self, arg: str) -> None:
        self._need_greeting()
        if not self._extended:
            raise BadCommand("503 5.5.1 Say EHLO before AUTH.")
        if self.visit.mail is not None:
            raise BadCommand("503 5.5.1 Log in before the mail, not inside it.")
        if self.visit.logged_in:
            raise BadCommand("503 5.5.1 You are logged in already.")
        if not self._login_allowed:
            raise BadCommand("538 5.7.11 A login needs an encrypted connection. Turn on TLS in the mail program.")
        mechanism, _, initial = arg.partition(" ")
        match mechanism.upper():
            case "PLAIN":
                # "=" stands for an empty response (RFC 4954 section 4), which PLAIN does not have: ask for it.
                response = initial.encode() if initial not in ("", "=") else await self._challenge("")
                login, password = read_plain(decode_response(response))
            case "LOGIN":
                # Base64 of `Username:` and `Password:`, the only prompts that some devices know.
                response = initial.encode() if initial not in ("", "=") else await self._challenge("VXNlcm5hbWU6")
                login = read_text(decode_response(response))
                password = read_text(decode_response(await self._challenge("UGFzc3dvcmQ6")))
            case _:
                raise BadCommand("504 5.5.4 This kind of login is not offered. Use PLAIN or LOGIN.")
        await self._log_in(login, password)

    async def _challenge(self, prompt: str) -> bytes:
        self.reply(f"334 {prompt}")
        try:
            line = await self.read_line()
        except LineTooLong:
            raise BadCommand("500 5.5.6 This line is too long for a login.") from None
        if not line.endswith(b"\r\n"):
            raise BadCommand("500 5.5.2 This line ends with a bare line feed. End every line with CRLF.")
        return line[:-2]

    async def _log_in(self, login: str, password: str) -> None:
        try:
            await self.visit.login(login, password)
        except Refusal as refusal:
            self._login_failures += 1
            log.warning("login.refused", peer=self.visit.address, failures=self._login_failures)
            await asyncio.sleep(LOGIN_DELAY * self._login_failures)
            if self._login_failures >= MAX_LOGIN_FAILURES:
                self.reply(refusal.reply)
                raise Goodbye(
                    "421 4.7.0 Too many wrong logins. Check login and password, then connect again."
                ) from None
            raise
        self._idle_commands = 0
        self.reply("235 2.7.0 Logged in.")

    async def smtp_NOOP(self, arg: str) -> None:
        self.reply("250 2.0.0 Still here.")

    async def smtp_HELP(self, arg: str) -> None:
        self.reply("214 2.0.0 Commands: " + " ".join(sorted(self._COMMANDS)))

    async def smtp_VRFY(self, arg: str) -> None:
        if not arg:
            raise BadCommand("501 5.5.4 VRFY needs an address.")
        self.reply("252 2.5.0 Addresses are checked with RCPT, after a login.")

    async def smtp_EXPN(self, arg: str) -> None:
        raise BadCommand("502 5.5.1 There are no lists here to expand.")

    async def smtp_QUIT(self, arg: str) -> None:
        if arg:
            raise BadCommand("501 5.5.4 QUIT takes no argument.")
        raise Goodbye("221 2.0.0 Goodbye.")

    # ------------------------------------------------------------------------------------- mail commands

    def _need_greeting(self) -> None:
        if not self._greeted:
            raise BadCommand("503 5.5.1 Say EHLO first.")

    async def smtp_MAIL(self, arg: str | None) -> None:
        self._need_greeting()
        if self.visit.mail is not None:
            raise BadCommand("503 5.5.1 The sender of this mail is known already. RSET starts a new mail.")
        if self.visit.mailbox is None and not self.visit.may_return:
            raise Refusal(Reason.LOGIN_NEEDED, self._how_to_log_in())
        self.visit.begin(parse_mail(arg or ""), self.settings.max_mail_bytes)
        self.reply("250 2.1.0 Sender taken.")

    def _how_to_log_in(self) -> str:
        if self._login_allowed:
            return "Log in first: turn on authentication in the mail program and give login and password."
        return "Log in first: turn on TLS and authentication in the mail program."

    async def smtp_RCPT(self, arg: str | None) -> None:
        mail = self.visit.mail
        if mail is None:
            raise BadCommand("503 5.5.1 Name the sender with MAIL FROM first.")
        recipient = parse_rcpt(arg or "", smtputf8=mail.smtputf8)
        self.reply(self.visit.add(recipient, self.settings.max_recipients))

    async def smtp_DATA(self, arg: str) -> None:
        if self.visit.mail is None:
            raise BadCommand("503 5.5.1 Name the sender with MAIL FROM first.")
        if arg:
            raise BadCommand("501 5.5.4 DATA takes no argument.")
        not_ready = self.visit.ready()
        if not_ready is not None:
            raise BadCommand(not_ready)
        self.reply("354 Send the mail and end it with a dot on a line of its own.")
        data = MailData(self.settings.max_mail_bytes)
        while not data.feed(await self.read_block()):
            if data.endless:
                self.reply(self.visit.turn_away(too_large(self.settings.max_mail_bytes)).reply)
                raise Goodbye("421 4.3.4 The mail is far too large to be read to its end.")
        self.unread(data.rest)
        try:
            match data.content():
                case Flaw.TOO_LARGE:
                    raise self.visit.turn_away(too_large(self.settings.max_mail_bytes))
                case Flaw.BAD_LINES:
                    raise self.visit.turn_away(MailRefusal(Reason.BAD_LINES, _BAD_LINES))
                case bytes() as raw:
                    self.reply(await self.visit.take(raw))
        finally:
            self.visit.reset()
        self._idle_commands = 0
        if self.transport is None:
            log.warning("mail.answer_lost")

    async def smtp_RSET(self, arg: str) -> None:
        if arg:
            raise BadCommand("501 5.5.4 RSET takes no argument.")
        self.visit.reset()
        self.reply("250 2.0.0 Ready for a new mail.")

    _COMMANDS: ClassVar[dict[str, Callable[[SubmissionProtocol, str], Awaitable[None]]]] = {
        "HELO": smtp_HELO,
        "EHLO": smtp_EHLO,
        "STARTTLS": smtp_STARTTLS,
        "AUTH": smtp_AUTH,
        "MAIL": smtp_MAIL,
        "RCPT": smtp_RCPT,
        "DATA": smtp_DATA,
        "RSET": smtp_RSET,
        "NOOP": smtp_NOOP,
        "HELP": smtp_HELP,
        "VRFY": smtp_VRFY,
        "EXPN": smtp_EXPN,
        "QUIT": smtp_QUIT,
    }
