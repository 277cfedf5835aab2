"""A mailbox on a real Dovecot that is watched for a clinic, and the store behind it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from bridge import clock
from bridge.access.credentials import Credentials
from bridge.admission import Admission
from bridge.mailback.imap_inbox import Account as Watchable
from bridge.mailback.imap_inbox import Inbox
from bridge.mailbox_door.door import MailboxDoor
from bridge.mailbox_door.reception import Reception, Rules
from bridge.mailbox_door.watch import Watch
from bridge.routing import Route, Routes
from bridge.store.watched import Watched
from bridge.streaks import Streak, Streaks
from bridge.trials import Trials
from bridge.types import Fate, OutgoingMail
from tests.mailback.imap import reaching
from tests.servers.dovecot import DovecotServer
from tests.servers.imap_account import Account
from tests.stations.conftest import rulings_of, waiting
from tests.store.conftest import DOMAIN, GATEWAY, StoreRoom, room, sqlite_room, template

__all__ = ["room", "sqlite_room", "template"]

PHONE, OTHER = "+393331234567", "+393471234567"
PROVIDER = "mx.provider.example"
GOOD = f"{PROVIDER}; dmarc=pass header.from=example.test"
"""What the provider says of a mail by the clinic."""
DONE, REFUSED = ("SMS", "Taken"), ("SMS", "Refused")

PATIENCE = 60.0


class Tries(Streaks):
    """The record of tries, with an event for each."""

    def __init__(self) -> None:
        super().__init__()
        self.noted = asyncio.Event()

    def note(self, part: str, at: datetime, *, good: bool) -> None:
        super().note(part, at, good=good)
        self.noted.set()

    async def failed(self, part: str, times: int) -> None:
        """Wait until so many tries in a row have failed."""
        while self.all().get(part, Streak()).failures < times:
            self.noted.clear()
            await self.noted.wait()


@dataclass
class Post:
    """A watched mailbox, who writes to it, and what came of that."""

    server: DovecotServer
    user: str
    room: StoreRoom
    port: int = 0
    """Where the bridge thinks that the server is; 0 for the server's own port."""
    texted: list[None] = field(default_factory=list)
    """One for each time that a message was put into the queue."""
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    """Set each time."""
    disk_full: bool = False
    streaks: Tries = field(default_factory=lambda: Tries())

    @property
    def address(self) -> str:
        """Of the watched mailbox."""
        return f"{self.user}@clinic.example"

    @property
    def box(self) -> Account:
        """The mailbox as its owner sees it."""
        return Account(self.server, self.user)

    def phone(self, number: str = PHONE, options: str = "") -> str:
        """The address of a phone."""
        return f"{self.user}+{number.lstrip('+')}{options}@clinic.example"

    def mail(
        self,
        to: str | None = None,
        text: str = "Your visit is tomorrow at nine.",
        *,
        says: str | None = GOOD,
        author: str = "clinic@example.test",
        subject: str = "Your visit",
        message_id: str = "<1@clinic.example>",
        extra: str = "",
    ) -> bytes:
        """A mail as the provider files it; `says` is what it says about the author."""
        results = f"Authentication-Results: {says}\r\n" if says is not None else ""
        return (
            f"Return-Path: <{author}>\r\n{extra}{results}From: Anna <{author}>\r\nTo: {to or self.phone()}\r\n"
            f"Subject: {subject}\r\nMessage-ID: {message_id}\r\n\r\n{text}\r\n"
        ).encode()

    def put(self, *mails: bytes, flags: str = "", age: timedelta = timedelta()) -> None:
        """Mails come into the mailbox, as its mail server writes them to disk; `flags` as they stand in names of files,
        where S is read and F is flagged; they came `age` ago."""
        place = self.server.maildir(self.user)
        for mail in mails:
            name = clock.new_id()
            file = place / ("cur" if flags else "new") / (f"{name}:2,{flags}" if flags else name)
            fresh = place / "tmp" / name
            fresh.write_bytes(mail)
            came = (datetime.now(UTC) - age).timestamp()
            os.utime(fresh, (came, came))
            if os.geteuid() == 0:
                shutil.chown(fresh, "nobody", "nogroup")
            fresh.rename(file)

    def inbox(self) -> list[bytes]:
        """The mails that are still in the mailbox."""
        place = self.server.maildir(self.user)
        return [file.read_bytes() for part in ("new", "cur") for file in sorted((place / part).iterdir())]

    def done(self) -> list[bytes]:
        """Those that were taken."""
        return self._moved(DONE)

    def refused(self) -> list[bytes]:
        """Those that were not."""
        return self._moved(REFUSED)

    def _moved(self, folder: tuple[str, ...]) -> list[bytes]:
        name = "." + ".".join(folder)
        return self.server.mails(self.user, name) if name in self.server.folders(self.user) else []

    def watch(self, room: StoreRoom | None = None, **rules: Any) -> Watch:
        """What looks after the mailbox, on this node or on another one with a store of its own."""
        room = room or self.room
        watched = Watched(room.store.engine, room.store.committer)
        values: dict[str, Any] = {
            "subject_numbers": False,
            "max_octets": 1_000_000,
            "authserv_ids": frozenset({PROVIDER}),
        } | rules
        return Watch(
            Watchable(reaching(self.port or self.server.port, self.user)),
            self.reception(room, watched),
            watched,
            Rules(self.address, **values | rules),
            folder=("INBOX",),
            away={Fate.TAKEN: DONE, Fate.REFUSED: REFUSED},
        )

    def reception(self, room: StoreRoom, watched: Watched) -> Reception:
        """What deals with its mails."""
        store = room.store
        admission = Admission(
            room.outbox,
            store.directory,
            domains={DOMAIN},
            routes=Routes((Route(GATEWAY),)),
            credentials=Credentials(),
            taken=self._text,
            trials=Trials(room.mails, domain=DOMAIN, mailed=lambda: None, sign=lambda mail: mail),
            rulings=rulings_of(room),
            threads=store.threads,
            beyond_thread=5,
        )
        return Reception(
            admission,
            store.directory,
            watched,
            domain=DOMAIN,
            fallback="",
            sign=lambda mail: mail,
            mailed=lambda: None,
            keyed=store.key.hash,
        )

    def _text(self) -> None:
        self.texted.append(None)
        self.bell.set()

    async def texted_times(self, times: int) -> None:
        """Wait until messages were put into the queue so many times."""
        async with asyncio.timeout(PATIENCE):
            while len(self.texted) < times:
                self.bell.clear()
                await self.bell.wait()

    async def look(self, **rules: Any) -> Watch:
        """Look into the mailbox once."""
        watch = self.watch(**rules)
        async with looking(watch) as inbox:
            await watch.round(inbox)
        return watch

    async def texts(self, room: StoreRoom | None = None) -> list[str]:
        """The phones that are texted, in the order of their messages."""
        views = await (room or self.room).store.ledger.messages(state=None, number=None, login=None, limit=100)
        return [view.number for view in reversed(views)]

    async def notices(self) -> list[OutgoingMail]:
        """Mails that wait for the mail server, which are claimed by that."""
        return await waiting(self.room)


