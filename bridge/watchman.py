"""The station that watches the others: what waits too long, who refuses, is there room; it tells the operator.

The operator gets one mail when a condition begins and one when it is over, and never one a minute: a condition is over
only when it has been away for a while, and what was told is kept in a file over restarts. The mails do not pass
through the store, because it may be the store that is broken: they go straight to the mail server, and are tried again
while what they say is true. Where several bridges share a database, one of them watches.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bridge import clock
from bridge.conditions import Condition, Facts, Health, Kind, Limits, Unfiled, judge
from bridge.disk import Disk
from bridge.errors import MailRefused, StoreUnavailable
from bridge.mailback.configured import signing
from bridge.mailback.relay import Relay
from bridge.notices import alert
from bridge.settings import Settings
from bridge.station import Station
from bridge.store.backlog import Backlog, WaitsFor
from bridge.streaks import Streaks, gateway
from bridge.types import Money

log = structlog.get_logger("bridge.watchman")

AWAY = timedelta(seconds=60)
"""How long a condition must be away before it is over."""

AGAIN = timedelta(seconds=60)
"""Between two tries to mail the operator."""

MEMORY = "alerts.json"
"""The file in the data folder that keeps what the operator was told."""

PARTS: Mapping[Kind, str] = {
    Kind.DATABASE: "store",
    Kind.DISK: "disk",
    Kind.GATEWAY: "gateway",
    Kind.ANSWERS: "answers",
    Kind.MAILBOX: "mailbox",
    Kind.BALANCE: "balance",
    Kind.CONSENT: "consent",
    Kind.RELAY: "relay",
    Kind.FILING: "filing",
    Kind.QUEUE: "queue",
    Kind.SILENCE: "sending",
}
"""The name of each kind's part in `/readyz`."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A condition that was seen."""

    began: datetime
    told: bool = False
    seen: datetime | None = None
    """When it held last."""
    tried: datetime | None = None
    """When a mail about it was last tried."""


