"""Reads an invitation out of a calendar part: what, when, where; used by `mime`, worded by `notices.invitation`.

Sources: RFC 5545 (iCalendar), RFC 5546 (its methods). Our own few lines, since what comes is hostile: a library that
works out when a time zone changes or an event repeats can be asked to do so without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bridge.reading.trim import normalise
from bridge.reading.windows_zones import WINDOWS_ZONES
from bridge.types import Invitation

LONGEST = 200_000
"""Octets of a calendar that are read; the event stands behind the definitions of its time zones."""

_FOLD = re.compile(r"\r?\n[ \t]")
_PARAMETER = re.compile(r';([A-Za-z-]{1,40})=("[^"]*"|[^;:"]*)')
_NAME = re.compile(r"[A-Za-z-]{1,40}")
_ESCAPED = re.compile(r"\\([\\;,nN])")
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?")
_LENGTH = re.compile(r"\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?")
_ON_DAY = re.compile(r"([+-]?[1-5])(MO|TU|WE|TH|FR|SA|SU)")
_CANCELLED = re.compile(r"(?:cancell?ed|annullat[oa]|cancelad[oa]|geannuleerd|annulée?|abgesagt) ?: ?", re.IGNORECASE)
"""What Outlook puts before the name of an event that is off, in its own language."""
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TELLS = frozenset({"REQUEST", "PUBLISH", "ADD", "CANCEL", ""})
"""Methods that tell of an event; the others answer one (RFC 5546 section 1.4)."""

YEARS = range(2, 9_999)
"""Years an event may be in; the first and the last cannot be told in every time zone."""


@dataclass(slots=True)
class _Property:
    value: str
    parameters: dict[str, str]


@dataclass(slots=True)
class _Component:
    """What stands between BEGIN and END; of properties that come twice, the first."""

    name: str
    properties: dict[str, _Property] = field(default_factory=dict)
    inner: list[_Component] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The text of property `name` on one line, in characters that a phone can show; empty when there is none."""
        found = self.properties.get(name)
        return " ".join(normalise(_ESCAPED.sub(_unescaped, found.value)).split()) if found is not None else ""


def read_calendar(text: str, title: str) -> Invitation | None:
    """The first event that `text` tells of, called `title` if it has no name; None when it tells of none."""
    calendar = _parse(text[:LONGEST])
    method = calendar.text("METHOD").upper()
    event = next((component for component in calendar.inner if component.name == "VEVENT"), None)
    if event is None or method not in _TELLS:
        return None
    zones = {component.text("TZID"): component for component in calendar.inner if component.name == "VTIMEZONE"}
    start = _moment(event.properties.get("DTSTART"), zones)
    if start is None:
        return None
    cancelled = method == "CANCEL" or event.text("STATUS").upper() == "CANCELLED"
    name = event.text("SUMMARY") or title
    return Invitation(
        title=_CANCELLED.sub("", name, count=1) if cancelled and _CANCELLED.match(name) else name,
        place=event.text("LOCATION"),
        start=start,
        end=_end(event, start, zones),
        cancelled=cancelled,
        repeats="RRULE" in event.properties,
    )


def _parse(text: str) -> _Component:
    """The calendar and the components right below it; what is deeper, such as alarms, only keeps its own properties."""
    root = _Component("")
    open_: list[_Component] = [root]
    for line in _FOLD.sub("", text).split("\n"):
        name, prop = _property(line.removesuffix("\r"))
        if prop is None:
            continue
        if name == "BEGIN":
            component = _Component(prop.value.strip().upper())
            if component.name == "VCALENDAR" and len(open_) == 1:
                component = root
            else:
                open_[-1].inner.append(component)
            open_.append(component)
        elif name == "END" and len(open_) > 1:
            open_.pop()
        else:
            open_[-1].properties.setdefault(name, prop)
    return root


def _property(line: str) -> tuple[str, _Property | None]:
    name = _NAME.match(line)
    if name is None:
        return "", None
    parameters: dict[str, str] = {}
    position = name.end()
    while (found := _PARAMETER.match(line, position)) is not None:
        parameters[found[1].upper()] = found[2].strip('"')
        position = found.end()
    if line[position : position + 1] != ":":
        return "", None
    return name[0].upper(), _Property(line[position + 1 :], parameters)


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] in "nN" else match[1]


