"""One mail becomes a message for each phone: which way, how its text is written, who is told; a part of `decision`.

What is wrong with one phone refuses that one; only when nobody is left the mail is refused. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bridge.errors import MailRefusal, Reason
from bridge.policy.reports import reports_wanted
from bridge.reading.grammars import redacted_address
from bridge.routing import PLAIN, Routes, Script, Trip
from bridge.sms.encoding import encode
from bridge.sms.expense import too_many
from bridge.types import (
    Destination,
    Encoded,
    Mailbox,
    MessageClass,
    NewMessage,
    Notify,
    Phone,
    Priority,
    Recipient,
    Submission,
    Unreached,
    Wishes,
)

_FAR_FUTURE = datetime(9000, 1, 1, tzinfo=UTC)
"""Leaves room for what is added to a time that a mail may name."""
_LONGEST = 255 * 160
"""Characters; what has more is cut into no segments, since no network carries as many."""
_MUCH_TOO_LONG = (
    "This text has {length:,} characters, of which one SMS holds 160 and the limit is {limit} SMS. "
    "Shorten it and send it again."
)
_TOO_LONG_HERE = "This text needs too many SMS on the way to this phone. Shorten it and send it again."


def trip_of(mailbox: Mailbox, phone: Destination, wishes: Wishes, message_class: MessageClass | None = None) -> Trip:
    """What a route is chosen for, from the mailbox's first number; without a class before the mail is read."""
    return Trip(phone.number, phone.region, mailbox.sender, message_class, mailbox.login, wishes.flash)


def text_of(mailbox: Mailbox, submission: Submission, script: Script = PLAIN) -> Encoded:
    """The text as it travels where it may be written in `script`. Raises MailRefusal: too many segments, a character
    that is not allowed."""
    options = submission.options
    policy = options.unicode or mailbox.unicode
    limit = min(mailbox.max_segments, options.max_segments or mailbox.max_segments)
    if len(submission.text) > _LONGEST:
        raise MailRefusal(Reason.TOO_MANY_SEGMENTS, _MUCH_TOO_LONG.format(length=len(submission.text), limit=limit))
    encoded = encode(submission.text, policy, script.tables, wide_reference=script.wide_reference)
    if len(encoded.segments) > limit:
        raise MailRefusal(Reason.TOO_MANY_SEGMENTS, too_many(encoded, limit, policy, script.tables))
    return encoded


