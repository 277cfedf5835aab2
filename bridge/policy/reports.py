"""Which outcomes the sender of a mail is told: the recipient's NOTIFY, else what the mailbox prefers (pure)."""

from __future__ import annotations

from bridge.types import Confirm, Notify

_EVERYTHING = frozenset({Notify.SUCCESS, Notify.FAILURE, Notify.DELAY})

_PREFERRED = {
    Confirm.NONE: frozenset[Notify](),
    Confirm.FAILURES: frozenset({Notify.FAILURE, Notify.DELAY}),
    Confirm.ALL: _EVERYTHING,
}


def reports_wanted(notify: frozenset[Notify] | None, confirm: Confirm, *, wants_receipt: bool) -> frozenset[Notify]:
    """The outcomes to report, as NOTIFY keywords (RFC 3461 section 4.1); DELAY stands for "nobody knows".

    NOTIFY goes before everything. `wants_receipt` is the mail client's own request for a delivery receipt; it goes
    before `confirm`. Whoever wants to hear of failures hears of an unknown outcome too, since it may be one.
    """
    if notify is None:
        return _EVERYTHING if wants_receipt else _PREFERRED[confirm]
    if Notify.NEVER in notify:
        return frozenset()
    return notify | {Notify.DELAY} if Notify.FAILURE in notify else notify
