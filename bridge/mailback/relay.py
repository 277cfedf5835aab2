"""Hands composed mails to a mail server by SMTP or LMTP; the last station on the way back, called by the postman.

A mail goes out at least once with a fixed Message-ID: when the connection breaks after the final dot, nobody knows
whether the server has it, and it is sent again. A refusal is final only when the server judged the mail itself; one
that concerns the session (login, TLS, a server that is going down) may pass, and no report must be lost over it.

Server replies may quote addresses, and a phone's address is its number: of a reply only the codes are kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import aiosmtplib

from bridge.consent.source import NoToken, TokenSource
from bridge.errors import MailRefused
from bridge.mailback import token_login
from bridge.mailback.kept_connection import KeptConnection, client_context
from bridge.settings import MailAuth, TlsMode
from bridge.types import OutgoingMail

SESSION_CODES = frozenset({503, 530, 534, 535, 538})
"""5yz replies that ask for a login or for TLS (RFC 4954 section 6, RFC 3207 section 4) whatever the mail is."""
LOGGED_IN, GO_ON = 235, 334
"""RFC 4954 section 6."""
CLOSING = 421
"""The server is about to hang up (RFC 5321 section 3.8)."""

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_TROUBLE = (aiosmtplib.SMTPException, OSError)


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How to reach the mail server. Times are in seconds."""

    host: str
    port: int
    tls: TlsMode
    username: str = ""
    """Empty for a server that asks for no login."""
    password: str = field(default="", repr=False)
    auth: MailAuth = MailAuth.PASSWORD
    token: TokenSource | None = field(default=None, repr=False)
    """Where the access token comes from, unless the login is by password."""
    ca_file: Path | None = None
    """Authorities (PEM) that the server's certificate may come from; None for those of the system."""
    hostname: str = "localhost"
    """The bridge's own name, given in EHLO."""
    timeout: float = 60.0
    """For the connection and for each answer."""
    data_timeout: float = 600.0
    """For the answer to the final dot: RFC 5321 section 4.5.3.2.6, since giving up early sends the mail twice."""
    idle: float = 30.0
    """How long an unused connection is kept."""
    lmtp: bool = False
    """Speak LMTP (RFC 2033) to a server that keeps mailboxes itself, such as Dovecot's."""
    socket: Path | None = None
    """The server's unix socket, in place of `host` and `port`."""


class _Lmtp(aiosmtplib.SMTP):
    """The client with the greeting of LMTP (RFC 2033 section 4.1).

    LMTP also answers once for each recipient after the final dot (section 4.2). Each mail here has one recipient, so
    that answer is the one SMTP has.
    """

    async def execute_command(self, *args: bytes, **options: Any) -> aiosmtplib.SMTPResponse:
        verb, *rest = args
        return await super().execute_command(b"LHLO" if verb == b"EHLO" else verb, *rest, **options)


