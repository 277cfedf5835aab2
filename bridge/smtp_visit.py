"""One connection's mail as every door sees it, and who keeps a door: what `smtp_handler` and `smtp_mx` have in common.

A decision is a reply line or a `Refusal`. Once a mail is with admission nothing takes it back: the commit goes on when
the client hangs up, because a client that got no answer sends the mail again and must find it known (RFC 5321 section
4.1.1.4, RFC 1047).
"""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from bridge import metrics
from bridge.clock import new_id
from bridge.errors import MailRefusal, Reason, Refusal
from bridge.types import Envelope, Mailbox, Recipient, Target, ruled_of

if TYPE_CHECKING:
    from bridge.admission import Admission
    from bridge.returns import Returns
    from bridge.smtp_parameters import MailCommand
    from bridge.store.directory import Directory

log = structlog.get_logger("bridge.smtp")

BOUNCE_TAKEN = "250 2.1.5 Bounce address taken."
BOUNCE_ALONE = "452 4.5.3 A bounce has one recipient. Send the others another mail."


def internal_reply(error: BaseException) -> str:
    """The answer to an error of our own: an id that leads to the log, where its type and frames stand but no values."""
    reference = new_id()
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("smtp.internal", reference=reference, error=type(error).__qualname__, frames=frames)
    return MailRefusal(Reason.INTERNAL, _internal_sentence(reference)).reply


def _internal_sentence(reference: str) -> str:
    return f"The bridge could not do this just now. Try again later; the operator finds it in the log as {reference}."


def too_large(limit: int) -> MailRefusal:
    """The refusal of a mail beyond `limit` octets, by its declared SIZE or by what came (RFC 1870 section 6)."""
    return MailRefusal(
        Reason.MAIL_TOO_LARGE, f"The mail is too large: {limit} octets are the limit. Send it without attachments."
    )


def no_room() -> MailRefusal:
    """The refusal of a large mail while others fill the memory that there is for them."""
    return MailRefusal(Reason.BUSY, "Too many large mails come at the same time. Send this one again in a few minutes.")


def too_many(limit: int) -> str:
    """The reply to a recipient beyond `limit`."""
    return f"452 4.5.3 A mail has at most {limit} recipients. Send the others another mail."


class Doorkeeper(ABC):
    """Who and what is let in at the listeners of one door; hands mails on to admission."""

    def __init__(
        self, directory: Directory, admission: Admission, returns: Returns, *, disk_full: Callable[[], bool]
    ) -> None:
        self.directory = directory
        self.admission = admission
        self.returns = returns
        self.disk_full = disk_full
        self._commits: set[asyncio.Task[str]] = set()

    @abstractmethod
    def visit(self, address: str) -> Visit:
        """A new connection from the plain IP address of its peer."""

    async def take(self, mailbox: Mailbox, envelope: Envelope, targets: tuple[Target, ...], raw: bytes) -> str:
        """Hand a whole mail to admission; the reply. Raises `Refusal`.

        Being cancelled ends the wait, never the commit.
        """
        commit = asyncio.create_task(self._commit(mailbox, envelope, targets, raw))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        try:
            return await asyncio.shield(commit)
        except asyncio.CancelledError:
            commit.add_done_callback(_log_failure)
            raise

    async def settle(self, grace: float) -> None:
        """Wait at most `grace` seconds for commits that are still going on."""
        if self._commits:
            await asyncio.wait(self._commits, timeout=grace)

    async def _commit(self, mailbox: Mailbox, envelope: Envelope, targets: tuple[Target, ...], raw: bytes) -> str:
        loop = asyncio.get_running_loop()
        started = loop.time()
        ruled = ruled_of(targets)
        try:
            if ruled is not None:
                return f"250 2.0.0 {await self.admission.rule(mailbox, envelope, ruled, raw)}"
            submission = await self.admission.admit(mailbox, envelope, targets, raw)
        except Refusal as refusal:
            metrics.MAILS_REFUSED.labels(refusal.reason.value).inc()
            log.info("mail.refused", mailbox=mailbox.id, reason=refusal.reason.value, bytes=len(raw))
            raise
        metrics.MAILS_TAKEN.labels(envelope.door.value).inc()
        log.info(
            "mail.taken",
            id=submission,
            mailbox=mailbox.id,
            recipients=len(targets),
            bytes=len(raw),
            ms=round((loop.time() - started) * 1000, 1),
        )
        return f"250 2.0.0 Taken as {submission}"


