"""The station between the store and the gateways: claims due messages, hands each over once, settles the outcome.

The order of commits is what keeps a phone from being texted twice: the row says `sending` before the first byte
leaves, and only an outcome that proves that the text did not go (throttled, unreachable) puts it back into the
queue. Everything doubtful becomes `unknown` and stays there until a receipt or a person knows better.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge import clock, metrics
from bridge.errors import Reason, StoreUnavailable
from bridge.gateways.base import Gateway
from bridge.store.queue import Claim, Claimed, Finish, Queue, Start
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
        self._tasks: set[asyncio.Task[None]] = set()
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
        room = self._pace.in_flight - len(self._tasks)
        if room <= 0:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            return 1
        now = clock.now()
        claimed = await self._queue.claim(Claim(self._owner, now, now + timedelta(seconds=LEASE), room))
        if self._stopping:  # what was claimed meanwhile stays queued, and its lease runs out
            return 0
        for message in claimed:
            task = asyncio.create_task(self._carry(message), name=f"send {message.sms.reference}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed)

    async def _carry(self, claimed: Claimed) -> None:
        try:
            await self._send(claimed)
        except StoreUnavailable as error:
            # The row is still ours to send, or it says `sending`: its lease decides, as after a crash.
            log.warning("dispatcher.store_unavailable", message=claimed.sms.reference, detail=error.detail)
        except Exception:
            log.exception("dispatcher.failed", message=claimed.sms.reference)

    async def _send(self, claimed: Claimed) -> None:
        now = clock.now()
        forbidden = self._forbidden(claimed, now)
        if forbidden is not None:
            await self._queue.change(forbidden)
            self._settled()
            return
        gateway = self._gateways.get(claimed.gateway)
        if gateway is None:
            log.error("dispatcher.no_such_gateway", message=claimed.sms.reference, gateway=claimed.gateway)
            return
        until = now + timedelta(seconds=LEASE)
        attempt = await self._queue.start(Start(self._owner, claimed.sms.reference, claimed.gateway, now, until))
        if attempt is None:
            return
        if attempt == 1:
            metrics.MAIL_TO_SUBMIT.labels(claimed.gateway).observe(max(0.0, (now - claimed.due_at).total_seconds()))
        outcome = await _submit(gateway, claimed)
        change = self._change(claimed, attempt, outcome, clock.now())
        self._note(claimed.gateway, outcome, now, change.at)
        state = await self._finish(Finish(attempt, outcome, change))
        log.info(
            "message.tried",
            message=claimed.sms.reference,
            gateway=claimed.gateway,
            attempt=attempt,
            outcome=outcome.kind.value,
            state=state.value if state else None,
            ms=round((change.at - now).total_seconds() * 1000),
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

    def _forbidden(self, claimed: Claimed, now: datetime) -> Change | None:
        message_id, expires_at, tried = claimed.sms.reference, claimed.sms.expires_at, claimed.first_tried_at
        if claimed.opted_out_since is not None:
            return Change(message_id, MessageState.REFUSED, now, Reason.OPTED_OUT, only_from=_WAITING)
        if expires_at is not None and expires_at <= now:
            return Change(message_id, MessageState.EXPIRED, now, Reason.VALIDITY_EXPIRED, only_from=_WAITING)
        if tried is not None and (now - tried).total_seconds() > self._pace.give_up_after:
            return Change(message_id, MessageState.EXPIRED, now, Reason.GAVE_UP, only_from=_WAITING)
        return None

    async def _finish(self, finish: Finish) -> MessageState | None:
        """An outcome is known only here: it is kept until the database takes it."""
        while True:
            try:
                return await self._queue.finish(finish)
            except StoreUnavailable as error:
                if self._stopping:
                    raise
                log.warning("dispatcher.outcome_waits", message=finish.change.message_id, detail=error.detail)
                await asyncio.sleep(clock.jitter(1.0))

    def _change(self, claimed: Claimed, attempt: int, outcome: Outcome, now: datetime) -> Change:
        message_id = claimed.sms.reference
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
        due_at = now + timedelta(seconds=self._delay(attempt, outcome))
        return Change(
            message_id, MessageState.QUEUED, now, outcome.reason, outcome.diagnostic, due_at=due_at, attempt=attempt
        )

    def _delay(self, attempt: int, outcome: Outcome) -> float:
        doubled = self._pace.first_retry * 2.0 ** min(attempt - 1, 30)
        return max(clock.jitter(min(doubled, self._pace.max_retry)), outcome.retry_after or 0.0)


async def _submit(gateway: Gateway, claimed: Claimed) -> Outcome:
    try:
        async with asyncio.timeout(ANSWER):
            return await gateway.submit(claimed.sms)
    except TimeoutError:
        return Outcome(OutcomeKind.UNKNOWN, diagnostic="no answer in time")
    except Exception as error:
        # A gateway that breaks may have broken after the request left: nobody can say.
        log.exception("gateway.failed", message=claimed.sms.reference, gateway=claimed.gateway)
        return Outcome(OutcomeKind.UNKNOWN, diagnostic=type(error).__name__)
