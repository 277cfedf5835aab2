"""What each SMTP command is answered: the front door's decisions, without the wire; between protocol and admission.

`FrontDoor` knows who may come in, `Visit` is one connection's login and mail. A decision is a reply line or a
`Refusal`. Once a mail is with admission nothing takes it back: the commit goes on when the client hangs up, because
a client that got no answer sends the mail again and must find it known (RFC 5321 section 4.1.1.4, RFC 1047).
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from bridge import metrics
from bridge.access.credentials import Credentials
from bridge.access.networks import is_loopback
from bridge.clock import new_id, now
from bridge.errors import MailRefusal, Reason, Refusal
from bridge.types import Door, Envelope, Mailbox, Recipient, Target

if TYPE_CHECKING:
    from bridge.admission import Admission
    from bridge.returns import Returns
    from bridge.smtp_syntax import MailCommand
    from bridge.store.directory import Directory

log = structlog.get_logger("bridge.smtp")


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


def _too_many(limit: int) -> str:
    return f"452 4.5.3 A mail has at most {limit} recipients. Send the others another mail."


class FrontDoor:
    """Logins, senders, recipients, mails and bounces: who and what is let in."""

    def __init__(
        self,
        directory: Directory,
        credentials: Credentials,
        admission: Admission,
        returns: Returns,
        *,
        disk_full: Callable[[], bool],
    ) -> None:
        self.directory = directory
        self.credentials = credentials
        self.admission = admission
        self.returns = returns
        self.disk_full = disk_full
        self._commits: set[asyncio.Task[str]] = set()

    def visit(self, address: str) -> Visit:
        """A new connection from the plain IP address of its peer."""
        return Visit(self, address)

    async def login(self, login: str, password: str) -> Mailbox:
        """The mailbox of a login. Raises `Refusal` (bad login) after the same time whether or not the login exists."""
        mailbox = self.directory.by_login(login)
        stored = mailbox.password_hash if mailbox is not None else ""
        right = await self.credentials.verify(login, stored, password)
        if mailbox is None or not right:
            raise Refusal(Reason.BAD_LOGIN, "Login or password is wrong. Check both in the mail program's settings.")
        return mailbox

    async def take(self, mailbox: Mailbox, envelope: Envelope, targets: tuple[Target, ...], raw: bytes) -> str:
        """Hand a whole mail to admission and give its submission id. Raises `Refusal`.

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
        try:
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
        return submission


def _log_failure(commit: asyncio.Task[str]) -> None:
    """Nobody is left to answer: what became of the mail is said in the log alone."""
    error = None if commit.cancelled() else commit.exception()
    if error is not None and not isinstance(error, Refusal):
        internal_reply(error)


