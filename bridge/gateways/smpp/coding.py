"""Texts as SMPP carries them: data codings, user data headers, and the three ways to mark segments; pure.

Sources: SMPP 3.4 sections 5.2.19 (data_coding), 5.2.12 (esm_class) and 5.3.2.22 to 24 (sar); 3GPP TS 23.038
section 4 (data coding schemes), TS 23.040 section 9.2.3.24 (user data header).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.gateways.smpp.pdu import ShortMessage, Tag
from bridge.sms import header
from bridge.sms.encoding import ucs2
from bridge.sms.gsm7 import DEFAULT, NotGsm7
from bridge.sms.gsm7 import Alphabet as Septets
from bridge.sms.national import LANGUAGES, alphabet_of
from bridge.types import Encoding, OutboundSms, Shift

UDH = 0x40
"""The bit of esm_class that announces a user data header."""

_UCS2 = 0x08
_FLASH_GENERAL, _FLASH_GROUP = 0x10, 0xF0
"""Class 0 in the general data coding group, which has UCS-2 too (0x18), and in group 1111, which has not."""
_ON_DISPLAY = b"\x01"
"""dest_addr_subunit: the phone's display (SMPP 3.4 section 5.3.2.1)."""

_IA5 = 0x01
_NO_IA5 = re.compile(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
"""Letters of the GSM alphabet that no text in IA5 (ASCII) has: the npm package `smpp` calls that alphabet IA5."""

_CODECS: Mapping[int, str] = {
    _IA5: "ascii",
    0x03: "latin-1",
    0x05: "shift_jis",
    0x06: "iso8859-5",
    0x07: "iso8859-8",
    0x0A: "iso2022_jp",
    0x0D: "euc_jp",
    0x0E: "euc_kr",
}
"""The codings of section 5.2.19 besides the default alphabet, octets and UCS-2."""


class Alphabet(StrEnum):
    """What an SMSC takes data_coding 0 for."""

    GSM7 = "gsm7"
    """The GSM 7-bit alphabet, one septet in each octet."""
    LATIN1 = "latin1"
    """ISO 8859-1, which the SMSC turns into GSM 7-bit itself."""


class Long(StrEnum):
    """How a text that does not fit one SMS is handed over."""

    UDH = "udh"
    """Segments with a concatenation header in the user data."""
    SAR = "sar"
    """Segments with sar_* parameters."""
    PAYLOAD = "payload"
    """Whole, as message_payload; the SMSC cuts it."""


class Flash(StrEnum):
    """How an SMSC is told that a text is to be shown at once and not kept."""

    GENERAL = "0x10"
    """data_coding 0x10, and 0x18 for UCS-2."""
    GROUP = "0xf0"
    """data_coding 0xF0, and 0x18 for UCS-2, which that group lacks."""
    SUBUNIT = "dest_addr_subunit"
    """By that parameter, with the data_coding of any other text."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one SMSC wants its texts."""

    long: Long = Long.UDH
    alphabet: Alphabet = Alphabet.GSM7
    flash: Flash = Flash.GENERAL
    wide: bool = False
    """Headers with a 16-bit reference, where the segments leave room for it."""

    @property
    def carries_shifts(self) -> bool:
        """Whether a header of ours, with septets behind it, reaches the phone."""
        return self.long is Long.UDH and self.alphabet is Alphabet.GSM7


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes into one submit_sm."""

    octets: bytes
    data_coding: int
    esm_class: int
    tlvs: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of which longer text a segment is."""

    reference: int
    total: int
    ordinal: int
    """1 for the first."""


def pieces(sms: OutboundSms, way: Way, reference: int) -> list[Piece]:
    """What is to be submitted for `sms`, in order; `reference` binds its segments together.

    As much of the reference counts as its place has room for. Raises `NotGsm7` for a text that this way cannot carry.
    """
    coding, texts = _octets(sms, way)
    tlvs: Mapping[int, bytes] = {}
    if sms.flash:
        coding, tlvs = _flash(coding, way)
    total = len(texts)
    if way.long is Long.PAYLOAD and total > 1:
        whole = b"".join(texts)
        return [Piece(whole, coding, 0, {Tag.MESSAGE_PAYLOAD: whole, **tlvs})]
    if total > header.MOST_SEGMENTS:
        raise NotGsm7
    if way.long is Long.UDH:
        return [
            Piece(before + octets, coding, UDH if before else 0, tlvs)
            for before, octets in zip(_headers(sms, texts, way, reference), texts, strict=True)
        ]
    if total == 1:
        return [Piece(texts[0], coding, 0, tlvs)]
    marks: Mapping[int, bytes] = {
        Tag.SAR_MSG_REF_NUM: (reference & 0xFF).to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
    }
    return [
        Piece(octets, coding, 0, {**marks, Tag.SAR_SEGMENT_SEQNUM: bytes((ordinal,)), **tlvs})
        for ordinal, octets in enumerate(texts, 1)
    ]


def _headers(sms: OutboundSms, texts: Sequence[bytes], way: Way, reference: int) -> Iterator[bytes]:
    total, tables = len(texts), header.tables(sms.shift)
    if total == 1:
        yield header.header(tables)
        return
    size = header.size(sms.shift, is_part=True, wide_reference=True)
    room = header.septets(size) if sms.encoding is Encoding.GSM7 else 2 * header.units(size)
    wide = way.wide and max(map(len, texts)) <= room
    for ordinal in range(1, total + 1):
        yield header.header(header.place(reference, total, ordinal, wide=wide) + tables)


def _flash(coding: int, way: Way) -> tuple[int, Mapping[int, bytes]]:
    if way.flash is Flash.SUBUNIT or (way.alphabet is Alphabet.LATIN1 and coding != _UCS2):
        return coding, {Tag.DEST_ADDR_SUBUNIT: _ON_DISPLAY}
    return (_FLASH_GROUP if way.flash is Flash.GROUP and coding != _UCS2 else _FLASH_GENERAL | coding), {}


def _octets(sms: OutboundSms, way: Way) -> tuple[int, Sequence[bytes]]:
    segments = sms.segments
    if sms.encoding is Encoding.GSM7 and way.alphabet is Alphabet.GSM7:
        return 0, [alphabet_of(sms.shift).encode(segment) for segment in segments]
    if sms.encoding is Encoding.GSM7 and _is_latin1(sms.text):
        return 0, [segment.encode("latin-1") for segment in segments]
    if sms.encoding is Encoding.GSM7:
        # This SMSC has no way to say all of it but UCS-2, whose segments are shorter than those it was cut into.
        segments = ucs2(sms.text, wide_reference=way.wide).segments
    return _UCS2, [segment.encode("utf-16-be", "surrogatepass") for segment in segments]


def _is_latin1(text: str) -> bool:
    return all(char <= "\u00ff" for char in text)


def text_of(message: ShortMessage, alphabet: Alphabet) -> tuple[str, Place | None]:
    """The words of a message from a phone, and its place where it is a part of a longer text.

    Octets that mean nothing in their coding show as U+FFFD. A part in UCS-2 may begin or end with half a surrogate
    pair, which is kept for its other half.
    """
    place, septets = _sar(message.tlvs), DEFAULT
    before, octets = _split(message)
    if before:
        place, septets = concatenation(before) or place, header.alphabet(before)
    return _decode(octets, message.data_coding, alphabet, septets, whole=place is None), place


def shift_of(message: ShortMessage) -> Shift | None:
    """The national tables that a message names; None where they are of two languages, or of one that nobody knows."""
    named = dict(header.elements(_split(message)[0]))
    single, locking = named.get(header.SINGLE_SHIFT, b""), named.get(header.LOCKING_SHIFT, b"")
    language = LANGUAGES.get((single or locking or b"\0")[0])
    if language is None or (single and locking and single != locking):
        return None
    try:
        return Shift(language, single=bool(single), locking=bool(locking))
    except ValueError:  # there is no such table
        return None


def is_flash(message: ShortMessage) -> bool:
    """Whether a message is to be shown at once and not kept."""
    coding = message.data_coding
    in_class_0 = coding & 0xD3 == 0x10 or coding & 0xFB == 0xF0
    return in_class_0 or message.tlvs.get(Tag.DEST_ADDR_SUBUNIT) == _ON_DISPLAY


def _split(message: ShortMessage) -> tuple[bytes, bytes]:
    """The header, without its length, and what follows; no header where it would be longer than the message."""
    octets = message.octets
    if message.esm_class & UDH and octets and octets[0] < len(octets):
        return octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
    return b"", octets


def _decode(octets: bytes, data_coding: int, alphabet: Alphabet, septets: Septets, *, whole: bool) -> str:
    kind = _alphabet_bits(data_coding)
    if kind == 2:
        errors = "replace" if whole else "surrogatepass"
        even = octets[: len(octets) // 2 * 2]
        text = even.decode("utf-16-be", errors)
    elif kind == 1:
        text = _eight_bits(octets)
    elif data_coding in _CODECS and not (data_coding == _IA5 and _NO_IA5.search(octets)):
        text = octets.decode(_CODECS[data_coding], "replace")
    elif data_coding == 0 and alphabet is Alphabet.LATIN1:
        text = octets.decode("latin-1")
    else:
        text = septets.decode(octets)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _alphabet_bits(data_coding: int) -> int:
    """0 for 7 bits (or an own coding of SMPP), 1 for 8 bits, 2 for UCS-2 (TS 23.038 section 4)."""
    if data_coding <= 0x0F:  # the table of SMPP, which goes before that of GSM
        return 2 if data_coding in (0x08, 0x09) else 1 if data_coding in (0x02, 0x04) else 0
    if data_coding <= 0x7F:
        return (data_coding >> 2 & 3) % 3
    if data_coding & 0xF0 == 0xE0:
        return 2
    return data_coding >> 2 & 1 if data_coding >= 0xF0 else 0


def _eight_bits(octets: bytes) -> str:
    """Octets of which nobody says what they mean: as UTF-8 where they are that, else as ISO 8859-1."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def concatenation(elements: bytes) -> Place | None:
    """The concatenation element of a user data header (TS 23.040 section 9.2.3.24.1 and .8)."""
    for element, value in header.elements(elements):
        if (element, len(value)) in ((header.CONCATENATION, 3), (header.CONCATENATION_WIDE, 4)):
            *reference, total, ordinal = value
            return _place(int.from_bytes(bytes(reference), "big"), total, ordinal)
    return None


def _sar(tlvs: Mapping[int, bytes]) -> Place | None:
    reference = tlvs.get(Tag.SAR_MSG_REF_NUM)
    total, ordinal = tlvs.get(Tag.SAR_TOTAL_SEGMENTS), tlvs.get(Tag.SAR_SEGMENT_SEQNUM)
    if not reference or not total or not ordinal:
        return None
    return _place(int.from_bytes(reference[-2:], "big"), total[-1], ordinal[-1])


def _place(reference: int, total: int, ordinal: int) -> Place | None:
    """A header that makes no sense is ignored, as TS 23.040 wants it."""
    return Place(reference, total, ordinal) if 1 <= ordinal <= total and total > 1 else None
