"""One way in for every door: decide (`bridge.decision`), store, answer; or show what would be sent (`bridge.trials`).

At RCPT `check_recipient` says whom a recipient means and whether they may be texted; after DATA `admit` takes the
mail. What can be refused at RCPT is refused there. When `admit` returns, the mail is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge import addressing, clock, decision, preview
from bridge.access.credentials import Credentials
from bridge.addressing import Ground
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal, StoreUnavailable
from bridge.routing import Routes
from bridge.store.directory import Directory
from bridge.store.outbox import Outbox
from bridge.store.threads import Threads
from bridge.trials import Trials
from bridge.types import Destination, Envelope, Mailbox, NewMail, NewMessage, Recipient, Submission, Target, Tried

LARGE = 262_144
"""Octets from which a mail is read in a thread, so that it does not keep the other clients waiting."""

MOST_PASSWORDS = 4
"""Passwords of one mail that are looked at; no service asks for more, and each wrong one takes a tenth of a second."""


class Admission:
    """Decides about recipients and mails, and hands what is taken to the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        directory: Directory,
        *,
        domains: Collection[str],
        routes: Routes,
        credentials: Credentials,
        taken: Callable[[], None],
        trials: Trials,
        threads: Threads,
        beyond_thread: int,
    ) -> None:
        """`beyond_thread`: most phones that an answer may text beyond those that its thread knows."""
        self._outbox = outbox
        self._directory = directory
        self._domains = domains
        self._routes = routes
        self._credentials = credentials
        self._taken = taken
        self._trials = trials
        self._threads = threads
        self._beyond_thread = beyond_thread

    def check_recipient(self, mailbox: Mailbox, recipient: Recipient) -> tuple[Target, ...]:
        """Whom a RCPT means. Raises Refusal: for good when none of them may be texted, for now when the mailbox may
        not text at the moment."""
        decision.check_mailbox(mailbox)
        targets = addressing.targets(mailbox, recipient, self._ground(mailbox))
        if self._is_over_cap(mailbox) and not _is_trial(targets):
            raise _over_cap(mailbox)
        return targets

    async def admit(self, mailbox: Mailbox, envelope: Envelope, targets: Sequence[Target], raw: bytes) -> str:
        """Take a mail for the recipients that were let in at RCPT; the id of its submission. Raises Refusal.

        The id of a mail that was taken before is that of the first time, and nothing is sent again. A mail that went to
        `preview@…` too is sent to nobody: its id is that of the answer to it.
        """
        now = clock.now()
        if _is_trial(targets):
            return await self._try(mailbox, targets, raw, now)
        facts = mailbox, targets, raw, self._ground(mailbox), self._routes, now
        decided = await asyncio.to_thread(decision.decide, *facts) if len(raw) > LARGE else decision.decide(*facts)
        await self._check_password(mailbox, decided.submission)
        mail = NewMail(
            mailbox=mailbox,
            envelope=envelope,
            submission=decided.submission,
            report_to=_own_or_login(mailbox, envelope.mail_from),
            reply_to=_own_or_login(mailbox, decided.submission.header_from),
            day=_day(mailbox),
            messages=decided.messages,
            at=now,
            signature=decided.signature,
        )
        try:
            await self._check_thread(mailbox, mail.submission, mail.messages)
            taken = await self._outbox.take(mail)
        except StoreUnavailable as error:
            raise _unavailable(error) from error
        if taken.over_cap:
            raise _over_cap(mailbox, len(mail.messages))
        if any(message.due_at <= now for message in mail.messages):
            self._taken()
        return taken.submission_id

    async def _try(self, mailbox: Mailbox, targets: Sequence[Target], raw: bytes, now: datetime) -> str:
        """Answer a mail with what it would send; the id of the answer. Raises Refusal."""
        facts = mailbox, targets, raw, self._ground(mailbox), self._routes, now
        shown = await asyncio.to_thread(preview.trial, *facts) if len(raw) > LARGE else preview.trial(*facts)
        try:
            if shown.messages and shown.submission is not None:
                try:
                    await self._check_password(mailbox, shown.submission)
                    await self._check_thread(mailbox, shown.submission, shown.messages)
                except MailRefusal as refusal:
                    shown = preview.refused_whole(shown, refusal)
            return await self._trials.answer(mailbox, [each.recipient.address for each in targets], raw, shown, now)
        except StoreUnavailable as error:
            raise _unavailable(error) from error

    def _is_over_cap(self, mailbox: Mailbox) -> bool:
        cap = mailbox.daily_cap
        return cap is not None and self._outbox.used(mailbox.id, _day(mailbox)) >= cap

    async def _check_password(self, mailbox: Mailbox, submission: Submission) -> None:
        """Whether a mail in the form of another service shows the password that its mailbox asks for."""
        if mailbox.grammar is None or not mailbox.order_password_hash:
            return
        for password in submission.passwords[:MOST_PASSWORDS]:
            if await self._credentials.verify(mailbox.login, mailbox.order_password_hash, password):
                return
        raise MailRefusal(
            Reason.ORDER_PASSWORD,
            "The password in this mail is missing or wrong. Correct it in the program that sends the mail.",
        )

    async def _check_thread(self, mailbox: Mailbox, submission: Submission, messages: Iterable[NewMessage]) -> None:
        """Whether a mail that answers another keeps to the phones of their thread, but for a few."""
        phones = {message.number for message in messages if message.refused is None}
        if not submission.references or len(phones) <= self._beyond_thread:
            return
        strangers = await self._threads.strangers(mailbox.organisation_id, submission.references, phones)
        if strangers > self._beyond_thread:
            raise MailRefusal(
                Reason.BEYOND_THREAD,
                f"This mail answers another, and would text {strangers:,} phones that have no part in that thread. "
                "If you mean them all, write a new mail instead of an answer.",
            )

    def _ground(self, mailbox: Mailbox) -> Ground:
        return known(self._directory, mailbox, self._domains, self._routes)


