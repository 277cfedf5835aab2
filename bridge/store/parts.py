"""The segments of long SMS from phones, until all of one have come: they may come over any bind, to any node."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, update

from bridge import clock
from bridge.store.engine import upsert
from bridge.store.keys import NumberKey
from bridge.store.tables import inbound_parts
from bridge.store.turns import take_turns
from bridge.types import InboundPart, InboundSms

TOGETHER = timedelta(days=1)
"""Segments that came further apart belong to different texts: a phone uses its references again."""

WAIT = timedelta(hours=1)
"""How long a text waits for a segment that does not come."""

MISSING = "[…]"
"""What stands for a segment that never came."""

_SAME = ("gateway", "number_hash", "sender", "concat_reference")


def lock(connection: Connection, heard: Sequence[InboundPart]) -> None:
    """Let nobody else put the same texts together meanwhile."""
    take_turns(connection, (repr((part.gateway, part.number, part.to, part.reference)) for part in heard))


def add(connection: Connection, key: NumberKey, part: InboundPart) -> InboundSms | None:
    """Keep a segment; the whole SMS when it is the last one that was missing. The newer of two equal ones counts.

    A segment that is delivered again after that is passed over.
    """
    values: dict[str, Any] = {
        "gateway": part.gateway,
        "number": part.number,
        "number_hash": key.hash(part.number),
        "sender": part.to,
        "concat_reference": part.reference,
        "total": part.total,
        "ordinal": part.ordinal,
        # A segment may end within a surrogate pair, which no database takes as text.
        "text": part.text.encode("utf-16-be", "surrogatepass").hex(),
        "received_at": part.received_at,
        "event_id": part.event_id,
        "whole_at": None,
    }
    same = and_(*(inbound_parts.c[name] == values[name] for name in _SAME))
    mine = select(inbound_parts.c.event_id, inbound_parts.c.whole_at).where(
        same, inbound_parts.c.ordinal == part.ordinal
    )
    known = connection.execute(mine).first()
    if known is not None and known.whole_at is not None and known.event_id == part.event_id:
        return None
    newer = {name: values[name] for name in ("total", "text", "received_at", "event_id", "whole_at")}
    statement = upsert(connection.dialect.name, inbound_parts).on_conflict_do_update(
        index_elements=[inbound_parts.c[name] for name in (*_SAME, "ordinal")], set_=newer
    )
    connection.execute(statement.values(id=clock.new_id(), **values))
    fresh = and_(
        same,
        inbound_parts.c.total == part.total,
        inbound_parts.c.whole_at.is_(None),
        inbound_parts.c.received_at > part.received_at - TOGETHER,
    )
    rows = connection.execute(select(inbound_parts).where(fresh).order_by(inbound_parts.c.ordinal)).all()
    if [row.ordinal for row in rows] != list(range(1, part.total + 1)):
        return None
    whole = update(inbound_parts).where(inbound_parts.c.id.in_([row.id for row in rows]))
    connection.execute(whole.values(text="", whole_at=part.received_at))
    return InboundSms(part.gateway, part.event_id, part.number, part.to, _joined(rows, part.total), part.received_at)


def given_up(connection: Connection, now: datetime) -> InboundSms | None:
    """A text that has waited long enough, as far as it came; its segments are forgotten. None when there is none, or
    when another node gives it up at this moment."""
    connection.execute(delete(inbound_parts).where(inbound_parts.c.whole_at < now - TOGETHER))
    same = [inbound_parts.c[name] for name in (*_SAME, "total")]
    waiting = inbound_parts.c.whole_at.is_(None)
    query = select(*same).where(waiting).group_by(*same)
    query = query.having(func.max(inbound_parts.c.received_at) < now - WAIT).limit(1)
    group = connection.execute(query).first()
    if group is None:
        return None
    mine = and_(waiting, *(column == value for column, value in zip(same, group, strict=True)))
    rows = connection.execute(delete(inbound_parts).where(mine).returning(inbound_parts)).all()
    if not rows:
        return None
    last = max(rows, key=lambda row: row.received_at)
    text = _joined(sorted(rows, key=lambda row: row.ordinal), last.total)
    return InboundSms(last.gateway, f"part:{last.id}", last.number, last.sender, text, last.received_at)


def _joined(rows: Sequence[Any], total: int) -> str:
    units = {row.ordinal: bytes.fromhex(row.text) for row in rows}
    gap = MISSING.encode("utf-16-be")
    whole = b"".join(units.get(ordinal, gap) for ordinal in range(1, total + 1))
    return whole.decode("utf-16-be", "replace")
