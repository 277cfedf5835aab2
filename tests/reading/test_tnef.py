"""The words of a mail that Outlook hid in winmail.dat are found, in whichever of its forms they are."""

from __future__ import annotations

import base64
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import MailRefusal, Reason
from bridge.reading import headers
from bridge.reading.mime import Body, read_body
from bridge.reading.rtf import LONGEST, decompress, read_rtf
from bridge.reading.tnef import Wrapped, read_tnef
from tests.reading.tnef_maker import (
    BINARY,
    CODE_PAGE,
    HTML,
    PLAIN,
    RTF,
    STRING,
    UNICODE,
    attribute,
    compressed,
    named,
    number,
    tnef,
    variable,
)

TEXT = "La visita è alle 9"
RICH = rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}\pard\f0 La visita \'e8 alle 9\par}"
UNICODE_PLAIN = variable(UNICODE, PLAIN, (TEXT + "\0").encode("utf-16-le"))


def mail(data: bytes, *before: str, kind: str = "application/ms-tnef; name=winmail.dat") -> Body:
    parts = [f"--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n" for text in before]
    parts.append(f"--b\nContent-Type: {kind}\nContent-Transfer-Encoding: base64\n\n")
    head = "Content-Type: multipart/mixed; boundary=b\n\n"
    raw = (head + "".join(parts)).encode() + base64.encodebytes(data) + b"--b--\n"
    fields, _, start = headers.split(raw, 0, len(raw))
    return read_body(raw[start:], fields)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(tnef(UNICODE_PLAIN), id="plain"),
        pytest.param(tnef(variable(STRING, PLAIN, TEXT.encode("cp1252"))), id="plain, Windows-1252"),
        pytest.param(tnef(body=TEXT.encode("cp1252") + b"\0"), id="plain, as old Exchange writes it"),
        pytest.param(tnef(number(CODE_PAGE, 65_001), variable(BINARY, HTML, f"<p>{TEXT}".encode())), id="HTML, UTF-8"),
        pytest.param(
            tnef(number(CODE_PAGE, 1_252), variable(BINARY, HTML, f"<p>{TEXT}".encode("cp1252"))), id="HTML, Windows"
        ),
        pytest.param(tnef(variable(BINARY, RTF, compressed(RICH))), id="rich text"),
        pytest.param(tnef(named(b"abcdef"), number(0x0017, 1), UNICODE_PLAIN), id="among other properties"),
    ],
)
def test_the_body_is_found(data: bytes) -> None:
    assert mail(data).text.strip() == TEXT
    assert mail(data, "").text.strip() == TEXT
    assert mail(data, kind="application/octet-stream; name=WINMAIL.DAT").text.strip() == TEXT
    assert mail(data).warnings == ()


def test_the_body_of_the_mail_itself_goes_before_it() -> None:
    body = mail(tnef(UNICODE_PLAIN), "Alle 10")
    assert body.text == "Alle 10"
    assert body.warnings == ("1 attachment was left out: an SMS carries text only.",)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x78\x9f\x3e\x22", b"PK\x03\x04 a file of another kind", tnef(), tnef(variable(0x0099, PLAIN, b"x"))],
    ids=["nothing", "cut short", "something else", "no body", "a type nobody knows"],
)
def test_where_there_is_no_body_there_are_no_words(data: bytes) -> None:
    assert read_tnef(data) == Wrapped()


@given(st.data())
def test_damaged_files_give_words_or_none(data: st.DataObject) -> None:
    whole = bytearray(tnef(UNICODE_PLAIN, named(b"x"), variable(BINARY, RTF, compressed(RICH))))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(4, len(whole)))
        whole[at : at + data.draw(st.sampled_from([0, 1, 4]))] = data.draw(st.binary(max_size=4))
    found = read_tnef(bytes(whole))
    read_rtf(found.rtf)
    found.plain.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("page", "codec", "text"),
    [
        (28_592, "iso8859_2", "Pěkný den, přijďte v deset"),
        (20_866, "koi8_r", "Приходите завтра"),
        (50_220, "iso2022_jp", "明日の会議"),
        (1_253, "cp1253", "Καλημέρα"),
    ],
)
def test_the_code_page_tells_how_the_html_is_written(page: int, codec: str, text: str) -> None:
    assert read_tnef(tnef(number(CODE_PAGE, page), variable(BINARY, HTML, text.encode(codec)))).html == text