def _moment(found: _Property | None, zones: dict[str, _Component]) -> datetime | date | None:
    """A day, a moment with its zone, or one without, which holds wherever it is read (RFC 5545 section 3.3.5)."""
    match = _MOMENT.fullmatch(found.value.strip()) if found is not None else None
    if found is None or match is None:
        return None
    year, month, day, hour, minute = (int(each or 0) for each in match.groups()[:5])
    if year not in YEARS:
        return None
    try:
        if match[4] is None:
            return date(year, month, day)
        local = datetime.combine(date(year, month, day), time(hour, minute))
        if match[7]:
            return local.replace(tzinfo=UTC)
        name = found.parameters.get("TZID", "")
        zone = _zone(name) or _defined(zones.get(name), local)
        return local.replace(tzinfo=zone)
    except ValueError:
        return None


def _end(event: _Component, start: datetime | date, zones: dict[str, _Component]) -> datetime | date | None:
    """When the event ends; None when it does not say, or ends as it begins. The last day of an all-day event."""
    end = _moment(event.properties.get("DTEND"), zones)
    try:
        if end is None:
            end = start + _length(event.text("DURATION"))
        if not isinstance(end, datetime):
            end -= timedelta(days=1)  # the day given is the first one after (RFC 5545 section 3.6.1)
    except OverflowError:
        return None
    if isinstance(end, datetime) != isinstance(start, datetime) or _is_aware(end) != _is_aware(start):
        return None
    return end if end > start and end.year in YEARS else None


def _is_aware(moment: datetime | date) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None


def _length(text: str) -> timedelta:
    match = _LENGTH.fullmatch(text)
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in (match.groups() if match else (0,) * 5))
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


@cache
def _names() -> dict[str, str]:
    """The IANA names of time zones by their names in lower case, be they IANA's or those of Windows."""
    names = {name.lower(): name for name in available_timezones()}
    return names | {name.lower(): zone for name, zone in WINDOWS_ZONES.items()}


def _zone(name: str) -> tzinfo | None:
    """The zone of an IANA or Windows name, also at the end of a path (`/mozilla.org/20050126_1/Europe/Rome`)."""
    pieces = name[-200:].strip().lower().split("/")
    known = (_names().get("/".join(pieces[-count:])) for count in (3, 2, 1))
    found = next((each for each in known if each is not None), None)
    return ZoneInfo(found) if found is not None else None


def _defined(definition: _Component | None, local: datetime) -> tzinfo | None:
    """The offset that the calendar's own definition of a zone says for `local` (RFC 5545 section 3.6.5)."""
    if definition is None:
        return None
    onsets = [onset for part in definition.inner for onset in _onsets(part, local)]
    before = [onset for onset in onsets if onset[0] <= local]
    chosen = max(before, default=None, key=_when) or min(onsets, default=None, key=_when)
    return chosen[1] if chosen is not None else None


def _when(onset: tuple[datetime, tzinfo]) -> datetime:
    return onset[0]


def _onsets(part: _Component, local: datetime) -> Iterator[tuple[datetime, tzinfo]]:
    """When standard or daylight time began: as first said, and in the last two years up to that of `local` in which the
    rule held.
    """
    first = _moment(part.properties.get("DTSTART"), {})
    match = _OFFSET.fullmatch(part.text("TZOFFSETTO"))
    if not isinstance(first, datetime) or match is None:
        return
    length = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if length >= timedelta(days=1):
        return
    offset = timezone(-length if match[1] == "-" else length)
    first = first.replace(tzinfo=None)
    yield first, offset
    rule = dict(each.split("=", 1) for each in part.text("RRULE").upper().split(";") if "=" in each)
    day = _ON_DAY.fullmatch(rule.get("BYDAY", ""))
    month = int(rule["BYMONTH"]) if rule.get("BYMONTH", "").isdecimal() else first.month
    if rule.get("FREQ") != "YEARLY" or day is None or not 1 <= month <= 12:
        return
    until = _MOMENT.match(rule.get("UNTIL", ""))
    held = tuple(map(int, until.groups()[:3])) if until is not None else (local.year, 12, 31)
    latest = min(local.year, held[0])
    for year in (latest - 1, latest):
        if year <= first.year:
            continue
        onset = _nth(year, month, int(day[1]), _DAYS.index(day[2]))
        eve = onset - timedelta(days=1)  # the end is told in UTC, where the day may not have begun
        if (eve.year, eve.month, eve.day) <= held:
            yield datetime.combine(onset, first.time()), offset


def _nth(year: int, month: int, n: int, weekday: int) -> date:
    """The nth weekday of a month, counted from its end if `n` is negative."""
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-n - 1))
