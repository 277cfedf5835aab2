"""When a digest is due: once a day at its hour, whatever clocks, commands and power cuts do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.types import NO_DIGEST, DigestPlan

PLAN = DigestPlan(to=("desk@example.test",), at=time(18), since=datetime(2026, 1, 1, tzinfo=UTC))
ROME = "Europe/Rome"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("timezone", "day", "at", "moment"),
    [
        pytest.param(ROME, "2026-11-22", "18:00", "2026-11-22T17:00", id="winter in Rome"),
        pytest.param(ROME, "2026-07-22", "18:00", "2026-07-22T16:00", id="summer in Rome"),
        pytest.param("America/New_York", "2026-11-22", "18:00", "2026-11-22T23:00", id="New York"),
        pytest.param("Asia/Kolkata", "2026-11-22", "18:00", "2026-11-22T12:30", id="half an hour off"),
        pytest.param("Pacific/Kiritimati", "2026-11-22", "06:00", "2026-11-21T16:00", id="a day ahead"),
        pytest.param(ROME, "2026-03-29", "02:30", "2026-03-29T01:30", id="an hour that is skipped: half past three"),
        pytest.param(ROME, "2026-03-29", "18:00", "2026-03-29T16:00", id="the evening of the shorter day"),
        pytest.param(ROME, "2026-10-25", "02:30", "2026-10-25T00:30", id="an hour that comes twice: the first"),
        pytest.param(ROME, "2026-10-25", "18:00", "2026-10-25T17:00", id="the evening of the longer day"),
        pytest.param("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00", id="a day that begins at one"),
    ],
)
def test_the_hour_is_that_of_the_mailbox(timezone: str, day: str, at: str, moment: str) -> None:
    plan = replace(PLAN, at=time.fromisoformat(at))
    assert plan.moment(date.fromisoformat(day), timezone) == utc(moment)


@pytest.mark.parametrize(
    ("now", "told", "due"),
    [
        pytest.param("2026-11-22T16:59", "2026-11-21", None, id="a minute before"),
        pytest.param("2026-11-22T17:00", "2026-11-21", "2026-11-22", id="at the hour"),
        pytest.param("2026-11-22T17:01", "2026-11-22", None, id="it was made"),
        pytest.param("2026-11-22T22:30", "2026-11-21", "2026-11-22", id="down at the hour, back in the evening"),
        pytest.param("2026-11-23T07:00", "2026-11-21", "2026-11-22", id="back in the morning: yesterday's"),
        pytest.param("2026-11-23T16:59", "2026-11-21", "2026-11-22", id="until the next is due"),
        pytest.param("2026-11-23T17:00", "2026-11-21", "2026-11-23", id="then that one"),
        pytest.param("2026-11-30T09:00", "2026-11-21", "2026-11-29", id="down for a week: the newest alone"),
        pytest.param("2026-11-22T17:00", None, "2026-11-22", id="the first one"),
        pytest.param("2026-11-22T09:00", "2026-11-25", None, id="the clock was set back"),
    ],
)
def test_it_is_due_once_a_day(now: str, told: str | None, due: str | None) -> None:
    made = date.fromisoformat(told) if told else None
    expected = date.fromisoformat(due) if due else None
    assert PLAN.due(utc(now), ROME, made) == expected


@pytest.mark.parametrize(
    ("since", "now", "due"),
    [
        pytest.param("2026-11-22T09:00", "2026-11-22T09:01", None, id="yesterday's is not made up for"),
        pytest.param("2026-11-22T09:00", "2026-11-22T17:00", "2026-11-22", id="today's comes"),
        pytest.param("2026-11-22T19:00", "2026-11-22T19:01", None, id="switched on after the hour"),
        pytest.param("2026-11-22T19:00", "2026-11-23T17:00", "2026-11-23", id="tomorrow's comes"),
        pytest.param("2026-11-22T17:00", "2026-11-22T17:00", None, id="switched on at the very moment"),
    ],
)
def test_the_first_one_comes_at_the_first_hour_after_it_was_switched_on(since: str, now: str, due: str | None) -> None:
    plan = replace(PLAN, since=utc(since))
    assert plan.due(utc(now), ROME, None) == (date.fromisoformat(due) if due else None)


@pytest.mark.parametrize(
    ("at", "told", "due"),
    [
        pytest.param("17:30", "2026-11-21", "2026-11-22", id="to an hour that has passed: at once"),
        pytest.param("19:00", "2026-11-21", None, id="to one that has not: then"),
        pytest.param("17:30", "2026-11-22", None, id="today's was made"),
        pytest.param("19:00", "2026-11-22", None, id="today's was made, and the new hour comes"),
    ],
)
def test_a_changed_hour_holds_from_today_and_gives_no_second_one(at: str, told: str, due: str | None) -> None:
    """It is half past six in the evening in Rome."""
    plan = replace(PLAN, at=time.fromisoformat(at))
    assert plan.due(utc("2026-11-22T17:30"), ROME, date.fromisoformat(told)) == (
        date.fromisoformat(due) if due else None
    )
    assert plan.due(utc("2026-11-22T22:00"), ROME, date(2026, 11, 22)) is None


def test_without_an_address_none_is_due() -> None:
    assert NO_DIGEST.due(utc("2026-11-22T17:00"), ROME, None) is None


def test_it_is_switched_on_by_the_first_address_and_off_by_none() -> None:
    noon, later = utc("2026-11-22T11:00"), utc("2026-11-22T12:00")
    on = NO_DIGEST.sent_to(("a@example.test",), noon)
    assert (on.to, on.since) == (("a@example.test",), noon)
    assert on.sent_to(("b@example.test",), later).since == noon
    assert on.sent_to((), later) == NO_DIGEST


@given(
    zone=st.sampled_from([ROME, "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    start=st.integers(0, 6_000).map(lambda days: datetime(2011, 1, 1, 7, tzinfo=UTC) + days * timedelta(days=1)),
)
def test_who_wakes_when_it_is_due_makes_one_for_every_day(zone: str, at: time, start: datetime) -> None:
    """Two weeks of sleeping until the next moment: each wakes for a new day, none is made early, none twice."""
    plan = replace(PLAN, at=at, since=None)
    now, told = start, plan.due(start, zone, None)
    assert told is not None
    for _ in range(14):
        woken = plan.next(now, zone)
        assert now < woken <= now + timedelta(hours=50)
        day = plan.due(woken, zone, told)
        assert day is not None
        assert day > told
        assert plan.moment(day, zone) <= woken
        assert plan.due(woken, zone, day) is None
        now, told = woken, day
