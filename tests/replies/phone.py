"""A phone that remembers who said what through which number, and judges what a pool and the replies make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.replies import NEVER
from bridge.types import Match

WINDOW = timedelta(days=14)


@dataclass
class Said:
    """What one mailbox and the phone said through one number."""

    written: datetime = NEVER
    heard: datetime = NEVER
    alone: bool = False
    """The number was free when the mailbox last wrote by the pool."""

    @property
    def last(self) -> datetime:
        """The last moment, whoever wrote."""
        return max(self.written, self.heard)

    def alive(self, now: datetime) -> bool:
        """Whether the last moment is inside the window."""
        return now - self.last <= WINDOW


@dataclass
class Phone:
    """Every step fails that a patient or a receptionist would call wrong."""

    numbers: Sequence[str]
    """Those of the pool."""
    fallback: str
    """The mailbox that gets what belongs to nobody."""
    said: dict[tuple[str, str], Said] = field(default_factory=dict)
    """By the mailbox's login and the number."""
    shared: int = 0
    """How often a mailbox had to write through a number that another used, since none was free."""

    def texted(self, login: str, number: str, at: datetime, *, chosen: bool) -> None:
        """A text of a mailbox came from a number: the pool chose it, or it was not to be chosen."""
        if chosen:
            taken = {sender for (other, sender), said in self.said.items() if other != login and said.alive(at)}
            free = [sender for sender in self.numbers if sender not in taken]
            assert not free or number in free, "it is shared although another is free"
            mine = {sender: said.last for (who, sender), said in self.said.items() if who == login}
            kept = [sender for sender in mine if sender in free] if free else list(mine)
            assert number == max(kept, key=lambda sender: mine[sender], default=number), "a conversation changes it"
            self.shared += not free
        said = self.said.setdefault((login, number), Said())
        said.written, said.alone = at, chosen and bool(free)
        for (other, sender), theirs in self.said.items():
            if sender == number and other != login:
                theirs.alone = False

    def asked(self, number: str, at: datetime) -> list[str]:
        """The mailboxes that texted it through a number inside the window, the last one first."""
        wrote = [(said.written, who) for (who, sender), said in self.said.items() if sender == number]
        return [who for written, who in sorted(wrote, reverse=True) if at - written <= WINDOW]

    def answered(self, number: str, at: datetime, whose: str, match: Match) -> None:
        """The phone wrote to a number, and a mailbox got it."""
        wrote = {who: said for (who, sender), said in self.said.items() if sender == number and said.written > NEVER}
        asked = self.asked(number, at)
        if asked:
            assert whose == asked[0], "it reaches the mailbox that wrote last"
            assert match is Match.AMBIGUOUS or len(asked) == 1, "doubt is told"
            alive = [who for who, said in wrote.items() if said.alive(at)]
            assert match is not Match.AMBIGUOUS or len(alive) > 1, "there is no doubt where nobody else can be meant"
            assert match is Match.NUMBER or not wrote[whose].alone, "the pool knows whose number it is"
        elif not wrote:
            assert (whose, match) == (self.fallback, Match.NONE)
        said = self.said.setdefault((whose, number), Said())
        said.heard = max(said.heard, at)
