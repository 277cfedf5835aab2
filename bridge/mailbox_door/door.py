"""The station of the mailbox door: looks after every watched mailbox, each at its own pace, and never lets one be.

A mailbox that fails is tried again, later and later, and the watchman tells the operator. Where several bridges share a
database, one of them watches; two that both believe they do, do no harm (`bridge.store.watched`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from bridge import clock
from bridge.errors import MailRefused, StoreUnavailable
from bridge.mailback.imap_session import Broken
from bridge.mailbox_door.watch import Watch
from bridge.streaks import Streaks, mailbox

log = structlog.get_logger("bridge.mailbox_door")

FIRST_RETRY = 1.0
MAX_RETRY = 600.0
"""Seconds until a mailbox that fails is tried again."""

STANDBY = 5.0
"""Seconds between two looks whether this bridge is to watch, and while the database is away."""


class MailboxDoor:
    """Watches mailboxes, by their address."""

    def __init__(
        self,
        watches: Mapping[str, Watch],
        *,
        leads: Callable[[], Awaitable[bool]],
        disk_full: Callable[[], bool],
        streaks: Streaks,
    ) -> None:
        """`leads` says whether it is this bridge that watches."""
        self._watches = watches
        self._leads = leads
        self._disk_full = disk_full
        self._streaks = streaks
        self._failures = dict.fromkeys(watches, 0)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Watch until `stop` is called."""
        async with asyncio.TaskGroup() as group:
            for address, watch in self._watches.items():
                group.create_task(self._serve(address, watch), name=f"watch {address}")

    def stop(self) -> None:
        """Deal with no further mail."""
        self._stopping.set()
        for watch in self._watches.values():
            watch.stopped.set()

    async def _serve(self, address: str, watch: Watch) -> None:
        while not self._stopping.is_set():
            if not await self._may_watch():
                await self._sleep(STANDBY)
                continue
            try:
                await self._attend(address, watch)
                continue
            except StoreUnavailable as error:
                log.warning("mailbox_door.store_unavailable", watch=address, detail=error.detail)
                await self._sleep(STANDBY)
                continue
            except (Broken, MailRefused) as error:
                self._failed(address, error.detail if isinstance(error, MailRefused) else str(error))
            except Exception as error:
                # What breaks the client once may pass; the other mailboxes are still watched.
                log.exception("mailbox_door.broke", watch=address)
                self._failed(address, type(error).__name__)
            self._failures[address] += 1
            await self._sleep(min(FIRST_RETRY * 2.0 ** min(self._failures[address] - 1, 30), MAX_RETRY))

    async def _attend(self, address: str, watch: Watch) -> None:
        """Watch over one connection, for as long as it lasts. Raises Broken, MailRefused and StoreUnavailable."""
        inbox = await watch.open()
        whole = False
        try:
            while not self._stopping.is_set() and await self._may_watch():
                await watch.round(inbox)
                self._failures[address] = 0
                self._streaks.note(mailbox(address), clock.now(), good=True)
                await inbox.wait(watch.pause(inbox), watch.stopped)
            whole = True
        finally:
            if whole:
                await inbox.logout()
            else:
                inbox.drop()

    async def _may_watch(self) -> bool:
        """Whether mails are taken here, and there is room for them; else they wait in the mailbox."""
        return await self._leads() and not self._disk_full()

    def _failed(self, address: str, why: str) -> None:
        self._streaks.note(mailbox(address), clock.now(), good=False)
        log.warning("mailbox_door.away", watch=address, why=why)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(clock.jitter(seconds)):
                await self._stopping.wait()
        except TimeoutError:
            return
