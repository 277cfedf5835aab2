"""The composition root: opens a bridge's rooms in order, and closes them in reverse.

What they stand on together is made in `ground`, what takes things in in `entrances`, what carries them on in
`stations`. Everything that can hold a mail is ready before the first listener opens, and the web listener opens last:
when `/healthz` answers, mail is taken.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import structlog
from starlette.routing import BaseRoute

from bridge import folder_lock
from bridge.access.dns import Resolver
from bridge.conditions import Health
from bridge.disk import Disk
from bridge.entrances import Entrances
from bridge.errors import SettingsError
from bridge.gateways.configured import open_gateways
from bridge.gauges import gauges
from bridge.ground import prepare
from bridge.settings import Settings
from bridge.settings.forms import name_server
from bridge.smtp_doors import door_settings, mx_settings
from bridge.smtp_handler import FrontDoor
from bridge.smtp_mx import MxDoor
from bridge.smtp_server import SmtpServer
from bridge.stations import Stations
from bridge.store.backlog import Backlog
from bridge.store.store import Store, database_file, make_folder
from bridge.web.app import build_web
from bridge.web.proxies import Proxies
from bridge.web.refusals import Refusals
from bridge.web.scrape import scrape_routes
from bridge.web.server import WebServer

log = structlog.get_logger("bridge.app")


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
        self._exit = AsyncExitStack()

    @property
    def failed(self) -> bool:
        """A station died; whoever started this bridge should start another."""
        return self._stations.failed

    async def start(self) -> None:
        """Open every room. Raises SettingsError and StoreUnavailable; then nothing is left open."""
        async with AsyncExitStack() as stack:
            settings = self.settings
            make_folder(settings.data_dir)
            file = database_file(settings)
            if file is not None:
                stack.callback(os.close, folder_lock.take(settings.data_dir))
            self.store = await stack.enter_async_context(Store(settings))
            self._gateways = open_gateways(settings, self.store.key.derived)
            for gateway in self._gateways.values():
                stack.push_async_callback(gateway.close)
            self._disk = Disk(file.parent if file is not None else settings.data_dir, settings.smtp.disk_reserve)
            ground = prepare(settings, self.store, self._gateways)
            self._entrances = Entrances(ground)
            self._stations = Stations(ground, self._entrances, self._disk)
            await self._stations.open(stack)
            await self._open_listeners(stack)
            self._exit = stack.pop_all()
        log.info(
            "bridge.ready", smtp_port=self.door.port, mx_port=self.mx.port if self.mx else None, http_port=self.web.port
        )

    async def stop(self) -> None:
        """Take nothing new, finish what is held, close."""
        await self._exit.aclose()
        log.info("bridge.stopped")

    async def health(self) -> Health:
        """How this bridge is. While it stops, it sends those who balance load to the other nodes."""
        found = await self._stations.watchman.health()
        if not self.door.draining:
            return found
        parts = {**found.parts, "smtp": "The bridge is stopping and takes no new mail."}
        return Health(takes_mail=False, parts=parts)

    async def backlog(self, now: datetime) -> Backlog:
        """What waits at the moment `now`. Raises StoreUnavailable."""
        return await self._stations.backlog(now)

    async def _open_listeners(self, stack: AsyncExitStack) -> None:
        self.door, self.web = self._smtp_server(), self._web_server()
        stack.push_async_callback(self.web.stop)
        self.mx = self._mx_server() if self.settings.mx.port else None
        stack.push_async_callback(self._stop_doors)
        try:
            await self.door.start()
        except OSError as error:
            smtp = self.settings.smtp
            key, port = ("tls_port", smtp.tls_port) if self.door.port is not None else ("port", smtp.port)
            raise _unusable(f"smtp.{key}", port, error) from error
        if self.mx is not None:
            try:
                await self.mx.start()
            except OSError as error:
                raise _unusable("mx.port", self.settings.mx.port, error) from error
        await self.web.start()

    async def _stop_doors(self) -> None:
        grace = self.settings.smtp.drain_timeout
        await asyncio.gather(*(door.stop(grace) for door in (self.door, self.mx) if door is not None))

    def _smtp_server(self) -> SmtpServer:
        takes = self._entrances
        front = FrontDoor(
            self.store.directory, takes.logins, takes.admission, takes.returns, disk_full=self._disk.is_full
        )
        return SmtpServer(door_settings(self.settings), front, shares_ports=self._shares_ports)

    def _mx_server(self) -> SmtpServer:
        takes, settings = self._entrances, self.settings
        keeper = MxDoor(
            self.store.directory,
            takes.admission,
            takes.returns,
            resolver=Resolver([name_server(each) for each in settings.mx.name_servers]),
            trusted_forwarders=settings.mx.trusted_forwarders,
            resubmission_window=timedelta(seconds=settings.sending.resubmission_window),
            disk_full=self._disk.is_full,
        )
        return SmtpServer(mx_settings(settings), keeper, shares_ports=self._shares_ports)

    def _web_server(self) -> WebServer:
        http, refusals = self.settings.http, Refusals()
        proxies = Proxies(http.trusted_proxies, http.public_url)
        token = http.metrics_token.get_secret_value() if http.metrics_token is not None else ""
        scrape = scrape_routes(lambda: gauges(self.backlog, self._disk), token, proxies, refusals)
        routes = [*scrape, *self._extra_routes]
        hear = self._entrances.intake.hear
        return WebServer(
            build_web(self._gateways, hear, self.health, routes, proxies=proxies, refusals=refusals),
            http.host,
            http.port,
            shares_port=self._shares_ports,
        )


def _unusable(key: str, port: int, error: OSError) -> SettingsError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return SettingsError(key, str(port), f"cannot be used ({reason}); stop what listens there, or choose another port")
