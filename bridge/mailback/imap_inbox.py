"""A folder that is watched, on a connection of its own: beside the folders that mails are filed in, for the mailbox
door.

Nothing that somebody else may see changes when a mail is read here: it is fetched with PEEK. Sizes are asked first and
mails are fetched in pieces, so that neither a huge mail nor a slow line fills the memory or breaks a time limit.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aioimaplib

from bridge.errors import MailRefused
from bridge.mailback.imap_answers import ANY, Answer, permanent_flags
from bridge.mailback.imap_names import quoted
from bridge.mailback.imap_session import Broken, FolderSettings, Session
from bridge.mailback.kept_connection import client_context

AT_ONCE = 100
"""Mails whose sizes are asked for in one command; the library cannot read much longer answers."""

PIECE = 1_048_576
"""Octets of a mail that are fetched in one command."""

_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_NEXT = re.compile(rb"\[UIDNEXT (\d{1,10})\]", re.IGNORECASE)
_FETCHED = re.compile(rb"\d+ FETCH \(", re.IGNORECASE)
_UID = re.compile(rb"[( ]UID (\d{1,10})", re.IGNORECASE)
_SIZE = re.compile(rb"[( ]RFC822\.SIZE (\d{1,19})", re.IGNORECASE)
_DATE = re.compile(rb'[( ]INTERNALDATE "([^"]{1,40})"', re.IGNORECASE)
_QUOTED = re.compile(rb'BODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)")
_MISSING = frozenset({"TRYCREATE", "NONEXISTENT"})


@dataclass(frozen=True, slots=True)
class Entered:
    """A folder that was selected."""

    answer: Answer
    uid_validity: int = 0
    next_uid: int = 0
    """The UID that its next mail will have."""
    permanent: frozenset[str] | None = None
    """The flags that stay, in lower case; None when the server does not say."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail in it."""

    uid: int
    size: int
    """Octets."""
    arrived: datetime | None
    """When the server got it."""


class Account:
    """One account that is watched: each look has a connection of its own."""

    def __init__(self, settings: FolderSettings) -> None:
        """Raises SettingsError for a file of authorities that cannot be used."""
        self._settings = settings
        self._context = client_context("imap", settings.tls, settings.ca_file)

    async def open(self) -> Inbox:
        """Connect and log in. Raises MailRefused, always retryable."""
        inbox = Inbox(self._settings, self._context)
        ready = False
        try:
            await inbox.start()
            ready = True
        finally:
            if not ready:
                inbox.drop()
        return inbox

    async def probe(self, folder: tuple[str, ...]) -> str:
        """Connect, log in and open the folder: empty when that works, else a sentence that says what to change."""
        try:
            inbox = await self.open()
        except MailRefused as refused:
            return refused.sentence
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            opened = await inbox.open(inbox.hierarchy.name(folder))
        except Broken as broken:
            return f"The connection to the IMAP server {where} broke ({broken}): see that it runs."
        finally:
            await inbox.logout()
        return (
            ""
            if opened.ok
            else f"The IMAP server {where} does not open the folder that is to be watched: see its name."
        )


