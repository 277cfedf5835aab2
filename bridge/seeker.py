"""The station that asks providers what became of messages nobody knows about: beside the dispatcher.

Only where the provider can be asked by our own reference (`Traits.lookup`). What it says settles the message as a late
receipt would; a message is never sent again because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge import clock
from bridge.errors import Reason
from bridge.gateways.base import Doubt, Gateway
from bridge.station import Station, answer_of
from bridge.store.queue import Doubtful, Queue
from bridge.store.transitions import Change
from bridge.types import MessageState, Outcome, OutcomeKind

log = structlog.get_logger("bridge.seeker")

FIRST_WAIT = 5.0
"""Seconds to the first question: the provider may still be at work on what it read."""
LONGEST_WAIT = 3600.0
LONGEST_DOUBT = timedelta(days=2)
"""How old a message may be that is still asked about."""

ANSWER = 75.0
"""Seconds after which an answer is no longer waited for: other messages are in doubt too."""

PAGE = 1000
"""Messages that are looked at together; all those that are due among them are asked about before the next page."""

_UNKNOWN = frozenset({MessageState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class _Asked:
    attempt: int
    """The try that is in doubt; a person may have begun another meanwhile."""
    tries: int
    again_at: datetime


class Seeker(Station):
    """Looks up what is unknown, each message less and less often."""

    name = "seeker"

    def __init__(self, queue: Queue, gateways: Mapping[str, Gateway], settled: Callable[[], None]) -> None:
        super().__init__()
        self._queue = queue
        self._gateways = {name: gateway for name, gateway in gateways.items() if gateway.traits.lookup}
        self._settled = settled
        self._asked: dict[str, _Asked] = {}
        self._last: Doubtful | None = None
        """Where the walk over all that is in doubt has come to; None before its beginning."""
        self._met: set[str] = set()
        """Messages on this walk so far."""

    async def _round(self) -> int:
        if not self._gateways:
            return 0
        now = clock.now()
        page = await self._queue.doubts(self._gateways, now - LONGEST_DOUBT, self._last, PAGE)
        for each in page:
            self._asked[each.message_id] = self._known(each, now)
            self._met.add(each.message_id)
        for each in page:
            if self._stopping:
                return 0
            if self._asked[each.message_id].again_at <= now:
                await self._ask(each)
        if len(page) == PAGE:
            self._last = page[-1]
            return len(page)
        # The walk is over: who was not met is in doubt no more.
        self._asked = {message: asked for message, asked in self._asked.items() if message in self._met}
        self._last, self._met = None, set()
        return 0

    async def _next_due(self) -> datetime | None:
        return min((asked.again_at for asked in self._asked.values()), default=None)

    def _known(self, each: Doubtful, now: datetime) -> _Asked:
        asked = self._asked.get(each.message_id)
        if asked is not None and asked.attempt == each.attempt:
            return asked
        return _Asked(each.attempt, 0, now + timedelta(seconds=FIRST_WAIT))

    async def _ask(self, each: Doubtful) -> None:
        outcome = await _lookup(self._gateways[each.gateway], each)
        now, tries = clock.now(), self._asked[each.message_id].tries + 1
        wait = clock.jitter(min(FIRST_WAIT * 2.0 ** min(tries, 30), LONGEST_WAIT))
        self._asked[each.message_id] = _Asked(each.attempt, tries, now + timedelta(seconds=wait))
        change = _change(each, outcome, now)
        state = await self._queue.change(change) if change is not None else None
        log.info(
            "message.looked_up",
            message=each.message_id,
            gateway=each.gateway,
            outcome=outcome.kind.value,
            state=state.value if state else None,
        )
        self._settled()


def _change(each: Doubtful, outcome: Outcome, now: datetime) -> Change | None:
    """What the provider's word changes: the try it was asked about, and no later one."""
    state, reason = MessageState.SENT, None
    if outcome.kind is OutcomeKind.REJECTED:
        state, reason = MessageState.FAILED, outcome.reason or Reason.PROVIDER_REFUSED
    elif outcome.kind is not OutcomeKind.ACCEPTED:
        return None
    return Change(
        each.message_id,
        state,
        now,
        reason,
        outcome.diagnostic,
        provider_id=outcome.provider_id,
        attempt=each.attempt,
        only_from=_UNKNOWN,
    )


async def _lookup(gateway: Gateway, each: Doubtful) -> Outcome:
    return await answer_of(
        gateway.lookup(Doubt(each.message_id, each.provider_id, each.number)),
        lambda why: Outcome(OutcomeKind.UNKNOWN, diagnostic=why),
        within=ANSWER,
        message=each.message_id,
        gateway=each.gateway,
    )
