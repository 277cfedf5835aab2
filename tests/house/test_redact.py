"""Redaction: a telephone number never reaches the log, however it is spelled; what an operator needs does."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import new_id, now
from bridge.errors import NotFound
from bridge.redact import configure, describe, mask

CHECKOUT = Path(__file__).parents[2]

LogLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[LogLines]:
    """The real chain in JSON; the result reads the lines written so far."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, structlog.get_config())
    configure("info", "json", ["hunter2/hunter2"])
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers[:], root.level, sys.excepthook = before[:3]
    structlog.configure(**before[3])


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("+393331234567", "+39…67", id="e164"),
        pytest.param("+39 333 123 4567", "+39…67", id="spaces"),
        pytest.param("+39 (0)333-123.4567", "+39…67", id="brackets-and-dots"),
        pytest.param("0039 333 1234567", "…67", id="double-zero"),
        pytest.param("333 1234567", "…67", id="national"),
        pytest.param("tel:+39-333-123-4567", "tel:+39…67", id="tel-uri"),
        pytest.param("+393331234567@sms.example.test", "+39…67@sms.example.test", id="mail-address"),
        pytest.param("GET /phones/%2B393331234567?n=1", "GET /phones/+39…67?n=1", id="url-encoded"),
        pytest.param("to=%2B39%20333%201234567", "to=+39…67", id="url-encoded-spaces"),
        pytest.param(
            "\uff0b\uff13\uff19\uff13\uff13\uff13\uff11\uff12\uff13", "+\uff13\uff19…\uff12\uff13", id="fullwidth"
        ),
        pytest.param("333\u00a0123\u200b4567", "…67", id="no-break-and-zero-width"),
        pytest.param(repr("333\u00a0123 4567"), "'…67'", id="escaped"),
        pytest.param("x393331234567y", "x…67y", id="between-letters"),
        pytest.param("1234567", "…67", id="seven-digits"),
        pytest.param("a 3331234567 b 3337654321", "a …67 b …21", id="two-numbers"),
        pytest.param("393331234567" * 4, "…67", id="many-digits"),
    ],
)
def test_a_number_is_cut_to_its_last_two_digits(written: str, shown: str) -> None:
    assert mask(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("01k9m2v7c3n8q4x5z6t1r0s2wy", id="own-id"),
        pytest.param("01k91234567890123456789012", id="own-id-with-many-digits"),
        pytest.param("2026-11-21T22:05:17.123456+00:00", id="timestamp"),
        pytest.param("2026-11-21T22:05:17Z", id="timestamp-z"),
        pytest.param("127.0.0.1:8025", id="address-and-port"),
        pytest.param("552 5.3.4", id="smtp-reply"),
        pytest.param("took 0.125 s for 26214 bytes", id="small-numbers"),
        pytest.param("smtp_handler.py:123 data", id="place"),
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert mask(text) == text


def test_our_ids_and_times_stay_whatever_they_hold() -> None:
    for _ in range(200):
        identifier, moment = new_id(), now().isoformat()
        assert mask(f"{identifier} {moment}") == f"{identifier} {moment}"


FORMATS = [
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
]
EXAMPLES = [
    example
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (example := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
    and len(str(example.national_number)) >= 7
]


@given(
    number=st.sampled_from(EXAMPLES),
    form=st.sampled_from(FORMATS),
    separator=st.sampled_from([" ", "-", ".", "", "/", "\u00a0", "\u2011", "%20", " - ", ") "]),
    before=st.text(),
    after=st.text(),
)
def test_a_planted_number_never_survives(
    number: phonenumbers.PhoneNumber, form: int, separator: str, before: str, after: str
) -> None:
    spelled = phonenumbers.format_number(number, form).replace(" ", separator)
    shown = mask(before + spelled + after)
    assert spelled not in shown
    digits = str(number.national_number)
    assert digits not in "".join(character for character in shown if character.isdigit()) or digits in before + after


@given(st.text(alphabet="0123456789+-. ()abcT:Z%2B"))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(st.text(alphabet="0123456789 +-.()/"))
def test_no_seven_digits_in_a_row_remain(text: str) -> None:
    run = 0
    for character in mask(text):
        run = run + 1 if character.isdigit() else 0
        assert run < 7


@pytest.mark.parametrize(
    "text",
    ["1 " * 3 + " " * 200_000, "1-" * 100_000, "+" * 200_000, "%20" * 60_000, "12345 (" * 30_000],
    ids=["spaces", "one-long-number", "pluses", "escapes", "brackets"],
)
@pytest.mark.timeout(5)
def test_masking_is_quick_on_hostile_text(text: str) -> None:
    assert len(mask(text)) <= len(text)


def test_a_log_line_is_masked_in_every_corner(log: LogLines) -> None:
    structlog.get_logger().info(
        "mail.refused +393331234567",
        id="01k9m2v7c3n8q4x5z6t1r0s2wy",
        number="+39 333 123 4567",
        nested={"+393331234567": ["333 1234567", ("x", b"+393331234567")]},
        error=ValueError("+393331234567"),
        path=Path("/phones/+393331234567"),
        anything=object(),
        peer="192.168.100.200",
        ms=1.2345678,
        size=12345678,
        at=datetime(2026, 11, 21, tzinfo=UTC),
        password="hunter2/hunter2",
        url="https://x.example/?key=hunter2%2Fhunter2",
    )
    (line,) = log()
    assert line.pop("time").startswith("20")
    assert line == {
        "event": "mail.refused +39…67",
        "level": "info",
        "id": "01k9m2v7c3n8q4x5z6t1r0s2wy",
        "number": "+39…67",
        "nested": {"+39…67": ["…67", ["x", "13 bytes"]]},
        "error": "ValueError",
        "path": "/phones/+39…67",
        "anything": "object",
        "peer": "192.168.100.200",
        "ms": 1.2345678,
        "size": 12345678,
        "at": "2026-11-21T00:00:00+00:00",
        "password": "[secret]",
        "url": "https://x.example/?key=[secret]",
    }


def test_a_number_under_the_key_of_an_address_is_still_masked(log: LogLines) -> None:
    structlog.get_logger().info("mail.taken", peer="+393331234567")
    assert log()[0]["peer"] == "+39…67"


def test_an_exception_shows_where_it_went_and_not_what_it_said(log: LogLines) -> None:
    text = "Sie haben Termin am Montag"

    def parse(body: str) -> None:
        raise ValueError(body)

    try:
        try:
            parse(text)
        except ValueError as error:
            raise OSError(32, text) from error
    except OSError:
        structlog.get_logger().exception("mail.failed")
    (line,) = log()
    assert text not in json.dumps(line)
    assert line["error"].startswith("BrokenPipeError errno 32 at house/test_redact.py:")
    assert "; from ValueError at house/test_redact.py:" in line["error"]
    assert line["error"].endswith(" parse")


def test_our_own_errors_may_speak() -> None:
    assert (
        describe(NotFound("There is no such mailbox.", detail="mailbox gone")) == "NotFound (mailbox gone) at no place"
    )


def test_a_group_of_exceptions_names_its_parts() -> None:
    group = ExceptionGroup("+393331234567", [ValueError("x"), NotFound("y")])
    assert describe(group) == "ExceptionGroup of ValueError, NotFound (y) at no place"


def test_libraries_are_heard_without_their_values(log: LogLines) -> None:
    library = logging.getLogger("a.library")
    library.info("SELECT %s", "Termin am Montag")
    library.warning("could not send %r to +393331234567\nfuture: <Task exception=ValueError('x')>", "Termin am Montag")
    try:
        raise KeyError("Termin am Montag")
    except KeyError:
        library.exception("callback failed")
    first, second = log()
    assert (first["event"], first["level"], first["library"]) == ("could not send %r to +39…67", "warning", "a.library")
    assert second["error"].startswith("KeyError at house/test_redact.py:")
    assert "Montag" not in json.dumps([first, second])


def test_text_lines_stay_one_line(capsys: pytest.CaptureFixture[str], log: LogLines) -> None:
    configure("info", "text")
    structlog.get_logger().info("mail\r\nforged", note="two words\n2026 info forged", id="x", empty="")
    out = capsys.readouterr().err
    assert out.count("\n") == 1
    assert out.split("info", 1)[1] == '    mail  forged note="two words\\n2026 info forged" id=x empty=""\n'


@pytest.mark.parametrize(("level", "heard"), [("debug", 3), ("info", 2), ("error", 1)])
def test_levels(level: str, heard: int, log: LogLines) -> None:
    configure(level, "json")
    for write in (structlog.get_logger().debug, structlog.get_logger().info, structlog.get_logger().error):
        write("line")
    assert len(log()) == heard


def test_a_crash_is_a_log_line_and_no_traceback() -> None:
    program = "from bridge.redact import configure; configure('info', 'json'); int('+39 333 123 4567 Montag')"
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "process.crashed"
    assert "Montag" not in line
    assert done.returncode == 1
