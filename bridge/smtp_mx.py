"""What other mail servers are answered on port 25: mail from the open Internet, whose author it must prove by itself.

`MxDoor` judges and hands on, `MxVisit` is one connection. Before the mail has come nothing is decided but what every
stranger may know: that an address has the right form and domain. Then SPF, DKIM, DMARC and ARC say who wrote it
(`access.judge`), and that address alone says whose mail it is; whatever MAIL FROM, a name in From, a thread or a reply
address claims, authorises nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bridge.access.dns import Resolver
from bridge.access.fields import take_apart
from bridge.access.judge import judge
from bridge.access.replay import believed, sent_again
from bridge.access.verdict import Doubt, Verdict
from bridge.clock import now
from bridge.errors import MailRefusal, Reason, RecipientRefusal, Refusal
from bridge.smtp_syntax import BadCommand
from bridge.smtp_visit import Doorkeeper, Visit, too_large, too_many
from bridge.types import NO_OPTIONS, Door, Envelope, Recipient

if TYPE_CHECKING:
    from bridge.admission import Admission
    from bridge.returns import Returns
    from bridge.smtp_parameters import MailCommand
    from bridge.store.directory import Directory

log = structlog.get_logger("bridge.mx")

_NOT_OFFERED = "555 5.5.4 MAIL has a parameter that this server does not offer. Leave it out."
_NO_SENDER = "A mail without sender is taken at the addresses for bounces only. To text, send it with a sender."


class _Doubtful(MailRefusal):
    """A mail whose author nobody knows; the verdict has a reply of its own (RFC 7372 section 3.3)."""

    def __init__(self, verdict: Verdict) -> None:
        code, enhanced, sentence = verdict.reply.split(" ", 2)
        super().__init__(Reason.UNVERIFIED_YET if verdict.doubt is Doubt.DNS else Reason.UNVERIFIED, sentence)
        self.code, self.enhanced = int(code), enhanced


class MxDoor(Doorkeeper):
    """Takes mail whose author can be verified and has a mailbox here."""

    def __init__(
        self,
        directory: Directory,
        admission: Admission,
        returns: Returns,
        *,
        resolver: Resolver,
        trusted_forwarders: Collection[str],
        resubmission_window: timedelta,
        disk_full: Callable[[], bool],
    ) -> None:
        """`trusted_forwarders` are domains, in lower case, whose ARC seals are believed; `resubmission_window` is how
        long a mail that comes again is recognised."""
        super().__init__(directory, admission, returns, disk_full=disk_full)
        self._resolver = resolver
        self._trusted = frozenset(trusted_forwarders)
        self._window = resubmission_window

    def visit(self, address: str) -> MxVisit:
        return MxVisit(self, address)

    async def hear(self, visit: MxVisit, envelope: Envelope, raw: bytes) -> str:
        """Judge a whole mail and take it: the reply. Raises `Refusal`."""
        verdict = await judge(raw, envelope, visit.address, visit.helo, self._resolver, self._trusted)
        _log(verdict, len(raw))
        try:
            if verdict.doubt is not None:
                raise _Doubtful(verdict)
            mailbox = self.admission.check_author(verdict.author)
            mail = take_apart(raw)
            why = sent_again(mail, verdict, visit.addresses, envelope.received_at, self._window)
            if why:
                raise MailRefusal(Reason.UNVERIFIED, why)
            targets = self.admission.check_recipients(mailbox, visit.recipients)
        except Refusal as refusal:
            raise visit.turn_away(refusal) from None
        return await self.take(mailbox, _vouched(envelope, verdict), targets, believed(raw, mail, verdict))


class MxVisit(Visit):
    """One connection of a mail server."""

    __slots__ = ("_door", "recipients")

    def __init__(self, door: MxDoor, address: str) -> None:
        super().__init__(door, address)
        self._door = door
        self.recipients: list[Recipient] = []
        """Those that were taken so far; whom they mean is asked when it is known who wrote."""

    @property
    def addresses(self) -> list[str]:
        """Those of the recipients."""
        return [recipient.address for recipient in self.recipients]

    def reset(self) -> None:
        super().reset()
        self.recipients = []

    def begin(self, command: MailCommand, max_octets: int) -> None:
        """MAIL. Raises `Refusal` for a declared size too large, `BadCommand` for wishes that only users may have."""
        self._check_room()
        if command.options is not NO_OPTIONS:
            raise BadCommand(_NOT_OFFERED)
        if command.size is not None and command.size > max_octets:
            raise too_large(max_octets)
        self.mail = command

    def add(self, recipient: Recipient, max_recipients: int) -> str:
        """RCPT. The reply; raises `Refusal` for what no stranger need be told twice: a foreign domain, no address."""
        bounce = self._add_bounce(recipient)
        if bounce is not None:
            return bounce
        if len(self.recipients) >= max_recipients:
            return too_many(max_recipients)
        try:
            self._door.admission.check_domain(recipient)
            if self.mail is not None and not self.mail.address:
                raise RecipientRefusal(Reason.AUTOMATIC_MAIL, _NO_SENDER)
        except Refusal as refusal:
            raise self._turn_down(refusal) from None
        self._check_room()
        self.recipients.append(recipient)
        return "250 2.1.5 Recipient noted."

    @property
    def _named(self) -> bool:
        return bool(self.recipients)

    async def take(self, raw: bytes) -> str:
        if self.returned:
            return await self._take_bounce(raw)
        assert self.mail is not None
        envelope = Envelope(self.mail.address, now(), self.mail.ret, self.mail.envid, Door.MX)
        return await self._door.hear(self, envelope, raw)


def _vouched(envelope: Envelope, verdict: Verdict) -> Envelope:
    """The envelope as far as it can be believed: reports go to the author where anybody may have named the sender."""
    mail_from = envelope.mail_from if verdict.envelope_vouched else verdict.author
    return Envelope(mail_from, envelope.received_at, envelope.ret, envelope.envid, envelope.door, author=verdict.author)


def _log(verdict: Verdict, octets: int) -> None:
    """What the checks came to, without an address."""
    log.info(
        "mx.judged",
        doubt=verdict.doubt.value if verdict.doubt is not None else "",
        vouching=sorted(each.value for each in verdict.vouching),
        spf=verdict.spf.result.value if verdict.spf is not None else "",
        dkim=[each.result.value for each in verdict.dkim],
        dmarc=verdict.dmarc.result.value if verdict.dmarc is not None else "",
        arc=verdict.arc.result.value if verdict.arc is not None else "",
        bytes=octets,
    )
