"""The station that asks providers what is left on their accounts, beside the watchman, who tells the operator.

Where several bridges share a database, the one that leads asks. An account moves slowly and some providers count every
question, so each is asked four times an hour; a question that is not answered waits for its next turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bridge import clock, metrics
from bridge.gateways.base import Gateway
from bridge.station import Station, answer_of
from bridge.types import Money

log = structlog.get_logger("bridge.treasurer")

EVERY = timedelta(minutes=15)
"""Between two questions about one account."""

ANSWER = 60.0
"""Seconds that a provider has to answer."""


class Treasurer(Station):
    """Asks, and remembers what was answered last."""

    name = "treasurer"
    pause = 30.0
    """Seconds after which a bridge finds that it leads now."""

    def __init__(self, gateways: Mapping[str, Gateway], leads: Callable[[], Awaitable[bool]]) -> None:
        super().__init__()
        self._gateways = {name: gateway for name, gateway in gateways.items() if gateway.traits.balance}
        self._leads = leads
        self._asked: dict[str, datetime] = {}
        self._balances: dict[str, Money] = {}

    def balances(self) -> Mapping[str, Money]:
        """What was left on each account when its provider last said so, by the gateway's name."""
        return dict(self._balances)

    async def _round(self) -> int:
        if not self._gateways:
            return 0
        if not await self._leads():
            self._forget()
            return 0
        now = clock.now()
        for name, gateway in self._gateways.items():
            if not self._stopping and (name not in self._asked or now - self._asked[name] >= EVERY):
                self._asked[name] = now
                await self._ask(name, gateway)
        return 0

    def _forget(self) -> None:
        """Another node leads, and says from now on what is left."""
        self._asked.clear()
        self._balances.clear()
        metrics.BALANCE.clear()

    async def _ask(self, name: str, gateway: Gateway) -> None:
        left = await _balance(name, gateway)
        if left is None:
            log.info("gateway.balance_unknown", gateway=name)
            return
        self._balances[name] = left
        metrics.BALANCE.labels(name, left.unit).set(float(left.amount))


async def _balance(name: str, gateway: Gateway) -> Money | None:
    return await answer_of(gateway.balance(), lambda _: None, within=ANSWER, gateway=name)
