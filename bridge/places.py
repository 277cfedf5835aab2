"""How many messages each gateway may hold at the same time, and how many more wait for that: the dispatcher's account.

Each gateway has places of its own, so that one which answers slowly, or not at all, takes none from the others.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict

AHEAD = 2.0
"""Messages claimed beyond those that may be handed over at the same time, as a share of them; they stay `queued` until
a place is free. One share is being claimed while the other says that it is on its way: with less at hand, a gateway
that answers at once would wait for commits."""


class Places:
    """The places of every gateway, `each` so many, and who waits for one."""

    def __init__(self, each: int) -> None:
        ahead = math.ceil(each * AHEAD)
        self._most = each + ahead
        self._enough = each + ahead // 2
        self._with: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(each))
        self._held: Counter[str] = Counter()
        self._freed = asyncio.Event()

    def of(self, gateway: str) -> asyncio.Semaphore:
        """The places of a gateway; one is held from the commit that says `sending` to the gateway's answer."""
        return self._with[gateway]

    def full(self) -> frozenset[str]:
        """Gateways that have enough in hand: a claim costs about the same for one message as for many."""
        return frozenset(gateway for gateway, held in self._held.items() if held > self._enough)

    def room(self) -> int:
        """How many messages may be claimed for the other gateways, whichever of them they are for."""
        return self._most - max((held for held in self._held.values() if held <= self._enough), default=0)

    def take(self, gateway: str) -> None:
        """A message was claimed for this gateway."""
        self._held[gateway] += 1

    def put_down(self, gateway: str) -> None:
        """It has been handed over, or waits for its time."""
        self._held[gateway] -= 1
        self._freed.set()

    async def freed(self) -> None:
        """Wait until the next one is put down."""
        self._freed.clear()
        await self._freed.wait()
