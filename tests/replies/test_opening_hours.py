"""Opening hours: what may be written, and when a plan is open, on the clocks of its zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import UsageError
from bridge.types import OpeningHours
from bridge.types.opening_hours import DAYS

ROME = "Europe/Rome"
WEEK = 7 * 1440
CLINIC = "Mon-Fri 09:00-13:00 15:00-19:00, Sat 09:00-12:00"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (CLINIC, CLINIC),
        ("mon-fri 9:00-13:00  15:00-19:00 ,SAT 9:00-12:00", CLINIC),
        ("Sat 09:00-12:00, Mon-Fri 15:00-19:00 09:00-13:00", CLINIC),
        ("Mon-Fri 09:00-13:00, Tue 15:00-18:00", "Mon 09:00-13:00, Tue 09:00-13:00 15:00-18:00, Wed-Fri 09:00-13:00"),
        ("Fri-Mon 09:00-12:00", "Mon 09:00-12:00, Fri-Sun 09:00-12:00"),
        ("Sun-Sat 00:00-24:00", "Mon-Sun 00:00-24:00"),
        ("Sat 20:00-00:00", "Sat 20:00-24:00"),
        ("Sat 20:00-02:00", "Sat 20:00-02:00"),
        ("Mon-Sun 09:00-08:59", "Mon-Sun 09:00-08:59"),
        ("Mon 09:00-13:00 13:00-18:00", "Mon 09:00-13:00 13:00-18:00"),
        ("Sun 20:00-02:00, Mon 02:00-03:00", "Mon 02:00-03:00, Sun 20:00-02:00"),
    ],
)
def test_a_plan_is_kept_as_it_is_meant(written: str, kept: str) -> None:
    assert str(OpeningHours.parse(written)) == kept
    assert OpeningHours.parse(kept) == OpeningHours.parse(written)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "A day is missing."),
        (" , ", "A day is missing."),
        ("Mon 09:00-13:00,", "A day is missing."),
        ("Mon", "Mon has no hours."),
        ("Mon-Fri, Sat 09:00-12:00", "Mon-Fri has no hours."),
        ("09:00-13:00", "09:00-13:00 names no days: they are Mon, Tue, Wed, Thu, Fri, Sat, Sun."),
        ("Monday 09:00-13:00", "Monday names no days"),
        ("Lun-Ven 09:00-13:00", "Lun-Ven names no days"),
        ("Mon-Wed-Fri 09:00-13:00", "Mon-Wed-Fri names no days"),
        ("Mon- 09:00-13:00", "Mon- names no days"),
        ("Mon-Mon 09:00-13:00", "Mon-Mon begins and ends with the same day. Write Mon or Mon-Sun."),
        ("Mon 9-13", "9-13 is no span of hours."),
        ("Mon 09.00-13.00", "09.00-13.00 is no span"),
        ("Mon 09:00 - 13:00", "09:00 is no span"),
        ("Mon 09:00-13:00; Tue 09:00-13:00", "09:00-13:00; is no span"),
        ("Mon ٠٩:٠٠-١٣:٠٠", "is no span"),
        ("Mon 09:00-13:60", "09:00-13:60 holds 13:60, which no clock shows."),
        ("Mon 09:00-25:00", "holds 25:00"),
        ("Mon 09:00-24:01", "holds 24:01"),
        ("Mon 24:00-25:00", "holds 25:00"),
        ("Mon 24:00-06:00", "begins at 24:00, which a day only ends with."),
        ("Mon 09:00-09:00", "opens and closes at the same time. Write 00:00-24:00 for a whole day."),
        ("Mon 09:00-13:00 12:59-15:00", "Mon 09:00-13:00 and Mon 12:59-15:00 overlap."),
        ("Mon-Fri 09:00-13:00, Wed 08:00-20:00", "Wed 08:00-20:00 and Wed 09:00-13:00 overlap."),
        ("Mon 09:00-13:00, Mon 09:00-13:00", "overlap"),
        ("Mon 22:00-06:00, Tue 05:00-09:00", "Mon 22:00-06:00 and Tue 05:00-09:00 overlap."),
        ("Sun 22:00-06:00, Mon 05:00-09:00", "Sun 22:00-06:00 and Mon 05:00-09:00 overlap."),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_wrong(written: str, complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        OpeningHours.parse(written)
    assert complaint in refused.value.sentence


@pytest.mark.parametrize(
    ("plan", "moment", "is_open"),
    [
        (CLINIC, "2026-11-23 08:59:59.999", False),
        (CLINIC, "2026-11-23 09:00", True),
        (CLINIC, "2026-11-23 12:59:59.999", True),
        (CLINIC, "2026-11-23 13:00", False),
        (CLINIC, "2026-11-23 15:00", True),
        (CLINIC, "2026-11-27 18:59", True),
        (CLINIC, "2026-11-28 11:59", True),
        (CLINIC, "2026-11-28 15:00", False),
        (CLINIC, "2026-11-29 10:00", False),
        ("Sun 20:00-02:00", "2026-11-29 23:59", True),
        ("Sun 20:00-02:00", "2026-11-30 01:59", True),
        ("Sun 20:00-02:00", "2026-11-30 02:00", False),
        ("Sun 20:00-02:00", "2026-11-29 01:00", False),
        ("Sun 20:00-24:00", "2026-11-30 00:00", False),
        ("Mon-Sun 00:00-24:00", "2026-11-30 00:00", True),
        # 2026-03-29: clocks go from 02:00 to 03:00; 2026-10-25: from 03:00 back to 02:00.
        ("Sun 01:00-02:30", "2026-03-29 01:59", True),
        ("Sun 01:00-02:30", "2026-03-29 03:00", False),
        ("Sun 02:15-02:45", "2026-10-25 02:30", True),
        ("Sun 02:15-02:45", "2026-10-25 02:30 again", True),
        ("Sun 03:00-04:00", "2026-10-25 02:59 again", False),
        ("Sun 03:00-04:00", "2026-10-25 03:00", True),
    ],
)
def test_when_it_is_open(plan: str, moment: str, is_open: bool) -> None:
    written, _, again = moment.partition(" again")
    local = datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(ROME), fold=int(" again" in moment))
    assert OpeningHours.parse(plan).open_at(local.astimezone(UTC), ROME) is is_open, again


def test_a_plan_is_about_the_clocks_of_its_zone() -> None:
    plan, noon = OpeningHours.parse("Mon 11:00-13:00"), datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert [zone for zone in ("UTC", ROME, "America/New_York") if plan.open_at(noon, zone)] == ["UTC"]


@pytest.mark.parametrize(
    ("plan", "moment", "opens"),
    [
        (CLINIC, "2026-11-22 12:00", "2026-11-23 09:00"),
        (CLINIC, "2026-11-23 08:59", "2026-11-23 09:00"),
        (CLINIC, "2026-11-23 09:00", "2026-11-23 15:00"),
        (CLINIC, "2026-11-28 12:00", "2026-11-30 09:00"),
        ("Sat 20:00-02:00", "2026-11-28 21:00", "2026-12-05 20:00"),
        ("Sun 09:00-10:00", "2026-03-28 09:00", "2026-03-29 09:00"),
    ],
)
def test_when_it_opens_next(plan: str, moment: str, opens: str) -> None:
    rome = ZoneInfo(ROME)
    now, then = (datetime.fromisoformat(each).replace(tzinfo=rome) for each in (moment, opens))
    assert OpeningHours.parse(plan).next_opening(now.astimezone(UTC), ROME) == then.astimezone(UTC)


@st.composite
def plans(draw: st.DrawFn) -> tuple[str, set[int]]:
    """A plan as somebody may write it, and the minutes of the week, from Monday on, in which it is open."""
    edges = sorted(draw(st.sets(st.integers(0, WEEK - 1), min_size=2, max_size=16)))
    first = draw(st.integers(0, WEEK - 1))
    groups: list[str] = []
    minutes: set[int] = set()
    for opens, closes in zip(edges[::2], edges[1::2], strict=False):
        start, end = first + opens, first + min(closes, opens + 1439)
        groups.append(f"{DAYS[start % WEEK // 1440]} {_clock(start)}-{_clock(end)}")
        minutes.update(minute % WEEK for minute in range(start, end))
    return ", ".join(draw(st.permutations(groups))), minutes


def _clock(minute: int) -> str:
    return f"{minute % 1440 // 60:02}:{minute % 60:02}"


MOMENTS = st.integers(0, 6 * 366 * 86_400).map(lambda second: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(0, second))
ZONES = st.sampled_from([ROME, "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"])


@given(plans(), MOMENTS, ZONES)
def test_it_is_open_in_the_minutes_that_it_names(plan: tuple[str, set[int]], moment: datetime, zone: str) -> None:
    written, minutes = plan
    hours = OpeningHours.parse(written)
    local = moment.astimezone(ZoneInfo(zone))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    assert hours.open_at(moment, zone) is (minute in minutes)
    assert OpeningHours.parse(str(hours)) == hours


@given(plans(), MOMENTS)
def test_until_the_next_opening_nothing_opens(plan: tuple[str, set[int]], moment: datetime) -> None:
    hours = OpeningHours.parse(plan[0])
    opens = hours.next_opening(moment, "UTC")
    assert moment < opens <= moment + timedelta(days=7)
    assert hours.open_at(opens, "UTC")
    if not hours.open_at(moment, "UTC"):
        assert not hours.open_at(moment + (opens - moment) / 2, "UTC")
        assert not hours.open_at(opens - timedelta(microseconds=1), "UTC")


@given(st.text("MonTueSat0123456789:-, ", max_size=40))
def test_whatever_is_written_is_a_plan_or_refused(written: str) -> None:
    try:
        hours = OpeningHours.parse(written)
    except UsageError:
        return
    assert OpeningHours.parse(str(hours)) == hours
