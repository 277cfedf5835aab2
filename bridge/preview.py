"""What a mail would send, without sending: the same decisions as at the front door, told as values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge import addressing, decision
from bridge.addressing import Ground
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal
from bridge.reading.grammars import redacted_address
from bridge.routing import Routes
from bridge.types import (
    NO_OPTIONS,
    Destination,
    Mailbox,
    NewMessage,
    Options,
    Preview,
    PreviewRefusal,
    Priority,
    Recipient,
    Target,
    Tried,
    ruled_of,
)

_DECIDES = "This address decides about a phone and texts nobody, so there is nothing to show."


def unsendable(addresses: Sequence[str]) -> Preview:
    """What a mail to `addresses` comes to that no mailbox may send."""
    refusal = MailRefusal(
        Reason.FOREIGN_SENDER, "No mailbox may send from this address. Name one that may with --from ADDRESS."
    )
    return Preview(None, refused=tuple(_refused(address, refusal) for address in addresses))


def preview(
    mailbox: Mailbox, addresses: Sequence[str], raw: bytes, ground: Ground, routes: Routes, now: datetime
) -> Preview:
    """What `raw`, sent by `mailbox` to `addresses`, would come to."""
    targets: list[Target] = []
    refused: list[PreviewRefusal] = []
    for address in addresses:
        try:
            decision.check_mailbox(mailbox)
            found = addressing.targets(mailbox, Recipient(address), ground)
            if ruled_of(found) is not None:
                raise RecipientRefusal(Reason.UNKNOWN_ALIAS, _DECIDES)
            targets.extend(found)
        except Refusal as refusal:
            refused.append(_refused(address, refusal))
    return of_targets(mailbox, targets, raw, ground, routes, now, tuple(refused))


def trial(
    mailbox: Mailbox,
    targets: Sequence[Target],
    raw: bytes,
    ground: Ground,
    routes: Routes,
    now: datetime,
    asked: Options,
) -> Preview:
    """What a mail to `preview@…` is answered with; `asked` is what its envelope asks for. Raises MailRefusal for
    automatic mail, which nobody answers."""
    shown = of_targets(mailbox, targets, raw, ground, routes, now, asked=asked)
    for each in shown.refused:
        if each.reason is Reason.AUTOMATIC_MAIL:
            raise MailRefusal(each.reason, each.sentence)
    if shown.submission is not None:
        return shown
    try:  # what is too long, say, can be shown all the same
        return replace(shown, submission=decision.read(mailbox, targets, raw, now, asked))
    except MailRefusal:
        return shown


def refused_whole(shown: Preview, refusal: Refusal) -> Preview:
    """The preview of the same mail, which is refused as a whole for a reason that `decision` does not know."""
    addresses = dict.fromkeys(
        (*(each.recipient.address for each in shown.messages), *(each.address for each in shown.refused))
    )
    return Preview(shown.login, refused=tuple(_refused(address, refusal) for address in addresses))


def of_targets(
    mailbox: Mailbox,
    targets: Sequence[Target],
    raw: bytes,
    ground: Ground,
    routes: Routes,
    now: datetime,
    refused: tuple[PreviewRefusal, ...] = (),
    asked: Options = NO_OPTIONS,
) -> Preview:
    """The preview of a mail whose recipients were let in; beside it are those that were `refused`. A trial that names
    no phone, or one that may not be texted, shows the text as any phone would get it, unless there are others."""
    phones: list[Target] = []
    for target in targets:
        try:
            phone = addressing.tried(mailbox, target, ground) if isinstance(target, Tried) else target
        except Refusal as refusal:
            refused = (*refused, _refused(target.recipient.address, refusal))
        else:
            phones += [phone] if phone is not None else []
    trying = any(isinstance(target, Tried) for target in targets)
    if not phones and refused and not trying:
        return Preview(mailbox.login, refused=refused)
    anybody = not phones
    phones = phones or [Destination(target.recipient, "", mailbox.region) for target in targets[:1]]
    try:
        decided = decision.decide(mailbox, phones, raw, ground, Routes.anywhere() if anybody else routes, now, asked)
    except Refusal as refusal:
        addresses = dict.fromkeys(map(_shown, phones))
        return Preview(mailbox.login, refused=(*refused, *(_refused(address, refusal) for address in addresses)))
    made = decided.messages
    if anybody and any(message.number for message in made):  # the mail itself names phones
        made = tuple(message for message in made if message.number)
    turned_down = [message for message in made if message.refused is not None]
    return Preview(
        mailbox.login,
        messages=tuple(message for message in made if message.refused is None),
        refused=(*refused, *(_refused(message.recipient.address, _refusal(message)) for message in turned_down)),
        submission=decided.submission,
    )


def document(preview: Preview) -> dict[str, Any]:
    """The preview as `bridge preview --json` shows it."""
    return {
        "mailbox": preview.login,
        "messages": [_message(message, preview) for message in preview.messages],
        "cuts": [{"rule": cut.rule.value, "text": cut.text} for cut in preview.cuts],
        "refused": [
            {"address": each.address, "reply": each.reply, "reason": each.reason.value} for each in preview.refused
        ],
        "warnings": list(preview.warnings),
    }


def _message(message: NewMessage, preview: Preview) -> dict[str, Any]:
    encoded, send_at = message.encoded, preview.options.send_at
    found = {
        "address": message.recipient.address,
        "number": message.number,
        "text": encoded.text,
        "encoding": encoded.encoding.value,
        "segments": len(encoded.segments),
        "units": encoded.units,
        "units_left": encoded.units_left,
        "class": message.message_class.value,
        "send_at": send_at.isoformat() if send_at is not None else None,
        "expires_at": message.expires_at.isoformat() if message.expires_at is not None else None,
        "sender": message.sender,
    }
    wishes = {
        "shift": encoded.shift.language.value if encoded.shift is not None else None,
        "flash": message.flash or None,
        "priority": message.priority.value if message.priority is not Priority.NORMAL else None,
        "reference": preview.reference_of(message),
        "contact": message.contact or None,
    }
    return found | {name: value for name, value in wishes.items() if value is not None}


def _shown(target: Target) -> str:
    """The address of a recipient without what it shows as a password."""
    password = target.password if isinstance(target, Destination) else None
    return redacted_address(target.recipient.address, [password] if password is not None else [])


def _refused(address: str, refusal: Refusal) -> PreviewRefusal:
    return PreviewRefusal(address, refusal.reason, refusal.reply, refusal.sentence)


def _refusal(message: NewMessage) -> Refusal:
    assert message.refused is not None
    return RecipientRefusal(message.refused, message.sentence)
