"""What became of texts, read from gammu-smsd's sentitems; asked again and again, since gammu-smsd tells nobody.

A row is final when its status is: gammu-smsd changes it no more. A text is told once, when that settles it as a whole.

A look begins behind the lowest id that is not settled, and not at a time: a row is found however long it takes and
whatever clock wrote it. In between lie texts that were told already; they are known while the bridge runs, and after a
restart their receipts are recognised as repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Select, false, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge import clock
from bridge.errors import Reason
from bridge.gateways.base import Polled, PollRefused
from bridge.gateways.gammu.database import Database, outbox, sentitems
from bridge.gateways.smsgate_phone import TP_REASONS
from bridge.types import MessageState, Receipt

EVERY = 10.0
"""Seconds between two looks."""
AT_ONCE = 200
"""Texts that one look tells of at most."""
REPORT_WAIT = 7 * 24 * 60
"""Minutes that a delivery report is waited for; networks give up a text sooner."""

_OURS = re.compile(r"01[0-9a-hjkmnp-tv-z]{24}")
"""Our references; other programs may write into the same outbox."""
_PART: Sequence[Column[Any]] = [
    sentitems.c[name] for name in ("id", "CreatorID", "Status", "StatusError", "StatusCode")
]
_CMS_REASONS = {1: Reason.UNKNOWN_SUBSCRIBER}
"""RP-Cause (3GPP TS 24.011 section 8.2.5.4), which modems give as +CMS ERROR."""


@dataclass(frozen=True, slots=True)
class Part:
    """A row of sentitems, as far as it tells what became of a segment."""

    id: int
    reference: str
    status: str
    tp_status: int
    """TP-Status of the delivery report."""
    cms_error: int
    """What the modem refused it with; -1 when it did not say."""
    is_old: bool
    """No report is waited for any more."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a text as a whole."""

    state: MessageState
    reason: Reason | None = None
    diagnostic: str = ""


WAITING = Fate(MessageState.SENT)
SILENT = Fate(MessageState.UNKNOWN)
"""Nothing will be told of it."""


def fate(parts: Iterable[Part]) -> Fate:
    """What became of a text of which all segments have left the outbox."""
    states = [_of_part(part) for part in parts]
    for state in (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED):
        if failed := next((each for each in states if each.state is state), None):
            return failed
    if WAITING in states:
        return WAITING
    return SILENT if SILENT in states else states[0]


def _of_part(part: Part) -> Fate:
    match part.status:
        case "DeliveryOK":
            return Fate(MessageState.DELIVERED, diagnostic="DeliveryOK")
        case "DeliveryFailed":
            reason = TP_REASONS.get(part.tp_status)
            state = MessageState.EXPIRED if reason is Reason.VALIDITY_EXPIRED else MessageState.UNDELIVERED
            return Fate(state, reason, f"DeliveryFailed TP-Status {part.tp_status}")
        case "SendingError" if part.cms_error >= 0:
            reason = _CMS_REASONS.get(part.cms_error, Reason.PROVIDER_REFUSED)
            return Fate(MessageState.FAILED, reason, f"SendingError CMS {part.cms_error}")
        case "SendingError":  # the modem did not answer, or not with a code: it may be on its way
            return Fate(MessageState.UNDELIVERED, Reason.NO_ANSWER, "SendingError")
        case "Error":
            return Fate(MessageState.FAILED, Reason.PROVIDER_REFUSED, "Error")
        case "SendingOK" | "DeliveryPending" if not part.is_old:
            return WAITING
    return SILENT


class SentItems:
    """One bridge's view of them."""

    def __init__(self, gateway: str, database: Database) -> None:
        self._gateway = gateway
        self._database = database
        self._given = ""
        self._told: set[int] = set()
        """Texts behind the cursor that were told and kept."""
        self._offered: set[int] = set()
        """Those that the last look told: kept when its cursor is."""

    async def read(self, cursor: str) -> Polled:
        """What is new behind `cursor`: the id up to which all is settled, and a name for the look that found it."""
        if cursor == self._given:
            self._told |= self._offered
        else:  # the last look was not kept, or another bridge has looked since
            self._told.clear()
        self._offered = set()
        floor = int(cursor.partition(" ")[0] or 0)
        try:
            async with self._database.reading() as connection:
                if floor and (highest := await _highest(connection)) is not None and highest < floor:
                    floor, self._told = 0, set()  # the tables were made anew
                waiting = await _queued(connection, floor)  # before sentitems: a text is in the one or in the other
                parts = await self._parts(connection, floor)
        except self._database.faults as error:
            raise PollRefused(f"gammu-smsd's database cannot be read ({type(error).__name__})") from error
        return self._sorted(cursor, floor, waiting, parts)

    def _sorted(self, cursor: str, floor: int, waiting: set[int], parts: Sequence[Part]) -> Polled:
        ids, news = {floor} | waiting, list[tuple[Part, Fate]]()
        for id_, group in groupby(parts, key=lambda part: part.id):
            ids.add(id_)
            whole = list(group)
            became = fate(whole)
            if id_ in waiting or id_ in self._told or became is SILENT:
                continue
            if became is WAITING:
                waiting.add(id_)
            else:
                news.append((whole[0], became))
        now, later = news[:AT_ONCE], news[AT_ONCE:]
        self._offered = {part.id for part, _ in now}
        settled = min((*waiting, *(part.id for part, _ in later)), default=max(ids) + 1) - 1
        self._told = {id_ for id_ in self._told if id_ > settled}
        if now or settled != floor:
            cursor = f"{settled} {clock.new_id()}"
        self._given = cursor
        return Polled([self._receipt(part, became) for part, became in now], cursor, more=bool(later))

    def _receipt(self, part: Part, became: Fate) -> Receipt:
        return Receipt(
            gateway=self._gateway,
            provider_id=str(part.id),
            reference=part.reference,
            state=became.state,
            # Ids begin again where the tables are made anew.
            event_id=f"{part.reference}:{part.id}:{became.state}",
            reason=became.reason,
            diagnostic=f"gammu-smsd {became.diagnostic}",
        )

    async def _parts(self, connection: AsyncConnection, floor: int) -> Sequence[Part]:
        old = self._database.ago(sentitems.c.SendingDateTime, REPORT_WAIT)
        query: Select[Any] = select(*_PART, old).where(sentitems.c.id > floor)
        found = await connection.execute(query.order_by(sentitems.c.id, sentitems.c.SequencePosition))
        return [part for part in (Part(*row) for row in found) if _OURS.fullmatch(part.reference)]


async def tried(connection: AsyncConnection, reference: str) -> Sequence[Part]:
    """The segments of the latest try with this reference that left the outbox; none when there was no such try."""
    last = select(func.max(sentitems.c.id)).where(sentitems.c.CreatorID == reference).scalar_subquery()
    query: Select[Any] = select(*_PART, false()).where(sentitems.c.id == last).order_by(sentitems.c.SequencePosition)
    return [Part(*row) for row in await connection.execute(query)]


async def _queued(connection: AsyncConnection, floor: int) -> set[int]:
    """Our texts of which a segment has not been sent."""
    found = await connection.execute(select(outbox.c.id, outbox.c.CreatorID).where(outbox.c.id > floor))
    return {id_ for id_, creator in found if _OURS.fullmatch(creator)}


async def _highest(connection: AsyncConnection) -> int | None:
    """The highest id there is; None when there are no texts at all."""
    each = union_all(select(func.max(outbox.c.id).label("id")), select(func.max(sentitems.c.id).label("id"))).subquery()
    found: int | None = (await connection.execute(select(func.max(each.c.id)))).scalar_one()
    return found