@dataclass(slots=True)
class Fanout:
    """The messages of one mail, while they are made."""

    mailbox: Mailbox
    submission: Submission
    routes: Routes
    now: datetime
    _texts: dict[Script, Encoded | MailRefusal] = field(default_factory=dict)

    def messages(self, phones: Sequence[Phone]) -> tuple[NewMessage, ...]:
        """A message for each phone, however often it is named; of those that cannot leave each says why. Raises
        MailRefusal when none can."""
        made = _each_once(self._to(phone) if isinstance(phone, Destination) else phone for phone in phones)
        leaving = next((each for each in made if isinstance(each, NewMessage)), None)
        if leaving is None:
            raise self._nobody(made)
        return tuple(each if isinstance(each, NewMessage) else self._kept(each, leaving.encoded) for each in made)

    def _to(self, phone: Destination) -> NewMessage | Unreached:
        """The message to one phone, if it can leave: the first gateway of its way is tried first, and the others stand
        in for it."""
        wishes = phone.wishes.over(self.submission.wishes)
        sender = self._sender_asked_for(wishes)
        trip = replace(trip_of(self.mailbox, phone, wishes, self._message_class), sender=sender or self.mailbox.sender)
        way = self.routes.choose(trip)
        if not way:
            kind = "flash" if wishes.flash else self._message_class.value
            sentence = f"No provider is set up for {kind} texts to these numbers. Ask the administrator to add a route."
            return Unreached(phone.recipient, phone.number, Reason.COUNTRY_NOT_ALLOWED, sentence)
        encoded = self._text(self.routes.script(way))
        if isinstance(encoded, MailRefusal):
            sentence = _TOO_LONG_HERE if encoded.reason is Reason.TOO_MANY_SEGMENTS else encoded.sentence
            return Unreached(phone.recipient, phone.number, encoded.reason, sentence)
        options = self.submission.options
        due_at, expires_at = max(self.now, options.send_at or self.now), options.expires_at
        if wishes.validity is not None and due_at < _FAR_FUTURE:
            expires_at = min(due_at + timedelta(seconds=wishes.validity), expires_at or _FAR_FUTURE)
        recipient = self._discreet(phone.recipient)
        return NewMessage(
            recipient=recipient,
            number=phone.number,
            sender=trip.sender,
            gateway=way[0],
            message_class=self._message_class,
            encoded=encoded,
            due_at=due_at,
            expires_at=expires_at,
            report_on=self._reports_wanted(phone.recipient),
            stand_ins=way[1:],
            priority=wishes.priority or options.priority or Priority.NORMAL,
            flash=wishes.flash,
            reference=wishes.reference,
            contact=phone.contact or self._contact(recipient),
            pool=() if sender else tuple(self._others_on(way, trip)),
        )

    def _contact(self, recipient: Recipient) -> str:
        """What the mail calls a recipient, by the address that was written."""
        written = (recipient.orcpt or "").rpartition(";")[2]
        names = self.submission.names
        return names.get(recipient.address.lower()) or names.get(written.lower(), "")

    def _sender_asked_for(self, wishes: Wishes) -> str | None:
        """The one of its mailbox's numbers that the mail wants to leave from."""
        named = self.submission.options.sender or wishes.sender
        return self.mailbox.sender_named(named) if named else None

    def _others_on(self, way: Sequence[str], trip: Trip) -> Iterator[str]:
        """The mailbox's further numbers from which the same gateways carry it."""
        for sender in self.mailbox.pool:
            if self.routes.choose(replace(trip, sender=sender)) == way:
                yield sender

    def _kept(self, phone: Unreached, encoded: Encoded) -> NewMessage:
        """A message that does not leave; it is kept, since a report tells its sender."""
        return NewMessage(
            recipient=self._discreet(phone.recipient),
            number=phone.number,
            sender=self.mailbox.sender,
            gateway="",
            message_class=self._message_class,
            encoded=encoded,
            due_at=self.now,
            expires_at=None,
            report_on=self._reports_wanted(phone.recipient),
            refused=phone.reason,
            sentence=phone.sentence,
        )

    def _text(self, script: Script) -> Encoded | MailRefusal:
        found = self._texts.get(script)
        if found is None:
            try:
                found = text_of(self.mailbox, self.submission, script)
            except MailRefusal as refusal:
                found = refusal
            self._texts[script] = found
        return found

    def _nobody(self, phones: Iterable[NewMessage | Unreached]) -> MailRefusal:
        """Why a mail reaches no phone at all: what is wrong with the text, or with the first phone."""
        for text in self._texts.values():
            if isinstance(text, MailRefusal):
                return text
        first = next(phone for phone in phones if isinstance(phone, Unreached))
        return MailRefusal(first.reason, first.sentence)

    @property
    def _message_class(self) -> MessageClass:
        """What the mail says of itself, or what a clinic's mails are."""
        return self.submission.options.message_class or MessageClass.TRANSACTIONAL

    def _discreet(self, recipient: Recipient) -> Recipient:
        """The recipient without what its address shows as a password."""
        passwords = self.submission.passwords
        if not passwords:
            return recipient
        orcpt = recipient.orcpt and redacted_address(recipient.orcpt, passwords)
        return replace(recipient, address=redacted_address(recipient.address, passwords), orcpt=orcpt)

    def _reports_wanted(self, recipient: Recipient) -> frozenset[Notify]:
        options = self.submission.options
        confirm = options.confirm or self.mailbox.confirm
        return reports_wanted(recipient.notify, confirm, options, wants_receipt=self.submission.wants_receipt)


def _each_once(made: Iterable[NewMessage | Unreached]) -> Sequence[NewMessage | Unreached]:
    """One for each phone, be it named by itself and as a member of a group (Promise 2): the first that can leave, since
    what only one way of naming it asks for, such as flash, refuses that one alone."""
    found: dict[str, NewMessage | Unreached] = {}
    for each in made:
        phone = each.number or each.recipient.address
        if isinstance(found.setdefault(phone, each), Unreached) and isinstance(each, NewMessage):
            found[phone] = each
    return tuple(found.values())
