"""Whom the address of a recipient means, before anybody knows whether there is such a phone; out of `reading`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.types.asked import Asked


class Priority(StrEnum):
    """In which order messages that are due leave."""

    NORMAL = "normal"
    HIGH = "high"

    @classmethod
    def of_mail(cls, number: int) -> Priority:
        """What the priority of a mail, from -9 to 9, comes to (RFC 6710): above 0 high, all else normal."""
        return cls.HIGH if number > 0 else cls.NORMAL


@dataclass(frozen=True, slots=True)
class Wishes(Asked):
    """What an address asks for besides, as in `+393331234567+flash+p=high@…`; None where it says nothing."""

    flash: bool = False
    """Shown at once and not kept by the phone (3GPP TS 23.038 section 4, class 0)."""
    sender: str | None = None
    priority: Priority | None = None
    reference: str | None = None
    """The sender's own reference."""
    validity: int | None = None
    """Seconds after which the text is worth nothing."""


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Dialled:
    """A telephone number."""

    digits: str
    """As written, to be read by `sms.numbers`: perhaps a plus, digits, separators."""
    wishes: Wishes = NO_WISHES
    password: str | None = field(default=None, repr=False)
    """What another service's address shows as its password."""


@dataclass(frozen=True, slots=True)
class Named:
    """A contact or a group of the address book."""

    name: str
    """As written."""
    wishes: Wishes = NO_WISHES


@dataclass(frozen=True, slots=True)
class InTheMail:
    """A fixed address: the numbers stand in the mail itself."""

    wishes: Wishes = NO_WISHES


@dataclass(frozen=True, slots=True)
class Trial:
    """`preview@…`: the mail is answered with what it would send, and nothing is sent."""

    dialled: Dialled | None = None
    """The number of `preview+393331234567@…`; without one, the numbers stand in the mail, if anywhere."""


@dataclass(frozen=True, slots=True)
class Decided:
    """`+393331234567+allow@…` or `+block`: what a mailbox decides about a phone that asked for no more texts."""

    dialled: Dialled
    allows: bool
    """It is to be texted again; else no more."""


Addressee = Dialled | Named | InTheMail | Trial | Decided
