"""When a mailbox is staffed: a weekly plan on the clock of its own time zone, and how such a plan is written.

`Mon-Fri 09:00-13:00 15:00-19:00, Sat 09:00-12:00`. A plan is about what clocks on the wall show, so an hour that they
skip is never open, and one that they show twice is open twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from bridge.errors import UsageError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_DAY = timedelta(days=1)
_NUMBERS = {day.lower(): number for number, day in enumerate(DAYS)}
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})", re.ASCII)
_FORM = "Write opening hours such as Mon-Fri 09:00-13:00 15:00-19:00, Sat 09:00-12:00."


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Hours of one day without a break."""

    opens: timedelta
    """Since the beginning of the day, less than 24 hours."""
    closes: timedelta
    """Since the same; the first moment that is closed again. Beyond 24 hours it is on the day after."""

    def __str__(self) -> str:
        return f"{_hour(self.opens)}-{_hour(self.closes if self.closes <= _DAY else self.closes - _DAY)}"


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A weekly plan: for each day from Monday on its spans, in order; none overlaps another."""

    week: tuple[tuple[Span, ...], ...]

    @classmethod
    def parse(cls, written: str) -> OpeningHours:
        """A plan as it is written: groups with commas between them, each one a day or days (`Mon`, `Fri-Mon`) and one
        or more spans. A span may end on the day after. Raises UsageError with what is wrong."""
        week: list[list[Span]] = [[] for _ in DAYS]
        for group in written.split(","):
            days, *spans = group.split() or [""]
            numbers = list(_days(days))
            if not spans:
                raise UsageError(f"{days} has no hours. {_FORM}")
            for number in numbers:
                week[number] += map(_span, spans)
        hours = cls(tuple(tuple(sorted(spans)) for spans in week))
        hours._check()
        return hours

    def open_at(self, moment: datetime, zone: str) -> bool:
        """Whether it is open at a moment where clocks show the time of `zone`, an IANA name."""
        local = moment.astimezone(ZoneInfo(zone))
        since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        today, yesterday = self.week[local.weekday()], self.week[local.weekday() - 1]
        return any(span.opens <= since < span.closes for span in today) or any(
            since + _DAY < span.closes for span in yesterday
        )

    def next_opening(self, moment: datetime, zone: str) -> datetime:
        """The first moment after this one at which a span begins, on the clocks of `zone`."""
        clock = ZoneInfo(zone)
        day = datetime.combine(moment.astimezone(clock).date(), time())
        while True:
            for span in self.week[day.weekday()]:
                opens = (day + span.opens).replace(tzinfo=clock).astimezone(UTC)
                if opens > moment:
                    return opens
            day += _DAY

    def __str__(self) -> str:
        """The plan as `parse` reads it, days with the same hours together."""
        same = groupby(enumerate(self.week), key=lambda pair: pair[1])
        return ", ".join(_group([number for number, _ in days], spans) for spans, days in same if spans)

    def _check(self) -> None:
        """Raises UsageError where two spans overlap; Sunday's last may reach into Monday's first."""
        spans = [(day, span) for day, spans in enumerate(self.week) for span in spans]
        first_day, first = spans[0]
        for (day, one), (other_day, other) in pairwise([*spans, (first_day + len(DAYS), first)]):
            if other_day * _DAY + other.opens < day * _DAY + one.closes:
                name = DAYS[other_day % len(DAYS)]
                raise UsageError(f"{DAYS[day]} {one} and {name} {other} overlap. Write them as one.")


def _days(written: str) -> Iterator[int]:
    """The days that `Mon` or `Fri-Mon` names, as numbers from Monday on."""
    if not written:
        raise UsageError(f"A day is missing. {_FORM}")
    first, dash, last = written.lower().partition("-")
    for name in (first, last) if dash else (first,):
        if name not in _NUMBERS:
            raise UsageError(f"{_shown(written)} names no days: they are {', '.join(DAYS)}. {_FORM}")
    start, end = _NUMBERS[first], _NUMBERS[last or first]
    if dash and start == end:
        raise UsageError(f"{_shown(written)} begins and ends with the same day. Write {DAYS[start]} or Mon-Sun.")
    number = start
    yield number
    while number != end:
        number = (number + 1) % len(DAYS)
        yield number


def _span(written: str) -> Span:
    match = _SPAN.fullmatch(written)
    if match is None:
        raise UsageError(f"{_shown(written)} is no span of hours. {_FORM}")
    opens, closes = (_time(match[number], match[number + 1], written) for number in (1, 3))
    if opens == _DAY:
        raise UsageError(f"{written} begins at 24:00, which a day only ends with. Write 00:00 with the day after.")
    if opens == closes:
        raise UsageError(f"{written} opens and closes at the same time. Write 00:00-24:00 for a whole day.")
    return Span(opens, closes if closes > opens else closes + _DAY)


def _time(hour: str, minute: str, written: str) -> timedelta:
    since = timedelta(hours=int(hour), minutes=int(minute))
    if int(minute) > 59 or since > _DAY:
        raise UsageError(f"{written} holds {hour}:{minute}, which no clock shows. A day goes from 00:00 to 24:00.")
    return since


def _group(numbers: list[int], spans: tuple[Span, ...]) -> str:
    days = DAYS[numbers[0]] if len(numbers) == 1 else f"{DAYS[numbers[0]]}-{DAYS[numbers[-1]]}"
    return " ".join((days, *map(str, spans)))


def _hour(since: timedelta) -> str:
    minutes = since // timedelta(minutes=1)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _shown(written: str) -> str:
    """What was written, as far as a sentence can hold it."""
    return "".join(char for char in written[:40] if char.isprintable())
