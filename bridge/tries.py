"""What is decided about a message before and after a try: may it still leave, what does the outcome make of it, when is
it tried again. The half of the dispatcher that touches neither store nor gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge import clock
from bridge.errors import Reason
from bridge.settings import Settings
from bridge.store.claims import Claimed
from bridge.store.due import UNDECIDED
from bridge.store.transitions import Change
from bridge.types import MessageState, Outcome, OutcomeKind

_WAITING = frozenset({MessageState.QUEUED})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a message is tried; all in seconds."""

    first_retry: float
    max_retry: float
    give_up_after: float
    unknown_after: float
    """How long an unknown outcome waits for a receipt before the sender is told."""


def configured(settings: Settings) -> Patience:
    """The operator's patience."""
    sending = settings.sending
    return Patience(
        first_retry=sending.first_retry,
        max_retry=sending.max_retry,
        give_up_after=sending.give_up_after,
        unknown_after=sending.unknown_after,
    )


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one try, and when it began and ended."""

    gateway: str
    attempt: int
    outcome: Outcome
    began: datetime
    ended: datetime
    hold_until: datetime | None = None
    """The gateway asked all its messages to wait."""


def change_before(claimed: Claimed, ways: Sequence[str], now: datetime, patience: Patience) -> Change | None:
    """What a claimed message becomes that may not leave any more; `ways` are the gateways that could carry it."""
    message_id, expires_at = claimed.sms.reference, claimed.sms.expires_at
    # With nobody left to carry it, a message that was never tried has waited in vain since it was due.
    in_vain_since = claimed.first_tried_at or (None if ways else claimed.due_at)
    if claimed.opted_out_since is not None and not claimed.undecided:
        return Change(message_id, MessageState.REFUSED, now, Reason.OPTED_OUT, only_from=_WAITING)
    if expires_at is not None and expires_at <= now:
        return Change(message_id, MessageState.EXPIRED, now, Reason.VALIDITY_EXPIRED, only_from=_WAITING)
    if claimed.undecided and now - claimed.due_at >= UNDECIDED:
        return Change(message_id, MessageState.REFUSED, now, Reason.UNDECIDED, only_from=_WAITING)
    if in_vain_since is not None and (now - in_vain_since).total_seconds() > patience.give_up_after:
        return Change(message_id, MessageState.EXPIRED, now, Reason.GAVE_UP, only_from=_WAITING)
    return None


def others(claimed: Claimed, gateway: str) -> tuple[str, ...]:
    """Who may carry a message besides `gateway`, in order."""
    return tuple(way for way in (claimed.gateway, *claimed.stand_ins) if way != gateway)


def change_after(claimed: Claimed, tried: Tried, patience: Patience, *, unheard: bool) -> Change:
    """What the outcome of a try makes of its message; `unheard`, if its gateway tells no more of it."""
    message_id, attempt, outcome, now = claimed.sms.reference, tried.attempt, tried.outcome, tried.ended
    if outcome.kind is OutcomeKind.ACCEPTED:
        return Change(
            message_id, MessageState.SENT, now, provider_id=outcome.provider_id, attempt=attempt, unheard=unheard
        )
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
            told_after=patience.unknown_after,
            attempt=attempt,
        )
    # Whoever cannot be reached gives way to the next, at once until each has been tried.
    gives_way = outcome.kind is OutcomeKind.UNREACHABLE and bool(claimed.stand_ins)
    ways = len(claimed.stand_ins) + 1
    at_once = gives_way and attempt % ways != 0
    delay = 0.0 if at_once else _delay(-(-attempt // ways) if gives_way else attempt, outcome, patience)
    return Change(
        message_id,
        MessageState.QUEUED,
        now,
        outcome.reason,
        outcome.diagnostic,
        due_at=now + timedelta(seconds=delay),
        gateways=(*others(claimed, tried.gateway), tried.gateway) if gives_way else (),
        attempt=attempt,
    )


def _delay(attempt: int, outcome: Outcome, patience: Patience) -> float:
    doubled = patience.first_retry * 2.0 ** min(attempt - 1, 30)
    return max(clock.jitter(min(doubled, patience.max_retry)), outcome.retry_after or 0.0)
