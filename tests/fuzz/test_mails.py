"""Mutated mails: any octets at all give a text or a refusal with a reason, within a second.

A mail that fails is named by its number, and `python -m tests.fuzz NUMBER` writes it again. `pytest --long tests/fuzz`
reads a hundred thousand, over two processes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from tests.fuzz.verdict import Tally, judge, judge_some

SHORT = 1_500
CHUNK = 150
FIRST_OF_OTHERS = 1_000_000


@pytest.mark.parametrize("first", range(0, SHORT, CHUNK))
def test_any_mail_gives_a_text_or_a_reason(first: int) -> None:
    _, faults = judge_some(range(first, first + CHUNK))
    assert not faults


def test_a_number_always_makes_the_same_mail() -> None:
    first, again = judge(1), judge(1)
    assert (first.outcome, first.octets) == (again.outcome, again.octets)


def _chunks(chunks: int, size: int) -> Iterator[tuple[Tally, list[str]]]:
    numbers = (range(FIRST_OF_OTHERS + at * size, FIRST_OF_OTHERS + (at + 1) * size) for at in range(chunks))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        yield from pool.imap(judge_some, numbers)


@pytest.mark.timeout(7_200)
def test_mails_read_by_two_processes(long: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """A hundred thousand in the long form, a hundred in the short one."""
    chunks, size = (100, 1_000) if long else (2, 50)
    whole, faults = Tally(), []
    with capfd.disabled():
        for done, (tally, failed) in enumerate(_chunks(chunks, size), 1):
            whole.join(tally)
            faults += failed
            slowest = whole.slowest[0].seconds * 1_000
            if not long:
                continue
            end = "\n" if done == chunks else "\r"
            print(f"{done * size:>9,} mails, {len(faults)} faults, slowest {slowest:.0f} ms", end=end, flush=True)
        if long or faults:
            print(whole, *faults, sep=os.linesep)
    assert not faults
    assert sum(whole.outcomes.values()) == chunks * size
