"""What a mail in the form of another service asks for; the values that every grammar takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bridge.errors import MailRefusal, Reason
from bridge.types import NO_OPTIONS, NO_WISHES, Addressee, Options, SubjectUse, Wishes


class Evidence(StrEnum):
    """How sure the facts are that a grammar is built on."""

    DOCUMENTED = "documented"
    """By the service's own pages, the whole form."""
    SECOND_HAND = "second-hand"
    """Partly by programs of others that wrote such mails."""
    INFERRED = "inferred"
    """Partly by its other interfaces or by likeness: what is not sure is read in the widest way that does no harm."""


@dataclass(frozen=True, slots=True)
class LegacyMail:
    """A mail as a grammar reads it."""

    subject: str
    text: str
    """The body as decoded, before anything is cut."""
    mode: str = ""
    """What its addresses say about the reading, as `Grammar.mode` found it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the mail asks for. With nothing set it is a mail like every other, and read as one."""

    text: str | None = None
    """The words, on lines that end in LF; never empty. None: the body, read and cut as the bridge always does."""
    final: bool = False
    """The service's own mark or field ends `text`, so that it is texted as it stands; else the bridge's cuts apply."""
    left_out: str = ""
    """What the service does not text either, for the preview: it stood outside its marks or fields."""
    subject: SubjectUse | None = None
    """What becomes of the subject where `text` is None. None: as the mailbox has it."""
    numbers: tuple[str, ...] = ()
    """Telephone numbers in the mail, as written, each once; those of the addresses are texted besides."""
    wishes: Wishes = NO_WISHES
    options: Options = NO_OPTIONS
    send: datetime | timedelta | None = None
    """When to send: so long after the mail came, at a moment, or (a datetime without zone) at the mailbox's hour."""
    passwords: tuple[str, ...] = field(default=(), repr=False)
    """Every credential that the mail shows: to be matched, and redacted wherever the mail is kept."""
    unheeded: tuple[str, ...] = ()
    """Fields whose wish the bridge does not carry out, as the service calls them, for a warning."""

    def options_at(self, now: datetime, timezone: str) -> Options:
        """The options with the moment of `send`, for a mail that came at `now` to a mailbox in `timezone` (IANA)."""
        match self.send:
            case None:
                return self.options
            case timedelta():
                at = now + self.send
            case datetime(tzinfo=None):
                at = self.send.replace(tzinfo=ZoneInfo(timezone))
            case datetime():
                at = self.send
        return replace(self.options, send_at=at.astimezone(UTC))


def no_mode(local: str, subdomain: str) -> str:
    """The mode of a service whose addresses say nothing about the text."""
    return ""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How the mails of one service are read."""

    service: str
    """As people call it."""
    evidence: Evidence
    address: Callable[[str, str], Addressee | None]
    """What a local part (unquoted) and the sub-domain before the bridge's domain (lower case, or empty) mean. None: the
    bridge's own grammar reads it. Raises `RecipientRefusal` for the service's form where it is broken."""
    mail: Callable[[LegacyMail], Order]
    """What the mail asks for. Raises `MailRefusal` (bad order)."""
    subdomains: frozenset[str] = frozenset()
    """Taken before the bridge's domain."""
    mode: Callable[[str, str], str] = no_mode
    """What of an address, given as to `address`, changes the reading of the mail."""


def read_order(grammar: Grammar, subject: str, text: str, modes: Iterable[str] = ()) -> Order:
    """What the mail asks for whose addresses of the service's form have `modes`, as `Grammar.mode` tells them.

    Raises `MailRefusal` (bad order); also when the addresses ask for different texts, since a mail makes one.
    """
    different = set(modes)
    if len(different) > 1:
        raise bad_order("The addresses of this mail ask for different texts: write one mail for each kind of address.")
    return grammar.mail(LegacyMail(subject, text, *different))


def bad_order(sentence: str) -> MailRefusal:
    """The refusal of a mail in the service's form that cannot be carried out. The sentence names the field, says what
    is wrong and what to write, and repeats nothing of the mail: it might be a password."""
    return MailRefusal(Reason.BAD_ORDER, sentence)
