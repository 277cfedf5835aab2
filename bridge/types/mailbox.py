"""A user of the bridge, and what a user may choose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.types.digest import NO_DIGEST, DigestPlan
from bridge.types.grammar import GrammarName
from bridge.types.greetings import NO_GREETINGS, Greetings
from bridge.types.habits import NO_HABITS, Habits


class Confirm(StrEnum):
    """Which outcomes a mailbox wants to hear of when the mail itself does not say."""

    NONE = "none"
    FAILURES = "failures"
    ALL = "all"


class UnicodePolicy(StrEnum):
    """What happens to characters outside the GSM 7-bit alphabet."""

    ALLOW = "allow"
    TRANSLITERATE = "transliterate"
    REFUSE = "refuse"


class Language(StrEnum):
    """The languages in which the bridge writes to people."""

    ENGLISH = "en"
    ITALIAN = "it"
    SPANISH = "es"
    DUTCH = "nl"


class Spoken(StrEnum):
    """The languages in which the bridge understands phones."""

    ENGLISH = "en"
    ITALIAN = "it"
    SPANISH = "es"
    DUTCH = "nl"
    FRENCH = "fr"
    GERMAN = "de"
    PORTUGUESE = "pt"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A user of the bridge: login, rights, sender number, preferences and limits."""

    id: str
    organisation_id: str
    login: str
    """Login name and the mailbox's own mail address."""
    addresses: tuple[str, ...]
    """Addresses it may send from: `name@domain`, or `@domain` for all of a domain; lower case."""
    region: str
    """ISO 3166 country for numbers written without a country code."""
    countries: tuple[str, ...]
    """ISO 3166 countries it may text."""
    language: Language
    timezone: str
    """IANA name; times in mails and the day of the daily cap are counted in it."""
    sender: str
    """Sender number in E.164."""
    pool: tuple[str, ...] = ()
    """Further sender numbers; with them each phone gets one that no other mailbox uses with it."""
    confirm: Confirm = Confirm.FAILURES
    unicode: UnicodePolicy = UnicodePolicy.TRANSLITERATE
    max_segments: int = 6
    daily_cap: int | None = None
    """Messages a day, or None for no cap."""
    paused: bool = False
    networks: tuple[str, ...] = ()
    """Networks (CIDR) whose machines send as this mailbox without login."""
    password_hash: str = ""
    """argon2 in PHC form, or empty when the mailbox cannot log in."""
    habits: Habits = NO_HABITS
    """How its mails are read."""
    grammar: GrammarName | None = None
    """The other service whose form of mail it writes."""
    order_password_hash: str = ""
    """Of the password that such mails must show, as `password_hash`; empty when none is asked for."""
    digest: DigestPlan = NO_DIGEST
    subject_tags: bool = False
    """Subjects of answers say what the phone wants of an appointment."""
    phone_languages: tuple[Spoken, ...] = ()
    """Further languages in which its phones write, besides its own."""
    greetings: Greetings = NO_GREETINGS

    @property
    def senders(self) -> tuple[str, ...]:
        """Every number that its texts may come from, its own first."""
        return (self.sender, *self.pool)

    def sender_named(self, named: str) -> str | None:
        """The one of its numbers that is meant, with or without a plus; None for somebody else's."""
        return next((sender for sender in self.senders if sender.lstrip("+") == named.lstrip("+")), None)

    def may_send_from(self, address: str) -> bool:
        """Whether `address` is one of the mailbox's own; the comparison ignores case."""
        folded = address.lower()
        domain = "@" + folded.rpartition("@")[2]
        return folded == self.login.lower() or any(own in (folded, domain) for own in self.addresses)
