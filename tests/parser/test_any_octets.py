"""Whatever comes in, a submission or a refusal comes out, soon."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import MailRefusal, Reason
from bridge.parser import parse
from bridge.types import Submission
from tests.reading.tnef_maker import BINARY, RTF, compressed, tnef, variable

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
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n\r\n--b\r\nContent-Type: text/calendar\r\n\r\n"
    b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n"
    b"TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n"
    b"DTSTART;TZID=x:20260303T091500\r\nDURATION:PT1H\r\nSUMMARY:Vi\r\n sita\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--",
    b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + tnef(variable(BINARY, RTF, compressed(rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}Ci\'e0o \u8364?\par}"))),
    b"Content-Type: application/pkcs7-mime\r\n\r\n\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80"
    b"\x02\x01\x01\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80\x04\x05\nCiao\x04\x01x"
    + bytes(12),
    b"\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: x\r\n\r\n- - Ciao\r\n-----BEGIN PGP SIGNATURE-----\r\nx\r\n",
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
        b"application/pkcs7-mime",
        b"application/ms-tnef",
        b"text/calendar",
        b"BEGIN:VEVENT",
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
        return parse(raw)
    except MailRefusal as refusal:
        return refusal


def read(raw: bytes) -> None:
    submission = outcome(raw)
    if isinstance(submission, MailRefusal):
        assert submission.reply.isprintable()
        return
    assert submission.text == submission.text.strip()
    assert submission.text or submission.invitation
    invited = submission.invitation
    told = (invited.title, invited.place) if invited is not None else ()
    for line in (submission.message_id, submission.header_from, submission.subject, *submission.references, *told):
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


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_damaged_mails(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        raw = bytearray(SEEDS[seed])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.choice((0, 0, 1, 20))] = chance.choice([*TOKENS, bytes([chance.randrange(256)])])
        read(bytes(raw))


MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
PICTURE = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
LINE = b"A" * 76 + b"\r\n"


def nested(depth: int, inner: bytes) -> bytes:
    """`depth` levels, each with a boundary of its own that begins like all the others."""
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n" % (level, level) for level in range(depth)
    )
    return head + inner


WRAPPED = (
    bytes.fromhex("308006092a864886f70d010702a080308002010131003080") + bytes.fromhex("06092a864886f70d010701a0802480")
) + b"\x04\0" * 12_000
"""The content of a signature in as many pieces as fit."""


PLAIN = b"Content-Type: text/plain\r\n\r\n"
HTML = b"Content-Type: text/html\r\n\r\n"
UTF8 = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
ALTERNATIVE = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"


def alternatives(depth: int, inner: bytes) -> bytes:
    """`depth` levels of a plain text that breaks off, beside an alternative that may go on with it."""
    return b"".join(
        b"Content-Type: multipart/alternative; boundary=x%dy\r\n\r\n--x%dy\r\n\r\nCiao z...\r\n--x%dy\r\n" % ((n,) * 3)
        for n in range(depth)
    ) + (HTML + inner)


def multiparts(depth: int) -> bytes:
    return (
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(depth))
        + b"\r\nx"
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: multiparts(5_000), id="five thousand levels"),
        pytest.param(
            lambda: b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50_000, id="many parts"
        ),
        pytest.param(
            lambda: b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"---x\r\n" * 200_000, id="false boundaries"
        ),
        pytest.param(lambda: b"a:\n" * 300_000, id="fields"),
        pytest.param(lambda: b"a:" + b"\n b" * 300_000 + b"\n\nx", id="one folded field"),
        pytest.param(lambda: b"Subject: " + b"=?a?q?" * 100_000 + b"\n\nx", id="unfinished words"),
        pytest.param(lambda: b"Subject: " + b"=?utf-8?q?=C3?= " * 60_000 + b"\n\nx", id="encoded words"),
        pytest.param(lambda: b"Content-Type: text/plain" + b';a="' * 100_000 + b"\n\nx", id="parameters"),
        pytest.param(lambda: b"Content-Type: text/plain; a=" + b"\\" * 300_000 + b"\n\nx", id="backslashes"),
        pytest.param(lambda: b"From: " + b"(" * 300_000 + b"\n\nx", id="comments"),
        pytest.param(lambda: b"References: " + b"<a@b" * 100_000 + b"\n\nx", id="references"),
        pytest.param(
            lambda: b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 300_000, id="one flowed paragraph"
        ),
        pytest.param(lambda: b"\n" + b"\xe9\xa0" * 400_000, id="undeclared charset"),
        pytest.param(lambda: b"Content-Type: text/html\n\n" + b"<div>" * 200_000, id="deep HTML"),
        pytest.param(
            lambda: b"Content-Type: text/html\n\n" + b"<p style='" + b"font-size:" * 60_000 + b"'>x", id="style"
        ),
        pytest.param(
            lambda: b"Content-Transfer-Encoding: quoted-printable\n\n" + b"= " * 400_000, id="quoted-printable"
        ),
        pytest.param(lambda: nested(60, b"\r\n" + b"\n--" * 8_000_000), id="sixty levels without end"),
        pytest.param(
            lambda: MIXED + (b"--b\r\n\r\n" + b"\xcf\xf0\xe8" * 50 + b"\r\n") * 1_000, id="a thousand unknown charsets"
        ),
        pytest.param(
            lambda: MIXED + (b"--b\r\nContent-Type: application/pkcs7-mime\r\n\r\n" + WRAPPED + b"\r\n") * 1_000,
            id="a thousand signatures",
        ),
        pytest.param(
            lambda: (
                ALTERNATIVE
                + b"--b\r\n\r\nCiao\r\n" * 900
                + (b"--b\r\n" + HTML + b"<div id=signature>Cordiali saluti</div>\r\n--b--")
            ),
            id="900 plain texts above a signature that HTML marks",
        ),
        pytest.param(
            lambda: alternatives(58, b"<p>Ciao a " + b"b c d " * 160_000 + b" z"), id="58 texts that break off"
        ),
        pytest.param(
            lambda: (
                MIXED + (b"--b\r\nContent-Disposition: " + b"\xcf\xf0\xe8\xe2\xe5\xf2 " * 600 + b"\r\n\r\nx\r\n") * 999
            ),
            id="a thousand fields in an unknown charset",
        ),
        pytest.param(lambda: MIXED + (b"--b\r\n" + b"a:\n" * 999 + b"\nx\n") * 999, id="a million fields"),
        pytest.param(lambda: b"a:" + b"\n b" * 8_300_000 + b"\n\nx", id="one field of 25 MB"),
        pytest.param(lambda: b"To: <," + b" " * 8_100 + b"x\r\n\r\nx", id="blanks among recipients"),
        pytest.param(
            lambda: HTML + b"<p " + b"".join(b"a%d " % n for n in range(100_000)) + b">x",
            id="a hundred thousand attributes",
        ),
        pytest.param(
            lambda: HTML + b"<p " + b"".join(b"a%d='>'" % n for n in range(100_000)) + b">x",
            id="attributes that hold tags",
        ),
        pytest.param(lambda: HTML + b"<p style='" + b"d" * 9_900_000 + b"'>x</p>", id="one style"),
        pytest.param(lambda: HTML + b"<p class='" + b"a " * 4_900_000 + b"'>x</p>", id="five million classes"),
        pytest.param(lambda: HTML + b"<blockquote><pre>" + b"\n" * 9_900_000 + b"x", id="ten million quoted lines"),
        pytest.param(lambda: HTML + b"<ul><li>" * 9_900, id="lists that never end"),
        pytest.param(
            lambda: PLAIN + b"-----BEGIN PGP SIGNED MESSAGE-----\n" + b"a: \n" * 6_000_000,
            id="six million armour headers",
        ),
        pytest.param(lambda: PLAIN + b"-" * 999_000, id="one rule"),
        pytest.param(lambda: PLAIN + b"x\n" + b"[" * 999_000, id="links that do not end"),
        pytest.param(lambda: PLAIN + b"x 1:30 20/1/2020:\n" * 24_000, id="lines that could be attributions"),
        pytest.param(lambda: PLAIN + b"2020-1-1 x\n" * 24_000, id="lines that begin with a day"),
        pytest.param(
            lambda: PLAIN + b"Ciao\n" + b"Saluti\nMario\n" * 6 + b"a " * 450_000,
            id="sign-offs above what is no contact detail",
        ),
        pytest.param(lambda: PLAIN + b"Ciao\n" + b"Sent from my iPhone\n" * 24_000, id="24,000 phones"),
        pytest.param(lambda: PLAIN + b"##  " * 240_000 + b":", id="signs above which nobody is to write"),
        pytest.param(lambda: UTF8 + "\ufb2c".encode() * 990_000, id="letters that become three"),
    ],
)
def test_hostile_mails_are_read_in_time(make: Callable[[], bytes]) -> None:
    raw = make()
    assert any(seconds(raw) < 1 for _ in range(3)), "read three times, since others may share the processor"


def seconds(raw: bytes) -> float:
    before = time.process_time()
    read(raw)
    return time.process_time() - before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda: nested(59, b"\r\nCiao"), ["Ciao"], id="sixty levels"),
        pytest.param(
            lambda: nested(59, b"\r\nCiao\r\n--x0\r\n" + PICTURE + LINE * 310_000),
            ["Ciao"],
            id="sixty levels and 24 MB",
        ),
        pytest.param(
            lambda: MIXED + b"--b\r\n\r\nCiao\r\n" + (b"--b\r\n" + PICTURE + b"\r\n") * 998, ["Ciao"], id="1,000 parts"
        ),
        pytest.param(
            lambda: MIXED + (b"--b\r\n" + PICTURE + b"\r\n") * 998 + b"--b\r\n\r\nCiao",
            ["Ciao"],
            id="words in the last of 1,000 parts",
        ),
        pytest.param(
            lambda: MIXED + b"--b\r\n" + PICTURE + LINE * 310_000 + b"--b\r\n\r\nCiao\r\n--b--",
            ["Ciao"],
            id="words behind 24 MB",
        ),
        pytest.param(
            lambda: MIXED + b"--b\r\n\r\nCiao\r\n" + b"--b\r\n\r\nx\r\n" * 50_000,
            ["Ciao", "x"],
            id="more parts than are read",
        ),
    ],
)
def test_what_can_be_read_of_a_large_mail_is_read(make: Callable[[], bytes], words: list[str]) -> None:
    raw = make()
    before = time.process_time()
    submission = parse(raw)
    assert time.process_time() - before < 1
    assert submission.text.split() == words


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: b"\r\n" + b"x" * 25_000_000, id="one line"),
        pytest.param(lambda: b"\r\n" + b"x\r\n" * 8_000_000, id="eight million lines"),
        pytest.param(lambda: MIXED + (b"--b\r\n\r\n" + b"x%d " * 10_000 + b"\r\n") * 900, id="900 texts"),
        pytest.param(lambda: b"Content-Type: text/html\r\n\r\n<p>" + b"parola " * 3_500_000, id="HTML"),
        pytest.param(lambda: b"Content-Type: text/html\r\n\r\n" + b"<p>x" * 30_000, id="tags"),
    ],
)
def test_more_text_than_can_be_read_is_refused_at_once(make: Callable[[], bytes]) -> None:
    raw = make()
    before = time.process_time()
    refusal = outcome(raw)
    assert time.process_time() - before < 1
    assert isinstance(refusal, MailRefusal)
    assert refusal.reason is Reason.MAIL_TOO_LARGE
