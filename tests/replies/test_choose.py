"""Whose reply it is: the table that a receptionist would draw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.replies import Candidate, Facts, Verdict, choose
from bridge.types import Match

NOW = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)
WINDOW = timedelta(days=14)


def wrote(mailbox: str, days_ago: float) -> Candidate:
    """`mailbox` last texted this phone so many days ago."""
    return Candidate(mailbox, f"{mailbox}@example.test", f"{mailbox}-thread", NOW - timedelta(days=days_ago))


def facts(owners: tuple[str, ...], *candidates: Candidate, fallback: str | None = "fallback") -> Facts:
    return Facts(owners=owners, candidates=candidates, fallback=fallback, now=NOW, window=WINDOW)


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        pytest.param(
            facts(("clinic",), wrote("clinic", 1)),
            Verdict("clinic", "clinic-thread", Match.NUMBER),
            id="the number is the clinic's alone",
        ),
        pytest.param(
            facts(("clinic",), wrote("clinic", 60)),
            Verdict("clinic", "clinic-thread", Match.NUMBER),
            id="the number is the clinic's alone, and the answer comes after two months",
        ),
        pytest.param(
            facts(("clinic",)),
            Verdict("clinic", None, Match.NUMBER),
            id="the number is the clinic's alone, and a stranger writes",
        ),
        pytest.param(
            facts(("clinic",), wrote("former-owner", 1), wrote("clinic", 60)),
            Verdict("clinic", "clinic-thread", Match.NUMBER),
            id="the number is the clinic's now, and was another's before",
        ),
        pytest.param(
            facts(("clinic", "desk"), wrote("desk", 3)),
            Verdict("desk", "desk-thread", Match.LATEST),
            id="of two mailboxes one wrote",
        ),
        pytest.param(
            facts(("clinic", "desk"), wrote("clinic", 15), wrote("desk", 3)),
            Verdict("desk", "desk-thread", Match.LATEST),
            id="of two mailboxes only one wrote inside the window",
        ),
        pytest.param(
            facts(("clinic", "desk"), wrote("desk", 14)),
            Verdict("desk", "desk-thread", Match.LATEST),
            id="the last moment of the window belongs to it",
        ),
        pytest.param(
            facts(("clinic", "desk"), wrote("desk", -0.01)),
            Verdict("desk", "desk-thread", Match.LATEST),
            id="a clock that runs ahead does no harm",
        ),
        pytest.param(
            facts(("clinic", "desk"), wrote("clinic", 3), wrote("desk", 1)),
            Verdict("desk", "desk-thread", Match.AMBIGUOUS, (wrote("desk", 1), wrote("clinic", 3))),
            id="both wrote: the one that wrote last, and both are named",
        ),
        pytest.param(
            facts(("clinic", "desk"), wrote("clinic", 15), wrote("desk", 15)),
            Verdict("fallback", None, Match.NONE),
            id="both wrote, but long ago",
        ),
        pytest.param(
            facts(("clinic", "desk")), Verdict("fallback", None, Match.NONE), id="nobody ever wrote to this phone"
        ),
        pytest.param(facts((), fallback=None), Verdict(None, None, Match.NONE), id="nobody wants it"),
        pytest.param(
            facts((), wrote("clinic", 1)),
            Verdict("clinic", "clinic-thread", Match.LATEST),
            id="the number is nobody's any more, and one wrote through it",
        ),
    ],
)
def test_a_reply_finds_its_mailbox(asked: Facts, verdict: Verdict) -> None:
    assert choose(asked) == verdict


@given(
    owners=st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3),
    days=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers(0, 30), max_size=4),
)
def test_the_choice_does_not_depend_on_the_order_of_the_facts(owners: list[str], days: dict[str, int]) -> None:
    candidates = [wrote(mailbox, ago) for mailbox, ago in days.items()]
    verdict = choose(facts(tuple(owners), *candidates))
    assert choose(facts(tuple(reversed(owners)), *reversed(candidates))) == verdict
    named = {candidate.mailbox_id for candidate in candidates} | set(owners) | {"fallback"}
    assert verdict.mailbox_id in named
    assert (len(verdict.candidates) > 1) == (verdict.match is Match.AMBIGUOUS)
