"""The station between the store and the gateways: claims due messages, hands each over once, settles the outcome.

The order of commits is what keeps a phone from being texted twice: the row says `sending` before the first byte
leaves, and only an outcome that proves that the text did not go (throttled, unreachable) puts it back into the
queue. Everything doubtful becomes `unknown` and stays there until a receipt or a person knows better.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge import clock, metrics
from bridge.breaker import Breaker
from bridge.errors import Reason, StoreUnavailable
from bridge.gateways.base import Gateway
from bridge.station import insist
from bridge.store.claims import Claim, Claimed, Release, Start
from bridge.store.queue import Finish, Queue
from bridge.store.transitions import Change
from bridge.streaks import Streaks
from bridge.streaks import gateway as part_of
from bridge.types import MessageState, Outcome, OutcomeKind

log = structlog.get_logger("bridge.dispatcher")

LEASE = 90.0
"""Seconds a claim lasts, and from the first byte on the time a message may be on its way."""

ANSWER = 75.0
"""Seconds after which a gateway's answer is no longer waited for, so that the lease still holds when it is settled."""

_WAITING = frozenset({MessageState.QUEUED})

AHEAD = 0.5
"""Messages claimed beyond those that may be handed over at the same time, as a share of them: work is at hand when a
place becomes free, since a claim takes as long as a commit. They stay `queued` until then."""

POLL = 1.0
"""Seconds after which an idle dispatcher looks for work that another process left, such as the command line."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the dispatcher tries and tries again; all in seconds but `in_flight`."""

    first_retry: float
    max_retry: float
    give_up_after: float
    unknown_after: float
    """How long an unknown outcome waits for a receipt before the sender is told."""
    in_flight: int
    """Messages handed to gateways at the same time."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of one try, and when it began and ended."""

    gateway: str
    attempt: int
    outcome: Outcome
    began: datetime
    ended: datetime


