"""Which messages may be claimed, who would carry them, since when they are tried: what `claims` asks of the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, ScalarSelect, Select, and_, bindparam, exists, func, or_, select

from bridge.store.tables import HIGH, QUEUED, attempts, mailboxes, messages, opt_outs
from bridge.types import OutcomeKind

UNDECIDED = timedelta(days=1)
"""How long a text that is due waits while nobody decides about its phone: then what it was about is over."""

KEEPS_BACK = and_(
    opt_outs.c.organisation_id == messages.c.organisation_id,
    opt_outs.c.sender == messages.c.sender,
    opt_outs.c.number_hash == messages.c.number_hash,
    opt_outs.c.wish,
)
"""Whether a block is a wish that a message waits for."""

IS_WISHED_AWAY = exists().where(KEEPS_BACK)
"""Whether the phone asked for no more texts in words of its own, and nobody has decided."""

_NOBODY = (",", ",,")
"""What `_stand_ins_but` says where no stand-in is left."""


def carrier(row: Any, passed_by: frozenset[str]) -> str:
    """Who would carry a message: the first of its ways that is not passed by; where all of them are, its gateway."""
    ways = (row.gateway, *(row.stand_ins.split(",") if row.stand_ins else ()))
    found: str = next((way for way in ways if way not in passed_by), row.gateway)
    return found


@lru_cache(256)
def may_be_claimed(
    without: frozenset[str],
    gone: frozenset[str],
    busy: frozenset[str],
    senders_of: tuple[str, ...],
    *,
    urgent: bool,
) -> Select[Any]:
    """Messages that are due at `b_now`, nobody's, and of a mailbox that is not paused: at most `b_limit`, oldest first;
    only those of high priority where it is `urgent`.

    Left where they are: what nobody could carry but the gateways `without`; what a gateway would carry that is `busy`;
    and for each gateway of `senders_of`, in order, what it would carry from the senders `b_senders_0`, `b_senders_1`, …
    What is for a phone that wishes for no more texts is left too, unless it is over or was due before `b_undecided`.
    Gateways that are `gone` carry nothing and are not waited for: what has no other is found, and can be given up.
    """
    now: ColumnElement[datetime] = bindparam("b_now")
    passed_by = without | gone
    left = _stand_ins_but(passed_by)
    left_alone = [and_(_waits_for(without, gone), left.in_(_NOBODY))] if without else []
    left_alone += [_carried_by(gateway, passed_by, left) for gateway in sorted(busy)]
    for place, gateway in enumerate(senders_of):
        senders = messages.c.sender.in_(bindparam(f"b_senders_{place}", expanding=True))
        left_alone.append(and_(_carried_by(gateway, passed_by, left), senders))
    return (
        select(*(messages.c[name] for name in ("id", "gateway", "stand_ins", "sender", "segments", "expires_at")))
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .where(
            messages.c.state == QUEUED,
            messages.c.due_at <= now,
            or_(messages.c.lease_until.is_(None), messages.c.lease_until < now),
            mailboxes.c.paused.is_(False),
            or_(~IS_WISHED_AWAY, messages.c.due_at <= bindparam("b_undecided"), messages.c.expires_at <= now),
            *([messages.c.priority == HIGH] if urgent else ()),
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


def _waits_for(without: frozenset[str], gone: frozenset[str]) -> ColumnElement[bool]:
    """Whether one of the gateways `without` could carry a message that no other could."""
    own = messages.c.gateway.in_(without)
    return or_(own, and_(messages.c.gateway.in_(gone), _stand_ins_but(gone).not_in(_NOBODY))) if gone else own


def _carried_by(gateway: str, passed_by: frozenset[str], left: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether this gateway is the `carrier` of a message."""
    own = messages.c.gateway == gateway
    if not passed_by:
        return own
    if gateway in passed_by:
        return and_(own, left.in_(_NOBODY))
    first = func.substr(left, 1, len(gateway) + 2) == f",{gateway},"
    return or_(own, and_(messages.c.gateway.in_(passed_by), first))


@cache
def first_tried_at() -> ScalarSelect[Any]:
    """When the present row of tries of a message began."""
    tries, doubts = attempts.alias("tries"), attempts.alias("doubts")
    last_doubt = (
        select(func.max(doubts.c.number))
        .where(
            doubts.c.message_id == messages.c.id,
            or_(doubts.c.outcome.is_(None), doubts.c.outcome == OutcomeKind.UNKNOWN),
        )
        .correlate(messages)
        .scalar_subquery()
    )
    return (
        select(func.min(tries.c.started_at))
        .where(tries.c.message_id == messages.c.id, tries.c.number > func.coalesce(last_doubt, 0))
        .correlate(messages)
        .scalar_subquery()
    )
