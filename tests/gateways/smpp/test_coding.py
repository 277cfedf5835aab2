"""Texts on their way to a phone and from it: alphabets, headers, and segments that belong together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateways.smpp.coding import (
    Alphabet,
    Flash,
    Long,
    Piece,
    Place,
    Way,
    is_flash,
    pieces,
    shift_of,
    text_of,
)
from bridge.gateways.smpp.pdu import Address, ShortMessage, Tag
from bridge.sms.encoding import encode
from bridge.sms.gsm7 import NotGsm7
from bridge.sms.look_alikes import composed
from bridge.sms.national import alphabet_of
from bridge.types import Encoding, National, OutboundSms
from tests.gateways.smpp.smsc import sms

UTF16 = "utf-16-be"


def outbound(text: str) -> OutboundSms:
    cut = encode(text)
    return sms("", *cut.segments, encoding=cut.encoding)


def heard(octets: bytes, coding: int = 0, esm_class: int = 0, **more: Any) -> ShortMessage:
    return ShortMessage(Address(1, 1, "1"), Address(1, 1, "2"), octets, esm_class, coding, **more)


@pytest.mark.parametrize(
    ("text", "long", "alphabet", "expected"),
    [
        pytest.param("Sì €", "udh", "gsm7", [Piece(b"S\x07 \x1be", 0, 0, {})], id="GSM 7-bit, a septet an octet"),
        pytest.param("Ж", "udh", "gsm7", [Piece(b"\x04\x16", 8, 0, {})], id="UCS-2"),
        pytest.param("Sì", "udh", "latin1", [Piece(b"S\xec", 0, 0, {})], id="ISO 8859-1"),
        pytest.param("5 €", "udh", "latin1", [Piece("5 €".encode(UTF16), 8, 0, {})], id="ISO 8859-1 has no euro sign"),
        pytest.param(
            "a" * 160,
            "udh",
            "gsm7",
            [Piece(b"a" * 160, 0, 0, {})],
            id="160 septets fit one",
        ),
        pytest.param(
            "a" * 161,
            "udh",
            "gsm7",
            [Piece(b"\5\0\3\x2a\2\1" + b"a" * 153, 0, 64, {}), Piece(b"\5\0\3\x2a\2\2" + b"a" * 8, 0, 64, {})],
            id="a header in each segment",
        ),
        pytest.param(
            "a" * 161,
            "sar",
            "gsm7",
            [
                Piece(b"a" * 153, 0, 0, {0x20C: b"\0\x2a", 0x20E: b"\2", 0x20F: b"\1"}),
                Piece(b"a" * 8, 0, 0, {0x20C: b"\0\x2a", 0x20E: b"\2", 0x20F: b"\2"}),
            ],
            id="parameters with each segment",
        ),
        pytest.param(
            "a" * 161, "payload", "gsm7", [Piece(b"a" * 161, 0, 0, {Tag.MESSAGE_PAYLOAD: b"a" * 161})], id="whole"
        ),
        pytest.param(
            "€" * 80,
            "payload",
            "latin1",
            [Piece(("€" * 80).encode(UTF16), 8, 0, {Tag.MESSAGE_PAYLOAD: ("€" * 80).encode(UTF16)})],
            id="whole, where only UCS-2 can say it",
        ),
        pytest.param("a" * 160, "payload", "gsm7", [Piece(b"a" * 160, 0, 0, {})], id="short, where long ones go whole"),
        pytest.param(
            "€" * 80,
            "udh",
            "latin1",
            [
                Piece(b"\5\0\3\x2a\2\1" + ("€" * 67).encode(UTF16), 8, 64, {}),
                Piece(b"\5\0\3\x2a\2\2" + ("€" * 13).encode(UTF16), 8, 64, {}),
            ],
            id="cut anew where only UCS-2 can say it",
        ),
    ],
)
def test_what_is_submitted(text: str, long: str, alphabet: str, expected: list[Piece]) -> None:
    assert pieces(outbound(text), Way(Long(long), Alphabet(alphabet)), 0x12A) == expected


TURKISH = "Yarın saat onda görüşürüz. Lütfen sağlık kartınızı getirin. " * 2
BOTH = "ا" * 140 + "؟" * 7


@pytest.mark.parametrize(
    ("text", "language", "headers"),
    [
        pytest.param(TURKISH, National.TURKISH, ["03 25 01 01"], id="one segment names its table"),
        pytest.param(
            TURKISH * 2,
            National.TURKISH,
            ["08 00 03 2a 02 01 25 01 01", "08 00 03 2a 02 02 25 01 01"],
            id="and each of several",
        ),
        pytest.param("a" * 90 + "è" * 9 + "ş", National.TURKISH, ["03 24 01 01"], id="the single shift table"),
        pytest.param(
            BOTH,
            National.URDU,
            ["0b 00 03 2a 02 01 24 01 0d 25 01 0d", "0b 00 03 2a 02 02 24 01 0d 25 01 0d"],
            id="both tables",
        ),
    ],
)
def test_national_tables_go_in_a_header(text: str, language: National, headers: list[str]) -> None:
    cut = encode(text, shifts={language})
    message = replace(sms("", *cut.segments), shift=cut.shift)
    found = pieces(message, Way(), 0x12A)
    assert [(piece.data_coding, piece.esm_class) for piece in found] == [(0, 64)] * len(headers)
    septets = alphabet_of(cut.shift)
    for piece, before, segment in zip(found, headers, cut.segments, strict=True):
        start = bytes.fromhex(before)
        assert piece.octets == start + septets.encode(segment)
        assert -(-len(start) * 8 // 7) + len(piece.octets) - len(start) <= 160
    submitted = [heard(piece.octets, 0, 64) for piece in found]
    assert "".join(text_of(each, Alphabet.GSM7)[0] for each in submitted) == text
    assert {shift_of(each) for each in submitted} == {cut.shift}


def test_what_is_cut_anew_leaves_room_for_a_wide_reference() -> None:
    found = pieces(outbound("€" * 80), Way(alphabet=Alphabet.LATIN1, wide=True), 0x12A)
    assert [piece.octets for piece in found] == [
        b"\6\x08\4\x01\x2a\2\1" + ("€" * 66).encode(UTF16),
        b"\6\x08\4\x01\x2a\2\2" + ("€" * 14).encode(UTF16),
    ]


def test_more_segments_than_a_header_can_number_go_nowhere() -> None:
    """Where an SMSC has no way to say a Greek letter but UCS-2, a text needs more of them than it was cut into."""
    cut = encode("Δ" * 153 * 120)
    assert len(pieces(sms("", *cut.segments[:100]), Way(), 1)) == 100
    whole = replace(sms("", *cut.segments), text=cut.text)
    with pytest.raises(NotGsm7):
        pieces(whole, Way(alphabet=Alphabet.LATIN1), 1)


@pytest.mark.parametrize(
    ("text", "way", "coding", "tlvs"),
    [
        pytest.param("Sì", Way(), 0x10, {}, id="GSM 7-bit"),
        pytest.param("Ж", Way(), 0x18, {}, id="UCS-2"),
        pytest.param("Sì", Way(flash=Flash.GROUP), 0xF0, {}, id="GSM 7-bit, group 1111"),
        pytest.param("Ж", Way(flash=Flash.GROUP), 0x18, {}, id="UCS-2, which group 1111 lacks"),
        pytest.param("Sì", Way(flash=Flash.SUBUNIT), 0, {5: b"\1"}, id="GSM 7-bit, by parameter"),
        pytest.param("Ж", Way(flash=Flash.SUBUNIT), 8, {5: b"\1"}, id="UCS-2, by parameter"),
        pytest.param("Sì", Way(alphabet=Alphabet.LATIN1), 0, {5: b"\1"}, id="ISO 8859-1"),
        pytest.param("Ж", Way(alphabet=Alphabet.LATIN1), 0x18, {}, id="UCS-2 beside ISO 8859-1"),
    ],
)
def test_a_flash_text(text: str, way: Way, coding: int, tlvs: dict[int, bytes]) -> None:
    (piece,) = pieces(replace(outbound(text), flash=True), way, 1)
    assert (piece.data_coding, piece.tlvs) == (coding, tlvs)
    assert is_flash(heard(piece.octets, piece.data_coding, tlvs=tlvs))
    assert text_of(heard(piece.octets, piece.data_coding, tlvs=tlvs), way.alphabet)[0] == text
    (plain,) = pieces(outbound(text), way, 1)
    assert not is_flash(heard(plain.octets, plain.data_coding))


@pytest.mark.parametrize("long", Long)
def test_every_segment_of_a_flash_text_is_one(long: Long) -> None:
    found = pieces(replace(outbound("a" * 200), flash=True), Way(long), 1)
    assert {piece.data_coding for piece in found} == {0x10}


@pytest.mark.parametrize(("flash", "coding"), [(Flash.GENERAL, 0x10), (Flash.GROUP, 0xF0), (Flash.SUBUNIT, 0)])
@pytest.mark.parametrize("text", [TURKISH, TURKISH * 2], ids=["one", "two"])
def test_a_flash_text_keeps_its_tables(text: str, flash: Flash, coding: int) -> None:
    cut = encode(text, shifts={National.TURKISH})
    message = replace(sms("", *cut.segments), shift=cut.shift, flash=True)
    submitted = [
        heard(piece.octets, piece.data_coding, piece.esm_class, tlvs=piece.tlvs)
        for piece in pieces(message, Way(flash=flash), 1)
    ]
    assert {(each.data_coding, shift_of(each), is_flash(each)) for each in submitted} == {(coding, cut.shift, True)}
    assert "".join(text_of(each, Alphabet.GSM7)[0] for each in submitted) == text


@pytest.mark.parametrize("coding", [0x11, 0x12, 0x13, 0xF1, 0xF5, 0x00, 0x01, 0x04, 0x08, 0xC0, 0xD0])
def test_what_is_no_flash_text(coding: int) -> None:
    assert not is_flash(heard(b"OK", coding))


@pytest.mark.parametrize(
    ("header", "shift"),
    [
        pytest.param("03 24 01 01", "turkish:single", id="single"),
        pytest.param("06 25 01 03 24 01 03", "portuguese:single+locking", id="both, the other way round"),
        pytest.param("06 24 01 01 25 01 03", None, id="of two languages"),
        pytest.param("03 24 01 63", None, id="of no language"),
        pytest.param("03 25 01 02", None, id="a table that there is not"),
        pytest.param("02 24 00", None, id="without a value"),
        pytest.param("05 00 03 2a 02 01", None, id="none"),
    ],
)
def test_which_tables_a_header_names(header: str, shift: str | None) -> None:
    found = shift_of(heard(bytes.fromhex(header) + b"S", 0, 64))
    assert (str(found) if found else None) == shift


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        pytest.param("a" * 305, ["06 08 04 01 2a 03 01", "06 08 04 01 2a 03 02", "06 08 04 01 2a 03 03"], id="septets"),
        pytest.param("я" * 80, ["06 08 04 01 2a 02 01", "06 08 04 01 2a 02 02"], id="UCS-2"),
    ],
)
def test_16_bit_references(text: str, headers: list[str]) -> None:
    cut = encode(text, wide_reference=True)
    found = pieces(sms("", *cut.segments, encoding=cut.encoding), Way(wide=True), 0xF012A)
    assert [piece.octets[:7].hex(" ") for piece in found] == headers
    assert all(len(piece.octets) <= (159 if cut.encoding is Encoding.GSM7 else 140) for piece in found)


def test_segments_without_room_for_a_16_bit_reference_get_one_of_8_bits() -> None:
    found = pieces(outbound("a" * 305), Way(wide=True), 0x12A)
    assert [piece.octets[:6].hex(" ") for piece in found] == ["05 00 03 2a 02 01", "05 00 03 2a 02 02"]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=400),
    st.sampled_from([Long.UDH, Long.SAR]),
    st.sampled_from(Alphabet),
)
def test_a_phone_reads_what_was_written(text: str, long: Long, alphabet: Alphabet) -> None:
    found = pieces(outbound(text), Way(long, alphabet), 7)
    submitted = [heard(each.octets, each.data_coding, each.esm_class, tlvs=dict(each.tlvs)) for each in found]
    read = [text_of(message, alphabet) for message in submitted]
    joined = "".join(words for words, _ in read)
    assert joined.encode("utf-16", "surrogatepass").decode("utf-16") == composed(text)
    if len(found) > 1:
        assert [place for _, place in read] == [Place(7, len(found), number) for number in range(1, len(found) + 1)]
        assert all(len(each.octets) <= 159 for each in found)


@pytest.mark.parametrize(
    ("message", "text", "place"),
    [
        pytest.param(heard(b"S\x07 \x1be"), "Sì €", None, id="default alphabet"),
        pytest.param(heard(b"S\xec", 3), "Sì", None, id="ISO 8859-1"),
        pytest.param(heard("Да".encode(UTF16), 8), "Да", None, id="UCS-2"),
        pytest.param(heard("Да".encode(UTF16), 0x18), "Да", None, id="UCS-2 with a message class"),
        pytest.param(heard(b"OK", 0x10), "OK", None, id="a flash message"),
        pytest.param(heard(b"OK", 0xF1), "OK", None, id="coding group 1111"),
        pytest.param(heard("Да".encode("iso8859-5"), 6), "Да", None, id="ISO 8859-5"),
        pytest.param(heard("Sì".encode(), 4), "Sì", None, id="octets that are UTF-8"),
        pytest.param(heard(b"S\xec", 4), "Sì", None, id="octets that are not"),
        pytest.param(heard(b"\0S\0I\0", 8), "SI", None, id="an octet too many"),
        pytest.param(heard(b"\xd8\x3d\0!", 8), "�!", None, id="half a surrogate pair"),
        pytest.param(heard(b"a\0b", 3), "a�b", None, id="a NUL, which no database takes"),
        pytest.param(heard(b"A{1}\r\nB", 1), "A{1}\r\nB", None, id="IA5"),
        pytest.param(heard(b"S\x07 \x1be", 1), "Sì €", None, id="the GSM alphabet under the name of IA5"),
        pytest.param(heard(b"\5\0\3\x2a\2\1SI", 0, 64), "SI", Place(0x2A, 2, 1), id="header, 8-bit reference"),
        pytest.param(heard(b"\6\x08\4\1\x2a\2\2SI", 0, 64), "SI", Place(0x12A, 2, 2), id="header, 16-bit reference"),
        pytest.param(
            heard(b"\x09\x24\1\1\0\3\x2a\3\3\0SI", 0, 64), "SI", Place(0x2A, 3, 3), id="header with more in it"
        ),
        pytest.param(
            heard(b"SI", tlvs={0x20C: b"\1\x2a", 0x20E: b"\2", 0x20F: b"\1"}), "SI", Place(0x12A, 2, 1), id="parameters"
        ),
        pytest.param(heard(bytes.fromhex("03 25 01 01 60 40 1c"), 0, 64), "çİŞ", None, id="a national table"),
        pytest.param(
            heard(bytes.fromhex("06 25 01 03 24 01 01 00 1b 73"), 0, 64), "@ş", None, id="tables of two languages"
        ),
        pytest.param(heard(b"\3\x24\1\x63SI\x1be", 0, 64), "SI€", None, id="a table of no language"),
        pytest.param(heard(b"\5\0\3\x2a\1\1SI", 0, 64), "SI", None, id="one of one is whole"),
        pytest.param(heard(b"\5\0\3\x2a\2\3SI", 0, 64), "SI", None, id="three of two makes no sense"),
        pytest.param(heard(b"\5\0\3\x2a\2\0SI", 0, 64), "SI", None, id="none of two makes no sense"),
        pytest.param(heard(b"\x40SI", 0, 64), "¡SI", None, id="a header longer than the message"),
        pytest.param(heard(b"", 0, 64), "", None, id="nothing"),
    ],
)
def test_what_a_phone_said(message: ShortMessage, text: str, place: Place | None) -> None:
    assert text_of(message, Alphabet.GSM7) == (text, place)


@given(st.binary(max_size=160), st.integers(0, 255), st.integers(0, 255))
def test_any_octets_become_a_text_that_can_be_kept(octets: bytes, coding: int, esm_class: int) -> None:
    text, place = text_of(heard(octets, coding, esm_class), Alphabet.GSM7)
    assert "\0" not in text
    if place is None:
        text.encode()
