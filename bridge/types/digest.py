"""The digest of a mailbox: when it is due and who gets it, and what one says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.types.states import MessageState

if TYPE_CHECKING:
    from bridge.types.notices import Intent  # which needs mailboxes, and those have the plan below

MOST_ADDRESSES = 5
"""That get the digest of one mailbox."""

MOST_DAYS = 90
"""For which a text can stay in the digests."""

MOST_LINES = 10_000
"""Texts, and as many answers, that a digest lists, and lines of its table: the newest ones."""

ARRIVED = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.UNKNOWN})
"""States of a text that its phone has, as far as anybody knows: an answer may be expected."""

LOST = frozenset({MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.FAILED, MessageState.REFUSED})
"""States of a text that its phone does not get."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """Which digests a mailbox wants."""

    to: tuple[str, ...] = ()
    """Addresses that get it; without one there is none."""
    at: time = time(18)
    """The hour in the mailbox's zone."""
    days: int = 10
    """For how long after it was sent a text stays in the digests."""
    since: datetime | None = None
    """When it was switched on: no digest is made for an hour before that."""

    def sent_to(self, addresses: tuple[str, ...], now: datetime) -> DigestPlan:
        """The same for other addresses; with the first one it is switched on, at `now`."""
        return replace(self, to=addresses, since=(self.since or now) if addresses else None)

    def moment(self, day: date, timezone: str) -> datetime:
        """When the digest of `day` is due. An hour that the clock skips on that day is the one that it shows instead;
        of one that it shows twice, the first."""
        return datetime.combine(day, self.at, ZoneInfo(timezone)).astimezone(UTC)

    def next(self, now: datetime, timezone: str) -> datetime:
        """The first moment after `now` at which a digest is due."""
        return self.moment(self._newest(now, timezone) + _DAY, timezone)

    def due(self, now: datetime, timezone: str, told: date | None) -> date | None:
        """The day whose digest is to be made now, where that of `told` was the last: the newest one whose hour has
        come. What was missed before that is not made up for."""
        if not self.to:
            return None
        day = self._newest(now, timezone)
        if told is not None and told >= day:
            return None
        if self.since is not None and self.moment(day, timezone) <= self.since:
            return None
        return day

    def _newest(self, now: datetime, timezone: str) -> date:
        day = now.astimezone(ZoneInfo(timezone)).date()
        while self.moment(day, timezone) > now:
            day -= _DAY
        return day


NO_DIGEST = DigestPlan()


@dataclass(frozen=True, slots=True)
class DigestText:
    """A text to a phone, as a digest tells of it."""

    at: datetime
    """When it was sent: the moment from which on it could leave."""
    number: str
    """E.164; the address as it was written where it held no number."""
    contact: str
    """What the mailbox calls the phone."""
    subject: str
    """Of the mail it was."""
    reference: str
    """The sender's own."""
    state: MessageState
    answered: bool
    """The phone has written since, to the number that the text came from."""


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """An SMS from a phone, as a digest tells of it."""

    at: datetime
    number: str
    sender: str
    """Our number it wrote to, E.164."""
    contact: str
    subject: str
    """Of the conversation."""
    text: str
    """What it says, as far as a digest holds it."""
    intent: Intent | None = None
    keyword: str = ""
    """The word of the mailbox's that it begins with; empty for none."""
    tag: str = ""
    """What that word gives it as a tag."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What became of a mailbox's texts from `since` to `at`.

    Counts are of all that time; lists are newest first, and may hold only the newest.
    """

    day: date
    since: datetime
    at: datetime
    states: Mapping[MessageState, int]
    answered: int
    """Texts that arrived and were answered, and those that were not."""
    unanswered: int
    silent: tuple[DigestText, ...]
    """The newest unanswered text to each phone that did not answer it."""
    silent_phones: int
    lost: tuple[DigestText, ...]
    """Texts that did not arrive, or of which nobody knows."""
    answers: int
    texts_listed: tuple[DigestText, ...]
    answers_listed: tuple[DigestAnswer, ...]

    @property
    def texts(self) -> int:
        """How many there were."""
        return sum(self.states.values())

    def count(self, states: frozenset[MessageState]) -> int:
        """How many are in one of these states."""
        return sum(self.states.get(state, 0) for state in states)