class Watchman(Station):
    """Looks, judges, tells."""

    name = "watchman"
    pause = 5.0
    """Seconds between two looks."""

    def __init__(
        self,
        backlog: Callable[[datetime], Awaitable[Backlog]],
        streaks: Streaks,
        disk: Disk,
        relay: Relay,
        *,
        settings: Settings,
        leads: Callable[[], Awaitable[bool]],
        balances: Callable[[], Mapping[str, Money]],
        consents: Callable[[], Mapping[str, str | None]],
    ) -> None:
        """`leads` says whether it is this bridge that watches; `relay` is for the watchman alone; `consents` says
        what the consent for each account lacks (`conditions.Facts`)."""
        super().__init__()
        self._backlog = backlog
        self._streaks = streaks
        self._disk = disk
        self._relay = relay
        self._balances = balances
        self._consents = consents
        self._limits = limits(settings)
        self._settings = settings
        self._filed = {login.lower() for login in settings.filing}
        self._sign = signing(settings)
        self._memory = settings.data_dir / MEMORY
        self._leads = leads
        self._began = clock.now()
        self._cases = _remembered(self._memory, self._began)
        self._holding = frozenset(self._cases)

    async def look(self) -> Facts:
        """What can be seen now."""
        now = clock.now()
        streaks = self._streaks.all()
        sent = [
            streak.last_success
            for part, streak in streaks.items()
            if part.startswith(gateway("")) and streak.last_success is not None
        ]
        facts = Facts(
            at=now,
            began=self._began,
            database=True,
            disk_free=self._disk.free(),
            last_sent=max(sent, default=self._began),
            streaks=streaks,
            balances=self._balances(),
            consents=self._consents(),
        )
        try:
            backlog = await self._backlog(now)
        except StoreUnavailable:
            return replace(facts, database=False)
        late = backlog.late
        return replace(
            facts,
            waiting=sum(each.count for each in backlog.messages if each in late or each.waits_for is WaitsFor.ANSWER),
            waiting_since=min((each.since for each in late if each.since is not None), default=None),
            mails=backlog.mails,
            filings={
                each.login: Unfiled(each.count, each.since, each.tries)
                for each in backlog.filings
                if each.login.lower() in self._filed  # what was for a section that is gone waits for its return
            },
        )

    async def health(self) -> Health:
        """Every part by name, and whether mail is taken: that alone is what a load balancer may act upon."""
        facts = await self.look()
        parts = dict.fromkeys(("store", "disk", "queue", "relay"), "")
        for condition in sorted(judge(facts, self._limits, self._holding)):
            name = f"{PARTS[condition.kind]} {condition.part}".rstrip()
            parts[name] = alert.sentence(condition, facts)
        takes_mail = facts.database and facts.disk_free >= self._settings.smtp.disk_reserve
        return Health(takes_mail=takes_mail, parts=parts)

    async def _round(self) -> int:
        if not await self._leads():
            return 0
        facts = await self.look()
        self._holding = judge(facts, self._limits, self._holding)
        before = dict(self._cases)
        for condition in sorted(self._holding):
            self._holds(condition, facts)
        for condition in sorted(self._holding):  # the log has all of it before a mail server keeps anybody waiting
            await self._may_tell(condition, facts)
        for condition in sorted(self._cases.keys() - self._holding):
            await self._is_away(condition, facts)
        if {key: (case.began, case.told) for key, case in before.items()} != {
            key: (case.began, case.told) for key, case in self._cases.items()
        }:
            self._remember()
        return 0

    def _holds(self, condition: Condition, facts: Facts) -> None:
        case = self._cases.get(condition)
        if case is None:
            case = _Case(began=facts.at)
            log.error(
                "alert.begins", kind=condition.kind.value, part=condition.part, says=alert.sentence(condition, facts)
            )
        self._cases[condition] = replace(case, seen=facts.at)

    async def _may_tell(self, condition: Condition, facts: Facts) -> None:
        case = self._cases[condition]
        if not case.told and _may_try(case, facts.at):
            told = await self._tell(condition, case, facts, over=False)
            self._cases[condition] = replace(case, told=told, tried=facts.at)

    async def _is_away(self, condition: Condition, facts: Facts) -> None:
        case = self._cases[condition]
        if case.seen is not None and facts.at - case.seen < AWAY:
            return
        if case.told and not _may_try(case, facts.at):
            return
        if case.told and not await self._tell(condition, case, facts, over=True):
            self._cases[condition] = replace(case, tried=facts.at)
            return
        log.info("alert.ends", kind=condition.kind.value, part=condition.part)
        del self._cases[condition]

    async def _tell(self, condition: Condition, case: _Case, facts: Facts, *, over: bool) -> bool:
        """Mail the operator; whether that is done, or nobody is to be mailed."""
        settings = self._settings
        if not settings.operator.address:
            return True
        compose = alert.ends if over else alert.begins
        to, domain, hostname = settings.operator.address, settings.domain, settings.hostname
        mail = compose(condition, facts, case.began, to=to, domain=domain, hostname=hostname)
        try:
            await self._relay.send(self._sign(mail))
        except MailRefused as refused:
            log.error("alert.not_mailed", kind=condition.kind.value, part=condition.part, detail=refused.detail)
            return False
        log.info("alert.mailed", kind=condition.kind.value, part=condition.part, over=over)
        return True

    def _remember(self) -> None:
        told = [
            [condition.kind, condition.part, case.began.isoformat()]
            for condition, case in self._cases.items()
            if case.told
        ]
        fresh = self._memory.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(told), encoding="utf-8")
            os.replace(fresh, self._memory)
        except OSError as error:
            # After a restart the operator is told once more; that is all that depends on it.
            log.warning("alert.not_remembered", error=type(error).__name__)


def limits(settings: Settings) -> Limits:
    """From when on something is wrong, as the operator has set it."""
    operator = settings.operator
    return Limits(
        nothing_sent_for=operator.nothing_sent_for,
        queue_older_than=operator.queue_older_than,
        refusing_for=operator.refusing_for,
        disk_free_below=operator.disk_free_below,
        balance_below={
            name: each.balance_below for name, each in settings.gateways.items() if each.balance_below is not None
        },
    )


def _may_try(case: _Case, at: datetime) -> bool:
    return case.tried is None or at - case.tried >= AGAIN


def _remembered(memory: Path, now: datetime) -> dict[Condition, _Case]:
    """What an earlier run told. A condition must be away for a while from now on before it is over."""
    try:
        told = json.loads(memory.read_text(encoding="utf-8"))
        return {
            Condition(Kind(kind), part): _Case(datetime.fromisoformat(began), told=True, seen=now)
            for kind, part, began in told
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        log.warning("alert.memory_unreadable", error=type(error).__name__)
        return {}
