"""Mutated mails: any octets at all give a text or a refusal with a reason, within a second.

A mail that fails is named by its number, and `python -m tests.fuzz NUMBER` writes it again. `pytest --long tests/fuzz`
reads a hundred thousand, over two processes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from tests.fuzz.verdict import Tally, judge, judge_all, judge_thousand

SHORT = 1_500
LONG = 100_000
CHUNK = 150
FIRST_OF_LONG = 1_000_000
"""Other mails than those of the short run."""


@pytest.mark.parametrize("first", range(0, SHORT, CHUNK))
def test_any_mail_gives_a_text_or_a_reason(first: int) -> None:
    judge_all(range(first, first + CHUNK))


def test_a_number_always_makes_the_same_mail() -> None:
    first, again = judge(1), judge(1)
    assert (first.outcome, first.octets) == (again.outcome, again.octets)


def _chunks() -> Iterator[tuple[Tally, list[str]]]:
    firsts = range(FIRST_OF_LONG, FIRST_OF_LONG + LONG, 1_000)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        yield from pool.imap(judge_thousand, firsts)


@pytest.mark.timeout(7_200)
def test_a_hundred_thousand_mails(long: bool, capfd: pytest.CaptureFixture[str]) -> None:
    if not long:
        pytest.skip("the long form, pytest --long tests/fuzz")
    whole, faults = Tally(), []
    with capfd.disabled():
        for done, (tally, failed) in enumerate(_chunks(), 1):
            whole.join(tally)
            faults += failed
            slowest = whole.slowest[0].seconds * 1_000
            end = "\n" if done * 1_000 == LONG else "\r"
            print(f"{done * 1_000:>9,} mails, {len(faults)} faults, slowest {slowest:.0f} ms", end=end, flush=True)
        print(whole)
        print(*faults, sep=os.linesep)
    assert not faults
    assert sum(whole.outcomes.values()) == LONG
