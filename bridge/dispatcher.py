"""The station between the store and the gateways: claims due messages, hands each over once, settles the outcome.

The order of commits is what keeps a phone from being texted twice: the row says `sending` before the first byte
leaves, and only an outcome that proves that the text did not go (throttled, unreachable) puts it back into the
queue. Everything doubtful becomes `unknown` and stays there until a receipt or a person knows better.

Where a gateway has a rate, a message is claimed with its slot and leaves at that moment; a slot that was missed is not
made up for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bridge import clock, metrics
from bridge.breaker import Breaker
from bridge.errors import Reason, StoreUnavailable
from bridge.gateways.base import Gateway
from bridge.places import Places
from bridge.station import answer_of, insist
from bridge.store.claims import Claim, Claimed, Release, Slot, Start
from bridge.store.paces import Hold
from bridge.store.queue import Finish, Queue
from bridge.streaks import Streaks
from bridge.streaks import gateway as part_of
from bridge.throttle import Throttle
from bridge.tries import Patience, Tried, change_after, change_before, others
from bridge.types import MessageState, Outcome, OutcomeKind, Rates

log = structlog.get_logger("bridge.dispatcher")

LEASE = 90.0
"""Seconds a claim lasts, and from the first byte on the time a message may be on its way."""

ANSWER = 75.0
"""Seconds after which a gateway's answer is no longer waited for, so that the lease still holds when it is settled."""

LATE = 0.5
"""Seconds after which a slot is over. While places are short, or the database is slow, slots that nobody used must not
add up: their messages would leave together."""

POLL = 1.0
"""Seconds after which an idle dispatcher looks for work that another process left, such as the command line."""


