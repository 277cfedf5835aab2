"""Which messages may be claimed, and who would carry them: the question that `claims` asks of the queue."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, func, or_, select

from bridge.store.tables import QUEUED, mailboxes, messages


def carrier(row: Any, without: frozenset[str]) -> str:
    """Who carries a message while some gateways are left alone."""
    ways = (row.gateway, *(row.stand_ins.split(",") if row.stand_ins else ()))
    found: str = next((way for way in ways if way not in without), row.gateway)
    return found


@lru_cache(256)
def may_be_claimed(without: frozenset[str], busy: frozenset[str], senders_of: tuple[str, ...]) -> Select[Any]:
    """Messages that are due at `b_now`, nobody's, and of a mailbox that is not paused: at most `b_limit`, oldest first.

    Left where they are: what nobody could carry but the gateways `without`; what a gateway would carry that is `busy`;
    and for each gateway of `senders_of`, in order, what it would carry from the senders `b_senders_0`, `b_senders_1`, …
    """
    now: ColumnElement[datetime] = bindparam("b_now")
    left = _stand_ins_but(without)
    left_alone = [and_(messages.c.gateway.in_(without), left.in_((",", ",,")))] if without else []
    left_alone += [_carried_by(gateway, without, left) for gateway in sorted(busy)]
    for place, gateway in enumerate(senders_of):
        senders = messages.c.sender.in_(bindparam(f"b_senders_{place}", expanding=True))
        left_alone.append(and_(_carried_by(gateway, without, left), senders))
    return (
        select(*(messages.c[name] for name in ("id", "gateway", "stand_ins", "sender", "segments", "expires_at")))
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .where(
            messages.c.state == QUEUED,
            messages.c.due_at <= now,
            or_(messages.c.lease_until.is_(None), messages.c.lease_until < now),
            mailboxes.c.paused.is_(False),
            *(~each for each in left_alone),
        )
        .order_by(messages.c.due_at)
        .limit(bindparam("b_limit", type_=Integer))
        .with_for_update(skip_locked=True, of=messages)
    )


def _stand_ins_but(gateways: frozenset[str]) -> ColumnElement[str]:
    """Who stands in for a message besides `gateways`: `,` before, between and after the names."""
    left: ColumnElement[str] = "," + messages.c.stand_ins + ","
    for name in sorted(gateways):
        left = func.replace(left, f",{name},", ",")
    return left


def _carried_by(gateway: str, without: frozenset[str], left: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether this gateway would carry a message: the first of its ways that is not left alone."""
    if not without:
        return messages.c.gateway == gateway
    first = func.substr(left, 1, len(gateway) + 2) == f",{gateway},"
    instead = and_(messages.c.gateway.in_(without), first)
    return instead if gateway in without else or_(messages.c.gateway == gateway, instead)