class Inbox(Session):
    """A session that watches one folder. Every method raises Broken."""

    _takes_idle = True

    @property
    def idles(self) -> bool:
        """Whether the server says by itself when a mail has come (RFC 2177)."""
        return self._takes_idle and bool(self._client.has_capability("IDLE"))

    async def enter(self, name: str) -> Entered:
        """SELECT the folder."""
        response = await self._run(self._client.select(quoted(name)))
        answer = Answer.read(response.result, response.lines)
        if not answer.ok:
            return Entered(answer)
        validity, following = _number(_VALIDITY, response.lines), _number(_NEXT, response.lines)
        if following is None:  # RFC 3501 section 6.3.1: servers of before may not say it
            following = max(await self.uids(1), default=0) + 1
        return Entered(answer, validity or 0, following, permanent_flags(response.lines))

    async def uids(self, first: int) -> list[int]:
        """The UIDs of the folder's mails from `first` on, in order."""
        self._client.protocol.arrived.clear()
        found = await self._run(self._client.uid_search("UID", f"{first}:*", charset=None))
        if found.result != "OK":
            raise Broken(f"SEARCH {found.result}")
        words = (word for line in found.lines[:-1] for word in bytes(line).split() if word.isdigit())
        # `*` is the last mail, whatever its UID.
        return sorted({uid for uid in map(int, words) if uid >= first})

    async def listed(self, uids: Sequence[int]) -> list[Listed]:
        """What is known of these mails; those that are gone are left out."""
        found: dict[int, Listed] = {}
        for start in range(0, len(uids), AT_ONCE):
            chosen = uids[start : start + AT_ONCE]
            lines = await self._fetch(chosen, "(UID RFC822.SIZE INTERNALDATE)")
            for mail in _listed(lines):
                if mail.uid in chosen:
                    found[mail.uid] = mail
        return [found[uid] for uid in uids if uid in found]

    async def header(self, uid: int, most: int) -> bytes | None:
        """The header of a mail, of which no more than `most` octets are fetched; None when the mail is gone."""
        return await self._piece(uid, "HEADER", 0, most)

    async def mail(self, uid: int, size: int) -> bytes | None:
        """A whole mail of about `size` octets; None when it is gone."""
        pieces: list[bytes] = []
        while True:
            piece = await self._piece(uid, "", PIECE * len(pieces), PIECE)
            if piece is None:
                return None
            pieces.append(piece)
            if len(piece) < PIECE or len(pieces) * PIECE > size + PIECE:
                return b"".join(pieces)

    async def put_away(self, uid: int, folder: tuple[str, ...], keyword: str, permanent: frozenset[str] | None) -> str:
        """Move a mail to another folder, which is made if it is missing; where that cannot be done, mark it with the
        keyword. How that ended: `moved`, `copied`, `marked` or `left`."""
        name = self.hierarchy.name(folder)
        if self._client.has_capability("MOVE"):
            answer = await self._into("move", uid, name, folder)
            if answer.ok:
                return "moved"
        elif self._client.has_capability("UIDPLUS"):
            answer = await self._into("copy", uid, name, folder)
            if answer.ok:
                await self.store(str(uid), "+FLAGS", ["\\Deleted"])
                await self._ask(self._client.uid("expunge", str(uid)))
                return "copied"
        if permanent is None or not permanent.isdisjoint((ANY, keyword.lower())):
            answer, _ = await self.store(str(uid), "+FLAGS", [keyword])
            return "marked" if answer.ok else "left"
        return "left"

    async def wait(self, seconds: float, woken: asyncio.Event) -> None:
        """Wait until a mail has come since `uids` was asked last, somebody sets `woken`, or the time is over; without
        IDLE, until one of the last two. Raises Broken as well when the connection ends."""
        arrived: asyncio.Event = self._client.protocol.arrived
        if not self.idles:
            await self._first(seconds, woken.wait())
            await self._ask(self._client.noop())
            return
        if arrived.is_set():
            return
        idle = asyncio.ensure_future(self._client.idle())
        try:
            begun = self._client.protocol.wait_for_idle_response()
            if not await self._first(self._settings.timeout, begun, idle=idle):
                raise Broken("silent")
            if not self._client.has_pending_idle():
                self._takes_idle = False
                return
            await self._first(seconds, woken.wait(), arrived.wait(), idle=idle)
            if not idle.done():
                self._client.idle_done()
                await self._first(self._settings.timeout, idle=idle)
            if not idle.done() or idle.result().result != "OK":
                raise Broken("IDLE does not end")
        except aioimaplib.AioImapException:
            raise Broken("nonsense") from None
        finally:
            idle.cancel()

    async def _first(
        self, seconds: float, *events: Coroutine[Any, Any, object], idle: asyncio.Future[Any] | None = None
    ) -> bool:
        """Wait for the first of these, no longer than `seconds`; whether one came. Raises Broken when the connection
        ends."""
        tasks = [asyncio.ensure_future(event) for event in events]
        ends: set[asyncio.Future[Any]] = {*tasks, self._client.lost, *([idle] if idle is not None else [])}
        try:
            came, _ = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if self._client.lost.done():
            raise Broken("hung up")
        return bool(came)

    async def _piece(self, uid: int, section: str, start: int, most: int) -> bytes | None:
        lines = await self._fetch([uid], f"(UID BODY.PEEK[{section}]<{start}.{most}>)")
        return _octets(lines, uid)

    async def _fetch(self, uids: Collection[int], what: str) -> Sequence[bytes | bytearray]:
        """What FETCH brings. A server says NO when a mail is gone, or cannot be read at the moment."""
        response = await self._run(self._client.uid("fetch", ",".join(map(str, uids)), what))
        if response.result == "BAD":
            raise Broken("FETCH BAD")
        lines: Sequence[bytes | bytearray] = response.lines[:-1]
        return lines

    async def _into(self, how: str, uid: int, name: str, folder: tuple[str, ...]) -> Answer:
        """MOVE (RFC 6851) or COPY a mail into a folder."""
        answer = await self._ask(self._client.uid(how, str(uid), quoted(name)))
        if answer.ok or (answer.code not in _MISSING and await self.exists(name)):
            return answer
        for depth in range(1, len(folder) + 1):
            level = self.hierarchy.name(folder[:depth])
            if (await self.create(level)).ok:
                await self.subscribe(level)
        return await self._ask(self._client.uid(how, str(uid), quoted(name)))


def _number(pattern: re.Pattern[bytes], lines: Sequence[bytes]) -> int | None:
    found = next((match for line in lines if (match := pattern.search(bytes(line))) is not None), None)
    return int(found[1]) if found is not None else None


def _listed(lines: Sequence[bytes | bytearray]) -> Iterator[Listed]:
    for line in lines:
        uid, size = _UID.search(bytes(line)), _SIZE.search(bytes(line))
        if _FETCHED.match(bytes(line)) and uid is not None and size is not None:
            yield Listed(int(uid[1]), int(size[1]), _moment(_DATE.search(bytes(line))))


def _moment(found: re.Match[bytes] | None) -> datetime | None:
    if found is None:
        return None
    try:
        return datetime.strptime(found[1].decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z")
    except (ValueError, OverflowError):
        return None


def _octets(lines: Sequence[bytes | bytearray], uid: int) -> bytes | None:
    """What FETCH brought of one mail, as a literal or a quoted string (RFC 3501 section 4.3); the answer may hold news
    of others."""
    for index, line in enumerate(lines):
        if isinstance(line, bytearray) or not _FETCHED.match(line) or b"BODY[" not in line.upper():
            continue
        literal = lines[index + 1] if index + 1 < len(lines) else b""
        behind = lines[index + 2] if isinstance(literal, bytearray) and index + 2 < len(lines) else b""
        found = _UID.search(line) or _UID.search(b" " + bytes(behind))
        if found is None or int(found[1]) != uid:
            continue
        if isinstance(literal, bytearray):
            return bytes(literal)
        quoted_string = _QUOTED.search(line)
        return _ESCAPED.sub(rb"\1", quoted_string[1]) if quoted_string is not None else b""
    return None