class Dispatcher:
    """Takes messages from the queue to the gateways."""

    def __init__(
        self,
        queue: Queue,
        gateways: Mapping[str, Gateway],
        patience: Patience,
        *,
        in_flight: int,
        node: str,
        settled: Callable[[], None],
        streaks: Streaks,
        rates: Mapping[str, Rates] | None = None,
    ) -> None:
        """At most `in_flight` messages are with each gateway at a time; `rates` names the gateways that have one."""
        self._streaks = streaks
        self._rates = dict(rates or {})
        self._queue = queue
        self._gateways = gateways
        self._patience = patience
        self._settled = settled
        self._owner = node
        self._alarm = clock.Alarm()
        self._places = Places(in_flight)
        self._tasks: set[asyncio.Task[None]] = set()
        self._breakers = {name: Breaker() for name in gateways}
        self._throttles = {name: Throttle() for name in gateways}
        self._gone: frozenset[str] = frozenset()
        """Gateways that messages name and the settings have no longer, as far as they were met."""
        self._stopping = False

    def ring(self) -> None:
        """There may be a message to send."""
        self._alarm.ring()

    async def run(self) -> None:
        """Send until `stop` is called."""
        while not self._stopping:
            try:
                now = clock.now()
                found = await self._claim(now)
                due = None if found else await self._queue.next_due(now)
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

    async def _claim(self, now: datetime) -> int:
        full = self._places.full()
        if full and full >= self._gateways.keys():
            await self._places.freed()
            return 1
        paused = frozenset(name for name, breaker in self._breakers.items() if breaker.closed(now))
        until = now + timedelta(seconds=LEASE)
        wish = Claim(self._owner, now, until, self._places.room(), paused, full, self._rates, self._gone)
        claimed = await self._queue.claim(wish)
        if self._stopping:  # what was claimed meanwhile stays queued, and its lease runs out
            return 0
        took = clock.now() - now
        if took > timedelta(seconds=LATE):  # else nothing would leave while the database is slow
            claimed = [_put_off(message, took) for message in claimed]
        for message in claimed:
            self._gone |= {message.gateway, *message.stand_ins} - self._gateways.keys()
            self._places.take(message.slot.gateway)
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
        await self._await(claimed.slot)
        gateway = claimed.slot.gateway
        try:
            async with self._places.of(gateway):
                tried = await self._begin(claimed)
        finally:  # an outcome that is only to be written down keeps no place from the next message
            self._places.put_down(gateway)
        if tried is not None:
            await self._settle(claimed, tried)
        self.ring()

    async def _await(self, slot: Slot) -> None:
        """Until its slot comes a message keeps nobody else from being claimed: few have one (`paces.AHEAD`)."""
        seconds = (slot.at - clock.now()).total_seconds()
        if seconds <= 0:
            return
        self._places.put_down(slot.gateway)
        await asyncio.sleep(seconds)
        self._places.take(slot.gateway)

    async def _begin(self, claimed: Claimed) -> Tried | None:
        """Try; while the database is away, wait for it: nothing has left before the row says `sending`.

        Given up, the message would wait for the end of its lease. Whether that is over is asked each time.
        """
        return await insist(
            lambda: self._try(claimed),
            "dispatcher.start_waits",
            stopping=lambda: self._stopping,
            message=claimed.sms.reference,
        )

    async def _try(self, claimed: Claimed) -> Tried | None:
        """Hand a message over, unless it may not leave any more."""
        now = clock.now()
        if self._stopping or claimed.leased_until <= now:  # whoever claims it from now on knows better how it goes
            return None
        ways = [name for name in (claimed.gateway, *claimed.stand_ins) if name in self._gateways]
        change = change_before(claimed, ways, now, self._patience)
        if change is not None:
            await self._queue.change(change)
            self._settled()
            return None
        if not ways:  # its lease keeps it from being claimed again at once
            log.error("dispatcher.no_such_gateway", message=claimed.sms.reference, gateway=claimed.gateway)
            return None
        again = self._again(claimed.slot, now)
        if again is not None:
            await self._queue.release(Release(self._owner, claimed.sms.reference, again))
            return None
        name = claimed.slot.gateway
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

    def _again(self, slot: Slot, now: datetime) -> datetime | None:
        """When to claim it again, which may find another gateway for it; None when it leaves now."""
        gateway = slot.gateway
        if gateway not in self._gateways:  # the next claim passes it by
            return now + timedelta(seconds=POLL)
        if gateway in self._rates and now > slot.at + timedelta(seconds=LATE):
            return now
        held_until = self._throttles[gateway].held_until(now)
        if held_until is not None:
            return held_until
        return None if self._breakers[gateway].lets_through(now) else now

    async def _start(self, claimed: Claimed, name: str, now: datetime) -> Tried | None:
        """Say that it is on its way, and hand it over."""
        stand_ins = others(claimed, name) if name != claimed.gateway else None
        until = now + timedelta(seconds=LEASE)
        attempt = await self._queue.start(Start(self._owner, claimed.sms.reference, name, now, until, stand_ins))
        if attempt is None:
            return None
        if attempt == 1:
            metrics.MAIL_TO_SUBMIT.labels(name).observe(max(0.0, (now - claimed.due_at).total_seconds()))
        outcome = await _submit(self._gateways[name], claimed)
        ended = clock.now()
        hold_until = self._throttles[name].note(outcome, claimed.sms.number, ended)
        if hold_until is not None:
            log.warning("gateway.throttles", gateway=name, held_for=(hold_until - ended).total_seconds())
        return Tried(name, attempt, outcome, now, ended, hold_until)

    async def _settle(self, claimed: Claimed, tried: Tried) -> None:
        attempt, outcome = tried.attempt, tried.outcome
        unheard = not self._gateways[tried.gateway].traits.receipts
        change = change_after(claimed, tried, self._patience, unheard=unheard)
        self._note(tried.gateway, outcome, tried.began, tried.ended)
        hold = Hold(tried.gateway, tried.hold_until) if tried.hold_until is not None else None
        state = await self._finish(Finish(attempt, outcome, change, hold))
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

    def _note(self, gateway: str, outcome: Outcome, started: datetime, ended: datetime) -> None:
        metrics.TRIES.labels(gateway, outcome.kind.value).inc()
        metrics.SUBMIT.labels(gateway).observe((ended - started).total_seconds())
        # A refused number says nothing bad of the gateway; a refused account or sender is refused for every message.
        refuses_all = outcome.reason in (None, Reason.PROVIDER_REFUSED, Reason.SENDER_REFUSED)
        good = outcome.kind is OutcomeKind.ACCEPTED or (outcome.kind is OutcomeKind.REJECTED and not refuses_all)
        self._streaks.note(part_of(gateway), ended, good=good)

    async def _finish(self, finish: Finish) -> MessageState | None:
        """An outcome is known only here: it is kept until the database takes it."""
        return await insist(
            lambda: self._queue.finish(finish),
            "dispatcher.outcome_waits",
            stopping=lambda: self._stopping,
            message=finish.change.message_id,
        )


def _put_off(claimed: Claimed, by: timedelta) -> Claimed:
    return replace(claimed, slot=replace(claimed.slot, at=claimed.slot.at + by))


async def _submit(gateway: Gateway, claimed: Claimed) -> Outcome:
    sms = gateway.fitted(claimed.sms)
    if sms is None:
        return Outcome(OutcomeKind.REJECTED, reason=Reason.UNENCODABLE, diagnostic=f"no tables for {claimed.sms.shift}")
    if sms is not claimed.sms:
        log.warning(
            "dispatcher.without_tables", message=sms.reference, gateway=gateway.name, segments=len(sms.segments)
        )
    # A gateway that breaks may have broken after the request left: nobody can say.
    return await answer_of(
        gateway.submit(sms),
        lambda why: Outcome(OutcomeKind.UNKNOWN, diagnostic=why),
        within=ANSWER,
        message=claimed.sms.reference,
        gateway=gateway.name,
    )
