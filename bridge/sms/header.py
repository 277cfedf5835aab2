"""User data headers: what a segment says of itself before its words, and how much room that leaves for them.

Sources: 3GPP TS 23.040 section 9.2.3.24 (header), 9.2.3.24.1 and .8 (concatenation, 8-bit and 16-bit reference),
9.2.3.24.15 and .16 (national language single shift and locking shift); TS 23.038 section 4 (alphabets).
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.sms import national
from bridge.sms.gsm7 import Alphabet
from bridge.types import Shift

OCTETS = 140
"""What one SMS carries, header and words together."""
MOST_SEGMENTS = 255
"""What a header can number."""

CONCATENATION, CONCATENATION_WIDE = 0x00, 0x08
SINGLE_SHIFT, LOCKING_SHIFT = 0x24, 0x25
"""Information element identifiers."""


def size(shift: Shift | None, *, is_part: bool, wide_reference: bool = False) -> int:
    """Octets of the header of a segment, with the one that says how long it is; 0 where it needs none."""
    tables = 3 * (shift.single + shift.locking) if shift is not None else 0
    place = (6 if wide_reference else 5) if is_part else 0
    return 1 + tables + place if tables or place else 0


def septets(octets: int) -> int:
    """How many septets a header of so many octets leaves; the words begin at the next border of a septet."""
    return (OCTETS - octets) * 8 // 7


def units(octets: int) -> int:
    """How many UTF-16 code units a header of so many octets leaves."""
    return (OCTETS - octets) // 2


def tables(shift: Shift | None) -> bytes:
    """The elements that name national tables."""
    if shift is None:
        return b""
    number = national.IDENTIFIERS[shift.language]
    single = bytes((SINGLE_SHIFT, 1, number)) if shift.single else b""
    return single + (bytes((LOCKING_SHIFT, 1, number)) if shift.locking else b"")


def place(reference: int, total: int, ordinal: int, *, wide: bool = False) -> bytes:
    """The element that binds a segment to the others of its text; as much of `reference` counts as it has room for."""
    if wide:
        return bytes((CONCATENATION_WIDE, 4)) + (reference & 0xFFFF).to_bytes(2, "big") + bytes((total, ordinal))
    return bytes((CONCATENATION, 3, reference & 0xFF, total, ordinal))


def header(elements: bytes) -> bytes:
    """A whole header with these elements; nothing where there are none."""
    return bytes((len(elements),)) + elements if elements else b""


def elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    """Identifier and value of each element; what is cut short ends them. `header` is without its length."""
    at = 0
    while at + 2 <= len(header):
        identifier, length = header[at], header[at + 1]
        yield identifier, header[at + 2 : at + 2 + length]
        at += 2 + length


def alphabet(header: bytes) -> Alphabet:
    """The alphabet that the words behind this header are written in; an unknown language changes nothing."""
    named = {identifier: national.LANGUAGES.get(value[0]) for identifier, value in elements(header) if len(value) == 1}
    return national.alphabet(named.get(LOCKING_SHIFT), named.get(SINGLE_SHIFT))
