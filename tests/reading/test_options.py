"""What a sending program may ask for in header fields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.errors import MailRefusal
from bridge.reading import headers
from bridge.reading.options import read_options
from bridge.types import Confirm, MessageClass, Options, Priority, UnicodePolicy


def options(*lines: str) -> Options:
    raw = "\n".join([*lines, "", ""]).encode()
    return read_options(headers.split(raw, 0, len(raw))[0])


NINE = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("X-SMS-Sender: +39 02 0000 0001", Options(sender="+390200000001")),
        ("X-SMS-Sender: CLINICA", Options(sender="CLINICA")),
        ("X-SMS-Class: Promotional", Options(message_class=MessageClass.PROMOTIONAL)),
        ("X-SMS-Send-At: 2026-03-01T09:00:00+01:00", Options(send_at=NINE)),
        ("x-sms-send-at: Sun, 01 Mar 2026 09:00:00 +0100", Options(send_at=NINE)),
        ("X-SMS-Expires: 2026-03-01T08:00:00Z", Options(expires_at=NINE)),
        ("X-SMS-Expires: 1 Mar 2026 08:00 GMT", Options(expires_at=NINE)),
        ("X-SMS-Expires: 1 Mar 2026 08:00:00 -0000", Options(expires_at=NINE)),
        ("X-SMS-Confirm: all", Options(confirm=Confirm.ALL)),
        ("X-SMS-Max-Segments: 3", Options(max_segments=3)),
        ("X-SMS-Unicode: transliterate", Options(unicode=UnicodePolicy.TRANSLITERATE)),
        ("X-SMS-Reference: AB/12", Options(reference="AB/12")),
        ("X-SMS-Reference: =?utf-8?q?citt=C3=A0?=", Options(reference="città")),
        ("X-SMS-Message-Id: 1\nX-SMS-Status: delivered\nX-SMS-Match: latest", Options()),
        ("Subject: X-SMS-Class: x", Options()),
        ("MT-Priority: 3", Options(priority=Priority.HIGH)),
        ("MT-Priority: (before) 0 (after)", Options(priority=Priority.NORMAL)),
        ("MT-Priority: -4", Options(priority=Priority.NORMAL)),
        ("MT-Priority: 10", Options()),
        ("MT-Priority: urgent", Options()),
        ("MT-Priority:", Options()),
    ],
)
def test_understood(line: str, expected: Options) -> None:
    assert options(line) == expected


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["X-SMS-Colour: red"], "X-SMS-Colour is not a header field of the bridge"),
        (["X-SMS-Class: spam"], "X-SMS-Class has a value that cannot be used: write transactional, promotional"),
        (["X-SMS-Class:"], "X-SMS-Class has a value"),
        (["X-SMS-Send-At: tomorrow"], "write a date with its offset, like 2026-03-01T09:00:00+01:00"),
        (["X-SMS-Send-At: 2026-03-01T09:00:00"], "a date with its offset"),
        (["X-SMS-Send-At: 99 Foo 2026 99:99:99 +0100"], "a date with its offset"),
        (["X-SMS-Expires: 0001-01-01T00:00:00+14:00"], "X-SMS-Expires has a value"),
        (["X-SMS-Confirm: maybe"], "none, failures, all"),
        (["X-SMS-Max-Segments: 0"], "a whole number from 1 to 255"),
        (["X-SMS-Max-Segments: ٣"], "a whole number from 1 to 255"),
        (["X-SMS-Unicode: yes"], "allow, transliterate, refuse"),
        (["X-SMS-Sender: <script>"], "X-SMS-Sender has a value"),
        (["X-SMS-Reference: " + "x" * 129], "1 to 128 characters"),
        (["X-SMS-Confirm: all", "X-SMS-Confirm: all"], "X-SMS-Confirm stands in the mail more than once"),
    ],
)
def test_refused_by_name(lines: list[str], says: str) -> None:
    with pytest.raises(MailRefusal) as caught:
        options(*lines)
    assert caught.value.reply.startswith("550 5.6.0 X-SMS-")
    assert says in caught.value.sentence
    assert caught.value.detail == "bad_header"
