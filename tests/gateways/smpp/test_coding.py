"""Texts on their way to a phone and from it: alphabets, headers, and segments that belong together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateways.smpp.coding import Alphabet, Long, Piece, Place, pieces, text_of
from bridge.gateways.smpp.pdu import Address, ShortMessage, Tag
from bridge.sms.encoding import encode
from bridge.types import OutboundSms
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
    assert pieces(outbound(text), Long(long), Alphabet(alphabet), 0x12A) == expected


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=400),
    st.sampled_from([Long.UDH, Long.SAR]),
    st.sampled_from(Alphabet),
)
def test_a_phone_reads_what_was_written(text: str, long: Long, alphabet: Alphabet) -> None:
    found = pieces(outbound(text), long, alphabet, 7)
    submitted = [heard(each.octets, each.data_coding, each.esm_class, tlvs=dict(each.tlvs)) for each in found]
    read = [text_of(message, alphabet) for message in submitted]
    joined = "".join(words for words, _ in read)
    assert joined.encode("utf-16", "surrogatepass").decode("utf-16") == text
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
