"""What becomes of a mail in a watched mailbox: who wrote it, to whom, and the answer of admission; for `watch`.

A mail that is refused is told to its author, who is known because the mail provider vouches for the address. Where
nobody knows who wrote it, the watched mailbox itself is told: whoever is named as the author may never have written.
Programs that answer by themselves are told nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge import clock, metrics, notices
from bridge.access.fields import Malformed, take_apart
from bridge.access.verdict import Doubt
from bridge.access.vouched import Means, Vouched, vouched
from bridge.admission import Admission, no_mailbox
from bridge.errors import MailRefusal, Reason, Refusal
from bridge.mailbox_door.addressed import Addressed, addressed
from bridge.parser import is_from_a_machine
from bridge.reading import headers
from bridge.reading.headers import Fields
from bridge.store.directory import Directory
from bridge.store.watched import Watched
from bridge.types import (
    Door,
    Envelope,
    Fate,
    Mailbox,
    OutgoingMail,
    Place,
    Recipient,
    Tried,
    Turned,
    TurnedAway,
    ruled_of,
)

log = structlog.get_logger("bridge.mailbox_door")

MAX_HEADER = 262_144
"""Octets of a header that are read before it is decided whether the mail is for a phone."""

MOST_NOTICES = 20
"""Refusals that one mailbox, or strangers of one domain, are told of within an hour by one node: a flood is answered no
more."""
MOST_TOLD = 1_000
"""Those of whom that is remembered before the old ones are forgotten."""

_HOUR = timedelta(hours=1)
_WRITTEN = ("from", "to", "cc", "subject", "date", "message-id")
"""Fields that an author writes, and signs."""
_LATER = frozenset({Reason.BUSY, Reason.INTERNAL})
"""Refusals that pass by themselves; a daily cap and a pause do not, so far as the author can wait."""


class NotNow(Exception):
    """The mail is neither taken nor refused yet: the reason passes."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator has set for one watched mailbox."""

    address: str
    authserv_ids: frozenset[str]
    subject_numbers: bool
    max_octets: int


