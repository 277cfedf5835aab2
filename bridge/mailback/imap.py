"""Files mails in the folders of an IMAP account, each exactly once, and marks them; beside the relay, for the filer.

APPEND is the one command that cannot be asked twice. A refusal or a connection that broke before the server asked for
the mail leaves no doubt. Whatever breaks later does: then the mail is looked for by its Message-ID before it is filed
again. Looking too early would miss a mail that the server is still writing, so doubt is never settled in the same
breath: the caller hears of it and comes back.

A full mailbox, a lacking right, a wrong password and a server that is down all pass once somebody has acted, so the
mail is kept; only what this server will never take is refused for good.

A mark says on a copy what became of its text. Marking can be done twice, and a copy that its owner has moved or a
server that keeps no keywords must hold up nothing: what cannot be marked is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import structlog

from bridge.errors import MailRefused, SettingsError
from bridge.mailback.imap_answers import ANY, Answer
from bridge.mailback.imap_session import LATER, Broken, FolderSettings, Session
from bridge.mailback.kept_connection import KeptConnection, client_context
from bridge.settings import TlsMode

__all__ = ["Filed", "Flag", "FolderSettings", "Folders", "IntentKeyword", "Keyword", "Mark"]

log = structlog.get_logger("bridge.imap")

_T = TypeVar("_T")

_MISSING = frozenset({"TRYCREATE", "NONEXISTENT"})
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+>")
_UNSENDABLE = re.compile(r"[\x00\x01\r\n]")
"""\x01 ends the user name in a login with a token."""


class Flag(StrEnum):
    """What a mail program shows of a mail (RFC 3501 section 2.3.2)."""

    SEEN = "\\Seen"
    FLAGGED = "\\Flagged"
    ANSWERED = "\\Answered"


class Keyword(StrEnum):
    """What became of a text, on its copy (RFC 3501 section 2.3.2: keywords that begin with $ are for all programs)."""

    DELIVERED = "$SMSDelivered"
    FAILED = "$SMSFailed"
    UNKNOWN = "$SMSUnknown"


class IntentKeyword(StrEnum):
    """What a phone wants of an appointment, on the copy of its answer."""

    CONFIRMS = "$SMSConfirms"
    CANCELS = "$SMSCancels"
    MOVES = "$SMSMoves"


_ALARMING = frozenset({Keyword.FAILED, Keyword.UNKNOWN})
"""These stand beside \\Flagged, which every mail program shows; with the keyword it goes again."""


@dataclass(frozen=True, slots=True)
class Filed:
    """One mail and the folder it belongs in."""

    message_id: str
    """With its angle brackets, as in the mail's header."""
    folder: tuple[str, ...]
    """The path's levels as people write them, the outermost first; `("INBOX",)` is the inbox."""
    raw: bytes
    date: datetime
    """When it happened, with a time zone; mail programs sort by it."""
    flags: tuple[Flag, ...] = ()
    keyword: IntentKeyword | None = None
    """Left out where the folder does not keep it."""
    tried_before: bool = False
    """Whether an earlier try was begun, whatever came of it: then the mail is looked for first. A second or more must
    lie between the tries, since a server may still be writing a mail whose sender has lost the connection."""

    def __post_init__(self) -> None:
        """Raises ValueError for a Message-ID that could not be searched for, and for no folder."""
        if not _MESSAGE_ID.fullmatch(self.message_id) or not self.folder:
            raise ValueError("a filed mail needs a Message-ID in angle brackets, and a folder")


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to be seen on a mail that was filed before."""

    message_id: str
    folder: tuple[str, ...]
    keyword: Keyword | None
    """In place of the others; None: of all."""
    before: Keyword | None = None
    """What it was marked with last."""


class Folders(KeptConnection[Session]):
    """The folders of one account, over one kept connection; mails are filed one after another, in the order of calls.

    The order in a folder is the caller's to keep where a mail is refused for now: later ones should wait for it.
    """

    def __init__(self, settings: FolderSettings) -> None:
        """Raises SettingsError for a TLS mode, a login or a file of authorities that cannot be used."""
        if settings.tls is TlsMode.STARTTLS:
            raise SettingsError(
                "imap.tls", settings.tls, 'STARTTLS is not spoken here; use "implicit", usually with port 993'
            )
        if _UNSENDABLE.search(settings.username + settings.password):
            raise SettingsError("imap.username", "", "user name and password must be one line each")
        super().__init__(settings.idle)
        self._settings = settings
        self._where = f"{settings.host}:{settings.port}"
        self._context = client_context("imap", settings.tls, settings.ca_file)

    async def file(self, mail: Filed) -> None:
        """Put the mail into its folder, which is made and subscribed to if it is missing.

        Raises MailRefused. After a retryable one, and after being cancelled, ask again with `tried_before`.
        """
        await self._over(lambda session: self._file(session, mail))

    async def mark(self, mark: Mark) -> str:
        """Show on the mail what became of its text; empty, or why it was passed over. Raises MailRefused, retryable."""
        return await self._over(lambda session: self._mark(session, mark))

    async def _over(self, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """What the work brings, over the kept connection or a new one."""
        self._stay()
        async with self._lock:
            kept = self._take()
            try:
                if kept is not None and kept.alive:
                    try:
                        return await self._use(kept, work)
                    except Broken:
                        # It had died unnoticed, before any of the mail had left.
                        if kept.doubtful:
                            raise
                elif kept is not None:
                    kept.drop()
                return await self._use(await self._open(), work)
            except Broken as broken:
                raise MailRefused(
                    f"The connection to the IMAP server {self._where} broke before it had filed the mail.",
                    retryable=True,
                    detail=f"{self._where}: {broken}",
                ) from None

    async def _use(self, session: Session, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """Work over this session, and keep it if it came through whole."""
        whole = False
        try:
            brought = await work(session)
            whole = True
            return brought
        except MailRefused:
            whole = True
            raise
        finally:
            if whole:
                self._keep(session)
            else:
                session.drop()

    async def _file(self, session: Session, mail: Filed) -> None:
        name = session.hierarchy.name(mail.folder)
        if mail.tried_before and await self._found(session, name, mail.message_id):
            return
        answer = await session.append(name, mail.raw, await self._flags(session, name, mail), mail.date)
        if answer.code in _MISSING:
            made = await self._make(session, mail.folder)
            answer = await session.append(name, mail.raw, await self._flags(session, name, mail), mail.date)
            if answer.code in _MISSING:
                answer = made
        if not answer.ok:
            raise self._refusal(answer)

    async def _flags(self, session: Session, name: str, mail: Filed) -> tuple[str, ...]:
        """The flags that the mail is filed with. Some servers refuse a mail with a keyword that they cannot keep, and
        only SELECT says which they can (RFC 3501 section 7.1)."""
        if mail.keyword is None:
            return mail.flags
        selected = await session.select(name)
        if not selected.answer.ok:
            return mail.flags  # if that is for good, APPEND says why
        await session.unselect(name)
        return (*mail.flags, mail.keyword) if _stays(mail.keyword, selected.permanent) else mail.flags

    async def _mark(self, session: Session, mark: Mark) -> str:
        name = session.hierarchy.name(mark.folder)
        selected = await session.select(name)
        answer = selected.answer
        if not answer.ok:
            if answer.code in _MISSING or not await session.exists(name):
                return "no such folder"
            if answer.code in LATER or (answer.result == "NO" and not answer.code):
                raise self._refusal(answer)
            return f"the folder cannot be opened: {answer.result} {answer.code}".rstrip()
        found, uids = await session.find(mark.message_id)
        self._wait_if_busy(found)
        passed_over = "no such mail" if found.ok else "the folder cannot be searched"
        for uid in uids:
            passed_over = await self._mark_one(session, uid, mark, selected.permanent)
        await session.unselect(name)
        return passed_over

    async def _found(self, session: Session, name: str, message_id: str) -> bool:
        """Whether the mail is in the folder already. Raises MailRefused when that cannot be found out."""
        opened = await session.open(name)
        if not opened.ok:
            # Not every server gives a reason, and a folder that cannot be opened may hold the mail.
            if opened.code in _MISSING or not await session.exists(name):
                return False
            raise self._refusal(opened)
        found, uids = await session.find(message_id)
        await session.leave()
        if not found.ok:
            raise MailRefused(
                f"The IMAP server {self._where} cannot search the folder, and the mail may be in it already.",
                retryable=True,
                detail=f"{self._where}: SEARCH refused",
            )
        # The try before may have ended between CREATE and SUBSCRIBE.
        await self._subscribe(session, name)
        return bool(uids)

    async def _make(self, session: Session, folder: tuple[str, ...]) -> Answer:
        """Create each missing level, so that each is subscribed to; the answer is the innermost one's."""
        for depth in range(1, len(folder) + 1):
            name = session.hierarchy.name(folder[:depth])
            made = await session.create(name)
            if made.ok:
                await self._subscribe(session, name)
        return made

    async def _subscribe(self, session: Session, name: str) -> None:
        answer = await session.subscribe(name)
        if not answer.ok:
            log.warning("imap.not_subscribed", server=self._where, code=answer.code or answer.result)

    async def _open(self) -> Session:
        session = Session(self._settings, self._context)
        ready = False
        try:
            await session.start()
            ready = True
        finally:
            if not ready:
                session.drop()
        return session

    def _refusal(self, answer: Answer) -> MailRefused:
        """What the server's NO or BAD means for the mail (RFC 5530 section 3, RFC 7889 section 4)."""
        retryable = True
        match answer.code:
            case "OVERQUOTA":
                remedy = "says that the mailbox is full: its owner must delete mails before more can be filed"
            case "NOPERM" | "READ-ONLY":
                remedy = "does not let this login write to the folder: give it the rights to create and insert"
            case "CANNOT":
                retryable, remedy = False, "will never take a folder of this name: choose a plainer folder template"
            case "TOOBIG":
                retryable, remedy = False, "will never take a mail of this size"
            case _ if answer.result == "BAD" and answer.code not in LATER:
                retryable, remedy = False, "did not understand what it was asked: report this as a fault of the bridge"
            case _:
                remedy = "does not take the mail for now"
        return MailRefused(
            f"The IMAP server {self._where} {remedy}.",
            retryable=retryable,
            detail=f"{self._where}: {answer.result} {answer.code}".rstrip(),
        )

    async def _farewell(self, connection: Session) -> None:
        await connection.logout()

    def _wait_if_busy(self, answer: Answer) -> None:
        """Raises MailRefused, retryable, where the server will do another time what it was asked."""
        if answer.code in LATER:
            raise self._refusal(answer)

    async def _mark_one(self, session: Session, uid: str, mark: Mark, permanent: frozenset[str] | None) -> str:
        """Mark one mail of the selected folder; empty, or why it was passed over. Raises Broken, and MailRefused."""
        stays = [each for each in Keyword if _stays(each, permanent)]
        new: list[str] = [each for each in stays if each == mark.keyword]
        old: list[str] = [each for each in stays if each != mark.keyword]
        if mark.keyword in _ALARMING:
            new.append(Flag.FLAGGED)
        if new:
            answer, flags = await session.store(uid, "+FLAGS", new)
            self._wait_if_busy(answer)
            if not answer.ok:
                return f"its flags are not changed: {answer.result} {answer.code}".rstrip()
            if flags is not None:
                old = [each for each in old if each.lower() in flags]
        if mark.before in _ALARMING and mark.keyword not in _ALARMING:
            old.append(Flag.FLAGGED)
        if old:
            answer, _ = await session.store(uid, "-FLAGS", old)
            self._wait_if_busy(answer)
        return "" if mark.keyword is None or mark.keyword in stays else "the server keeps no keywords"


def _stays(keyword: str, permanent: frozenset[str] | None) -> bool:
    """Whether a folder with these permanent flags keeps a keyword."""
    return permanent is None or not permanent.isdisjoint((ANY, keyword.lower()))
