"""Whatever comes in, a submission or a refusal comes out, soon."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import MailRefusal
from bridge.parser import parse
from bridge.types import Envelope, Submission

ENVELOPE = Envelope("clinic@example.test", (), datetime(2026, 3, 1, tzinfo=UTC))

SEEDS = [
    b"From: a@b\r\nSubject: =?utf-8?b?w6g=?=\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n"
    b"Ci \r\nao\r\n-- \r\nx",
    b'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary="c"\r\n\r\n'
    b"--c\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--c\r\nContent-Type: text/html;"
    b' charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p style=3D"font-size:0">Citt=E0'
    b"<blockquote>x</blockquote></p>\r\n--c--\r\n--b\r\nContent-Type: application/pdf; name*0*=utf-8''a%C3%A0; name*1=b"
    b"\r\n\r\nx\r\n--b--",
    b"Message-ID: <1@b>\r\nReferences: <2@b>\r\nX-SMS-Send-At: 2026-03-01T09:00:00Z\r\nAuto-Submitted: no\r\n\r\n"
    b"Il 03/03/2025 10:15, M ha scritto:\r\n> x\r\nCiao\r\nDa: a\r\nA: b\r\nOggetto: c\r\n",
]
TOKENS = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"--b",
        b"--c--",
        b"=?",
        b"?=",
        b";",
        b'"',
        b"\\",
        b"%",
        b"*0*=",
        b"\x00",
        b"\xff",
    ),
    *(
        b"\x1b$B",
        b"+2AA-",
        b"charset=utf-7",
        b"charset=utf-16",
        b"charset=idna",
        b"base64",
        b"<",
        b">",
        b"<b>",
        b"<!--",
    ),
    *(
        b"multipart/digest",
        b"message/rfc822",
        b"boundary=",
        b"\xed\xa0\x80",
        b"X-SMS-Class: x\r\n",
        b" " * 50,
        b">" * 50,
    ),
]


def outcome(raw: bytes) -> Submission | MailRefusal:
    try:
        return parse(raw, ENVELOPE)
    except MailRefusal as refusal:
        return refusal


def read(raw: bytes) -> None:
    submission = outcome(raw)
    if isinstance(submission, MailRefusal):
        assert submission.reply.isprintable()
        return
    assert submission.text == submission.text.strip() != ""
    for line in (submission.message_id, submission.header_from, submission.subject, *submission.references):
        assert line.isprintable()
    assert raw.startswith(submission.headers)
    for words in (submission.text, submission.subject, *(cut.text for cut in submission.cuts)):
        words.encode()
        assert "\x00" not in words


@given(st.binary(max_size=2_000))
def test_any_octets(raw: bytes) -> None:
    read(raw)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*TOKENS, *SEEDS, b"Content-Type: ", b"text/html", b"Ciao"]), max_size=20).map(b"".join)
)
def test_any_order_of_what_mails_are_made_of(raw: bytes) -> None:
    read(raw)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_mails(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        raw = bytearray(SEEDS[seed])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.choice((0, 0, 1, 20))] = chance.choice([*TOKENS, bytes([chance.randrange(256)])])
        read(bytes(raw))


def multiparts(depth: int) -> bytes:
    return (
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(depth))
        + b"\r\nx"
    )


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(multiparts(5_000), id="five thousand levels"),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50_000, id="many parts"
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"---x\r\n" * 200_000, id="false boundaries"
        ),
        pytest.param(b"a:\n" * 300_000, id="fields"),
        pytest.param(b"a:" + b"\n b" * 300_000 + b"\n\nx", id="one folded field"),
        pytest.param(b"Subject: " + b"=?a?q?" * 100_000 + b"\n\nx", id="unfinished words"),
        pytest.param(b"Subject: " + b"=?utf-8?q?=C3?= " * 60_000 + b"\n\nx", id="encoded words"),
        pytest.param(b"Content-Type: text/plain" + b';a="' * 100_000 + b"\n\nx", id="parameters"),
        pytest.param(b"Content-Type: text/plain; a=" + b"\\" * 300_000 + b"\n\nx", id="backslashes"),
        pytest.param(b"From: " + b"(" * 300_000 + b"\n\nx", id="comments"),
        pytest.param(b"References: " + b"<a@b" * 100_000 + b"\n\nx", id="references"),
        pytest.param(b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 300_000, id="one flowed paragraph"),
        pytest.param(b"\n" + b"\xe9\xa0" * 400_000, id="undeclared charset"),
        pytest.param(b"Content-Type: text/html\n\n" + b"<div>" * 200_000, id="deep HTML"),
        pytest.param(b"Content-Type: text/html\n\n" + b"<p style='" + b"font-size:" * 60_000 + b"'>x", id="style"),
        pytest.param(b"Content-Transfer-Encoding: quoted-printable\n\n" + b"= " * 400_000, id="quoted-printable"),
        pytest.param(b"\n" + b"x" * 5_000_000, id="five megabytes"),
    ],
)
def test_hostile_mails_are_read_in_time(raw: bytes) -> None:
    before = time.process_time()
    read(raw)
    assert time.process_time() - before < 3
