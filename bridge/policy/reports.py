"""Which outcomes the sender of a mail is told: the recipient's NOTIFY, else what the mailbox prefers (pure)."""

from __future__ import annotations

from bridge.types import Confirm, Notify, Options

_EVERYTHING = frozenset({Notify.SUCCESS, Notify.FAILURE, Notify.DELAY})

_PREFERRED = {
    Confirm.NONE: frozenset[Notify](),
    Confirm.FAILURES: frozenset({Notify.FAILURE, Notify.DELAY}),
    Confirm.ALL: _EVERYTHING,
}


def reports_wanted(
    notify: frozenset[Notify] | None, confirm: Confirm, options: Options, *, wants_receipt: bool
) -> frozenset[Notify]:
    """The outcomes to report.

    NOTIFY goes before everything: without DELAY in it no delay is told (RFC 3461 section 4.1), not even where `options`
    have a time for that. `wants_receipt` is the mail client's own request for a delivery receipt; it goes before
    `confirm`.
    """
    if notify is not None and Notify.NEVER in notify:
        return frozenset()
    asked = {Notify.RELAYED} if options.trace else set[Notify]()
    if notify is not None:
        return notify | asked
    if options.late_at is not None:
        asked.add(Notify.DELAY)
    return (_EVERYTHING if wants_receipt else _PREFERRED[confirm]) | asked