def _log_failure(commit: asyncio.Task[str]) -> None:
    """Nobody is left to answer: what became of the mail is said in the log alone."""
    error = None if commit.cancelled() else commit.exception()
    if error is not None and not isinstance(error, Refusal):
        internal_reply(error)


class Visit(ABC):
    """One connection: who is at the door, and the mail being handed over."""

    __slots__ = ("_keeper", "_refused", "address", "helo", "mail", "mailbox", "returned")

    def __init__(self, keeper: Doorkeeper, address: str) -> None:
        self._keeper = keeper
        self.address = address
        self.helo = ""
        """What the peer calls itself."""
        self.mailbox: Mailbox | None = None
        """Whose connection it is, where that is known before a mail has come."""
        self.mail: MailCommand | None = None
        self.returned = ""
        """The id of the mail of ours that this one is a bounce of."""
        self._refused = 0

    @property
    def needs_login(self) -> bool:
        """Whoever is there must log in before a mail."""
        return False

    def reset(self) -> None:
        """Forget the mail, keep the peer (RFC 5321 section 4.1.1.5)."""
        self.mail = None
        self.returned = ""
        self._refused = 0

    @abstractmethod
    def begin(self, command: MailCommand, max_octets: int) -> None:
        """MAIL. Raises `Refusal` and `BadCommand`."""

    @abstractmethod
    def add(self, recipient: Recipient, max_recipients: int) -> str:
        """RCPT, after MAIL. The reply; raises `Refusal` for a recipient that is not taken."""

    @abstractmethod
    async def take(self, raw: bytes) -> str:
        """The mail has come whole: the reply. Raises `Refusal`."""

    @property
    @abstractmethod
    def _named(self) -> bool:
        """A recipient was taken, other than a bounce address."""

    def ready(self) -> str | None:
        """Before DATA: None when the mail may come, else the reply that says why not (RFC 5321 section 3.3)."""
        if self._named or self.returned:
            return None
        if self._refused:
            return "554 5.5.1 No recipient was taken, so there is nobody to text."
        return "503 5.5.1 Name the recipients with RCPT TO first."

    def turn_away(self, refusal: Refusal) -> Refusal:
        """Note in the log that a mail was refused before admission saw it, and give the refusal back."""
        metrics.MAILS_REFUSED.labels(refusal.reason.value).inc()
        log.info("mail.refused", mailbox=self.mailbox.id if self.mailbox else "", reason=refusal.reason.value)
        return refusal

    def _turn_down(self, refusal: Refusal) -> Refusal:
        """Note in the log that a recipient was refused, and give the refusal back."""
        self._refused += 1
        metrics.RECIPIENTS_REFUSED.labels(refusal.reason.value).inc()
        log.info("recipient.refused", mailbox=self.mailbox.id if self.mailbox else "", reason=refusal.reason.value)
        return refusal

    def _add_bounce(self, recipient: Recipient) -> str | None:
        """The reply to a recipient of a mail without a sender, if it is a bounce address of ours or stands beside one;
        else None. Raises `Refusal` for an address that looks like one and is none."""
        if self.returned:
            return BOUNCE_ALONE
        if self.mail is None or self.mail.address:
            return None
        try:
            returned = self._keeper.returns.mail_of(recipient.address)
        except Refusal as refusal:
            raise self._turn_down(refusal) from None
        if not returned:
            return None
        if self._named:
            return BOUNCE_ALONE
        self._check_room()
        self.returned = returned
        return BOUNCE_TAKEN

    async def _take_bounce(self, raw: bytes) -> str:
        await self._keeper.returns.take(self.returned, raw)
        return "250 2.0.0 Bounce taken."

    def _check_room(self) -> None:
        """Refuse for now while there is still room to finish what was begun (RFC 3463 X.3.1, mail system full)."""
        if self._keeper.disk_full():
            raise self.turn_away(
                Refusal(Reason.BUSY, "The bridge's disk is nearly full. Try again later; the operator must make room.")
            )