def test_compressed_text_refers_to_what_came_before() -> None:
    # The worked example of MS-OXRTFCP section 3.1.2, in which the reference reaches into what it is writing.
    data = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert decompress(data) == rb"{\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert decompress(data[:8] + b"MELA" + b"\0\0\0\0" + RICH) == RICH
    assert decompress(data[:8] + b"????" + data[12:]) == b""


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        pytest.param(rb"{\rtf1 uno\par due\line tre\tab quattro}", "uno\ndue\ntre\tquattro", id="lines"),
        pytest.param(rb"{\rtf1\ansicpg1252 citt\'e0 \{x\} a\\b}", "città {x} a\\b", id="characters"),
        pytest.param(
            rb"{\rtf1\uc1 5 \u8364?\u-10179?\u-8704? ok}", "5 €\U0001f600 ok", id="Unicode and what stands for it"
        ),
        pytest.param(rb"{\rtf1\uc2\u8364\'80\'80 ok}", "€ ok", id="two octets stand for one"),
        pytest.param(rb"{\rtf1{\u8364}Ciao {\u8364}{Mario}}", "€Ciao €Mario", id="nothing stands for it"),
        pytest.param(
            rb"{\rtf1{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial;}}\f1\'cf\'f0\'e8\'e2\'e5\'f2\f0  ok}",
            "Привет ok",
            id="a font of another charset",
        ),
        pytest.param(rb"{\rtf1{\*\generator Riched20}{\info{\title x}}{\pict 00ff}Ciao}", "Ciao", id="what is no text"),
        pytest.param(rb"{\rtf1\b Ciao \ldblquote Mario\rdblquote\~ok}", "Ciao “Mario” ok", id="signs"),
        pytest.param(rb"Ciao}}}{{{", "Ciao", id="braces that do not match"),
        pytest.param(rb"", "", id="nothing"),
    ],
)
def test_rich_text(rtf: bytes, text: str) -> None:
    assert read_rtf(rtf) == (text, False)


def test_html_within_rich_text() -> None:
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0 Arial;}}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Ciao "
        rb"{\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 Mario{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0 {\*\htmltag84 &lt;}"
        rb"\htmlrtf <\htmlrtf0 3\htmlrtf\par}\htmlrtf0{\*\htmltag72 </p>}{\*\htmltag84 <blockquote type=cite>}ieri}"
    )
    assert read_rtf(rtf) == ("<p>Ciao <b>Mario</b>&lt;3</p><blockquote type=cite>ieri", True)
    body = mail(tnef(variable(BINARY, RTF, compressed(rtf))))
    assert body.text.strip() == "Ciao Mario<3"
    assert [cut.text for cut in body.cuts] == ["ieri"]


def test_more_than_is_read_is_refused() -> None:
    with pytest.raises(MailRefusal) as caught:
        mail(tnef(variable(BINARY, RTF, compressed(b"{" + b"x" * LONGEST + b"}"))))
    assert caught.value.reason is Reason.MAIL_TOO_LARGE


@pytest.mark.parametrize("piece", [b"{\\par}", b"{", b"}", b"\\u1?", b"\\*", b"\\uc1\\uc2", b"\\'e0", b"\\"])
def test_hostile_rich_text_takes_no_time(piece: bytes) -> None:
    before = time.process_time()
    read_rtf(piece * (2_000_000 // len(piece)))
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    "data",
    [
        tnef(variable(BINARY, RTF, b"\xff\xff\xff\x7f" * 2 + b"LZFu\0\0\0\0" + b"\xff\0\x0f" * 500_000)),
        b"\x78\x9f\x3e\x22\0\0" + attribute(0x00069007, b"") * 500_000,
        tnef(*[number(1, 1)] * 500_000),
        tnef(*[struct.pack("<HHI", BINARY, 1, 5_000) + bytes(20_000)] * 900),
    ],
    ids=["compressed", "attributes", "properties", "values"],
)
def test_hostile_files_take_no_time(data: bytes) -> None:
    before = time.process_time()
    read_tnef(data)
    assert time.process_time() - before < 1
