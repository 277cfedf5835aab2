"""One way in for every door: decide (`bridge.decision`), store, answer; or show what would be sent (`bridge.trials`).

At RCPT `check_recipient` says whom a recipient means and whether they may be texted; after DATA `admit` takes the
mail, or `rule` carries out what it decides (`bridge.rulings`). What can be refused at RCPT is refused there; doors that
learn only from the mail itself who wrote it ask `check_author` and `check_recipients` then. When `admit` or `rule`
returns, all is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge import addressing, clock, decision, metrics, preview
from bridge.access.credentials import Credentials
from bridge.access.domains import as_written
from bridge.addressing import Ground
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal, StoreUnavailable
from bridge.reading.addresses import split_address
from bridge.routing import Routes
from bridge.rulings import Rulings
from bridge.store.directory import Directory
from bridge.store.outbox import Outbox
from bridge.store.threads import Threads
from bridge.trials import Trials
from bridge.types import (
    Destination,
    Envelope,
    Mailbox,
    NewMail,
    NewMessage,
    Recipient,
    Ruled,
    Submission,
    Target,
    Tried,
    Unreached,
    ruled_of,
)

LARGE = 262_144
"""Octets from which a mail is read in a thread, so that it does not keep the other clients waiting."""

MOST_PASSWORDS = 4
"""Passwords of one mail that are looked at; no service asks for more, and each wrong one takes a tenth of a second."""

_CROWDED = "Too many texts wait to be sent already. Try again later; the operator must see why they do not leave."


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
        rulings: Rulings,
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
        self._rulings = rulings
        self._threads = threads
        self._beyond_thread = beyond_thread

    def check_recipient(self, mailbox: Mailbox, recipient: Recipient) -> tuple[Target, ...]:
        """Whom a RCPT means. Raises Refusal: for good when none of them may be texted, for now when the mailbox may
        not text at the moment."""
        decision.check_mailbox(mailbox)
        targets = addressing.targets(mailbox, recipient, self._ground(mailbox))
        ruled = ruled_of(targets)
        if ruled is not None:
            self._rulings.check(mailbox, ruled)
            return targets
        if _is_trial(targets):
            return targets
        if self._outbox.crowded:
            raise Refusal(Reason.BUSY, _CROWDED)
        if self._is_over_cap(mailbox):
            raise _over_cap(mailbox)
        return targets

    def check_domain(self, recipient: Recipient) -> None:
        """Whether the bridge takes mail for this domain at all, which is no secret. Raises RecipientRefusal."""
        _, domain = split_address(recipient.address)
        if not addressing.serves(domain, self._domains):
            served = " and ".join(sorted(self._domains))
            raise RecipientRefusal(
                Reason.RELAYING,
                f"This server passes no mail on: it takes mail for phones at {served} only. Correct the recipient.",
            )

    def mailbox_of(self, author: str) -> Mailbox | None:
        """The mailbox of an author who was verified, by the address of From with its domain in ASCII."""
        return self._directory.by_address(author) or self._directory.by_address(as_written(author))

    def check_author(self, author: str) -> Mailbox:
        """The same. Raises MailRefusal when there is none."""
        mailbox = self.mailbox_of(author)
        if mailbox is None:
            raise no_mailbox()
        return mailbox

    def check_recipients(self, mailbox: Mailbox, recipients: Sequence[Recipient]) -> tuple[Target, ...]:
        """Whom the recipients of a mail mean whose author was known only after it had come: those that may not be
        texted go along, to be reported. Raises Refusal when there are no others."""
        found: list[Target] = []
        refusals: list[RecipientRefusal] = []
        for recipient in recipients:
            try:
                found.extend(self.check_recipient(mailbox, recipient))
            except RecipientRefusal as refusal:
                metrics.RECIPIENTS_REFUSED.labels(refusal.reason.value).inc()
                refusals.append(refusal)
                found.append(Unreached(recipient, "", refusal.reason, refusal.sentence))
        if len(refusals) == len(recipients):
            raise refusals[0]
        if len(found) > 1 and any(isinstance(target, Ruled) for target in found):
            raise MailRefusal(
                Reason.UNKNOWN_ALIAS, "A decision about a phone stands alone in a mail. Send the others another mail."
            )
        return tuple(found)

    async def admit(self, mailbox: Mailbox, envelope: Envelope, targets: Sequence[Target], raw: bytes) -> str:
        """Take a mail for the recipients that were let in at RCPT; the id of its submission. Raises Refusal.

        The id of a mail that was taken before is that of the first time, and nothing is sent again. A mail that went to
        `preview@…` too is sent to nobody: its id is that of the answer to it.
        """
        now = clock.now()
        if _is_trial(targets):
            return await self._try(mailbox, envelope, targets, raw, now)
        facts = mailbox, targets, raw, self._ground(mailbox), self._routes, now, envelope.options
        decided = await asyncio.to_thread(decision.decide, *facts) if len(raw) > LARGE else decision.decide(*facts)
        await self._check_password(mailbox, decided.submission)
        mail = NewMail(
            mailbox=mailbox,
            envelope=envelope,
            submission=decided.submission,
            report_to=_own_or_login(mailbox, envelope.mail_from),
            reply_to=_own_or_login(mailbox, envelope.author or decided.submission.header_from),
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

    async def rule(self, mailbox: Mailbox, envelope: Envelope, ruled: Ruled, raw: bytes) -> str:
        """Carry out what a mail to `…+allow@…` or `…+block@…` decides; the sentence that says what was done. Raises
        Refusal."""
        to = _own_or_login(mailbox, envelope.mail_from)
        try:
            return await self._rulings.take(mailbox, ruled, raw, to=to, answers=not envelope.mail_from)
        except StoreUnavailable as error:
            raise _unavailable(error) from error

    async def _try(
        self, mailbox: Mailbox, envelope: Envelope, targets: Sequence[Target], raw: bytes, now: datetime
    ) -> str:
        """Answer a mail with what it would send; the id of the answer. Raises Refusal."""
        facts = mailbox, targets, raw, self._ground(mailbox), self._routes, now, envelope.options
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


def no_mailbox() -> MailRefusal:
    """The refusal of a mail whose author is verified, and is nobody here."""
    return MailRefusal(
        Reason.FOREIGN_SENDER,
        "No mailbox of the bridge may send from this address. Use one that may, or ask your operator to add it.",
    )


def known(directory: Directory, mailbox: Mailbox, domains: Collection[str], routes: Routes) -> Ground:
    """What admission knows where it is decided whom the addresses of a mailbox mean; `bridge preview` asks the same."""

    def check(mailbox: Mailbox, destination: Destination) -> None:
        for sender, block in directory.blocks(mailbox, destination.number):
            decision.refuse_blocked(mailbox, destination, sender, block)
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
