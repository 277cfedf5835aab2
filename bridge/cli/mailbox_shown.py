"""A mailbox as `bridge mailbox` shows it: no secret, and nothing that only the store needs."""

from __future__ import annotations

from typing import Any

from bridge.cli import properties
from bridge.types import Mailbox


def in_words(value: Any) -> str:
    """One property, for a person."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value)
        case _:
            return str(value)


def document(mailbox: Mailbox) -> dict[str, Any]:
    """All properties that a person may know, by name, in the order in which they are shown."""
    return {
        "login": mailbox.login,
        "sender": mailbox.sender,
        "pool": list(mailbox.pool),
        "addresses": list(mailbox.addresses),
        "networks": list(mailbox.networks),
        "region": mailbox.region,
        "countries": list(mailbox.countries),
        "language": mailbox.language.value,
        "phone_languages": [language.value for language in mailbox.phone_languages],
        "timezone": mailbox.timezone,
        "confirm": mailbox.confirm.value,
        "unicode": mailbox.unicode.value,
        "max_segments": mailbox.max_segments,
        "daily_cap": mailbox.daily_cap,
        "paused": mailbox.paused,
        "subject": mailbox.habits.subject.value,
        "subject_tags": mailbox.subject_tags,
        "kept_cuts": sorted(map(properties.hyphened, mailbox.habits.kept)),
        "end_marks": list(mailbox.habits.end_marks),
        "learned_signatures": len(mailbox.habits.signatures),
        "grammar": mailbox.grammar.value if mailbox.grammar is not None else None,
        "order_password": bool(mailbox.order_password_hash),
        "digest_to": list(mailbox.digest.to),
        "digest_at": f"{mailbox.digest.at:%H:%M}",
        "digest_days": mailbox.digest.days,
        "unprompted": mailbox.greetings.unprompted or None,
        "hours": str(mailbox.greetings.hours) if mailbox.greetings.hours is not None else None,
        "closed": mailbox.greetings.closed or None,
        "can_log_in": bool(mailbox.password_hash),
    }