def known(directory: Directory, mailbox: Mailbox, domains: Collection[str], routes: Routes) -> Ground:
    """What admission knows where it is decided whom the addresses of a mailbox mean; `bridge preview` asks the same."""

    def check(mailbox: Mailbox, destination: Destination) -> None:
        for sender in mailbox.senders:
            since = directory.opted_out_since(mailbox.organisation_id, sender, destination.number)
            decision.check_opt_out(mailbox, sender, since)
        decision.check_reach(mailbox, destination, routes)

    return Ground(domains, directory.book(mailbox.organisation_id), check)


def _is_trial(targets: Sequence[Target]) -> bool:
    return any(isinstance(target, Tried) for target in targets)


def _own_or_login(mailbox: Mailbox, address: str) -> str:
    return address if address and mailbox.may_send_from(address) else mailbox.login


def _day(mailbox: Mailbox) -> str:
    return clock.now().astimezone(ZoneInfo(mailbox.timezone)).date().isoformat()


def _unavailable(error: StoreUnavailable) -> Refusal:
    return MailRefusal(Reason.BUSY, "The bridge cannot take mail at the moment. Try again later.", detail=error.detail)


def _over_cap(mailbox: Mailbox, phones: int = 1) -> Refusal:
    """A mail that no day has room for is refused for now too, since its mailbox may be given more."""
    if mailbox.daily_cap is not None and phones > mailbox.daily_cap > 0:
        return RecipientRefusal(
            Reason.DAILY_CAP,
            f"This mail is for {phones:,} phones, and this mailbox has a limit of {mailbox.daily_cap} messages a day. "
            "Send it to fewer, or ask your operator for a higher limit.",
        )
    return RecipientRefusal(
        Reason.DAILY_CAP,
        f"This mailbox has reached its limit of {mailbox.daily_cap} messages a day. Try again tomorrow.",
    )
