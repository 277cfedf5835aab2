"""An invitation without words is read: what, when and where, whichever program wrote it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reading import headers
from bridge.reading.calendar import read_calendar
from bridge.reading.mime import Body, read_body
from bridge.reading.windows_zones import WINDOWS_ZONES
from bridge.types import Invitation

ROME = ZoneInfo("Europe/Rome")
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Nostra
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*lines: str, method: str = "REQUEST", zone: str = "") -> str:
    event = "\n".join(("SUMMARY:Visita", "LOCATION:Via Roma 1", *lines))
    alarm = "BEGIN:VALARM\nDESCRIPTION:x\nSUMMARY:no\nEND:VALARM"
    return f"BEGIN:VCALENDAR\nMETHOD:{method}\n{zone}BEGIN:VEVENT\n{alarm}\n{event}\nEND:VEVENT\nEND:VCALENDAR\n"


def start_of(*lines: str, zone: str = "") -> datetime | date:
    found = read_calendar(calendar(*lines, zone=zone), "")
    assert found is not None
    return found.start


@pytest.mark.parametrize(
    ("line", "start"),
    [
        pytest.param("DTSTART:20260303T091500Z", datetime(2026, 3, 3, 9, 15, tzinfo=UTC), id="UTC"),
        pytest.param("DTSTART;TZID=Europe/Rome:20260303T101500", datetime(2026, 3, 3, 10, 15, tzinfo=ROME), id="IANA"),
        pytest.param(
            'DTSTART;TZID="W. Europe Standard Time":20260703T101500',
            datetime(2026, 7, 3, 10, 15, tzinfo=timezone(timedelta(hours=2))),
            id="Windows",
        ),
        pytest.param(
            "DTSTART;TZID=/mozilla.org/20050126_1/Europe/Rome:20260303T101500",
            datetime(2026, 3, 3, 10, 15, tzinfo=ROME),
            id="a path",
        ),
        pytest.param("DTSTART:20260303T101500", datetime.fromisoformat("2026-03-03T10:15"), id="no zone"),
        pytest.param(
            "DTSTART;TZID=Marte:20260303T101500", datetime.fromisoformat("2026-03-03T10:15"), id="unknown zone"
        ),
        pytest.param("DTSTART;VALUE=DATE:20260303", date(2026, 3, 3), id="all day"),
    ],
)
def test_when_it_begins(line: str, start: datetime | date) -> None:
    assert start_of(line) == start


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("20260115T100000", 1),
        ("20260329T015900", 1),
        ("20260329T020000", 2),
        ("20260701T100000", 2),
        ("20261025T030000", 1),
        ("20261231T100000", 1),
    ],
)
def test_a_zone_that_only_the_calendar_knows_is_taken_from_it(moment: str, hours: int) -> None:
    start = start_of(f"DTSTART;TZID=Nostra:{moment}", zone=OWN_ZONE)
    assert isinstance(start, datetime)
    assert start.utcoffset() == timedelta(hours=hours)


RULES_THAT_ENDED = """BEGIN:VTIMEZONE
TZID:Eastern
BEGIN:DAYLIGHT
DTSTART:19870405T020000
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4;UNTIL=20060402T070000Z
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19671029T020000
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20061029T060000Z
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20070311T020000
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
END:STANDARD
END:VTIMEZONE
"""
"""As New York changed its clocks until 2006 (rules that ended), and since."""


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("20060403T100000", -4),
        ("20061030T100000", -5),
        ("20260320T100000", -4),
        ("20261028T100000", -4),
        ("20261102T100000", -5),
        ("20270101T100000", -5),
    ],
)
def test_a_rule_of_a_zone_holds_until_it_ends(moment: str, hours: int) -> None:
    start = start_of(f"DTSTART;TZID=Eastern:{moment}", zone=RULES_THAT_ENDED)
    assert isinstance(start, datetime)
    assert start.utcoffset() == timedelta(hours=hours)


DAY = "DTSTART;VALUE=DATE:20260303"
MOMENT = "DTSTART:20260303T091500Z"


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        pytest.param((MOMENT, "DTEND:20260303T100000Z"), datetime(2026, 3, 3, 10, tzinfo=UTC), id="said"),
        pytest.param((MOMENT, "DURATION:PT1H30M"), datetime(2026, 3, 3, 10, 45, tzinfo=UTC), id="a duration"),
        pytest.param((MOMENT,), None, id="not said"),
        pytest.param((MOMENT, "DTEND:20260303T080000Z"), None, id="before it begins"),
        pytest.param((MOMENT, "DTEND:20260303T100000"), None, id="in another kind of time"),
        pytest.param((MOMENT, "DURATION:P9999W"), datetime(2217, 10, 21, 9, 15, tzinfo=UTC), id="a long duration"),
        pytest.param((DAY, "DTEND;VALUE=DATE:20260304"), None, id="one day"),
        pytest.param((DAY, "DTEND;VALUE=DATE:20260306"), date(2026, 3, 5), id="three days"),
    ],
)
def test_when_it_ends(lines: tuple[str, ...], end: datetime | date | None) -> None:
    found = read_calendar(calendar(*lines), "")
    assert found is not None
    assert found.end == end


def test_lines_are_unfolded_and_escapes_resolved() -> None:
    text = calendar(MOMENT).replace(
        "SUMMARY:Visita", "SUMMARY;LANGUAGE=it:Visita\\, con\n  tro\r\n\tllo\\nalle 9\\; sì\\\\no"
    )
    found = read_calendar(text, "")
    assert found is not None
    assert found.title == "Visita, con trollo alle 9; sì\\no"


def test_its_words_are_brought_into_ordinary_characters() -> None:
    """They are stored and texted like those of a body: no NUL, no half a character, no accent beside its letter."""
    text = calendar(MOMENT).replace("Visita", "Vi\x00si\x1bta perche\u0301\u2028dopo \u202ele 9")
    found = read_calendar(text.replace("Via Roma 1", "Via \ud800 1"), "")
    assert found is not None
    assert found.title == "Visita perché dopo le 9"
    assert found.place == "Via \ufffd 1"


@pytest.mark.parametrize(
    ("text", "cancelled", "repeats"),
    [
        pytest.param(calendar(MOMENT), False, False, id="once"),
        pytest.param(calendar(MOMENT, method="CANCEL"), True, False, id="cancelled by method"),
        pytest.param(calendar(MOMENT, "STATUS:CANCELLED"), True, False, id="cancelled by status"),
        pytest.param(calendar(MOMENT, "RRULE:FREQ=WEEKLY"), False, True, id="every week"),
    ],
)
def test_cancelled_and_repeated(text: str, cancelled: bool, repeats: bool) -> None:
    found = read_calendar(text, "")
    assert found is not None
    assert (found.cancelled, found.repeats) == (cancelled, repeats)


@pytest.mark.parametrize(
    "prefix", ["Canceled: ", "Annullato: ", "Cancelado: ", "Geannuleerd: ", "Annulé : ", "Abgesagt: "]
)
def test_what_outlook_says_of_a_cancelled_event_is_not_said_twice(prefix: str) -> None:
    found = read_calendar(calendar(MOMENT, method="CANCEL").replace("SUMMARY:Visita", f"SUMMARY:{prefix}Visita"), "")
    assert found is not None
    assert found.title == "Visita"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(calendar(MOMENT, method="REPLY"), id="an answer to one"),
        pytest.param(calendar(), id="no time"),
        pytest.param(calendar("DTSTART:20269903T091500Z"), id="no such month"),
        pytest.param(calendar("DTSTART:99991231T235900Z"), id="a year that not every zone knows"),
        pytest.param("BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:x\nEND:VTODO\nEND:VCALENDAR", id="something to do"),
        pytest.param("Ciao", id="no calendar"),
        pytest.param("", id="nothing"),
    ],
)
def test_where_nothing_is_told_there_is_no_invitation(text: str) -> None:
    assert read_calendar(text, "") is None


def mail(
    text: str, words: str = "", kind: str = "text/calendar; method=REQUEST; charset=utf-8", outer: str = "alternative"
) -> Body:
    raw = (
        f"Subject: =?utf-8?q?Visita_di_luned=C3=AC?=\nContent-Type: multipart/{outer}; boundary=b\n\n"
        f"--b\nContent-Type: text/plain; charset=utf-8\n\n{words}\n--b\nContent-Type: {kind}\n\n{text}\n--b--\n"
    ).encode()
    fields, _, start = headers.split(raw, 0, len(raw))
    return read_body(raw[start:], fields)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "  \n",
        "View this message in your browser: https://example.test/",
        "When: domani\nWhere: qui\n\n*~*~*~*~*~*~*~*~*~*\n\n",
    ],
    ids=["none", "blank", "a stub", "what Outlook writes"],
)
def test_a_mail_without_words_of_its_own_is_its_invitation(words: str) -> None:
    body = mail(calendar(MOMENT), words)
    assert body.text == ""
    assert body.invitation == Invitation(
        "Visita", "Via Roma 1", datetime(2026, 3, 3, 9, 15, tzinfo=UTC), None, cancelled=False, repeats=False
    )


def test_words_go_before_the_invitation() -> None:
    words = "When: domani\nWhere: qui\n\n*~*~*~*~*~*~*~*~*~*\n\nPorti la tessera."
    assert mail(calendar(MOMENT), words).text.strip() == words


def test_a_file_counts_as_an_attachment_only_where_it_is_left_out() -> None:
    kind = "text/calendar; name=invite.ics"
    assert mail(calendar(MOMENT), "", kind, "mixed").warnings == ()
    assert mail(calendar(MOMENT), "Ciao", kind, "mixed").warnings != ()


def test_an_event_without_a_name_has_the_subject_of_the_mail() -> None:
    invitation = mail(calendar(MOMENT).replace("SUMMARY:Visita\n", "")).invitation
    assert invitation is not None
    assert invitation.title == "Visita di lunedì"


PIECES = [
    "BEGIN:VCALENDAR",
    "BEGIN:VEVENT",
    "END:VEVENT",
    "BEGIN:VTIMEZONE",
    "BEGIN:STANDARD",
    "END:STANDARD",
    "TZID:x",
]
PIECES += ["END:VTIMEZONE", MOMENT, DAY, "DTSTART;TZID=x:20260303T091500", "DTEND:20260303T100000Z", "DURATION:P9999W"]
PIECES += [
    "TZOFFSETTO:+9999",
    "TZOFFSETTO:-0100",
    "RRULE:FREQ=YEARLY;BYDAY=5SU;BYMONTH=2",
    "RRULE:FREQ=YEARLY;BYDAY=-5MO",
    "RRULE:FREQ=YEARLY;BYDAY=1SU;UNTIL=00000000",
]
PIECES += [
    " folded",
    'SUMMARY;X="',
    "DTSTART:19000101T000000",
    "DTSTART;TZID=/:20260303T091500",
    "BYMONTH=99",
    ":",
    ";",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=30))
def test_any_order_of_lines(lines: list[str]) -> None:
    found = read_calendar("\n".join(["BEGIN:VCALENDAR", *lines]), "")
    assert found is None or found.end is None or type(found.end) is type(found.start)


@pytest.mark.parametrize("piece", ["BEGIN:A\n", "A;B=C:\n", "\n ", "A" + ";B=C" * 9, 'A;B="', "\\\\"], ids=repr)
def test_a_hostile_calendar_takes_no_time(piece: str) -> None:
    before = time.process_time()
    read_calendar("BEGIN:VCALENDAR\n" + piece * (3_000_000 // len(piece)), "")
    assert time.process_time() - before < 1


@pytest.mark.parametrize("zone", sorted(set(WINDOWS_ZONES.values())))
def test_every_zone_of_windows_is_one_that_this_machine_knows(zone: str) -> None:
    assert ZoneInfo(zone).key == zone
