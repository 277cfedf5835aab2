"""The simulator as a whole: record, network, mailroom and calls put together, inside the demo or as its own process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from bridge.simulator.api import Api
from bridge.simulator.callbacks import Callbacks
from bridge.simulator.events import Events
from bridge.simulator.mail_client import BridgeDoor
from bridge.simulator.mailroom import Mailroom
from bridge.simulator.network import Network
from bridge.simulator.record import Record
from bridge.simulator.smsc import Smsc


class Simulator:
    """A phone network and a catch-all mailbox.

    `hooks_url` is where the bridge hears them, `…/hooks/{gateway}`; `secret` is shared with that gateway. `mail_port` 0
    takes any free port. Without a `door` the page shows, but cannot send mail. With `smpp_port` (0 takes any free one)
    gateways reach the network by SMPP, and the bridge hears it there and not by HTTP.
    """

    def __init__(
        self,
        data_dir: Path,
        hooks_url: str,
        secret: str,
        *,
        mail_port: int = 0,
        door: BridgeDoor | None = None,
        smpp_port: int | None = None,
    ) -> None:
        self._record = Record(data_dir / "simulator.db")
        self._events = Events()
        self._smsc = Smsc(secret, smpp_port) if smpp_port is not None else None
        say = self._smsc.say if self._smsc is not None else None
        self._callbacks = Callbacks(self._record, hooks_url, secret, say)
        self._mailroom = Mailroom(self._record, self._events, mail_port)
        self._network = Network(self._record, self._callbacks, self._events)
        self._api = Api(self._record, self._network, self._mailroom, self._events, secret, door)

    @property
    def routes(self) -> list[Route]:
        """The routes to add to a Starlette app, page included."""
        return self._api.routes

    @property
    def mail_port(self) -> int:
        """The port on which the mailbox takes mail; known after `start`."""
        return self._mailroom.port

    @property
    def smpp_port(self) -> int | None:
        """Where its SMSC listens; known after `start`."""
        return self._smsc.port if self._smsc is not None else None

    async def start(self) -> None:
        """Open the record, take mail, and post what an earlier process left. Raises OSError when the port is taken."""
        await self._record.open()
        await self._mailroom.start()
        if self._smsc is not None:
            await self._smsc.start(self._network.submit)
        await self._callbacks.start()

    async def hang_up(self) -> None:
        """Post no more, and end the pages' event streams, for which a stopping HTTP server would wait."""
        self._events.close()
        await self._callbacks.stop()

    async def stop(self) -> None:
        """Stop everything, after the HTTP server that has the routes; what waits to be posted stays in the record."""
        await self.hang_up()
        if self._smsc is not None:
            await self._smsc.stop()
        await self._mailroom.stop()
        await self._record.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `run_alone`, which has streams to end first."""
        yield


async def run_alone(
    data_dir: Path,
    hooks_url: str,
    secret: str,
    *,
    http_port: int,
    smtp_port: int,
    smpp_port: int | None = None,
    host: str = "127.0.0.1",
) -> None:
    """Run the simulator as a process of its own until SIGTERM or SIGINT. Raises OSError when a port is taken."""
    simulator = Simulator(data_dir, hooks_url, secret, mail_port=smtp_port, smpp_port=smpp_port)
    await simulator.start()
    try:
        listener = socket.create_server((host, http_port))
        config = uvicorn.Config(
            Starlette(routes=simulator.routes),
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            ws="none",
        )
        server = _Server(config)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stopped.set)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait({serving, asyncio.ensure_future(stopped.wait())}, return_when=asyncio.FIRST_COMPLETED)
        await simulator.hang_up()
        server.should_exit = True
        await serving
    finally:
        await simulator.stop()