class Dispatcher:
    """Takes messages from the queue to the gateways."""

    def __init__(
        self,
        queue: Queue,
        gateways: Mapping[str, Gateway],
        pace: Pace,
        *,
        node: str,
        settled: Callable[[], None],
        streaks: Streaks,
    ) -> None:
        self._streaks = streaks
        self._queue = queue
        self._gateways = gateways
        self._pace = pace
        self._settled = settled
        self._owner = node
        self._alarm = clock.Alarm()
        self._places = asyncio.Semaphore(pace.in_flight)
        ahead = math.ceil(pace.in_flight * AHEAD)
        self._full = pace.in_flight + ahead
        self._refill = pace.in_flight + ahead // 2
        self._tasks: set[asyncio.Task[None]] = set()
        self._breakers = {name: Breaker() for name in gateways}
        self._held = 0
        """Messages that were claimed and are not with a gateway yet."""
        self._freed = asyncio.Event()
        self._stopping = False

    def ring(self) -> None:
        """There may be a message to send."""
        self._alarm.ring()

    async def run(self) -> None:
        """Send until `stop` is called."""
        while not self._stopping:
            try:
                found = await self._claim()
                due = None if found else await self._queue.next_due(clock.now())
            except StoreUnavailable as error:
                log.warning("dispatcher.store_unavailable", detail=error.detail)
                found, due = 0, None
            if not found:
                await self._alarm.sleep(due, POLL)

    async def stop(self, grace: float) -> None:
        """Claim no more, and finish what is in flight for at most `grace` seconds."""
        self._stopping = True
        self._alarm.ring()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:  # its row says `sending`, and the next start makes `unknown` of it
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _claim(self) -> int:
        if self._held > self._refill:  # a claim costs about the same for one as for many
            self._freed.clear()
            await self._freed.wait()
            return 1
        now = clock.now()
        room = self._full - self._held
        paused = frozenset(name for name, breaker in self._breakers.items() if breaker.closed(now))
        claimed = await self._queue.claim(Claim(self._owner, now, now + timedelta(seconds=LEASE), room, paused))
        if self._stopping:  # what was claimed meanwhile stays queued, and its lease runs out
            return 0
        self._held += len(claimed)
        for message in claimed:
            task = asyncio.create_task(self._carry(message), name=f"send {message.sms.reference}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed)

    async def _carry(self, claimed: Claimed) -> None:
        try:
            await self._send(claimed)
        except StoreUnavailable as error:
            # The bridge stops before the outcome is written: the row's lease decides, as after a crash.
            log.warning("dispatcher.store_unavailable", message=claimed.sms.reference, detail=error.detail)
        except Exception:
            log.exception("dispatcher.failed", message=claimed.sms.reference)

    async def _send(self, claimed: Claimed) -> None:
        try:
            async with self._places:
                tried = await self._begin(claimed)
        finally:  # an outcome that is only to be written down keeps no place from the next message
            self._held -= 1
            self._freed.set()
        if tried is not None:
            await self._settle(claimed, tried)

    async def _begin(self, claimed: Claimed) -> _Tried | None:
        """Try; while the database is away, wait for it: nothing has left before the row says `sending`.

        Given up, the message would wait for the end of its lease. Whether that is over is asked each time.
        """
        return await insist(
            lambda: self._try(claimed),
            "dispatcher.start_waits",
            stopping=lambda: self._stopping,
            message=claimed.sms.reference,
        )

    async def _try(self, claimed: Claimed) -> _Tried | None:
        """Hand a message over, unless it may not leave any more."""
        now = clock.now()
        if self._stopping or claimed.leased_until <= now:  # whoever claims it from now on knows better how it goes
            return None
        ways = [name for name in (claimed.gateway, *claimed.stand_ins) if name in self._gateways]
        forbidden = self._forbidden(claimed, ways, now)
        if forbidden is not None:
            await self._queue.change(forbidden)
            self._settled()
            return None
        if not ways:  # its lease keeps it from being claimed again at once
            log.error("dispatcher.no_such_gateway", message=claimed.sms.reference, gateway=claimed.gateway)
            return None
        name = next((way for way in ways if self._breakers[way].lets_through(now)), None)
        if name is None:
            again = now + timedelta(seconds=POLL)
            await self._queue.release(Release(self._owner, claimed.sms.reference, again))
            return None
        breaker = self._breakers[name]
        outcome: Outcome | None = None
        try:
            tried = await self._start(claimed, name, now)
            outcome = tried.outcome if tried is not None else None
        finally:
            if outcome is None:
                breaker.let_go()
            else:
                breaker.note(outcome.kind, clock.now())
                metrics.PAUSED.labels(name).set(breaker.paused_until is not None)
        return tried

    async def _start(self, claimed: Claimed, name: str, now: datetime) -> _Tried | None:
        """Say that it is on its way, and hand it over."""
        stand_ins = _others(claimed, name) if name != claimed.gateway else None
        until = now + timedelta(seconds=LEASE)
        attempt = await self._queue.start(Start(self._owner, claimed.sms.reference, name, now, until, stand_ins))
        if attempt is None:
            return None
        if attempt == 1:
            metrics.MAIL_TO_SUBMIT.labels(name).observe(max(0.0, (now - claimed.due_at).total_seconds()))
        outcome = await _submit(self._gateways[name], claimed)
        return _Tried(name, attempt, outcome, now, clock.now())

    async def _settle(self, claimed: Claimed, tried: _Tried) -> None:
        attempt, outcome = tried.attempt, tried.outcome
        change = self._change(claimed, tried)
        self._note(tried.gateway, outcome, tried.began, tried.ended)
        state = await self._finish(Finish(attempt, outcome, change))
        log.info(
            "message.tried",
            message=claimed.sms.reference,
            gateway=tried.gateway,
            attempt=attempt,
            outcome=outcome.kind.value,
            state=state.value if state else None,
            ms=round((tried.ended - tried.began).total_seconds() * 1000),
        )
        self._settled()
        self.ring()

    def _note(self, gateway: str, outcome: Outcome, started: datetime, ended: datetime) -> None:
        metrics.TRIES.labels(gateway, outcome.kind.value).inc()
        metrics.SUBMIT.labels(gateway).observe((ended - started).total_seconds())
        # A refused number says nothing bad of the gateway; a refused account or sender is refused for every message.
        refuses_all = outcome.reason in (None, Reason.PROVIDER_REFUSED, Reason.SENDER_REFUSED)
        good = outcome.kind is OutcomeKind.ACCEPTED or (outcome.kind is OutcomeKind.REJECTED and not refuses_all)
        self._streaks.note(part_of(gateway), ended, good=good)

    def _forbidden(self, claimed: Claimed, ways: Sequence[str], now: datetime) -> Change | None:
        message_id, expires_at = claimed.sms.reference, claimed.sms.expires_at
        # With nobody left to carry it, a message that was never tried has waited in vain since it was due.
        in_vain_since = claimed.first_tried_at or (None if ways else claimed.due_at)
        if claimed.opted_out_since is not None:
            return Change(message_id, MessageState.REFUSED, now, Reason.OPTED_OUT, only_from=_WAITING)
        if expires_at is not None and expires_at <= now:
            return Change(message_id, MessageState.EXPIRED, now, Reason.VALIDITY_EXPIRED, only_from=_WAITING)
        if in_vain_since is not None and (now - in_vain_since).total_seconds() > self._pace.give_up_after:
            return Change(message_id, MessageState.EXPIRED, now, Reason.GAVE_UP, only_from=_WAITING)
        return None

    async def _finish(self, finish: Finish) -> MessageState | None:
        """An outcome is known only here: it is kept until the database takes it."""
        return await insist(
            lambda: self._queue.finish(finish),
            "dispatcher.outcome_waits",
            stopping=lambda: self._stopping,
            message=finish.change.message_id,
        )

    def _change(self, claimed: Claimed, tried: _Tried) -> Change:
        message_id, attempt, outcome, now = claimed.sms.reference, tried.attempt, tried.outcome, tried.ended
        if outcome.kind is OutcomeKind.ACCEPTED:
            return Change(message_id, MessageState.SENT, now, provider_id=outcome.provider_id, attempt=attempt)
        if outcome.kind is OutcomeKind.REJECTED:
            reason = outcome.reason or Reason.PROVIDER_REFUSED
            return Change(message_id, MessageState.FAILED, now, reason, outcome.diagnostic, attempt=attempt)
        if outcome.kind is OutcomeKind.UNKNOWN:
            return Change(
                message_id,
                MessageState.UNKNOWN,
                now,
                Reason.NO_ANSWER,
                outcome.diagnostic,
                provider_id=outcome.provider_id,
                told_after=self._pace.unknown_after,
                attempt=attempt,
            )
        # Whoever cannot be reached gives way to the next, at once until each has been tried.
        gives_way = outcome.kind is OutcomeKind.UNREACHABLE and bool(claimed.stand_ins)
        ways = len(claimed.stand_ins) + 1
        at_once = gives_way and attempt % ways != 0
        delay = 0.0 if at_once else self._delay(-(-attempt // ways) if gives_way else attempt, outcome)
        return Change(
            message_id,
            MessageState.QUEUED,
            now,
            outcome.reason,
            outcome.diagnostic,
            due_at=now + timedelta(seconds=delay),
            gateways=(*_others(claimed, tried.gateway), tried.gateway) if gives_way else (),
            attempt=attempt,
        )

    def _delay(self, attempt: int, outcome: Outcome) -> float:
        doubled = self._pace.first_retry * 2.0 ** min(attempt - 1, 30)
        return max(clock.jitter(min(doubled, self._pace.max_retry)), outcome.retry_after or 0.0)


def _others(claimed: Claimed, gateway: str) -> tuple[str, ...]:
    """Who may carry a message besides `gateway`, in order."""
    return tuple(way for way in (claimed.gateway, *claimed.stand_ins) if way != gateway)


async def _submit(gateway: Gateway, claimed: Claimed) -> Outcome:
    try:
        async with asyncio.timeout(ANSWER):
            return await gateway.submit(claimed.sms)
    except TimeoutError:
        return Outcome(OutcomeKind.UNKNOWN, diagnostic="no answer in time")
    except Exception as error:
        # A gateway that breaks may have broken after the request left: nobody can say.
        log.exception("gateway.failed", message=claimed.sms.reference, gateway=gateway.name)
        return Outcome(OutcomeKind.UNKNOWN, diagnostic=type(error).__name__)
