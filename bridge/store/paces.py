"""How fast messages leave, for all nodes together: from when on a gateway, or one sender number through it, is free.

The generic cell rate algorithm (GCRA, ITU-T I.371) without tolerance: a message takes its slot at the moment from which
its gateway and its sender are both free, and moves that moment on by its segments divided by the rate. Slots are given
out by `claims`, in the transaction that leases the messages, for a little more than the present: so messages that leave
evenly do not cost a transaction each. A node that dies wastes the slots it held; nobody sends in them.

A provider that asked all messages to wait holds its gateway by the same moment.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush

from sqlalchemy import ColumnElement, Connection, ScalarSelect, bindparam, exists, func, or_, select

from bridge.store.engine import upsert
from bridge.store.tables import messages, paces
from bridge.types import NO_LIMIT, Rates

WHOLE = ""
"""In place of a sender: the gateway as a whole."""

AHEAD = timedelta(seconds=0.25)
"""For how long slots are given out in advance."""

Key = tuple[str, str]
"""Gateway, and sender or `WHOLE`."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_TAKEN = select(paces).where(paces.c.free_at > bindparam("b_now"))

_RESERVE = (
    select(paces.c.gateway)
    .where(paces.c.sender == WHOLE, paces.c.gateway.in_(bindparam("b_gateways", expanding=True)))
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A message that would leave if it had a slot."""

    message_id: str
    gateway: str
    """Who would carry it."""
    sender: str
    segments: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing leaves through a gateway until then."""

    gateway: str
    until: datetime


@dataclass(slots=True)
class Slots:
    """Who is free when, at the moment `now`; pure."""

    rates: Mapping[str, Rates]
    now: datetime
    free: dict[Key, datetime]
    """From when on; who is missing is free."""
    moved: set[Key] = field(default_factory=set)
    """Whose moment `give` has moved."""

    def first(self, gateway: str, sender: str) -> datetime:
        """When a message may leave at the earliest."""
        free = self.free
        return max(self.now, free.get((gateway, WHOLE), self.now), free.get((gateway, sender), self.now))

    def busy(self, until: datetime) -> tuple[frozenset[str], dict[str, list[str]]]:
        """Gateways that have no slot until then, and of the others the senders that have none."""
        taken = [key for key, free_at in self.free.items() if free_at > until]
        gateways = frozenset(gateway for gateway, sender in taken if sender == WHOLE)
        senders: dict[str, list[str]] = {}
        for gateway, sender in sorted(taken):
            if gateway not in gateways:
                senders.setdefault(gateway, []).append(sender)
        return gateways, {gateway: _padded(names) for gateway, names in senders.items()}

    def give(self, wishes: Sequence[Wish], until: datetime) -> dict[str, datetime]:
        """A slot at `until` or before for as many as there are; those of one gateway and sender in the order given."""
        rows: dict[Key, deque[tuple[int, Wish]]] = {}
        for place, wish in enumerate(wishes):
            rows.setdefault((wish.gateway, wish.sender), deque()).append((place, wish))
        heads = [(self.first(*key), row[0][0], key) for key, row in rows.items()]
        heapify(heads)
        given: dict[str, datetime] = {}
        while heads and heads[0][0] <= until:
            at, _, key = heappop(heads)
            row, first = rows[key], self.first(*key)
            if first <= at:  # nobody took the gateway's slot meanwhile
                _, wish = row.popleft()
                given[wish.message_id] = at
                self._take(wish, at)
            if row:
                heappush(heads, (self.first(*key), row[0][0], key))
        return given

    def _take(self, wish: Wish, at: datetime) -> None:
        rates = self.rates.get(wish.gateway, NO_LIMIT)
        for sender, rate in ((WHOLE, rates.gateway), (wish.sender, rates.sender)):
            if rate:
                key = wish.gateway, sender
                # Rounded up: microseconds lost at each message would add up to a higher rate.
                self.free[key] = at + timedelta(microseconds=math.ceil(wish.segments / rate * 1_000_000))
                self.moved.add(key)


def read(connection: Connection, rates: Mapping[str, Rates], now: datetime) -> Slots:
    """Who is not free at the moment `now`."""
    rows = connection.execute(_TAKEN, {"b_now": now})
    return Slots(rates, now, {(row.gateway, row.sender): row.free_at for row in rows})


def write(connection: Connection, slots: Slots) -> None:
    """Keep what `slots` gave out, in the caller's transaction."""
    if not slots.moved:
        return
    statement = upsert(connection.dialect.name, paces)
    statement = statement.on_conflict_do_update(
        index_elements=[paces.c.gateway, paces.c.sender], set_={"free_at": statement.excluded.free_at}
    )
    connection.execute(statement, [_row(key, slots.free[key]) for key in sorted(slots.moved)])


def reserve(connection: Connection, gateways: Collection[str]) -> frozenset[str]:
    """Keep other nodes from giving out slots of these gateways until the transaction ends.

    Returns those that another node is giving out at this moment: they are left to it, so that nobody waits.
    """
    if connection.dialect.name != "postgresql":  # SQLite has one writer
        return frozenset()
    theirs = set(gateways) - set(connection.execute(_RESERVE, {"b_gateways": sorted(gateways)}).scalars())
    if theirs:  # or they have no row yet
        rows = [_row((gateway, WHOLE), _LONG_AGO) for gateway in sorted(theirs)]
        new = upsert(connection.dialect.name, paces).on_conflict_do_nothing().values(rows).returning(paces.c.gateway)
        theirs -= set(connection.execute(new).scalars())
    return frozenset(theirs)


def hold(connection: Connection, holds: Sequence[Hold]) -> None:
    """Let nothing leave before these moments; a hold that lasts longer stays."""
    statement = upsert(connection.dialect.name, paces)
    statement = statement.on_conflict_do_update(
        index_elements=[paces.c.gateway, paces.c.sender],
        set_={"free_at": statement.excluded.free_at},
        where=paces.c.free_at < statement.excluded.free_at,
    )
    latest = {each.gateway: each.until for each in sorted(holds, key=lambda each: each.until)}
    connection.execute(statement, [_row((gateway, WHOLE), until) for gateway, until in sorted(latest.items())])


def is_busy(now: datetime) -> ColumnElement[bool]:
    """Whether the gateway of a message, or its sender through it, is not free at the moment `now`."""
    return exists().where(
        paces.c.gateway == messages.c.gateway,
        or_(paces.c.sender == WHOLE, paces.c.sender == messages.c.sender),
        paces.c.free_at > now,
    )


def next_free(after: ColumnElement[datetime]) -> ScalarSelect[datetime]:
    """The first moment after `after` from which somebody is free again."""
    return select(func.min(paces.c.free_at)).where(paces.c.free_at > after).scalar_subquery()


def _padded(names: list[str]) -> list[str]:
    """The same names, some of them again: lists of few lengths make statements that the database has seen before."""
    length: int = 1 << (len(names) - 1).bit_length()
    return names + names[-1:] * (length - len(names))


def _row(key: Key, free_at: datetime) -> dict[str, object]:
    gateway, sender = key
    return {"gateway": gateway, "sender": sender, "free_at": free_at}
