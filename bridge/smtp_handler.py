"""What a mail program's SMTP commands are answered: the front door's decisions, without the wire; above admission.

`FrontDoor` knows who may come in, `ClientVisit` is one connection's login and mail; what is the same at every door
stands in `smtp_visit`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.access.networks import is_loopback
from bridge.clock import now
from bridge.errors import Reason, Refusal
from bridge.smtp_visit import Doorkeeper, Visit, too_large, too_many
from bridge.types import Door, Envelope, Mailbox, Recipient, Target, ruled_of

if TYPE_CHECKING:
    from bridge.admission import Admission
    from bridge.logins import Login, Logins
    from bridge.returns import Returns
    from bridge.smtp_parameters import MailCommand
    from bridge.store.directory import Directory

_ALONE = "452 4.5.3 A decision about a phone has one recipient. Send the others another mail."


class FrontDoor(Doorkeeper):
    """Logins, senders, recipients, mails and bounces: who and what is let in."""

    def __init__(
        self,
        directory: Directory,
        logins: Logins,
        admission: Admission,
        returns: Returns,
        *,
        disk_full: Callable[[], bool],
    ) -> None:
        super().__init__(directory, admission, returns, disk_full=disk_full)
        self.logins = logins

    def visit(self, address: str) -> ClientVisit:
        """A new connection from the plain IP address of its peer."""
        return ClientVisit(self, address)


class ClientVisit(Visit):
    """One connection of a mail program, or of a machine in a trusted network."""

    __slots__ = ("_front", "_login", "_loopback", "door", "may_return", "targets")

    def __init__(self, front: FrontDoor, address: str) -> None:
        super().__init__(front, address)
        self._front = front
        self._loopback = is_loopback(address)
        self._login: Login | None = None
        self.mailbox = front.directory.by_network(address)
        self.door = Door.NETWORK if self.mailbox is not None else Door.SUBMISSION
        self.may_return = front.returns.may_come_from(address)
        """The peer is a mail server that may hand bounces back, without a login."""
        self.targets: list[Target] = []
        """Whom the recipients mean that were taken so far."""

    @property
    def loopback(self) -> bool:
        """The peer is this machine itself."""
        return self._loopback

    @property
    def logged_in(self) -> bool:
        """Somebody gave a login and a password; a trusted network alone is no login."""
        return self._login is not None and self.mailbox is not None

    @property
    def needs_login(self) -> bool:
        return self.mailbox is None and not self.may_return

    @property
    def logins(self) -> Logins:
        """Who decides about logins."""
        return self._front.logins

    def enter(self, login: Login) -> None:
        """Somebody has logged in."""
        self._login = login
        self.mailbox = login.mailbox
        self.door = Door.SUBMISSION

    def reset(self) -> None:
        super().reset()
        self.targets = []

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
        bounce = self._add_bounce(recipient) if self.may_return else None
        if bounce is not None:
            return bounce
        mailbox = self._welcome()
        if len(self.targets) >= max_recipients:
            return too_many(max_recipients)
        if ruled_of(self.targets) is not None:
            return _ALONE
        self._check_room()
        try:
            targets = self._front.admission.check_recipient(mailbox, recipient)
        except Refusal as refusal:
            raise self._turn_down(refusal) from None
        if self.targets and ruled_of(targets) is not None:
            return _ALONE
        if self.targets and len(self.targets) + len(targets) > max_recipients:  # a group counts as many as it has
            return too_many(max_recipients)
        self.targets.extend(targets)
        return "250 2.1.5 Recipient taken."

    @property
    def _named(self) -> bool:
        return bool(self.targets)

    async def take(self, raw: bytes) -> str:
        if self.returned:
            return await self._take_bounce(raw)
        mail, mailbox = self.mail, self._welcome()
        assert mail is not None
        envelope = Envelope(mail.address, now(), mail.ret, mail.envid, self.door, mail.options)
        return await self._front.take(mailbox, envelope, tuple(self.targets), raw)

    def _welcome(self) -> Mailbox:
        """The mailbox as it is now: what changed since the login counts for open connections too."""
        if self.mailbox is None:
            raise Refusal(Reason.LOGIN_NEEDED, "Log in first: this server takes mail from its own users only.")
        if self.door is Door.NETWORK:
            present = self._front.directory.by_network(self.address)
        else:
            present = self._front.logins.present(self._login) if self._login is not None else None
        self.mailbox = present
        if present is None:
            raise Refusal(Reason.LOGIN_NEEDED, "The login has changed since it was given. Log in again.")
        return present

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
