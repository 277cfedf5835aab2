"""Whom the recipients of a mail mean: phones, members of groups, numbers in the mail; asked by admission and preview.

Pure: what is known of names and phones comes in with `Ground`. A recipient that means one phone is refused when that
phone may not be texted. Where one means several, those that may not are `Unreached` beside the others; a group of which
nobody is left is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.errors import Reason, RecipientRefusal
from bridge.policy.destinations import check_destination
from bridge.reading.addresses import foreign_domain, read_local_part, split_address, unknown_name
from bridge.reading.grammars import GRAMMARS, Grammar
from bridge.reading.names import name_key, near_names
from bridge.sms.numbers import read_number
from bridge.types import (
    NO_WISHES,
    AddressBook,
    Addressee,
    Decided,
    Deferred,
    Destination,
    Dialled,
    InTheMail,
    Mailbox,
    Named,
    Phone,
    Recipient,
    Ruled,
    Target,
    Trial,
    Tried,
    Unreached,
    Wishes,
)

_ATOM = re.compile(r"[0-9+_/-]+")


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known where it is decided whom an address means."""

    domains: Collection[str]
    """Mail domains of the phones, in lower case."""
    book: AddressBook
    """That of the mailbox's organisation."""
    check: Callable[[Mailbox, Destination], None]
    """Raises RecipientRefusal for a phone that may not be texted now: it opted out, no provider goes there."""


def targets(mailbox: Mailbox, recipient: Recipient, ground: Ground) -> tuple[Target, ...]:
    """What a recipient stands for, never nothing. Raises RecipientRefusal."""
    local, domain = split_address(recipient.address)
    grammar = GRAMMARS[mailbox.grammar] if mailbox.grammar is not None else None
    subdomain = ""
    if domain not in ground.domains:
        subdomain = "" if grammar is None else _subdomain(domain, ground.domains, grammar)
        if not subdomain:
            raise foreign_domain(domain, ground.domains)
    theirs = grammar.address(local, subdomain) if grammar is not None else None
    if grammar is None or theirs is None:
        return _targets(mailbox, recipient, read_local_part(local), ground)
    # A sender that a legacy system names is that of its old service.
    if not isinstance(theirs, Trial | Decided):
        theirs = replace(theirs, wishes=replace(theirs.wishes, sender=None))
    mode = grammar.mode(local, subdomain)
    return tuple(
        replace(target, mode=mode) if isinstance(target, Destination | Deferred) else target
        for target in _targets(mailbox, recipient, theirs, ground)
    )


def serves(domain: str, domains: Collection[str]) -> bool:
    """Whether any mailbox may write to addresses of this domain; both in lower case."""
    return domain in domains or any(_subdomain(domain, domains, grammar) for grammar in GRAMMARS.values())


def _subdomain(domain: str, domains: Collection[str], grammar: Grammar) -> str:
    """What stands in front of one of our domains, where the grammar knows it; else empty."""
    for each in domains:
        before = domain.removesuffix(f".{each}")
        if before != domain and before in grammar.subdomains:
            return before
    return ""


def _targets(mailbox: Mailbox, recipient: Recipient, meant: Addressee, ground: Ground) -> tuple[Target, ...]:
    match meant:
        case Dialled(digits, wishes, password):
            destination = _dialled(mailbox, recipient, digits, wishes, ground)
            return (destination if password is None else replace(destination, password=password),)
        case Named(name, wishes):
            return _named(mailbox, recipient, name, wishes, ground)
        case InTheMail(wishes):
            _check_sender(mailbox, wishes)
            return (Deferred(recipient, wishes),)
        case Trial(dialled):
            return (Tried(recipient, dialled),)
        case Decided(dialled, allows):
            return (Ruled(recipient, read_number(dialled.digits, mailbox.region).e164, allows),)


def within(mailbox: Mailbox, deferred: Deferred, numbers: Sequence[str], ground: Ground) -> tuple[Phone, ...]:
    """The phones that a mail names for its fixed address, those that may not be texted among them."""
    written = dict.fromkeys(numbers, "")
    return _each(mailbox, deferred.recipient, written, deferred.wishes, ground)


def tried(mailbox: Mailbox, trial: Tried, ground: Ground) -> Destination | None:
    """The phone that `preview+39…@…` names; None when it names none. Raises RecipientRefusal."""
    if trial.dialled is None:
        return None
    return _dialled(mailbox, trial.recipient, trial.dialled.digits, trial.dialled.wishes, ground)


def _dialled(mailbox: Mailbox, recipient: Recipient, digits: str, wishes: Wishes, ground: Ground) -> Destination:
    number = read_number(digits, mailbox.region)
    check_destination(number, mailbox)
    contact = ground.book.names.get(number.e164, "")
    destination = Destination(recipient, number.e164, number.region, wishes, contact)
    if wishes is not NO_WISHES:
        _check_sender(mailbox, wishes)
    ground.check(mailbox, destination)
    return destination


def _named(mailbox: Mailbox, recipient: Recipient, name: str, wishes: Wishes, ground: Ground) -> tuple[Phone, ...]:
    members = ground.book.members(name_key(name))
    if members is None:
        raise unknown_name(name, near_names(name, ground.book))
    if not members:
        raise RecipientRefusal(
            Reason.UNKNOWN_ALIAS, f'The group "{name}" has no members. Ask your operator to add some.'
        )
    _check_sender(mailbox, wishes)
    found = _each(mailbox, recipient, {each.number: each.name for each in members}, wishes, ground)
    if not any(isinstance(each, Destination) for each in found):
        raise next(RecipientRefusal(each.reason, each.sentence) for each in found if isinstance(each, Unreached))
    return found


def _each(
    mailbox: Mailbox, recipient: Recipient, numbers: Mapping[str, str], wishes: Wishes, ground: Ground
) -> tuple[Phone, ...]:
    """Several phones that one recipient means: numbers as written, with the name that was written for it or none.
    Reports name each beside the address that was written (RFC 3461 section 4.2)."""
    domain = recipient.address.rpartition("@")[2]
    orcpt = recipient.orcpt or f"rfc822;{recipient.address}"
    found: list[Phone] = []
    for written, contact in numbers.items():
        one = replace(recipient, address=f"{_as_local_part(written)}@{domain}", orcpt=orcpt)
        e164 = ""
        try:
            e164 = read_number(written, mailbox.region).e164
            one = replace(one, address=f"{e164}@{domain}")
            phone = _dialled(mailbox, one, written, wishes, ground)
            found.append(replace(phone, contact=contact) if contact else phone)
        except RecipientRefusal as refusal:
            found.append(Unreached(one, e164, refusal.reason, refusal.sentence))
    return tuple(found)


def _as_local_part(written: str) -> str:
    """What is no number, so that it can stand in an address of a report (RFC 5321 section 4.1.2)."""
    return written if _ATOM.fullmatch(written) else f'"{written}"'


def _check_sender(mailbox: Mailbox, wishes: Wishes) -> None:
    if wishes.sender is not None and mailbox.sender_named(wishes.sender) is None:
        yours = " or ".join(sender.lstrip("+") for sender in mailbox.senders)
        raise RecipientRefusal(
            Reason.FOREIGN_SENDER,
            f"The option from= names a sender that is not yours. Leave it out, or write {yours}.",
        )
