"""Segments as the network carries them, seven bits to a character: they fit 140 octets, and a phone reads them."""

from __future__ import annotations

import itertools
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sms import header
from bridge.sms.encoding import encode
from bridge.sms.gsm7 import DEFAULT
from bridge.sms.national import IDENTIFIERS, alphabet_of, shifts_of
from bridge.types import Encoded, Encoding, National, Shift

import_module("gsmcodecs")  # which registers its codecs
SHIFTS = [None, *(shift for language in National for shift in shifts_of(language))]


def packed(elements: bytes, septets: bytes) -> tuple[int, bytes]:
    """TP-UDL and TP-UD (3GPP TS 23.040 section 9.2.3.24): fill bits up to the next septet, then bit after bit."""
    before = header.header(elements)
    fill = -len(before) * 8 % 7
    bits = int.from_bytes(before, "little") | sum(
        septet << (len(before) * 8 + fill + 7 * at) for at, septet in enumerate(septets)
    )
    length = (len(before) * 8 + fill) // 7 + len(septets)
    return length, bits.to_bytes((length * 7 + 7) // 8, "little")


def shown(length: int, octets: bytes, *, is_headed: bool) -> str:
    """What a phone makes of them."""
    bits = int.from_bytes(octets, "little")
    septets = bytes(bits >> (7 * at) & 0x7F for at in range(length))
    if not is_headed:
        return DEFAULT.decode(septets)
    skipped = -(-(octets[0] + 1) * 8 // 7)
    return header.alphabet(octets[1 : octets[0] + 1]).decode(septets[skipped:])


@pytest.mark.parametrize("wide", [False, True], ids=["8-bit", "16-bit"])
@pytest.mark.parametrize("shift", SHIFTS, ids=str)
@settings(max_examples=25)
@given(data=st.data())
def test_a_phone_shows_what_was_written(shift: Shift | None, wide: bool, data: st.DataObject) -> None:
    letters = sorted(alphabet_of(shift).characters - set("\r"))
    words = st.lists(st.text(st.sampled_from(letters), max_size=90), max_size=8)
    text = "".join(data.draw(words))
    encoded = encode(text, shifts={shift.language} if shift else (), wide_reference=wide)
    if encoded.encoding is Encoding.UCS2:
        return
    total = len(encoded.segments)
    pieces = []
    for ordinal, segment in enumerate(encoded.segments, 1):
        elements = header.place(7, total, ordinal, wide=wide) if total > 1 else b""
        elements += header.tables(encoded.shift)
        length, octets = packed(elements, alphabet_of(encoded.shift).encode(segment))
        assert length <= 160
        assert len(octets) <= header.OCTETS
        pieces.append(shown(length, octets, is_headed=bool(elements)))
    assert tuple(pieces) == encoded.segments
    assert length + encoded.units_left == room(encoded)


def room(encoded: Encoded) -> int:
    """Septets that a segment of `encoded` holds, with those of its header and its fill bits."""
    is_part = len(encoded.segments) > 1
    size = header.size(encoded.shift, is_part=is_part, wide_reference=encoded.wide_reference)
    return (header.OCTETS - size) * 8 // 7 + -(-size * 8 // 7)


@given(
    st.text(st.sampled_from("aeioust ÁÍÓÚáíóúãõâêôçşğıİ€{}[è@0_§\n"), min_size=150, max_size=900),
    st.sets(st.sampled_from([National.TURKISH, National.SPANISH, National.PORTUGUESE])),
    st.booleans(),
)
def test_units_are_those_of_independent_codecs_and_no_room_is_wasted(
    text: str, permitted: set[National], wide: bool
) -> None:
    encoded = encode(text, shifts=permitted, wide_reference=wide)
    if encoded.encoding is Encoding.UCS2:
        return
    number = IDENTIFIERS[encoded.shift.language] if encoded.shift else 0
    single, locking = (encoded.shift.single, encoded.shift.locking) if encoded.shift else (False, False)
    codec = f"gsm23.038-{number * locking}-{number * single}"
    assert encoded.units == len(text.encode(codec))
    capacity = header.septets(header.size(encoded.shift, is_part=len(encoded.segments) > 1, wide_reference=wide))
    for segment, after in itertools.pairwise(encoded.segments):
        assert len(segment.encode(codec)) <= capacity < len((segment + after[0]).encode(codec))
    assert encoded.units_left == capacity - len(encoded.segments[-1].encode(codec))
