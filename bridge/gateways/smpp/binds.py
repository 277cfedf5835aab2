"""The sessions of one gateway: each is opened again when it ends, later and later while that fails."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bridge import clock
from bridge.gateways.smpp import status
from bridge.gateways.smpp.pdu import ShortMessage
from bridge.gateways.smpp.session import Session
from bridge.gateways.smpp.terms import BindRefused, Mode, NeverLeft, NoAnswer, Terms

log = structlog.get_logger("bridge.smpp")

FIRST_DELAY = 1.0
"""Seconds before a session is opened again; doubled each time that it does not come to stay."""
LONGEST_DELAY = 60.0
REFUSED_DELAY = 15.0
"""Seconds at least before a login is tried again that the SMSC refused: some lock an account that tries in a loop."""
STEADY = 5.0
"""Seconds that a session must have lasted to count as one that stays."""


class Binds:
    """Keeps as many sessions open as there are modes."""

    def __init__(
        self,
        name: str,
        terms: Terms,
        modes: Sequence[Mode],
        hear: Callable[[ShortMessage, Session], Awaitable[int]],
    ) -> None:
        self._name = name
        self._terms = terms
        self._modes = modes
        self._hear = hear
        self._sessions: dict[int, Session] = {}
        self._troubles: dict[int, str] = {}
        self._closing = asyncio.Event()
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._over.set()

    async def run(self) -> None:
        """Keep them open until `close`, then leave them."""
        self._over = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                keepers = [group.create_task(self._keep(number, mode)) for number, mode in enumerate(self._modes, 1)]
                await self._closing.wait()
                await asyncio.gather(*(session.leave() for session in self._sessions.values()))
                for keeper in keepers:  # one may still be waiting for a connection
                    keeper.cancel()
        finally:
            self._over.set()

    async def close(self) -> None:
        """End `run`, and wait until it has left every session."""
        self._closing.set()
        await self._over.wait()

    async def sender(self, until: float) -> Session | None:
        """The session with the least to do; waits until there is one, but not beyond the moment `until`."""
        while True:
            free = [session for session in self._sessions.values() if session.sends]
            if free:
                return min(free, key=lambda session: (session.hold, session.load))
            self._ready.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._ready.wait()
            except TimeoutError:
                return None

    @property
    def trouble(self) -> str:
        """What is wrong with the sessions that are not open, in words for the operator; empty when all are open."""
        return next(iter(self._troubles.values()), "")

    @property
    def all_open(self) -> bool:
        """Every bind stands."""
        return len(self._sessions) == len(self._modes)

    async def _keep(self, number: int, mode: Mode) -> None:
        delay = FIRST_DELAY
        while not self._closing.is_set():
            opened = asyncio.get_running_loop().time()
            why, least = await self._last(number, mode)
            if asyncio.get_running_loop().time() - opened >= STEADY:
                delay = FIRST_DELAY
            if self._closing.is_set():
                return
            self._troubles[number] = why
            delay = max(delay, least)
            log.warning("smpp.unbound", gateway=self._name, bind=number, why=why, again_in=round(delay, 1))
            await self._pause(clock.jitter(delay))
            delay = min(delay * 2.0, LONGEST_DELAY)

    async def _last(self, number: int, mode: Mode) -> tuple[str, float]:
        """Open a session and stay until it ends: why it did, and how long to wait at least."""
        try:
            session = await Session.open(self._terms, mode, self._hear)
        except BindRefused as refused:
            return status.bind_sentence(refused.code), REFUSED_DELAY
        except (OSError, NoAnswer, NeverLeft) as error:
            return sentence(error), 0.0
        self._troubles.pop(number, None)
        self._sessions[number] = session
        session.ready = self._ready
        self._ready.set()
        log.info("smpp.bound", gateway=self._name, bind=number, mode=mode.value)
        try:
            await session.run()
        finally:
            del self._sessions[number]
            session.drop()
        return session.why, 0.0

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return


def sentence(error: OSError | NoAnswer | NeverLeft) -> str:
    """Why no session could be opened, for the operator; the error's own text may hold an address and is left out."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate cannot be verified; check the host name in url, or set options.ca_file"
    if isinstance(error, ssl.SSLError):
        return "the TLS handshake fails; check whether url should begin with smpp:// or name another port"
    if isinstance(error, OSError):
        return f"it cannot be reached ({type(error).__name__}); check url, DNS and firewall"
    return "it does not answer the bind; check whether url should begin with smpps://"
