"""What every grammar has in common: times, limits, and passwords that are found nowhere afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.errors import MailRefusal
from bridge.reading.grammars import GRAMMARS, LegacyMail, Order, read_order, redacted, redacted_headers
from bridge.types import GrammarName, Options

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("send", "moment"),
    [
        pytest.param(None, None, id="at once"),
        pytest.param(timedelta(minutes=90), datetime(2026, 3, 1, 9, 30, tzinfo=UTC), id="after a while"),
        pytest.param(datetime(2026, 7, 1, 9, 0, tzinfo=UTC), datetime(2026, 7, 1, 9, 0, tzinfo=UTC), id="at a moment"),
        pytest.param(
            datetime.fromisoformat("2026-07-01T09:00"), datetime(2026, 7, 1, 7, 0, tzinfo=UTC), id="at nine in Rome"
        ),
    ],
)
def test_when_an_order_is_due(send: datetime | timedelta | None, moment: datetime | None) -> None:
    options = Order(send=send, options=Options(max_segments=2)).options_at(NOW, "Europe/Rome")
    assert options == Options(max_segments=2, send_at=moment)


@pytest.mark.parametrize(
    ("text", "passwords", "shown"),
    [
        pytest.param("key=s3cret to=39333", ["s3cret"], "key=*** to=39333", id="a subject"),
        pytest.param("447700900123.1234@sms.example.test", ["1234"], "447700900123.***@sms.example.test", id="a PIN"),
        pytest.param("a:b:s3cret9:c", ["s3cret", "s3cret9"], "a:b:***:c", id="one within the other"),
        pytest.param("nothing", [""], "nothing", id="an empty one"),
    ],
)
def test_a_password_is_taken_out(text: str, passwords: list[str], shown: str) -> None:
    assert redacted(text, passwords) == shown


@pytest.mark.parametrize(
    ("block", "kept"),
    [
        pytest.param(
            b"Subject: key=s3cret to=39333\r\nTo: <39333.s3cret@x.test>\r\n",
            b"Subject: key=*** to=39333\r\nTo: <39333.***@x.test>\r\n",
            id="plain",
        ),
        pytest.param(
            b"Subject: =?utf-8?B?a2V5PXMzY3JldA==?=\r\nA: b\r\n", b"Subject: key=***\r\nA: b\r\n", id="base64"
        ),
        pytest.param(
            b"Subject: =?utf-8?Q?key=3Ds3?=\r\n =?utf-8?Q?cret?=\r\nA: b\r\n",
            b"Subject: key=***\r\nA: b\r\n",
            id="over two words",
        ),
        pytest.param(b"Subject: Hello\nA: b\n", b"Subject: Hello\nA: b\n", id="none there"),
    ],
)
def test_a_password_is_taken_out_of_headers(block: bytes, kept: bytes) -> None:
    assert redacted_headers(block, ["s3cret"]) == kept


def test_a_password_with_blanks_is_taken_out_where_the_subject_is_folded() -> None:
    assert redacted_headers(b"Subject: P=two\r\n words,R=39333\r\n", ["two words"]) == b"Subject: P=***,R=39333\r\n"


def test_headers_stay_as_they_were_without_passwords() -> None:
    block = b"Subject: =?utf-8?B?a2V5PXMzY3JldA==?=\r\n"
    assert redacted_headers(block, []) is block


def test_a_line_that_is_written_anew_is_one_that_mail_allows() -> None:
    words = b"\r\n ".join(b"=?utf-8?Q?" + b"a" * 60 + b"s3cret?=" for _ in range(60))
    kept = redacted_headers(b"Subject: " + words + b"\r\n", ["s3cret"])
    assert max(map(len, kept.split(b"\r\n"))) <= 998
    assert kept.replace(b"\r\n ", b"").count(b"***") == 60


def test_an_order_does_not_show_its_passwords() -> None:
    assert "s3cret" not in repr(Order(passwords=("s3cret",)))


@pytest.mark.parametrize(
    ("name", "subject", "text"),
    [
        pytest.param(GrammarName.CLICKATELL, "", "user:u\ntext:Hello\nto:{}", id="clickatell"),
        pytest.param(GrammarName.TEXTLOCAL, "", "Hello##\n{}", id="textlocal"),
    ],
)
def test_a_mail_has_a_thousand_numbers_at_most(name: GrammarName, subject: str, text: str) -> None:
    def order(count: int) -> Order:
        listed = ",".join(str(447_700_900_000 + each) for each in range(count))
        return read_order(GRAMMARS[name], subject, text.format(listed))

    assert len(order(1_000).numbers) == 1_000
    with pytest.raises(MailRefusal) as caught:
        order(1_001)
    assert "more than 1,000 numbers: write several mails" in caught.value.sentence


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        (GrammarName.OVH, "sms-xx11111-1:user:s3cret:Clinic:{}"),
        (GrammarName.ASPSMS, "U=AB,P=s3cret,R={}"),
        (GrammarName.SEVEN, "key=s3cret to={}"),
        (GrammarName.SMS_PARTNER, "apiKey=s3cret&phoneNumbers={}"),
    ],
)
def test_a_subject_that_may_have_lost_recipients_is_refused(name: GrammarName, subject: str) -> None:
    listed = ",".join(str(447_700_900_000 + each) for each in range(320))
    with pytest.raises(MailRefusal) as caught:
        GRAMMARS[name].mail(LegacyMail(subject.format(listed), "Hello"))
    assert "The subject has more than 4,000 characters" in caught.value.sentence
