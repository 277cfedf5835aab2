"""One connection to an IMAP server, logged in: aioimaplib with its traps closed; `imap` files mails through it.

The library knows neither the end of a connection nor of a command: whoever waits is not woken when the server hangs up,
and after a command that was cancelled or timed out every later one fails. So each command here runs against the loss
of the connection and one clock, and whatever breaks makes the session useless: it is dropped, never used again.
It runs one command at a time; the caller sees to that.

Server answers may quote folder names and addresses, which hold telephone numbers: only response codes are kept.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aioimaplib

from bridge.consent.source import NoToken, TokenSource
from bridge.errors import MailRefused
from bridge.mailback import token_login
from bridge.mailback.imap_answers import Answer, flags_of, permanent_flags, uids
from bridge.mailback.imap_client import Client
from bridge.mailback.imap_names import Hierarchy, from_list, from_namespace, quoted
from bridge.settings import MailAuth, TlsMode

_PLACEHOLDER = re.compile(rb"\([^)]*\\(?:Noselect|NonExistent)\b", re.IGNORECASE)
LATER = frozenset({"UNAVAILABLE", "LIMIT", "INUSE"})
"""Why nobody is let in for now (RFC 5530 section 3), whatever the login."""
_FAREWELL = 2.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """How to reach one account on an IMAP server."""

    host: str
    port: int
    tls: TlsMode
    """IMPLICIT or NONE: aioimaplib cannot start TLS on an open connection."""
    username: str
    password: str = field(repr=False)
    """Empty for a login with a token."""
    auth: MailAuth = MailAuth.PASSWORD
    token: TokenSource | None = field(default=None, repr=False)
    """Where the access token comes from, unless the login is by password."""
    ca_file: Path | None = None
    """Authorities (PEM) that the server's certificate may come from; None for those of the system."""
    timeout: float = 60.0
    """Seconds for the connection and for each answer."""
    idle: float = 120.0
    """Seconds that an unused connection is kept."""


class Broken(Exception):
    """The session is of no more use: the server hung up, fell silent or spoke nonsense."""


@dataclass(frozen=True, slots=True)
class Selected:
    """How SELECT ended, and which flags stay in the folder, in lower case; None when the server does not say."""

    answer: Answer
    permanent: frozenset[str] | None


