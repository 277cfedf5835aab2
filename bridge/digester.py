"""The station that makes digests: once a day, at its hour, a mailbox that wants one is told what became of its texts.

Where several bridges share a database the one that leads makes them; should two believe that they lead, the store takes
one. A bridge that was down at the hour makes the digest when it is back, until the next one is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import structlog

from bridge import clock, mailing, notices
from bridge.errors import StoreUnavailable
from bridge.meaning import meaning
from bridge.meaning.keywords import first_word
from bridge.settings import ReplySettings
from bridge.station import Station
from bridge.store.digests import Composed, Digests, Made, Span
from bridge.store.directory import Directory
from bridge.types import Digest, DigestAnswer, Keyword, Mailbox, OutgoingMail

log = structlog.get_logger("bridge.digester")

_NO_KEYWORD = Keyword("")

PUT_OFF = timedelta(hours=1)
"""After which a digest that could not be composed is tried again."""


class Digester(Station):
    """Makes the digests that are due."""

    name = "digester"
    pause = 30.0
    """Seconds after which a bridge finds that it leads now, or that its clock was set."""

    def __init__(
        self,
        digests: Digests,
        directory: Directory,
        *,
        domain: str,
        settings: ReplySettings,
        leads: Callable[[], Awaitable[bool]],
        mailed: Callable[[], None],
        sign: Callable[[OutgoingMail], OutgoingMail],
    ) -> None:
        super().__init__()
        self._digests = digests
        self._directory = directory
        self._domain = domain
        self._settings = settings
        self._leads = leads
        self._mailed = mailed
        self._sign = sign
        self._next: datetime | None = None
        self._put_off: dict[str, datetime] = {}

    async def _next_due(self) -> datetime | None:
        return self._next

    async def _round(self) -> int:
        self._next = None
        wanting = [mailbox for mailbox in self._directory.all() if mailbox.digest.to]
        if not wanting or not await self._leads():
            return 0
        made = await self._digests.last([mailbox.id for mailbox in wanting])
        for mailbox in wanting:
            if self._stopping:
                break
            now = clock.now()
            if now < self._put_off.get(mailbox.id, now):
                continue
            try:
                await self._look_at(mailbox, made.get(mailbox.id), now)
            except StoreUnavailable:
                raise
            except Exception:
                # One mailbox whose digest cannot be made must not keep all the others from theirs.
                log.exception("digest.failed", mailbox=mailbox.id)
                self._put_off[mailbox.id] = now + PUT_OFF
        return 0

    async def _look_at(self, mailbox: Mailbox, made: Made | None, now: datetime) -> None:
        plan = mailbox.digest
        day = plan.due(now, mailbox.timezone, made.day if made is not None else None)
        if day is not None:
            await self._make(mailbox, day, made.at if made is not None else None, now)
        upcoming = plan.next(now, mailbox.timezone)
        self._next = min(self._next or upcoming, upcoming)

    async def _make(self, mailbox: Mailbox, day: date, told_until: datetime | None, now: datetime) -> None:
        since = mailbox.digest.moment(day - timedelta(days=mailbox.digest.days), mailbox.timezone)
        names = self._directory.book(mailbox.organisation_id).names
        found = await self._digests.read(Span(mailbox.id, day, since, now), told_until, names)
        mails: tuple[OutgoingMail, ...] = ()
        if found is not None:
            told = await self._understood(mailbox, found)
            # A table of thousands of lines takes a while, and others wait for answers meanwhile.
            mails = await asyncio.to_thread(self._compose, mailbox, told)
        if await self._digests.keep(Composed(mailbox, day, now, mails)) and mails:
            log.info("digest.queued", mailbox=mailbox.id, mails=len(mails))
            self._mailed()

    async def _understood(self, mailbox: Mailbox, found: Digest) -> Digest:
        """The digest with what its answers say; others have their turn after each."""
        answers = []
        for answer in found.answers_listed:
            answers.append(self._meant(mailbox, answer))
            await asyncio.sleep(0)
        return replace(found, answers_listed=tuple(answers))

    def _meant(self, mailbox: Mailbox, answer: DigestAnswer) -> DigestAnswer:
        if mailing.written(answer.number, answer.text, self._settings) is not None:
            return answer
        meant = meaning(answer.text, self._directory.languages(answer.sender, mailbox))
        keywords = self._directory.keywords(mailbox.id) if meant.command is None else {}
        keyword = keywords.get(first_word(answer.text), _NO_KEYWORD)
        return replace(answer, intent=meant.intent, keyword=keyword.word, tag=keyword.tag)

    def _compose(self, mailbox: Mailbox, told: Digest) -> tuple[OutgoingMail, ...]:
        return tuple(self._sign(mail) for mail in notices.digest(mailbox, told, self._domain))