class Visit:
    """One connection: who is at the door, and the mail being handed over."""

    __slots__ = (
        "_front",
        "_loopback",
        "_refused",
        "address",
        "door",
        "mail",
        "mailbox",
        "may_return",
        "returned",
        "targets",
    )

    def __init__(self, front: FrontDoor, address: str) -> None:
        self._front = front
        self.address = address
        self._loopback = is_loopback(address)
        self.mailbox: Mailbox | None = front.directory.by_network(address)
        self.door = Door.NETWORK if self.mailbox is not None else Door.SUBMISSION
        self.may_return = front.returns.may_come_from(address)
        """The peer is a mail server that may hand bounces back, without a login."""
        self.mail: MailCommand | None = None
        self.targets: list[Target] = []
        """Whom the recipients mean that were taken so far."""
        self.returned = ""
        """The id of the mail of ours that this one is a bounce of."""
        self._refused = 0

    @property
    def loopback(self) -> bool:
        """The peer is this machine itself."""
        return self._loopback

    @property
    def logged_in(self) -> bool:
        """Somebody gave a login and a password; a trusted network alone is no login."""
        return self.mailbox is not None and self.door is Door.SUBMISSION

    def reset(self) -> None:
        """Forget the mail, keep the login (RFC 5321 section 4.1.1.5)."""
        self.mail = None
        self.targets = []
        self.returned = ""
        self._refused = 0

    async def login(self, login: str, password: str) -> None:
        """Raises `Refusal` (bad login)."""
        self.mailbox = await self._front.login(login, password)
        self.door = Door.SUBMISSION

    def begin(self, command: MailCommand, max_octets: int) -> None:
        """MAIL. Raises `Refusal`: no login, a sender that is not the mailbox's own, a declared size too large."""
        if self.mailbox is None and self.may_return and not command.address:
            self._check_room()
        else:
            mailbox = self._welcome()
            self._check_room()
            self._check_sender(mailbox, command.address)
        if command.size is not None and command.size > max_octets:
            raise too_large(max_octets)
        self.mail = command

    def add(self, recipient: Recipient, max_recipients: int) -> str:
        """RCPT, after MAIL. The reply; raises `Refusal` for a recipient that cannot be texted."""
        returned = self._returned(recipient)
        if self.returned or (returned and self.targets):
            return "452 4.5.3 A bounce has one recipient. Send the others another mail."
        if returned:
            self._check_room()
            self.returned = returned
            return "250 2.1.5 Bounce address taken."
        mailbox = self._welcome()
        if len(self.targets) >= max_recipients:
            return _too_many(max_recipients)
        self._check_room()
        try:
            targets = self._front.admission.check_recipient(mailbox, recipient)
        except Refusal as refusal:
            self._refused += 1
            metrics.RECIPIENTS_REFUSED.labels(refusal.reason.value).inc()
            log.info("recipient.refused", mailbox=mailbox.id, reason=refusal.reason.value)
            raise
        if self.targets and len(self.targets) + len(targets) > max_recipients:  # a group counts as many as it has
            return _too_many(max_recipients)
        self.targets.extend(targets)
        return "250 2.1.5 Recipient taken."

    def ready(self) -> str | None:
        """Before DATA: None when the mail may come, else the reply that says why not (RFC 5321 section 3.3)."""
        if self.targets or self.returned:
            return None
        if self._refused:
            return "554 5.5.1 No recipient was taken, so there is nobody to text."
        return "503 5.5.1 Name the recipients with RCPT TO first."

    async def take(self, raw: bytes) -> str:
        """The mail has come whole: the reply. Raises `Refusal`."""
        if self.returned:
            await self._front.returns.take(self.returned, raw)
            return "250 2.0.0 Bounce taken."
        mail, targets, mailbox = self.mail, tuple(self.targets), self._welcome()
        assert mail is not None
        envelope = Envelope(mail.address, now(), mail.ret, mail.envid, self.door)
        submission = await self._front.take(mailbox, envelope, targets, raw)
        return f"250 2.0.0 Taken as {submission}"

    def turn_away(self, refusal: Refusal) -> Refusal:
        """Note in the log that a mail was refused before admission saw it, and give the refusal back."""
        metrics.MAILS_REFUSED.labels(refusal.reason.value).inc()
        log.info("mail.refused", mailbox=self.mailbox.id if self.mailbox else "", reason=refusal.reason.value)
        return refusal

    def _returned(self, recipient: Recipient) -> str:
        """The id of the mail of ours that comes back to this recipient; empty when the recipient is no such address.

        Raises `Refusal` for an address that looks like one and is none.
        """
        if not self.may_return or self.mail is None or self.mail.address:
            return ""
        try:
            return self._front.returns.mail_of(recipient.address) or ""
        except Refusal as refusal:
            self._refused += 1
            metrics.RECIPIENTS_REFUSED.labels(refusal.reason.value).inc()
            log.info("recipient.refused", mailbox="", reason=refusal.reason.value)
            raise

    def _welcome(self) -> Mailbox:
        """The mailbox as it is now: what changed since the login counts for open connections too."""
        known = self.mailbox
        if known is None:
            raise Refusal(Reason.LOGIN_NEEDED, "Log in first: this server takes mail from its own users only.")
        if self.door is Door.NETWORK:
            present = self._front.directory.by_network(self.address)
        else:
            present = self._front.directory.by_login(known.login)
            if present is not None and present.password_hash != known.password_hash:
                present = None
        self.mailbox = present
        if present is None:
            raise Refusal(Reason.LOGIN_NEEDED, "The login has changed since it was given. Log in again.")
        return present

    def _check_room(self) -> None:
        """Refuse for now while there is still room to finish what was begun (RFC 3463 X.3.1, mail system full)."""
        if self._front.disk_full():
            raise self.turn_away(
                Refusal(Reason.BUSY, "The bridge's disk is nearly full. Try again later; the operator must make room.")
            )

    def _check_sender(self, mailbox: Mailbox, address: str) -> None:
        if not address:
            # A machine's own mail (Promise 8). A person's mail program has an address to give.
            if self.door is Door.NETWORK:
                return
            raise self.turn_away(
                Refusal(
                    Reason.FOREIGN_SENDER, "A mail without sender is not taken after a login. Give your own address."
                )
            )
        if not mailbox.may_send_from(address):
            raise self.turn_away(
                Refusal(
                    Reason.FOREIGN_SENDER, "This login may not send from this address. Use one of its own addresses."
                )
            )
