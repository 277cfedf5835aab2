"""When a gateway is left alone: each row is a story of tries, a second apart, and what is let through after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.breaker import FIRST_PAUSE, LONGEST_PAUSE, SILENT_TRIES, Breaker
from bridge.types import OutcomeKind

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SILENCE = [OutcomeKind.UNKNOWN] * SILENT_TRIES


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(*kinds: OutcomeKind) -> Breaker:
    """A breaker that has seen these tries, all at the start."""
    breaker = Breaker()
    for kind in kinds:
        breaker.note(kind, START)
    return breaker


@pytest.mark.parametrize(
    ("tries", "through"),
    [
        pytest.param([], True, id="nothing yet"),
        pytest.param(SILENCE[1:], True, id="silence, but not long enough"),
        pytest.param(SILENCE, False, id="silence"),
        pytest.param([OutcomeKind.UNREACHABLE] * SILENT_TRIES, False, id="not reached at all"),
        pytest.param([*SILENCE[1:], OutcomeKind.REJECTED, *SILENCE[1:]], True, id="a refusal is an answer"),
        pytest.param([*SILENCE[1:], OutcomeKind.THROTTLED, *SILENCE[1:]], True, id="too fast is an answer"),
    ],
)
def test_who_is_let_through(tries: list[OutcomeKind], through: bool) -> None:
    assert told(*tries).lets_through(after(1)) is through


def test_after_the_pause_one_goes_first() -> None:
    breaker = told(*SILENCE)
    assert [breaker.lets_through(after(FIRST_PAUSE)) for _ in range(3)] == [True, False, False]
    breaker.note(OutcomeKind.ACCEPTED, after(FIRST_PAUSE + 1))
    assert all(breaker.lets_through(after(FIRST_PAUSE + 1)) for _ in range(3))


def test_silence_again_means_a_longer_pause() -> None:
    breaker = told(*SILENCE)
    assert breaker.lets_through(after(FIRST_PAUSE))
    breaker.note(OutcomeKind.UNKNOWN, after(10))
    assert not breaker.lets_through(after(10 + 2 * FIRST_PAUSE - 0.1))
    assert breaker.lets_through(after(10 + 2 * FIRST_PAUSE))


def test_what_was_under_way_before_the_pause_does_not_stretch_it() -> None:
    breaker = told(*SILENCE, *SILENCE)
    assert breaker.lets_through(after(FIRST_PAUSE))


@given(st.lists(st.sampled_from(OutcomeKind), max_size=200))
def test_no_story_locks_a_gateway_for_good(story: list[OutcomeKind]) -> None:
    breaker, now = Breaker(), START
    for kind in story:
        if breaker.lets_through(now):
            breaker.note(kind, now)
        now += timedelta(seconds=LONGEST_PAUSE)
    assert breaker.lets_through(now + timedelta(seconds=LONGEST_PAUSE))
