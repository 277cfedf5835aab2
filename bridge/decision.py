"""What may go out of a mail, to whom and as what: the pure half of admission, which preview asks the same way.

Values in, values out: who stores what was decided is `bridge.admission`, whom an address means says
`bridge.addressing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge import parser
from bridge.addressing import Ground, within
from bridge.errors import MailRefusal, Reason, RecipientRefusal
from bridge.fanout import Fanout, trip_of
from bridge.notices.invitation import summary
from bridge.reading.grammars import redacted, redacted_address, redacted_headers
from bridge.reading.learning import candidate
from bridge.reading.words import Form
from bridge.routing import Routes
from bridge.types import (
    NO_OPTIONS,
    NO_WISHES,
    Block,
    BlockKind,
    CutRule,
    Deferred,
    Destination,
    Mailbox,
    NewMessage,
    Options,
    Phone,
    Submission,
    Target,
    Unreached,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """A mail that may go out: what was read in it, and a message for each phone it is for."""

    submission: Submission
    messages: tuple[NewMessage, ...]
    """At least one of them is not refused."""
    signature: str
    """What ends the text and may be the mailbox's signature, or empty."""


def check_mailbox(mailbox: Mailbox) -> None:
    """Whether the mailbox may text at the moment. Raises RecipientRefusal (for now) when it is paused."""
    if mailbox.paused:
        raise RecipientRefusal(Reason.PAUSED, "This mailbox is paused. Ask your operator to resume it.")


def refuse_blocked(mailbox: Mailbox, destination: Destination, sender: str, block: Block) -> None:
    """Raises RecipientRefusal, which says what keeps this number of the mailbox from texting the phone."""
    day = block.since.astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()
    if block.kind is BlockKind.ORDER:
        raise RecipientRefusal(
            Reason.OPTED_OUT,
            f"This phone asked for no more texts from {sender} on {day}. It can lift this by texting START.",
        )
    if block.kind is BlockKind.SET:
        raise RecipientRefusal(
            Reason.OPTED_OUT,
            f"Texts from {sender} to this phone were blocked here on {day}. It can lift this by texting START, "
            "and so can your operator.",
        )
    domain = destination.recipient.address.rpartition("@")[2]
    raise RecipientRefusal(
        Reason.UNDECIDED,
        f"This phone asked for no more texts from {sender} in words of its own on {day}, and you have not decided. "
        f"A mail to {destination.number}+allow@{domain} lets it be texted again, "
        f"one to {destination.number}+block@{domain} blocks it.",
    )


def check_reach(mailbox: Mailbox, destination: Destination, routes: Routes) -> None:
    """Whether any gateway goes to the phone. Raises RecipientRefusal."""
    if routes.reach(trip_of(mailbox, destination, destination.wishes)):
        return
    if destination.wishes.flash and routes.reach(trip_of(mailbox, destination, NO_WISHES)):
        raise RecipientRefusal(
            Reason.MALFORMED_NUMBER,
            "No provider that is set up for this number can send flash texts: leave +flash out.",
        )
    raise RecipientRefusal(
        Reason.COUNTRY_NOT_ALLOWED,
        f"No provider is set up for this number in {destination.region}. Ask the administrator to add a route.",
    )


def decide(
    mailbox: Mailbox,
    targets: Sequence[Target],
    raw: bytes,
    ground: Ground,
    routes: Routes,
    now: datetime,
    asked: Options = NO_OPTIONS,
) -> Decision:
    """What becomes of a mail for `targets`. Raises MailRefusal when nobody can be texted, for what its author must
    change: phones for which alone there is no way are refused beside the others."""
    submission = read(mailbox, targets, raw, now, asked)
    phones = tuple(_phones(mailbox, submission, targets, ground))
    messages = Fanout(mailbox, submission, routes, now).messages(phones)
    learning = CutRule.LEARNED_SIGNATURE not in mailbox.habits.kept
    return Decision(submission, messages, (learning and candidate(submission.text)) or "")


def read(
    mailbox: Mailbox, targets: Sequence[Target], raw: bytes, now: datetime, asked: Options = NO_OPTIONS
) -> Submission:
    """The mail as its mailbox means it; what its envelope `asked` for goes before what it says itself. Raises
    MailRefusal for what its author must change."""
    form = None
    if mailbox.grammar is not None:
        form = Form(mailbox.grammar, _modes(targets), mailbox.timezone, now)
    numbers_within = any(isinstance(target, Deferred) for target in targets)
    submission = parser.parse(raw, mailbox.habits, form, numbers_within=numbers_within)
    if submission.invitation is not None:
        submission = replace(submission, text=summary(submission.invitation, mailbox.language, mailbox.timezone))
    if asked is not NO_OPTIONS:
        submission = replace(submission, options=asked.over(submission.options))
    _check_options(mailbox, submission.options, now)
    return submission if form is None else _discreet(mailbox, submission, targets)


def _modes(targets: Iterable[Target]) -> frozenset[str]:
    modes = (target.mode for target in targets if isinstance(target, Destination | Deferred))
    return frozenset(mode for mode in modes if mode is not None)


def _discreet(mailbox: Mailbox, submission: Submission, targets: Iterable[Target]) -> Submission:
    """A mail in the form of another service without what it shows as passwords, and with the bridge's own sender."""
    shown = (target.password for target in targets if isinstance(target, Destination))
    passwords = tuple(dict.fromkeys((*submission.passwords, *filter(None, shown))))
    sender, warnings = submission.wishes.sender, submission.warnings
    if sender is not None and mailbox.sender_named(sender) is None:
        warnings += (f"The mail names another sender. Its texts come from {' or '.join(mailbox.senders)}.",)
    return replace(
        submission,
        subject=redacted(submission.subject, passwords),
        headers=redacted_headers(submission.headers, passwords),
        passwords=passwords,
        names={
            redacted_address(address, map(str.lower, passwords)): redacted(name, passwords)
            for address, name in submission.names.items()
        },
        warnings=warnings,
    )


def _check_options(mailbox: Mailbox, options: Options, now: datetime) -> None:
    if options.sender is not None and mailbox.sender_named(options.sender) is None:
        raise MailRefusal(
            Reason.BAD_HEADER,
            f"X-SMS-Sender names a sender that is not yours. Leave it out, or write {' or '.join(mailbox.senders)}.",
        )
    if options.expires_at is not None and options.expires_at <= max(now, options.send_at or now):
        raise MailRefusal(
            Reason.BAD_HEADER, "X-SMS-Expires (or BY of MAIL) is over before the text may go. Give a later time."
        )


def _phones(mailbox: Mailbox, submission: Submission, targets: Sequence[Target], ground: Ground) -> Iterator[Phone]:
    fixed = False
    for target in targets:
        match target:
            case Deferred() if not fixed:  # a second fixed address means the same phones
                fixed = True
                yield from within(mailbox, target, submission.numbers, ground)
            case Destination() | Unreached():
                yield target
    if not fixed and submission.numbers:  # another service's list of those who get a copy
        yield from within(mailbox, Deferred(targets[0].recipient), submission.numbers, ground)
