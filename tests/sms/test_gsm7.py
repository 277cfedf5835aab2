"""The GSM 7-bit alphabet, against two independent codecs."""

from __future__ import annotations

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms import gsm7

CODEC = gsm0338.Codec()
ALPHABET = "".join(chr(code) for code in range(0x20AD) if gsm7.fits(chr(code)))


def test_the_alphabet_has_127_characters_and_ten_more_behind_the_escape() -> None:
    assert len(ALPHABET) == 137
    assert sum(len(gsm7.encode(char)) == 2 for char in ALPHABET) == 10


@given(st.text(ALPHABET))
def test_encoding_agrees_with_the_reference_codec_and_comes_back(text: str) -> None:
    septets = gsm7.encode(text)
    assert septets == CODEC.encode(text)[0]
    assert gsm7.septets(text) == len(septets)
    assert gsm7.decode(septets) == text


@given(st.binary())
def test_any_octets_can_be_shown(octets: bytes) -> None:
    assert len(gsm7.decode(octets)) <= len(octets)


@given(st.text())
def test_a_text_fits_exactly_when_it_can_be_encoded(text: str) -> None:
    if gsm7.fits(text):
        assert gsm7.decode(gsm7.encode(text)) == text
        return
    with pytest.raises(gsm7.NotGsm7) as caught:
        gsm7.encode(text)
    assert str(caught.value) == "the text holds a character outside the GSM 7-bit alphabet"


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"\x1b\x65", "€"),
        (b"\x1b\x41", "A"),
        (b"\x1b\x1bA", " A"),
        (b"A\x1b", "A "),
        (b"\x1b\xe9", "\ufffd"),
        (b"A\x80", "A\ufffd"),
    ],
    ids=["euro", "unknown escape shows the letter", "escape twice", "escape at the end", "escaped octet", "octet"],
)
def test_what_the_tables_lack_is_shown_as_the_standard_says(octets: bytes, shown: str) -> None:
    assert gsm7.decode(octets) == shown
