"""Where a message stands, and what it may become."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class MessageState(StrEnum):
    """Where a message stands on its road; `docs/architecture.md` holds the table of what may follow what."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


SETTLED = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
        MessageState.REFUSED,
        MessageState.CANCELLED,
    }
)


MAY_BECOME: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.HELD: frozenset(
        {MessageState.QUEUED, MessageState.CANCELLED, MessageState.EXPIRED, MessageState.REFUSED}
    ),
    # A receipt that names our reference proves that the phone has the text, whatever the submit answer said.
    MessageState.QUEUED: frozenset(
        {
            MessageState.SENDING,
            MessageState.CANCELLED,
            MessageState.EXPIRED,
            MessageState.REFUSED,
            MessageState.DELIVERED,
        }
    ),
    MessageState.SENDING: frozenset(
        {
            MessageState.SENT,
            MessageState.QUEUED,
            MessageState.FAILED,
            MessageState.UNKNOWN,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.EXPIRED,
        }
    ),
    # Cancelled only when the provider itself says that the text will not leave.
    MessageState.SENT: frozenset(
        {
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.EXPIRED,
            MessageState.FAILED,
            MessageState.CANCELLED,
        }
    ),
    MessageState.UNKNOWN: frozenset(
        {
            MessageState.SENT,
            MessageState.DELIVERED,
            MessageState.UNDELIVERED,
            MessageState.EXPIRED,
            MessageState.FAILED,
            MessageState.CANCELLED,
        }
    ),
    MessageState.UNDELIVERED: frozenset({MessageState.DELIVERED}),
    MessageState.EXPIRED: frozenset({MessageState.DELIVERED}),
    MessageState.DELIVERED: frozenset(),
    MessageState.FAILED: frozenset(),
    MessageState.REFUSED: frozenset(),
    MessageState.CANCELLED: frozenset({MessageState.DELIVERED}),
}
"""Which state yields to which better knowledge without a person's word; a person may also send `unknown` again."""