class Relay(KeptConnection[aiosmtplib.SMTP]):
    """One kept connection to the mail server; mails pass one after another."""

    def __init__(self, settings: RelaySettings) -> None:
        """Raises SettingsError when `ca_file` cannot be used."""
        super().__init__(settings.idle)
        self._settings = settings
        self._where = str(settings.socket) if settings.socket else f"{settings.host}:{settings.port}"
        self._context = client_context("relay", settings.tls, settings.ca_file)

    async def send(self, mail: OutgoingMail) -> None:
        """Hand over one mail. Raises MailRefused; `retryable` is false only when the server judged the mail itself."""
        self._stay()
        async with self._lock:
            client = await self._connected()
            kept = False
            try:
                await self._hand_over(client, mail)
                kept = True
            except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
                kept = error.code != CLOSING
                raise _verdict(error) from None
            except _TROUBLE as error:
                raise MailRefused(
                    f"The connection to the mail server {self._where} broke before it had taken the mail.",
                    retryable=True,
                    detail=f"{self._where}: {type(error).__name__}",
                ) from None
            except ValueError:
                raise MailRefused(
                    "The mailbox has an address that no mail can be sent to: correct it with `bridge mailbox set`.",
                    retryable=False,
                ) from None
            finally:
                if kept:
                    self._keep(client)
                else:
                    _drop(client)

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: OutgoingMail) -> None:
        # aiosmtplib sends to whatever address it can find in a string, so that string must be nothing but the address.
        if not mail.envelope_to or any(parseaddr(path)[1] != path for path in (mail.envelope_from, mail.envelope_to)):
            raise ValueError("not one address")
        options = [f"SIZE={len(mail.raw)}"] if client.supports_extension("size") else []
        encoding = "ascii"
        if not mail.envelope_to.isascii():  # RFC 6531 section 3.1
            if not client.supports_extension("smtputf8"):
                raise ValueError("the server knows no such addresses")
            options.append("SMTPUTF8")
            encoding = "utf-8"
        await client.mail(mail.envelope_from, options=options, encoding=encoding)
        await client.rcpt(mail.envelope_to, encoding=encoding)
        await client.data(mail.raw, timeout=self._settings.data_timeout)

    async def _connected(self) -> aiosmtplib.SMTP:
        """The kept connection if the server still holds it, else a new one."""
        client = self._take()
        if client is not None and await _answers(client):
            return client
        return await self._open()

    async def _open(self) -> aiosmtplib.SMTP:
        """A new connection, encrypted and logged in as the settings ask; never less than that."""
        settings = self._settings
        client = (_Lmtp if settings.lmtp else aiosmtplib.SMTP)(
            hostname=settings.host,
            port=None if settings.socket else settings.port,
            socket_path=settings.socket,
            local_hostname=settings.hostname,
            timeout=settings.timeout,
            use_tls=settings.tls is TlsMode.IMPLICIT,
            start_tls=False,
            tls_context=self._context,
        )
        ready = False
        remedy = "does not answer: check relay.host, relay.port and relay.tls"
        try:
            await client.connect()
            if settings.tls is TlsMode.STARTTLS:
                remedy = "does not start TLS: check relay.tls"
                await client.starttls()
            if settings.token is not None:
                await self._login_with_token(client, settings.token)
            elif settings.username:
                remedy = "does not accept the login: check relay.username and relay.password"
                await client.login(settings.username, settings.password)
            else:
                remedy = "does not answer the greeting: check relay.host and relay.port"
                await client.ehlo()
            ready = True
        except _TROUBLE as error:
            if _distrusted(error):
                remedy = "has a certificate that is not trusted: check relay.host and relay.ca_file"
            codes = f" {_codes(error)}" if isinstance(error, aiosmtplib.SMTPResponseException) else ""
            raise self._refused(remedy, f"{type(error).__name__}{codes}") from None
        finally:
            if not ready:
                _drop(client)
        return client

    async def _login_with_token(self, client: aiosmtplib.SMTP, source: TokenSource) -> None:
        """AUTH with a token (RFC 4954 section 4, RFC 7628 section 3.2). Raises MailRefused."""
        settings, mechanism = self._settings, self._settings.auth.upper()
        await client.ehlo()
        if mechanism.lower() not in client.server_auth_methods:
            raise self._refused(f'takes no logins by "{settings.auth}"', f"no AUTH {mechanism}")
        try:
            token = await source.token()
        except NoToken as lack:
            raise self._refused(f"wants an access token, and {lack}", "no token") from None
        first = token_login.response(settings.auth, settings.username, token, settings.host, settings.port)
        answer = await client.execute_command(b"AUTH", mechanism.encode(), first.encode())
        status = ""
        if answer.code == GO_ON:  # the server says in base64 why it refuses, and wants an answer to that
            status = token_login.status(answer.message.encode())
            answer = await client.execute_command(token_login.farewell(settings.auth).encode())
        if answer.code == LOGGED_IN:
            return
        if 400 <= answer.code < 500:
            raise self._refused("lets nobody in for now: it will be asked again", f"AUTH {answer.code}")
        source.refused(token)
        said = f" ({status})" if status else ""
        raise self._refused(
            f"does not accept the access token {source.origin}{said}: {source.remedy}; or it is for other rights or "
            "for another account than relay.username",
            f"AUTH {answer.code} {status}".rstrip(),
        )

    def _refused(self, remedy: str, reason: str) -> MailRefused:
        where = self._where
        return MailRefused(f"The mail server {where} {remedy}.", retryable=True, detail=f"{where}: {reason}")

    async def _farewell(self, connection: aiosmtplib.SMTP) -> None:
        """QUIT, as RFC 5321 section 4.1.1.10 asks before a connection is closed; an answer is not waited for long."""
        try:
            with contextlib.suppress(*_TROUBLE):  # a server that is gone already needs no farewell
                await connection.quit(timeout=5.0)
        finally:
            _drop(connection)


def _verdict(error: aiosmtplib.SMTPResponseException) -> MailRefused:
    """What the server's answer to MAIL, RCPT or DATA means for this mail (RFC 5321 section 4.2.1)."""
    codes = _codes(error)
    if not 500 <= error.code < 600:
        return MailRefused(f"The mail server does not take the mail for now ({codes}).", retryable=True)
    if error.code in SESSION_CODES:
        return MailRefused(
            f"The mail server asks for a login or for TLS ({codes}): check relay.username and relay.tls.",
            retryable=True,
        )
    if codes.endswith(" 5.2.2"):
        return MailRefused(
            f"The mailbox is full ({codes}): its owner must delete mails before more can be delivered.", retryable=True
        )
    return MailRefused(
        f"The mail server refused the mail for good ({codes}): check that the mailbox address exists "
        "and that the server lets the bridge send.",
        retryable=False,
    )


def _codes(error: aiosmtplib.SMTPResponseException) -> str:
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _distrusted(error: BaseException) -> bool:
    return isinstance(error, ssl.CertificateError) or isinstance(error.__cause__, ssl.CertificateError)


async def _answers(client: aiosmtplib.SMTP) -> bool:
    """Whether a kept connection still works; RSET also clears what a refused mail left behind (RFC 5321 4.1.1.5)."""
    answered = False
    try:
        with contextlib.suppress(*_TROUBLE):  # servers hang up on idle clients: no trouble, a new connection follows
            await client.rset()
            answered = True
    finally:
        if not answered:
            _drop(client)
    return answered


def _drop(client: aiosmtplib.SMTP) -> None:
    """Close at once, without waiting until a server that no longer reads has taken what is still buffered."""
    # In this order: a TLS transport that was closed twice cannot be aborted any more (Python before 3.11.4).
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()
