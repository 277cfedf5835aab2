"""The station that asks providers for news they do not call with; what they say is kept with how far they were read.

Each place that is asked has a round of its own, so that a provider which is down makes no other wait. Nothing is lost
when a look fails: the next one begins where the last kept one ended. Where several bridges share a database, one asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import httpx
import structlog

from bridge import clock
from bridge.errors import StoreUnavailable
from bridge.gateways.base import Gateway, Poll, Polled, PollRefused
from bridge.streaks import Streaks
from bridge.streaks import poll as part_of

log = structlog.get_logger("bridge.poller")

LONGEST = 90.0
"""Seconds after which an answer is no longer waited for."""

MAX_PAUSE = 600.0
"""Seconds between two looks at a provider that fails, at the most."""

Begin = Callable[[str, str], Awaitable[str]]
"""Where the next look begins: by gateway and poll. Raises StoreUnavailable."""

Keep = Callable[[str, str, Polled], Awaitable[None]]
"""Keeps what a look brought, and then its cursor: by gateway and poll. Raises StoreUnavailable."""


class Poller:
    """Asks every gateway that wants to be asked."""

    def __init__(
        self,
        gateways: Mapping[str, Gateway],
        *,
        begin: Begin,
        keep: Keep,
        leads: Callable[[], Awaitable[bool]],
        streaks: Streaks,
    ) -> None:
        """`leads` says whether it is this bridge that asks."""
        self._polls = [(name, poll, clock.Alarm()) for name, gateway in gateways.items() for poll in gateway.polls()]
        self._begin = begin
        self._keep = keep
        self._leads = leads
        self._streaks = streaks
        self._stopping = False

    async def run(self) -> None:
        """Ask until `stop` is called."""
        async with asyncio.TaskGroup() as group:
            for gateway, poll, alarm in self._polls:
                group.create_task(self._serve(gateway, poll, alarm), name=f"poll {gateway} {poll.name}")

    def stop(self) -> None:
        """Ask no more; a look that is under way is finished."""
        self._stopping = True
        self.ring()

    def ring(self) -> None:
        """Have a look at once."""
        for _, _, alarm in self._polls:
            alarm.ring()

    async def _serve(self, gateway: str, poll: Poll, alarm: clock.Alarm) -> None:
        failures = 0
        while not self._stopping:
            pause = poll.every
            if await self._leads():
                more = await self._look(gateway, poll)
                failures = failures + 1 if more is None else 0
                if more:
                    continue
                pause = max(poll.every, min(poll.every * 2.0 ** min(failures, 30), MAX_PAUSE))
            await alarm.sleep(None, clock.jitter(pause))

    async def _look(self, gateway: str, poll: Poll) -> bool | None:
        """Whether there is more to fetch at once; None when the look failed."""
        try:
            cursor = await self._begin(gateway, poll.name)
            async with asyncio.timeout(LONGEST):
                polled = await poll.read(cursor)
            moved = polled.cursor != cursor
            if moved or polled.events:
                await self._keep(gateway, poll.name, polled)
        except StoreUnavailable as error:
            log.warning("poller.store_unavailable", gateway=gateway, detail=error.detail)
            return None
        except (httpx.HTTPError, PollRefused, TimeoutError) as error:
            why = str(error) if isinstance(error, PollRefused) else type(error).__name__
            log.warning("poll.failed", gateway=gateway, poll=poll.name, why=why)
        except Exception:
            # A gateway may break over one strange answer; the others are still asked.
            log.exception("poll.broke", gateway=gateway, poll=poll.name)
        else:
            self._streaks.note(part_of(gateway), clock.now(), good=True)
            if polled.events:
                log.info("poll.read", gateway=gateway, poll=poll.name, events=len(polled.events))
            return polled.more and moved
        self._streaks.note(part_of(gateway), clock.now(), good=False)
        return None
