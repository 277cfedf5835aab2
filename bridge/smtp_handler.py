"""What a mail program's SMTP commands are answered: the front door's decisions, without the wire; above admission.

`FrontDoor` knows who may come in, `ClientVisit` is one connection's login and mail; what is the same at every door
stands in `smtp_visit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.access.networks import is_loopback
from bridge.clock import now
from bridge.errors import Reason, Refusal
from bridge.logins import Login, Logins, WrongLogin
from bridge.smtp_visit import Doorkeeper, Visit, too_large, too_many
from bridge.types import Door, Envelope, Mailbox, Recipient, Target, ruled_of

if TYPE_CHECKING:
    from bridge.admission import Admission
    from bridge.returns import Returns
    from bridge.smtp_parameters import MailCommand
    from bridge.store.directory import Directory

EXTERNAL = "EXTERNAL"
"""The mechanism by which a certificate is a login that is said (RFC 4422 appendix A)."""

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

    __slots__ = ("_front", "_login", "_loopback", "_shown", "door", "may_return", "targets")

    def __init__(self, front: FrontDoor, address: str) -> None:
        super().__init__(front, address)
        self._front = front
        self._loopback = is_loopback(address)
        self._login: Login | None = None
        self._shown: Login | None = None
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
        """Somebody has logged in with AUTH; a trusted network, or a certificate by itself, is no login."""
        return self._login is not None and self._login is not self._shown and self.mailbox is not None

    @property
    def needs_login(self) -> bool:
        return self.mailbox is None and not self.may_return

    @property
    def logins(self) -> Logins:
        """Who decides about logins."""
        return self._front.logins

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """What AUTH takes on this connection."""
        return (*self.logins.mechanisms, EXTERNAL) if self._shown_now() is not None else self.logins.mechanisms

    @property
    def certificate_ran_out(self) -> bool:
        """The peer's certificate was a login, and its time is over."""
        return self._shown is not None and self._shown.until is not None and self._shown.until <= now()

    def show(self, certificate: bytes) -> None:
        """The peer has proven in the TLS handshake that it holds a certificate (DER). Where it is registered, the peer
        is let in by it, as from a trusted network, which it goes before."""
        self._shown = self.logins.by_certificate(certificate, self.address)
        if self._shown is not None and self._shown_now() is not None:
            self.enter(self._shown)

    def external(self, acting: str) -> Login:
        """A login by what was shown already (RFC 4422 appendix A); `acting` is whom the peer says it is, or empty.

        Raises `WrongLogin`: nobody acts for another.
        """
        shown = self._shown_now()
        if shown is None or acting.lower() not in ("", shown.mailbox.login.lower()):
            raise WrongLogin(1)
        return replace(shown)

    def _shown_now(self) -> Login | None:
        """What the peer's certificate is worth now."""
        return self._shown if self._shown is not None and self.logins.present(self._shown) is not None else None

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
        if self.may_return and not command.address:
            self._check_room()  # whether it comes back, RCPT tells
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
        if self.mail is not None and not self.mail.address:
            self._check_sender(mailbox, "")
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
        if present is not None and present.id != self.mailbox.id:
            present = None  # the network is another mailbox's now, and what was said so far was said for the old one
        self.mailbox = present
        if present is None:
            raise Refusal(Reason.LOGIN_NEEDED, "The login has changed since it was given. Log in again.")
        return present

    def _check_sender(self, mailbox: Mailbox, address: str) -> None:
        if not address:
            # A machine's own mail (Promise 8). A person's mail program has an address to give.
            if not self.logged_in:
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