class Reception:
    """Deals with mails of watched mailboxes, one at a time."""

    def __init__(
        self,
        admission: Admission,
        directory: Directory,
        watched: Watched,
        *,
        domain: str,
        fallback: str,
        sign: Callable[[OutgoingMail], OutgoingMail],
        mailed: Callable[[], None],
        keyed: Callable[[str], str],
    ) -> None:
        """`domain` is the one that phones have addresses in, `fallback` the login of the mailbox that mails for nobody
        belong to; `keyed` makes a hash that only this installation can make."""
        self._admission = admission
        self._directory = directory
        self._watched = watched
        self._domain = domain
        self._fallback = fallback
        self._sign = sign
        self._mailed = mailed
        self._keyed = keyed
        self._told: dict[str, deque[datetime]] = defaultdict(lambda: deque(maxlen=MOST_NOTICES))

    def recipients(self, header: bytes, rules: Rules) -> Addressed:
        """The phones that a mail with this header is for; none for one that is no business of the bridge."""
        fields, _, _ = _split(header)
        return addressed(fields, rules.address, self._domain, subject_numbers=rules.subject_numbers)

    def digest(self, raw: bytes, to: Addressed) -> str:
        """What the mail is known by, wherever it is moved and whoever sends it again: what its author wrote, and the
        phones that it is for. Fields that servers set on its way do not count."""
        hashed = hashlib.sha256(repr(sorted(each.address.lower() for each in (*to.openly, *to.hidden))).encode())
        fields, _, start = _split(raw)
        for name in _WRITTEN:
            hashed.update(f"\n{name}:".encode() + b" ".join(fields.raw(name).split()))
        hashed.update(b"\n\n" + raw[start:])
        return self._keyed(hashed.hexdigest())

    async def take(self, place: Place, raw: bytes, to: Addressed, rules: Rules, arrived: datetime) -> Fate:
        """Deal with a whole mail: when this returns, what became of it is on disk. Raises NotNow, and
        StoreUnavailable."""
        known = await self._known(place)
        if known is not None:
            return known
        who = _author(raw, rules.authserv_ids)
        mailbox = self._admission.mailbox_of(who.author) if who.author else None
        try:
            if mailbox is None:
                raise _nobody(who)
            await self._admit(place, mailbox, who, raw, to, arrived)
        except Refusal as refusal:
            if refusal.reason in _LATER:
                raise NotNow(refusal.detail) from refusal
            return await self._refuse(place, raw, who, mailbox, refusal, rules)
        means = sorted(each.value for each in who.means)
        log.info("mailbox_door.taken", mailbox=mailbox.id, bytes=len(raw), means=means)
        metrics.MAILS_TAKEN.labels(Door.MAILBOX.value).inc()
        return Fate.TAKEN

    async def turn_away(self, place: Place, raw: bytes, refusal: Refusal, rules: Rules) -> Fate:
        """Refuse a mail whatever stands in it; `raw` may be its header alone. Raises StoreUnavailable."""
        known = await self._known(place)
        if known is not None:
            return known
        who = _author(raw, rules.authserv_ids)
        mailbox = self._admission.mailbox_of(who.author) if who.author else None
        return await self._refuse(place, raw, who, mailbox, refusal if mailbox else _nobody(who), rules)

    async def _known(self, place: Place) -> Fate | None:
        """What became of a mail when it was seen before."""
        known = await self._watched.fate(place)
        if known is not None:
            log.info("mailbox_door.known", fate=known.value)
        return known

    async def _admit(
        self, place: Place, mailbox: Mailbox, who: Vouched, raw: bytes, to: Addressed, arrived: datetime
    ) -> None:
        """Raises Refusal."""
        targets = self._admission.check_recipients(mailbox, _believed(to, who))
        envelope = Envelope(who.author, arrived, door=Door.MAILBOX, place=place, author=who.author)
        ruled = ruled_of(targets)
        if ruled is not None:
            await self._admission.rule(mailbox, envelope, ruled, raw)
        else:
            await self._admission.admit(mailbox, envelope, targets, raw)
        if ruled is not None or any(isinstance(target, Tried) for target in targets):
            # Nothing was texted, so the outbox has not written the mail down; to do either twice changes nothing.
            await self._watched.keep(place, Fate.TAKEN)

    async def _refuse(
        self, place: Place, raw: bytes, who: Vouched, mailbox: Mailbox | None, refusal: Refusal, rules: Rules
    ) -> Fate:
        """Write down that a mail is refused, with the notice that says so."""
        means = sorted(each.value for each in who.means)
        doubt = who.doubt.value if who.doubt is not None else ""
        mailbox_id = mailbox.id if mailbox is not None else ""
        log.info("mailbox_door.refused", mailbox=mailbox_id, reason=refusal.reason.value, doubt=doubt, means=means)
        metrics.MAILS_REFUSED.labels(refusal.reason.value).inc()
        owner = mailbox or self._owner(rules.address)
        notice = self._notice(place, raw, who, mailbox, owner, refusal, rules) if owner is not None else None
        if await self._watched.keep(place, Fate.REFUSED, notice, owner) and notice is not None:
            self._mailed()
        return Fate.REFUSED

    def _notice(
        self,
        place: Place,
        raw: bytes,
        who: Vouched,
        mailbox: Mailbox | None,
        owner: Mailbox,
        refusal: Refusal,
        rules: Rules,
    ) -> OutgoingMail | None:
        to = who.author or rules.address
        counted = to if mailbox is not None or not who.author else to.rpartition("@")[2]
        if refusal.reason is Reason.AUTOMATIC_MAIL or _is_automatic(raw) or not self._may_tell(counted):
            return None
        fields, _, _ = _split(raw)
        turned = Turned.REFUSED if mailbox is not None else Turned.STRANGER if who.author else Turned.UNVERIFIED
        notice = TurnedAway(
            notice_id=f"refusal.{self._keyed(f'{place.watch} {place.uid_validity} {place.uid}')[:26]}",
            to=to,
            mailbox=owner,
            turned=turned,
            reason=refusal.reason,
            reply=refusal.reply,
            sentence=refusal.sentence,
            watched=rules.address,
            author=who.claimed,
            message_id=fields.line("message-id"),
            references=tuple((fields.line("references") or fields.line("in-reply-to")).split()),
            subject=headers.decoded(fields.raw("subject")) if owner.grammar is None else "",
            created_at=clock.now(),
        )
        return self._sign(notices.turned_away(notice, self._domain))

    def _may_tell(self, who: str) -> bool:
        """Whether one more refusal is told: to a mailbox, or to all strangers of one domain."""
        now = clock.now()
        if len(self._told) >= MOST_TOLD:
            for each in [each for each, told in self._told.items() if now - told[-1] >= _HOUR]:
                del self._told[each]
        told = self._told[who]
        if len(told) == MOST_NOTICES and now - told[0] < _HOUR:
            log.warning("mailbox_door.silent", notices=MOST_NOTICES)
            return False
        told.append(now)
        return True

    def _owner(self, address: str) -> Mailbox | None:
        """Whose mail a notice is that goes to nobody's mailbox."""
        directory = self._directory
        everybody = directory.all()
        return (
            directory.by_address(address) or directory.by_login(self._fallback) or (everybody[0] if everybody else None)
        )


_HIDDEN = (
    "The phone stands in Bcc, and the mail provider does not vouch for the way that this mail has come. "
    "Write the address of the phone into To."
)


def _author(raw: bytes, authserv_ids: Collection[str]) -> Vouched:
    """Who wrote the mail; nobody, where programs could read it in different ways."""
    try:
        mail = take_apart(raw)
    except Malformed as malformed:
        return Vouched("", "", Doubt.MALFORMED, malformed.sentence)
    return vouched(mail, authserv_ids)


def _nobody(who: Vouched) -> MailRefusal:
    """The refusal of a mail that belongs to no mailbox."""
    if who.author:
        return no_mailbox()
    return MailRefusal(Reason.UNVERIFIED, who.sentence)


def _believed(to: Addressed, who: Vouched) -> tuple[Recipient, ...]:
    """The recipients that the author meant. Whoever gets hold of a signed mail can send it again to others, which then
    stand in the envelope alone: those count only where the provider vouches for the way. Raises MailRefusal when none
    are left."""
    if who.means & {Means.SPF, Means.INSIDE}:
        return (*to.openly, *to.hidden)
    if not to.openly:
        raise MailRefusal(Reason.UNVERIFIED, _HIDDEN)
    return to.openly


def _split(raw: bytes) -> tuple[Fields, int, int]:
    """As `headers.split`; of a mail with more fields than are read, none."""
    try:
        return headers.split(raw, 0, len(raw))
    except MailRefusal:
        return Fields(()), 0, 0


def _is_automatic(raw: bytes) -> bool:
    try:
        return is_from_a_machine(raw)
    except MailRefusal:
        return True