@asynccontextmanager
async def looking(watch: Watch) -> AsyncIterator[Inbox]:
    """A connection on which the mailbox is open."""
    inbox = await watch.open()
    try:
        yield inbox
    finally:
        inbox.drop()


def body(mail: OutgoingMail) -> str:
    """What a person reads in a mail, on one line."""
    found = message_from_bytes(mail.raw, policy=policy.default).get_body(("plain",))
    assert found is not None
    return " ".join(str(found.get_content()).split())


@pytest.fixture
async def post(room: StoreRoom, dovecot: DovecotServer, account: str) -> Post:
    """A mailbox that was empty when the bridge first looked into it; the store is on each database in turn."""
    opened = Post(dovecot, account, room)
    await opened.look()
    return opened


@pytest.fixture
async def sqlite_post(sqlite_room: StoreRoom, dovecot: DovecotServer, account: str) -> Post:
    """The same on SQLite alone, for what has nothing to do with the database."""
    opened = Post(dovecot, account, sqlite_room)
    await opened.look()
    return opened


async def alone() -> bool:
    """One bridge on one database leads."""
    return True


@asynccontextmanager
async def watching(
    post: Post, watch: Watch | None = None, *, leads: Callable[[], Awaitable[bool]] = alone
) -> AsyncIterator[asyncio.Task[None]]:
    """The station at work; it ends within a moment when it is told to."""
    watches = {post.address: watch or post.watch()}
    station = MailboxDoor(watches, leads=leads, disk_full=lambda: post.disk_full, streaks=post.streaks)
    task = asyncio.create_task(station.run())
    try:
        yield task
    finally:
        station.stop()
        async with asyncio.timeout(PATIENCE):
            await task
