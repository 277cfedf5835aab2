"""What an operator must know of: from facts about queue, parts and disk to the conditions that hold now; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from bridge.streaks import RELAY, Streak, gateway, mailbox, poll
from bridge.types import Money

FEWEST = 3
"""Failed tries from which a part counts as refusing: one or two are bad luck."""

LAPSE = timedelta(minutes=20)
"""How long a failure says something. Whatever waits is tried every 15 minutes at least, so a part that has not failed
for longer is not tried any more, and nobody knows."""

EASIER = 0.8
"""A condition that holds is over at this share of its limit, so that it does not come and go at the limit itself."""


class Kind(StrEnum):
    """What can be wrong."""

    DATABASE = "database"
    DISK = "disk"
    GATEWAY = "gateway"
    ANSWERS = "answers"
    """What phones answer is not fetched from a gateway that must be asked."""
    MAILBOX = "mailbox"
    """A watched mailbox cannot be looked into."""
    BALANCE = "balance"
    """The account of a gateway runs dry."""
    CONSENT = "consent"
    """Nobody has consented that the bridge opens an account, or the consent is over."""
    RELAY = "relay"
    FILING = "filing"
    """Mails for the IMAP folders of one mailbox."""
    QUEUE = "queue"
    SILENCE = "silence"
    """Nothing is sent although there is work."""


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One thing that is wrong."""

    kind: Kind
    part: str = ""
    """Name of the gateway, login of the mailbox, address of the watched mailbox or of the account."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is wrong. Times in seconds."""

    nothing_sent_for: float
    queue_older_than: float
    refusing_for: float
    disk_free_below: int
    """Bytes."""
    balance_below: Mapping[str, Decimal] = field(default_factory=dict)
    """By the gateway's name, in the unit of its account."""


@dataclass(frozen=True, slots=True)
class Unfiled:
    """Mails that wait to be put into the IMAP folders of one mailbox."""

    count: int
    since: datetime
    """When the first of them was put aside."""
    tries: int = 0
    """Tries at the first that failed; those behind it wait for it."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a bridge is, for those who ask from outside."""

    takes_mail: bool
    """False while every mail would be answered 'try again later', or none is taken any more."""
    parts: Mapping[str, str]
    """Every part by name: empty when it works, else a sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the watchman saw at one moment."""

    at: datetime
    began: datetime
    """When the watch began; of what was before nothing is known."""
    database: bool
    """It could be read."""
    disk_free: int
    """Bytes."""
    last_sent: datetime
    """When a gateway last took a message, or when the watch began."""
    waiting: int = 0
    """Messages that could leave now, are being tried again or wait for a gateway's answer."""
    waiting_since: datetime | None = None
    """Since when the oldest of them could have left."""
    mails: int = 0
    """Our own mails that wait for a mail server."""
    filings: Mapping[str, Unfiled] = field(default_factory=dict)
    """By the login of the mailbox."""
    streaks: Mapping[str, Streak] = field(default_factory=dict)
    balances: Mapping[str, Money] = field(default_factory=dict)
    """What is left on the account of each gateway whose provider has said so."""
    consents: Mapping[str, str | None] = field(default_factory=dict)
    """Why each account at a mail provider cannot be opened before somebody consents, by its address; empty when it can,
    None when nobody has tried since the start."""


def judge(facts: Facts, limits: Limits, holding: Collection[Condition] = ()) -> frozenset[Condition]:
    """The conditions that hold; `holding` are those that held at the last look, which end a little later than they
    begin."""
    found = frozenset(_found(facts, limits, holding))
    if any(condition.kind in (Kind.GATEWAY, Kind.DATABASE) for condition in found):
        return found - {Condition(Kind.SILENCE)}  # the cause is known
    return found


def _found(facts: Facts, limits: Limits, holding: Collection[Condition]) -> Iterator[Condition]:
    queue, silence, disk = Condition(Kind.QUEUE), Condition(Kind.SILENCE), Condition(Kind.DISK)
    if not facts.database:
        yield Condition(Kind.DATABASE)
        # What waits is not known now: what was wrong with the queue is not over.
        yield from (each for each in holding if each in (queue, silence) or each.kind is Kind.FILING)
    if facts.disk_free < limits.disk_free_below / (EASIER if disk in holding else 1):
        yield disk
    for part, streak in facts.streaks.items():
        if _refuses(streak, facts.at, limits.refusing_for):
            yield _refusal(part)
    yield from _not_proven_over(facts, holding)
    yield from _unfiled(facts, limits, holding)
    yield from _dry(facts, limits, holding)
    yield from _not_consented(facts, holding)
    if facts.waiting_since is None:
        return
    age = (facts.at - facts.waiting_since).total_seconds()
    if age > limits.queue_older_than * (EASIER if queue in holding else 1):
        yield queue
    if age > limits.nothing_sent_for and (facts.at - facts.last_sent).total_seconds() > limits.nothing_sent_for:
        yield silence


def _refusal(part: str) -> Condition:
    if part == RELAY:
        return Condition(Kind.RELAY)
    prefixes = {gateway(""): Kind.GATEWAY, poll(""): Kind.ANSWERS, mailbox(""): Kind.MAILBOX}
    prefix = next(each for each in prefixes if part.startswith(each))
    return Condition(prefixes[prefix], part.removeprefix(prefix))


def _unfiled(facts: Facts, limits: Limits, holding: Collection[Condition]) -> Iterator[Condition]:
    """Mailboxes whose folders do not take what is for them; each has an IMAP server, or a quota, of its own."""
    for login, unfiled in facts.filings.items():
        condition = Condition(Kind.FILING, login)
        limit = limits.refusing_for if unfiled.tries >= FEWEST else limits.queue_older_than
        if (facts.at - unfiled.since).total_seconds() > limit * (EASIER if condition in holding else 1):
            yield condition


def _dry(facts: Facts, limits: Limits, holding: Collection[Condition]) -> Iterator[Condition]:
    """Accounts that need money. One that nobody can say anything of is as it was."""
    for name, limit in limits.balance_below.items():
        condition, left = Condition(Kind.BALANCE, name), facts.balances.get(name)
        if left is None:
            found = condition in holding
        else:
            found = left.amount * (Decimal(str(EASIER)) if condition in holding else 1) < limit
        if found:
            yield condition


def _not_consented(facts: Facts, holding: Collection[Condition]) -> Iterator[Condition]:
    for address, why in facts.consents.items():
        condition = Condition(Kind.CONSENT, address)
        if why or (why is None and condition in holding):
            yield condition


def _not_proven_over(facts: Facts, holding: Collection[Condition]) -> Iterator[Condition]:
    """A part that refused does so until a try has gone well, also over a restart; see `LAPSE`."""
    streaks = {_refusal(part): streak for part, streak in facts.streaks.items()}
    for condition in holding:
        if condition.kind in (Kind.GATEWAY, Kind.ANSWERS, Kind.MAILBOX, Kind.RELAY):
            streak = streaks.get(condition, Streak())
            last = streak.last_failure or facts.began
            if streak.last_success is None and facts.at - last < LAPSE:
                yield condition


def _refuses(streak: Streak, at: datetime, refusing_for: float) -> bool:
    if streak.failing_since is None or streak.last_failure is None or streak.failures < FEWEST:
        return False
    return (at - streak.failing_since).total_seconds() > refusing_for and at - streak.last_failure < LAPSE
