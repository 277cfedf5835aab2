"""The stations of one bridge: each is made here, run, and ended in the reverse order; and what wakes which."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import structlog

from bridge import clock
from bridge.caller import Caller
from bridge.consent.renewal import Consents
from bridge.digester import Digester
from bridge.disk import Disk
from bridge.dispatcher import Dispatcher
from bridge.entrances import Entrances
from bridge.filer import Filer
from bridge.gateways.configured import rates
from bridge.ground import Ground
from bridge.janitor import Janitor
from bridge.mailback.configured import open_folders, open_watched, relay_settings
from bridge.mailback.relay import Relay
from bridge.mailbox_door.door import MailboxDoor
from bridge.mailbox_door.watch import watches
from bridge.poller import Poller
from bridge.postman import Postman
from bridge.reporter import Reporter
from bridge.seeker import Seeker
from bridge.store.backlog import Backlog, read_backlog
from bridge.store.digests import Digests
from bridge.store.filings import Filings
from bridge.store.polls import Cursor, read_cursor
from bridge.store.reports import Reports
from bridge.store.webhooks import Webhooks
from bridge.treasurer import Treasurer
from bridge.watchman import Watchman

log = structlog.get_logger("bridge.stations")

ALERT_TIMEOUT = 10.0
"""Seconds that the mail server has for each answer when it is handed an alert. A copy too many would do no harm."""


class Works(Protocol):
    """A station, as far as it is run and ended here."""

    async def run(self) -> None:
        """Work until it is stopped."""

    def stop(self) -> None:
        """Begin nothing more."""


class Stations:
    """All stations of a bridge."""

    def __init__(self, ground: Ground, entrances: Entrances, disk: Disk) -> None:
        """Raises SettingsError for an account or a mail server that cannot be used."""
        self._ground = ground
        self._intake = entrances.intake
        self.failed = False
        """One died; whoever started this bridge should start another."""
        settings, store, bells = ground.settings, ground.store, ground.bells
        self._consents = Consents(settings)
        reached = relay_settings(settings, self._consents)
        self._relay = Relay(reached)
        # What is wrong must not wait behind other mails, nor may a silent mail server keep the watchman from looking.
        self._alerts = Relay(replace(reached, timeout=ALERT_TIMEOUT, data_timeout=ALERT_TIMEOUT))
        self._folders = open_folders(settings, self._consents)
        postman = Postman(ground.mails, self._relay, entrances.returns, node=store.node, streaks=ground.streaks)
        filer = self._make_filer()
        reporter = self._make_reporter()
        digester = self._make_digester()
        caller = self._make_caller()
        treasurer = Treasurer(ground.gateways, ground.leads)
        self.watchman = self._make_watchman(disk, treasurer)
        self._dispatcher = self._make_dispatcher()
        self._others: dict[str, Works] = {
            "postman": postman,
            "filer": filer,
            "caller": caller,
            "reporter": reporter,
            "digester": digester,
            "seeker": Seeker(store.queue, ground.gateways, settled=bells.settled),
            "poller": self._make_poller(),
            "mailbox door": self._make_mailbox_door(entrances, disk),
            "janitor": self._make_janitor(entrances),
            "watchman": self.watchman,
            "treasurer": treasurer,
        }
        left = (self._dispatcher.ring, reporter.ring, postman.ring, filer.ring, caller.ring)
        bells.texted.wakes(self._dispatcher.ring)
        bells.settled.wakes(reporter.ring, filer.ring)
        bells.mailed.wakes(postman.ring, filer.ring)
        bells.posted.wakes(caller.ring)
        bells.left.wakes(*left)
        bells.changed.wakes(*left, digester.ring)

    async def open(self, stack: AsyncExitStack) -> None:
        """Give back what the dead held, and run all; `stack` ends them. Raises StoreUnavailable."""
        ground, grace = self._ground, self._ground.settings.smtp.drain_timeout
        stack.push_async_callback(self._consents.close)
        stack.push_async_callback(self._relay.close)
        if ground.nodes is not None:
            await ground.nodes.start()
            stack.push_async_callback(ground.nodes.close)
        for folders in self._folders.values():
            stack.push_async_callback(folders.close)
        stack.push_async_callback(self._alerts.close)
        self._listening = [
            self._begin(f"gateway {name}", gateway.listen(self._intake.hear))
            for name, gateway in ground.gateways.items()
        ]
        alone, told_after = ground.nodes is None, ground.patience.unknown_after
        lost = await ground.store.leases.recover(clock.now(), all_leases=alone, told_after=told_after)
        if lost:
            log.warning("bridge.found_unknown_messages", messages=lost)
        for name, station in self._others.items():
            stack.push_async_callback(_end, self._begin(name, station.run()), station.stop, grace)
        dispatching = self._begin("dispatcher", self._dispatcher.run())
        stack.push_async_callback(_end, dispatching, lambda: None, grace)
        stack.push_async_callback(self._dispatcher.stop, grace)

    async def backlog(self, now: datetime) -> Backlog:
        """What waits at the moment `now`. Raises StoreUnavailable."""
        return await read_backlog(self._ground.store.engine, now)

    def _begin(self, name: str, run: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(run, name=name)
        task.add_done_callback(self._watch)
        return task

    def _watch(self, task: asyncio.Task[None]) -> None:
        """A station that dies takes the bridge with it: a supervisor restarts a bridge, nobody restarts a station."""
        if task.cancelled() or task.exception() is None:
            return
        log.critical("station.died", station=task.get_name(), exc_info=task.exception())
        self.failed = True
        os.kill(os.getpid(), signal.SIGTERM)

    def _make_dispatcher(self) -> Dispatcher:
        ground = self._ground
        return Dispatcher(
            ground.store.queue,
            ground.gateways,
            ground.patience,
            in_flight=ground.settings.sending.in_flight,
            node=ground.store.node,
            settled=ground.bells.settled,
            streaks=ground.streaks,
            rates=rates(ground.settings, ground.gateways),
        )

    def _make_filer(self) -> Filer:
        store = self._ground.store
        return Filer(
            Filings(store.engine, store.committer),
            self._ground.mails,
            self._folders,
            store.directory,
            domain=self._ground.settings.domain,
            node=store.node,
        )

    def _make_caller(self) -> Caller:
        store = self._ground.store
        webhooks = Webhooks(store.engine, store.committer)
        return Caller(webhooks, self._ground.mails, store.directory, derived=store.key.derived, node=store.node)

    def _make_reporter(self) -> Reporter:
        settings, store = self._ground.settings, self._ground.store
        return Reporter(
            Reports(store.engine, store.committer, settings.reports.wait, settings.sending.give_up_after, store.filing),
            store.directory,
            hostname=settings.hostname,
            domain=settings.domain,
            mailed=self._ground.bells.mailed,
            sign=self._ground.sign,
        )

    def _make_digester(self) -> Digester:
        store = self._ground.store
        return Digester(
            Digests(store.engine, store.committer),
            store.directory,
            domain=self._ground.settings.domain,
            settings=self._ground.settings.replies,
            leads=self._ground.leads,
            mailed=self._ground.bells.mailed,
            sign=self._ground.sign,
        )

    def _make_poller(self) -> Poller:
        engine, intake = self._ground.store.engine, self._intake
        return Poller(
            self._ground.gateways,
            begin=lambda gateway, poll: read_cursor(engine, gateway, poll),
            keep=lambda gateway, poll, polled: intake.hear_polled(polled.events, Cursor(gateway, poll, polled.cursor)),
            leads=self._ground.leads,
            streaks=self._ground.streaks,
        )

    def _make_mailbox_door(self, entrances: Entrances, disk: Disk) -> MailboxDoor:
        ground = self._ground
        accounts = open_watched(ground.settings, self._consents)
        found = watches(ground.settings, accounts, entrances.reception, entrances.watched)
        return MailboxDoor(found, leads=ground.leads, disk_full=disk.is_full, streaks=ground.streaks)

    def _make_janitor(self, entrances: Entrances) -> Janitor:
        ground = self._ground
        return Janitor(
            ground.store.directory,
            entrances.outbox,
            ground.store.leases,
            nodes=ground.nodes,
            told_after=ground.patience.unknown_after,
            most_queued=ground.settings.sending.most_queued,
            changed=ground.bells.changed,
            give_up=entrances.intake.give_up,
        )

    def _make_watchman(self, disk: Disk, treasurer: Treasurer) -> Watchman:
        ground = self._ground
        return Watchman(
            self.backlog,
            ground.streaks,
            disk,
            self._alerts,
            settings=ground.settings,
            leads=ground.leads,
            balances=treasurer.balances,
            consents=self._consents.states,
        )


async def _end(task: asyncio.Task[None], stop: Callable[[], None], grace: float) -> None:
    """Let a station finish what it has in hand; after `grace` seconds its leases must do, as after a crash."""
    stop()
    _, late = await asyncio.wait({task}, timeout=grace)
    if late:
        log.warning("station.cut_short", station=task.get_name())
        task.cancel()
        await asyncio.wait({task})
