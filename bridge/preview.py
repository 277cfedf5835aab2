"""What a mail would send, without sending: the same decisions as at the front door, told as values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from bridge import decision
from bridge.errors import MailRefusal, Reason, Refusal
from bridge.types import Destination, Encoded, Envelope, Mailbox, Recipient, Submission

OptedOutSince = Callable[[str, str, str], datetime | None]
"""Organisation, sender number and phone to the moment when that phone asked for no more texts."""


def preview(
    mailbox: Mailbox | None,
    addresses: Sequence[str],
    raw: bytes,
    *,
    domains: Collection[str],
    now: datetime,
    opted_out_since: OptedOutSince,
) -> dict[str, Any]:
    """What `raw`, sent by `mailbox` to `addresses`, would come to, as `bridge preview --json` shows it.

    Without a mailbox nobody may send it, and it is refused as a whole.
    """
    result: dict[str, Any] = {"mailbox": None, "messages": [], "cuts": [], "refused": [], "warnings": []}
    if mailbox is None:
        refusal = MailRefusal(
            Reason.FOREIGN_SENDER, "No mailbox may send from this address. Name one that may with --from ADDRESS."
        )
        result["refused"] = [_refused(address, refusal) for address in addresses]
        return result
    result["mailbox"] = mailbox.login
    destinations: list[Destination] = []
    for address in addresses:
        try:
            destinations.append(_destination(mailbox, address, domains, opted_out_since))
        except Refusal as refusal:
            result["refused"].append(_refused(address, refusal))
    envelope = Envelope(mailbox.login, tuple(Recipient(address) for address in addresses), now)
    try:
        submission, encoded = decision.read(mailbox, envelope, raw, now)
    except Refusal as refusal:
        taken = [destination.recipient.address for destination in destinations]
        result["refused"].extend(_refused(address, refusal) for address in taken)
        return result
    result["cuts"] = [{"rule": cut.rule, "text": cut.text} for cut in submission.cuts]
    result["warnings"] = list(submission.warnings)
    seen: set[str] = set()
    for destination in destinations:
        if destination.number not in seen:  # each phone once, however often it is written
            seen.add(destination.number)
            result["messages"].append(_message(mailbox, submission, encoded, destination, now))
    return result


def _destination(
    mailbox: Mailbox, address: str, domains: Collection[str], opted_out_since: OptedOutSince
) -> Destination:
    decision.check_mailbox(mailbox)
    destination = decision.resolve(mailbox, Recipient(address), domains)
    decision.check_opt_out(mailbox, opted_out_since(mailbox.organisation_id, mailbox.sender, destination.number))
    return destination


def _message(
    mailbox: Mailbox, submission: Submission, encoded: Encoded, destination: Destination, now: datetime
) -> dict[str, Any]:
    message = decision.message(mailbox, submission, encoded, destination, ("",), now)
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