class Session:
    """A logged-in connection and the way its server writes folder names."""

    def __init__(self, settings: FolderSettings, context: ssl.SSLContext | None) -> None:
        """Begins to connect; `start` must follow."""
        self._settings = settings
        self._where = f"{settings.host}:{settings.port}"
        self._client = Client(settings.host, settings.port, context)
        self.hierarchy = Hierarchy()
        self.doubtful = False
        """Whether an APPEND broke when the server may have had the whole mail."""

    @property
    def alive(self) -> bool:
        """Whether nothing has been heard of the connection's end."""
        return not self._client.lost.done()

    async def start(self) -> None:
        """Connect, log in and ask how folders are named. Raises MailRefused, always retryable."""
        remedy = "does not answer: check its host, port and TLS mode, and that it is running"
        try:
            await self._run(self._client.wait_hello_from_server())
            if self._client.get_state() == aioimaplib.NONAUTH:
                await self._login()
            remedy = "does not go on after the login: its own log says why"
            await self._run(self._client.protocol.capability())
            self.hierarchy = await self._learn_hierarchy()
        except ssl.CertificateError:
            remedy = "has a certificate that is not trusted: check its host name and the file of authorities"
            raise self._refused(remedy, "certificate") from None
        except (Broken, OSError, UnicodeError) as error:  # the last for a host that is no name, such as `mail..test`
            reason = str(error) if isinstance(error, Broken) else type(error).__name__
            raise self._refused(remedy, reason) from None

    async def append(self, name: str, raw: bytes, flags: tuple[str, ...], date: datetime) -> Answer:
        """APPEND (RFC 3501 section 6.3.11). Raises Broken; `doubtful` then says whether the mail may be filed."""
        self.doubtful = True
        marks = f"({' '.join(flags)})"
        try:
            answer = await self._ask(self._client.append(raw, quoted(name), marks, date.astimezone(UTC)))
        except Broken:
            # The library lets go of the mail when the server has asked for it; before that, no octet of it has left.
            self.doubtful = self._client.protocol.literal_data is None
            raise
        self.doubtful = False
        return answer

    async def create(self, name: str) -> Answer:
        """CREATE (RFC 3501 section 6.3.3). Raises Broken."""
        return await self._ask(self._client.create(quoted(name)))

    async def subscribe(self, name: str) -> Answer:
        """SUBSCRIBE (RFC 3501 section 6.3.6), without which most mail programs do not show a folder. Raises Broken."""
        return await self._ask(self._client.subscribe(quoted(name)))

    async def exists(self, name: str) -> bool:
        """Whether there may be a folder of this name that can hold mails: LIST of one name, never of all.

        True as well when the server does not say. Raises Broken.
        """
        listed = await self._run(self._client.list('""', quoted(name)))
        return listed.result != "OK" or any(not _PLACEHOLDER.match(bytes(line)) for line in listed.lines[:-1])

    async def open(self, name: str) -> Answer:
        """EXAMINE, which unlike SELECT changes nothing in the folder (RFC 3501 section 6.3.2). Raises Broken."""
        answer = await self._ask(self._client.examine(quoted(name)))
        if answer.ok:
            # The library follows the state for SELECT only, and would not let SEARCH pass.
            self._client.protocol.state = aioimaplib.SELECTED
        return answer

    async def leave(self) -> None:
        """CLOSE the open folder; nothing is expunged, since it was only examined (RFC 3501 section 6.4.2)."""
        await self._ask(self._client.close())

    async def select(self, name: str) -> Selected:
        """SELECT, to change flags. Raises Broken."""
        response = await self._run(self._client.select(quoted(name)))
        return Selected(Answer.read(response.result, response.lines), permanent_flags(response.lines))

    async def find(self, message_id: str) -> tuple[Answer, list[str]]:
        """How the search ended, and the UIDs of the open folder's mails with this Message-ID. Raises Broken."""
        found = await self._run(self._client.uid_search("HEADER", "Message-ID", quoted(message_id), charset=None))
        answer = Answer.read(found.result, found.lines)
        return answer, uids(found.lines) if answer.ok else []

    async def store(self, uid: str, change: str, flags: Sequence[str]) -> tuple[Answer, frozenset[str] | None]:
        """UID STORE: `+FLAGS` or `-FLAGS`; with it the flags that the mail then has, if the server tells them.

        Raises Broken.
        """
        response = await self._run(self._client.uid("store", uid, change, f"({' '.join(flags)})"))
        return Answer.read(response.result, response.lines), flags_of(response.lines, uid)

    async def unselect(self, name: str) -> None:
        """Leave the selected folder `name` without CLOSE, which would expunge what its owner has marked as deleted.

        Raises Broken.
        """
        if self._client.has_capability("UNSELECT"):
            await self._ask(self._client.protocol.unselect())
        elif (await self.open(name)).ok:
            await self.leave()

    async def logout(self) -> None:
        """Take leave; an answer is not waited for long."""
        try:
            async with asyncio.timeout(_FAREWELL):
                await self._run(self._client.logout())
        except (Broken, TimeoutError):
            return  # a server that is gone already needs no farewell
        finally:
            self.drop()

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        protocol = self._client.protocol
        if protocol.transport is not None:
            protocol.transport.abort()
        for task in protocol.tasks:
            task.cancel()

    async def _login(self) -> None:
        if self._settings.token is not None and self._settings.auth is not MailAuth.PASSWORD:
            await self._login_with_token(self._settings.auth, self._settings.token)
            return
        if self._client.has_capability("LOGINDISABLED"):  # RFC 3501 section 6.2.3: the password must not be sent
            raise self._refused_login("PRIVACYREQUIRED")
        # The library quotes the password, but not the name.
        answer = await self._ask(self._client.login(quoted(self._settings.username), self._settings.password))
        if not answer.ok:
            raise self._refused_login(answer.code)

    async def _login_with_token(self, auth: MailAuth, source: TokenSource) -> None:
        settings, mechanism = self._settings, auth.upper()
        if not self._client.has_capability(f"AUTH={mechanism}"):
            offered = [each for each in MailAuth if self._client.has_capability(f"AUTH={each.upper()}")]
            instead = f'it takes "{offered[0]}"' if offered else "it may take none on this port"
            raise self._refused(f'takes no logins by "{auth}": {instead}', f"no AUTH={mechanism}")
        try:
            token = await source.token()
        except NoToken as lack:
            raise self._refused(f"wants an access token, and {lack}", "no token") from None
        first = token_login.response(auth, settings.username, token, settings.host, settings.port)
        answer = await self._ask(self._client.protocol.authenticate(mechanism, [first, token_login.farewell(auth)]))
        if not answer.ok:
            if answer.code not in LATER:
                source.refused(token)
            raise self._refused_token(answer, source)

    def _refused_token(self, answer: Answer, source: TokenSource) -> MailRefused:
        if answer.code in LATER:
            return self._refused_login(answer.code)
        status = token_login.status(self._client.protocol.challenge)
        said = f" ({status})" if status else ""
        remedy = (
            f"does not accept the access token {source.origin}{said}: {source.remedy}; or it is for other rights or "
            "for another account than the user name"
        )
        return self._refused(remedy, f"AUTHENTICATE {answer.code or 'NO'} {status}".rstrip())

    async def _learn_hierarchy(self) -> Hierarchy:
        if self._client.has_capability("NAMESPACE"):
            answer = await self._run(self._client.namespace())
            told = from_namespace(bytes(answer.lines[0]))
            if told is not None:
                return told
        answer = await self._run(self._client.list('""', '""'))
        if answer.result != "OK":  # Microsoft 365 lets in whoever may not open the mailbox, and then refuses everything
            remedy = "lets the login in, but not to the folders: see that it may open this mailbox"
            raise self._refused(remedy, f"LIST {answer.result}")
        return from_list(bytes(answer.lines[0])) or Hierarchy()

    async def _ask(self, command: Coroutine[Any, Any, aioimaplib.Response]) -> Answer:
        response = await self._run(command)
        return Answer.read(response.result, response.lines)

    async def _run(self, command: Coroutine[Any, Any, _T]) -> _T:
        """What the command brings. Raises Broken at the end of the connection or of the time, and OSError."""
        task = asyncio.ensure_future(command)
        ends: set[asyncio.Future[Any]] = {task, self._client.lost}
        try:
            await asyncio.wait(ends, timeout=self._settings.timeout, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Broken("hung up" if self._client.lost.done() else "silent")
        except aioimaplib.AioImapException:
            raise Broken("nonsense") from None
        finally:
            task.cancel()

    def _refused_login(self, code: str) -> MailRefused:
        match code:
            case "PRIVACYREQUIRED":
                remedy = "takes logins over TLS only: set its TLS mode to implicit"
            case _ if code in LATER:
                remedy = "lets nobody in for now: it will be asked again"
            case _:
                remedy = "does not accept the login: check user name and password"
        return self._refused(remedy, f"LOGIN {code or 'NO'}")

    def _refused(self, remedy: str, reason: str) -> MailRefused:
        where = self._where
        return MailRefused(f"The IMAP server {where} {remedy}.", retryable=True, detail=f"{where}: {reason}")
