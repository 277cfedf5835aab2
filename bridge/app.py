"""The composition root: the only module that knows every room. It opens them in order, and closes them in reverse.

Everything that can hold a mail is ready before the first listener opens, and the web listener opens last: when
`/healthz` answers, mail is taken.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from starlette.routing import BaseRoute

from bridge import clock, folder_lock, notices, routing, tries
from bridge.access.credentials import Credentials
from bridge.admission import Admission
from bridge.answering import Manners
from bridge.conditions import Health
from bridge.digester import Digester
from bridge.disk import Disk
from bridge.dispatcher import Dispatcher
from bridge.errors import SettingsError
from bridge.filer import Filer
from bridge.gateways.configured import open_gateways, rates
from bridge.gauges import gauges
from bridge.intake import Intake
from bridge.janitor import Janitor
from bridge.mailback.configured import open_folders, relay_settings, signing
from bridge.mailback.relay import Relay
from bridge.notices.bounces import BounceKey
from bridge.poller import Poller
from bridge.postman import Postman
from bridge.reporter import Reporter
from bridge.returns import Returns
from bridge.seeker import Seeker
from bridge.settings import Settings
from bridge.smtp_handler import FrontDoor
from bridge.smtp_server import SmtpServer, door_settings
from bridge.sorter import Sorter
from bridge.store.backlog import Backlog, read_backlog
from bridge.store.digests import Digests
from bridge.store.filings import Filings
from bridge.store.inbox import Inbox
from bridge.store.mails import Mails
from bridge.store.nodes import Nodes
from bridge.store.outbox import Outbox
from bridge.store.polls import Cursor, read_cursor
from bridge.store.reports import Reports
from bridge.store.store import Store, database_file, database_url, make_folder
from bridge.streaks import Streaks
from bridge.treasurer import Treasurer
from bridge.trials import Trials
from bridge.watchman import Watchman
from bridge.web.app import build_web
from bridge.web.proxies import Proxies
from bridge.web.refusals import Refusals
from bridge.web.scrape import scrape_routes
from bridge.web.server import WebServer

log = structlog.get_logger("bridge.app")

ALERT_TIMEOUT = 10.0
"""Seconds that the mail server has for each answer when it is handed an alert. A copy too many would do no harm."""


class Bridge:
    """One running bridge.

    `extra_routes` are served beside its own web pages (the demo's simulator). With `shares_ports` other bridges of
    this machine listen on the same ports.
    """

    def __init__(
        self, settings: Settings, extra_routes: Sequence[BaseRoute] = (), *, shares_ports: bool = False
    ) -> None:
        self.settings = settings
        self._extra_routes = extra_routes
        self._shares_ports = shares_ports
        self.failed = False
        """A station died; whoever started this bridge should start another."""
        self._exit = AsyncExitStack()

    async def start(self) -> None:
        """Open every room. Raises SettingsError and StoreUnavailable; then nothing is left open."""
        async with AsyncExitStack() as stack:
            settings = self.settings
            make_folder(settings.data_dir)
            single = database_file(settings) is not None
            if single:
                stack.callback(os.close, folder_lock.take(settings.data_dir))
            self.store = await stack.enter_async_context(Store(settings))
            self.gateways = open_gateways(settings, self.store.key.derived)
            for gateway in self.gateways.values():
                stack.push_async_callback(gateway.close)
            await self._open_stations(stack, single=single)
            await self._open_listeners(stack)
            self._exit = stack.pop_all()
        log.info("bridge.ready", smtp_port=self.door.port, http_port=self.web.port)

    async def stop(self) -> None:
        """Take nothing new, finish what is held, close."""
        await self._exit.aclose()
        log.info("bridge.stopped")

    async def _open_stations(self, stack: AsyncExitStack, *, single: bool) -> None:
        settings, store = self.settings, self.store
        self.relay = Relay(relay_settings(settings))
        stack.push_async_callback(self.relay.close)
        mails = Mails(store.engine, store.committer)
        reports = Reports(store.engine, store.committer, settings.reports.wait, store.filing)
        patience = tries.configured(settings)
        sign = signing(settings)
        bounce_key = BounceKey(1, store.key.derived("bounce addresses"))
        streaks = Streaks()
        nodes = None
        if not single:
            nodes = Nodes(database_url(settings), store.node, self._ring)
            await nodes.start()
            stack.push_async_callback(nodes.close)
        leads = nodes.leads if nodes is not None else _alone
        self.returns = Returns(
            mails, store.directory, settings=settings, key=bounce_key, sign=sign, mailed=self._mailed
        )
        self.postman = Postman(mails, self.relay, self.returns, node=store.node, streaks=streaks)
        accounts = open_folders(settings)
        for folders in accounts.values():
            stack.push_async_callback(folders.close)
        self.filer = Filer(
            Filings(store.engine, store.committer),
            mails,
            accounts,
            store.directory,
            domain=settings.domain,
            node=store.node,
        )
        self.reporter = Reporter(
            reports,
            store.directory,
            hostname=settings.hostname,
            domain=settings.domain,
            mailed=self._mailed,
            sign=sign,
        )
        self.digester = Digester(
            Digests(store.engine, store.committer),
            store.directory,
            domain=settings.domain,
            leads=leads,
            mailed=self._mailed,
            sign=sign,
        )
        self.dispatcher = Dispatcher(
            store.queue,
            self.gateways,
            patience,
            in_flight=settings.sending.in_flight,
            node=store.node,
            settled=self._settled,
            streaks=streaks,
            rates=rates(settings, self.gateways),
        )
        self.seeker = Seeker(store.queue, self.gateways, settled=self._settled)
        outbox = Outbox(
            store.committer,
            store.key,
            settings.sending.resubmission_window,
            conversation_window=timedelta(days=settings.replies.window_days),
            tell=lambda mail, signature_id: sign(notices.learned(mail, signature_id, settings.domain)),
            mailed=self._mailed,
        )
        routes = routing.configured(settings, {name: each.traits for name, each in self.gateways.items()})
        sorter = Sorter(
            store.directory,
            domain=settings.domain,
            settings=settings.replies,
            sign=sign,
            bounce_key=bounce_key,
            routes=routes,
            manners=Manners(
                limit=settings.replies.automatic_texts,
                orders=settings.replies.confirm_orders,
                answered_by=frozenset(name for name, each in self.gateways.items() if each.traits.answers_orders),
            ),
        )
        self.intake = Intake(
            Inbox(store.committer, store.key, settings.reports.wait, store.filing, history=settings.replies.history),
            store.directory,
            decide=sorter.decide,
            settled=self._settled,
            mailed=self._mailed,
            texted=self.dispatcher.ring,
        )
        self.janitor = Janitor(
            store.directory,
            outbox,
            store.leases,
            nodes=nodes,
            told_after=patience.unknown_after,
            changed=self._changed,
            give_up=self.intake.give_up,
        )
        self.credentials = Credentials()
        self.admission = Admission(
            outbox,
            store.directory,
            domains={settings.domain},
            routes=routes,
            credentials=self.credentials,
            taken=self.dispatcher.ring,
            trials=Trials(mails, domain=settings.domain, mailed=self._mailed, sign=sign),
            threads=store.threads,
            beyond_thread=settings.replies.beyond_thread,
        )
        self.poller = Poller(
            self.gateways,
            begin=lambda gateway, poll: read_cursor(store.engine, gateway, poll),
            keep=lambda gateway, poll, polled: self.intake.hear_polled(
                polled.events, Cursor(gateway, poll, polled.cursor)
            ),
            leads=leads,
            streaks=streaks,
        )
        file = database_file(settings)
        self.disk = Disk(file.parent if file is not None else settings.data_dir, settings.smtp.disk_reserve)
        # What is wrong must not wait behind other mails, nor may a silent mail server keep the watchman from looking.
        alerts = Relay(replace(relay_settings(settings), timeout=ALERT_TIMEOUT, data_timeout=ALERT_TIMEOUT))
        stack.push_async_callback(alerts.close)
        self.treasurer = Treasurer(self.gateways, leads)
        balances = self.treasurer.balances
        self.watchman = Watchman(
            self.backlog, streaks, self.disk, alerts, settings=settings, leads=leads, balances=balances
        )
        self._listening = [
            self._station(f"gateway {name}", gateway.listen(self.intake.hear))
            for name, gateway in self.gateways.items()
        ]
        grace = settings.smtp.drain_timeout
        lost = await store.leases.recover(clock.now(), all_leases=single, told_after=patience.unknown_after)
        if lost:
            log.warning("bridge.found_unknown_messages", messages=lost)
        for name, run, stop in (
            ("postman", self.postman.run(), self.postman.stop),
            ("filer", self.filer.run(), self.filer.stop),
            ("reporter", self.reporter.run(), self.reporter.stop),
            ("digester", self.digester.run(), self.digester.stop),
            ("seeker", self.seeker.run(), self.seeker.stop),
            ("poller", self.poller.run(), self.poller.stop),
            ("janitor", self.janitor.run(), self.janitor.stop),
            ("watchman", self.watchman.run(), self.watchman.stop),
            ("treasurer", self.treasurer.run(), self.treasurer.stop),
        ):
            stack.push_async_callback(_end, self._station(name, run), stop, grace)
        dispatching = self._station("dispatcher", self.dispatcher.run())
        stack.push_async_callback(_end, dispatching, lambda: None, grace)
        stack.push_async_callback(self.dispatcher.stop, grace)

    def _station(self, name: str, run: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
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

    def _ring(self) -> None:
        """Another node left work: every station that may do it has a look."""
        for station in (self.dispatcher, self.reporter, self.postman, self.filer):
            station.ring()

    def _changed(self) -> None:
        """A mailbox changed, or what the dead held was given back."""
        self._ring()
        self.digester.ring()

    def _settled(self) -> None:
        """Something became of a message: perhaps there is something to report, or its text to file."""
        self.reporter.ring()
        self.filer.ring()

    def _mailed(self) -> None:
        """A mail was put into the queue, and perhaps its copy for a folder."""
        self.postman.ring()
        self.filer.ring()

    async def _open_listeners(self, stack: AsyncExitStack) -> None:
        front = FrontDoor(
            self.store.directory, self.credentials, self.admission, self.returns, disk_full=self.disk.is_full
        )
        self.door = SmtpServer(door_settings(self.settings), front, shares_ports=self._shares_ports)
        http, refusals = self.settings.http, Refusals()
        proxies = Proxies(http.trusted_proxies, http.public_url)
        token = http.metrics_token.get_secret_value() if http.metrics_token is not None else ""
        scrape = scrape_routes(lambda: gauges(self.backlog, self.disk), token, proxies, refusals)
        routes = [*scrape, *self._extra_routes]
        self.web = WebServer(
            build_web(self.gateways, self.intake.hear, self.health, routes, proxies=proxies, refusals=refusals),
            http.host,
            http.port,
            shares_port=self._shares_ports,
        )
        stack.push_async_callback(self.web.stop)
        stack.push_async_callback(self.door.stop, self.settings.smtp.drain_timeout)
        try:
            await self.door.start()
        except OSError as error:
            smtp = self.settings.smtp
            key, port = ("tls_port", smtp.tls_port) if self.door.port is not None else ("port", smtp.port)
            reason = os.strerror(error.errno) if error.errno else str(error)
            remedy = f"cannot be used ({reason}); stop what listens there, or choose another port"
            raise SettingsError(f"smtp.{key}", str(port), remedy) from error
        await self.web.start()

    async def health(self) -> Health:
        """How this bridge is. While it stops, it sends those who balance load to the other nodes."""
        found = await self.watchman.health()
        if not self.door.draining:
            return found
        parts = {**found.parts, "smtp": "The bridge is stopping and takes no new mail."}
        return Health(takes_mail=False, parts=parts)

    async def backlog(self, now: datetime) -> Backlog:
        """What waits at the moment `now`. Raises StoreUnavailable."""
        return await read_backlog(self.store.engine, now)


async def _alone() -> bool:
    """One bridge on one database leads."""
    return True


async def _end(task: asyncio.Task[None], stop: Callable[[], None], grace: float) -> None:
    """Let a station finish what it has in hand; after `grace` seconds its leases must do, as after a crash."""
    stop()
    _, late = await asyncio.wait({task}, timeout=grace)
    if late:
        log.warning("station.cut_short", station=task.get_name())
        task.cancel()
        await asyncio.wait({task})
