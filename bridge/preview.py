"""What a mail would send, without sending: the same decisions as at the front door, told as values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from bridge import decision
from bridge.errors import Refusal
from bridge.types import Destination, Encoded, Envelope, Mailbox, Recipient, Submission


def preview(
    mailbox: Mailbox, addresses: Sequence[str], raw: bytes, *, domains: Collection[str], now: datetime
) -> dict[str, Any]:
    """What `raw`, sent by `mailbox` to `addresses`, would come to, as `bridge preview --json` shows it."""
    refused: list[dict[str, str]] = []
    destinations: list[Destination] = []
    for address in addresses:
        try:
            destinations.append(decision.resolve(mailbox, Recipient(address), domains))
        except Refusal as refusal:
            refused.append(_refused(address, refusal))
    envelope = Envelope(mailbox.login, tuple(Recipient(address) for address in addresses), now)
    result: dict[str, Any] = {"mailbox": mailbox.login, "messages": [], "cuts": [], "refused": refused, "warnings": []}
    try:
        submission, encoded = decision.read(mailbox, envelope, raw, now)
    except Refusal as refusal:
        taken = [destination.recipient.address for destination in destinations]
        refused.extend(_refused(address, refusal) for address in taken)
        return result
    result["cuts"] = [{"rule": cut.rule, "text": cut.text} for cut in submission.cuts]
    result["warnings"] = list(submission.warnings)
    seen: set[str] = set()
    for destination in destinations:
        if destination.number not in seen:  # each phone once, however often it is written
            seen.add(destination.number)
            result["messages"].append(_message(mailbox, submission, encoded, destination, now))
    return result


def _message(
    mailbox: Mailbox, submission: Submission, encoded: Encoded, destination: Destination, now: datetime
) -> dict[str, Any]:
    message = decision.message(mailbox, submission, encoded, destination, "", now)
    send_at, expires_at = submission.options.send_at, message.expires_at
    return {
        "address": destination.recipient.address,
        "number": destination.number,
        "text": encoded.text,
        "encoding": encoded.encoding.value,
        "segments": len(encoded.segments),
        "units": encoded.units,
        "units_left": encoded.units_left,
        "class": message.message_class.value,
        "send_at": send_at.isoformat() if send_at is not None else None,
        "expires_at": expires_at.isoformat() if expires_at is not None else None,
        "sender": message.sender,
    }


def _refused(address: str, refusal: Refusal) -> dict[str, str]:
    return {"address": address, "reply": refusal.reply, "reason": refusal.reason.value}
