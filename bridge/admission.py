"""One way in for every door: decide (`bridge.decision`), store, answer.

At RCPT `check_recipient` says whether this phone may be texted; after DATA `admit` takes the mail. What can be
refused at RCPT is refused there. When `admit` returns, the mail is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge import clock, decision
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal, StoreUnavailable
from bridge.routing import Routes, Trip
from bridge.store.directory import Directory
from bridge.store.outbox import Outbox
from bridge.types import (
    Destination,
    Encoded,
    Envelope,
    Mailbox,
    MessageClass,
    NewMail,
    NewMessage,
    Recipient,
    Submission,
)

LARGE = 262_144
"""Octets from which a mail is read in a thread, so that it does not keep the other clients waiting."""


class Admission:
    """Decides about recipients and mails, and hands what is taken to the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        directory: Directory,
        *,
        domains: Collection[str],
        routes: Routes,
        taken: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._directory = directory
        self._domains = domains
        self._routes = routes
        self._taken = taken

    def check_recipient(self, mailbox: Mailbox, recipient: Recipient) -> Destination:
        """The phone behind a RCPT. Raises Refusal: for good when the phone may not be texted, for now when the
        mailbox may not text at the moment."""
        decision.check_mailbox(mailbox)
        if mailbox.daily_cap is not None and self._outbox.used(mailbox.id, _day(mailbox)) >= mailbox.daily_cap:
            raise _over_cap(mailbox)
        destination = decision.resolve(mailbox, recipient, self._domains)
        since = self._directory.opted_out_since(mailbox.organisation_id, mailbox.sender, destination.number)
        decision.check_opt_out(mailbox, since)
        if not self._routes.reach(_trip(mailbox, destination)):
            raise RecipientRefusal(
                Reason.COUNTRY_NOT_ALLOWED,
                f"No provider is set up for this number in {destination.region}. Ask the administrator to add a route.",
            )
        return destination

    async def admit(self, mailbox: Mailbox, envelope: Envelope, destinations: Sequence[Destination], raw: bytes) -> str:
        """Take a mail for the phones that were let in at RCPT; the id of its submission. Raises Refusal.

        The id of a mail that was taken before is that of the first time, and nothing is sent again.
        """
        now = clock.now()
        if len(raw) > LARGE:
            submission, encoded = await asyncio.to_thread(decision.read, mailbox, envelope, raw, now)
        else:
            submission, encoded = decision.read(mailbox, envelope, raw, now)
        mail = NewMail(
            mailbox=mailbox,
            envelope=envelope,
            submission=submission,
            report_to=_own_or_login(mailbox, envelope.mail_from),
            reply_to=_own_or_login(mailbox, submission.header_from),
            day=_day(mailbox),
            messages=self._messages(mailbox, submission, encoded, destinations, now),
            at=now,
        )
        try:
            taken = await self._outbox.take(mail)
        except StoreUnavailable as error:
            raise MailRefusal(
                Reason.BUSY, "The bridge cannot take mail at the moment. Try again later.", detail=error.detail
            ) from error
        if taken.over_cap:
            raise _over_cap(mailbox)
        if any(message.due_at <= now for message in mail.messages):
            self._taken()
        return taken.submission_id

    def _messages(
        self,
        mailbox: Mailbox,
        submission: Submission,
        encoded: Encoded,
        destinations: Sequence[Destination],
        now: datetime,
    ) -> tuple[NewMessage, ...]:
        """A message for each phone. Those for which no provider takes texts of this class are refused one by one, and
        with all of them the mail."""
        message_class = decision.message_class(submission)
        ways = [self._routes.choose(_trip(mailbox, destination, message_class)) for destination in destinations]
        if not any(ways):
            raise MailRefusal(
                Reason.COUNTRY_NOT_ALLOWED,
                f"No provider is set up for {message_class.value} texts to these numbers. "
                "Ask the administrator to add a route.",
            )
        messages = (
            (decision.message(mailbox, submission, encoded, destination, way or ("",), now), way)
            for destination, way in zip(destinations, ways, strict=True)
        )
        return tuple(
            message if way else replace(message, refused=Reason.COUNTRY_NOT_ALLOWED, diagnostic="no route")
            for message, way in messages
        )


def _trip(mailbox: Mailbox, destination: Destination, message_class: MessageClass | None = None) -> Trip:
    return Trip(destination.number, destination.region, mailbox.sender, message_class, mailbox.login)


def _own_or_login(mailbox: Mailbox, address: str) -> str:
    return address if address and mailbox.may_send_from(address) else mailbox.login


def _day(mailbox: Mailbox) -> str:
    return clock.now().astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()


def _over_cap(mailbox: Mailbox) -> Refusal:
    return RecipientRefusal(
        Reason.DAILY_CAP,
        f"This mailbox has reached its limit of {mailbox.daily_cap} messages a day. Try again tomorrow.",
    )
