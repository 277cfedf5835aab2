"""What must hold of any mail: a text, an invitation or a refusal that says why, within a second."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bridge import decision, fanout
from bridge.demo_mailboxes import demo_mailbox
from bridge.errors import MailRefusal
from bridge.types import GrammarName, Habits, Mailbox, SubjectUse, UnicodePolicy
from tests.fuzz.mutations import mail

LONGEST = 1.0
"""Seconds of processor time that a mail may take."""
AGAIN = 3

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICIES = tuple(UnicodePolicy)
HABITS = Habits(end_marks=("fine",), signatures=("Mario\nTel. 02 1234567",), subject=SubjectUse.BEFORE)
GRAMMARS = tuple(GrammarName)


class Fault(AssertionError):
    """A mail for which it does not hold; says its number, so that it can be made again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one mail."""

    number: int
    outcome: str
    """`text`, `invitation` or the reason of a refusal."""
    seconds: float
    octets: int


@dataclass(slots=True)
class Tally:
    """What came of many."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        self.outcomes[verdict.outcome] += 1
        self.slowest = sorted((*self.slowest, verdict), key=lambda each: -each.seconds)[:5]

    def join(self, other: Tally) -> None:
        self.outcomes += other.outcomes
        self.slowest = sorted((*self.slowest, *other.slowest), key=lambda each: -each.seconds)[:5]

    def __str__(self) -> str:
        lines = [f"{count:>8,} {outcome}" for outcome, count in self.outcomes.most_common()]
        lines += [
            f"{each.seconds * 1_000:>8.1f} ms: mail {each.number}, {each.octets:,} octets, {each.outcome}"
            for each in self.slowest
        ]
        return "\n".join(lines)


def mailbox(number: int) -> Mailbox:
    """Each policy in turn; now and then a mailbox that has its own marks, or writes in the form of another service."""
    own = replace(demo_mailbox("clinic@example.test"), unicode=POLICIES[number % len(POLICIES)])
    if number % 8 == 1:
        return replace(own, habits=HABITS)
    if number % 8 == 5:
        return replace(own, grammar=GRAMMARS[number // 8 % len(GRAMMARS)])
    return own


def judge(number: int) -> Verdict:
    """Reads the mail of `number` as it would be texted. Raises `Fault`.

    One that takes long is read again: where others share a processor, its time is theirs as well.
    """
    raw = mail(number)
    verdict = _judge(number, raw)
    for _ in range(AGAIN):
        if verdict.seconds < LONGEST:
            return verdict
        verdict = min(verdict, _judge(number, raw), key=lambda each: each.seconds)
    if verdict.seconds >= LONGEST:
        raise Fault(f"mail {number} of {len(raw):,} octets takes {verdict.seconds:.1f} s")
    return verdict


def _judge(number: int, raw: bytes) -> Verdict:
    before = time.process_time()
    try:
        outcome = _read(mailbox(number), raw)
    except MailRefusal as refusal:
        if not refusal.sentence.strip() or not refusal.reply.isprintable():
            raise Fault(f"mail {number} is refused without a reason") from refusal
        outcome = refusal.reason.value
    except Exception as error:
        raise Fault(f"mail {number} is not read: {error!r}") from error
    return Verdict(number, outcome, time.process_time() - before, len(raw))


def _read(owner: Mailbox, raw: bytes) -> str:
    submission = decision.read(owner, (), raw, NOW)
    encoded = fanout.text_of(owner, submission)
    if not submission.text.strip() or "".join(encoded.segments) != encoded.text or not encoded.text:
        raise AssertionError("a mail is taken and has no words")
    return "text" if submission.invitation is None else "invitation"


def judge_some(numbers: range) -> tuple[Tally, list[str]]:
    """What came of these mails, and what failed."""
    tally, faults = Tally(), []
    for number in numbers:
        try:
            tally.add(judge(number))
        except Fault as fault:
            faults.append(str(fault))
    return tally, faults
