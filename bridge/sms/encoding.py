"""Cuts a text into the segments that travel: chosen alphabet, sizes, and boundaries a reader would choose.

Sizes: 3GPP TS 23.040 section 9.2.3.24 (what headers leave), TS 23.038 section 4 (alphabets). In septets or UTF-16 code
units: 160 or 70 in one SMS, 153 or 67 in each of several, 152 or 66 with 16-bit references; each national table that a
text is written with costs three octets more in each of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from functools import cache

from bridge.errors import MailRefusal, Reason
from bridge.sms import gsm7, header, look_alikes
from bridge.sms.graphemes import last_boundary
from bridge.sms.national import alphabet_of, shifts_of
from bridge.types import Encoded, Encoding, National, Shift, UnicodePolicy

NO_SHIFTS: frozenset[National] = frozenset()


def encode(
    text: str,
    policy: UnicodePolicy = UnicodePolicy.ALLOW,
    shifts: Collection[National] = NO_SHIFTS,
    *,
    wide_reference: bool = False,
) -> Encoded:
    """The text as it travels, in as few segments as its alphabet allows; takes time in proportion to its length.

    A text in the GSM 7-bit alphabet stays as it is. In any other, letters and their marks are put together, and then:

    * The national tables of `shifts`, which the route must permit, are used where that makes fewer SMS than UCS-2;
      of several the one with the fewest segments, then the fewest septets.
    * `TRANSLITERATE` replaces look-alikes where that brings the text into the GSM 7-bit alphabet without making more
      SMS, or into a national table with fewer. Where UCS-2 is needed all the same, it stays as written, without what
      is never seen.
    * `ALLOW` replaces nothing.
    * `REFUSE` raises `MailRefusal` (unencodable) where UCS-2 would be needed.

    No boundary falls into an escape pair, a surrogate pair or (as far as a segment can hold it) a grapheme cluster.
    With `wide_reference` the segments leave room for a 16-bit reference.
    """
    if gsm7.fits(text):
        return _gsm7(text, None, wide_reference)
    text = look_alikes.composed(text)
    found = _cheapest(text, shifts, wide_reference)
    if policy is UnicodePolicy.REFUSE:
        return found or _refuse(text)
    written = text
    if policy is UnicodePolicy.TRANSLITERATE and (found is None or found.shift is not None):
        plain = _cheapest(look_alikes.plain(text), shifts, wide_reference)
        if plain is not None and (found is None or len(plain.segments) < len(found.segments)):
            found = plain
        written = look_alikes.without_unseen(text)
    if found is None:
        return ucs2(written, wide_reference=wide_reference)
    # A national table must save an SMS: not every phone knows it.
    spare = 0 if found.shift is None else 1
    if len(found.segments) + spare <= _least(utf16_units(written), _units(wide_reference)):
        return found
    other = ucs2(written, wide_reference=wide_reference)
    return found if len(found.segments) + spare <= len(other.segments) else other


def _cheapest(text: str, shifts: Collection[National], wide: bool) -> Encoded | None:
    """The text in the GSM 7-bit alphabet, or with the national tables that make the fewest segments; None if neither
    has all of it."""
    if gsm7.fits(text):
        return _gsm7(text, None, wide)
    if not shifts:
        return None
    used = set(text)
    able = [
        ((_least(septets, _septets(shift, wide)), septets), shift)
        for language in National  # in one order, however they are given
        if language in shifts
        for shift in shifts_of(language)
        if used <= alphabet_of(shift).characters
        for septets in [alphabet_of(shift).septets(text)]
    ]
    best: Encoded | None = None
    for least, shift in sorted(able, key=lambda pair: pair[0]):
        if best is not None and least >= (len(best.segments), best.units):
            break
        cut = _gsm7(text, shift, wide)
        if best is None or (len(cut.segments), cut.units) < (len(best.segments), best.units):
            best = cut
    return best


def _least(units: int, sizes: tuple[int, int]) -> int:
    """How many segments so many septets or UTF-16 code units take at least."""
    single, part = sizes
    return 1 if units <= single else -(-units // part)


@cache
def _septets(shift: Shift | None, wide: bool) -> tuple[int, int]:
    """What fits one SMS, and each of several."""
    single, part = header.size(shift, is_part=False), header.size(shift, is_part=True, wide_reference=wide)
    return header.septets(single), header.septets(part)


@cache
def _units(wide: bool) -> tuple[int, int]:
    """What fits one SMS in UCS-2, and each of several."""
    return header.units(0), header.units(header.size(None, is_part=True, wide_reference=wide))


def _gsm7(text: str, shift: Shift | None, wide: bool) -> Encoded:
    cost = alphabet_of(shift).septets
    units = cost(text)
    single, room = _septets(shift, wide)
    if units <= single:
        return Encoded(text, Encoding.GSM7, units, (text,), single - units, shift, wide)
    segments = _cut(text, room, cost if units > len(text) else len)
    return Encoded(text, Encoding.GSM7, units, segments, room - cost(segments[-1]), shift, wide)


def ucs2(text: str, *, wide_reference: bool = False) -> Encoded:
    """The text in UCS-2, as it is, whichever alphabet might do; `wide_reference` as for `encode`."""
    units = utf16_units(text)
    single, room = _units(wide_reference)
    if units <= single:
        return Encoded(text, Encoding.UCS2, units, (text,), single - units, wide_reference=wide_reference)
    segments = _cut(text, room, utf16_units if units > len(text) else len)
    left = room - utf16_units(segments[-1])
    return Encoded(text, Encoding.UCS2, units, segments, left, wide_reference=wide_reference)


def _cut(text: str, room: int, cost: Callable[[str], int]) -> tuple[str, ...]:
    """The segments of `text`, each of which costs no more than `room`; a character costs one or two."""
    segments: list[str] = []
    start = 0
    while start < len(text):
        end = min(start + room, len(text))
        excess = cost(text[start:end]) - room
        while excess > 0:
            less = end - (excess + 1) // 2  # at least so many characters too many
            excess -= cost(text[less:end])
            end = less
        end = last_boundary(text, start, end)
        segments.append(text[start:end])
        start = end
    return tuple(segments)


def utf16_units(text: str) -> int:
    """How many UTF-16 code units `text` takes."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _refuse(text: str) -> Encoded:
    position, char = next((at, char) for at, char in enumerate(text, 1) if not gsm7.fits(char))
    raise MailRefusal(
        Reason.UNENCODABLE,
        f"Character {position} of the text ({named(char)}) is outside the GSM 7-bit alphabet: replace it, "
        "or send with X-SMS-Unicode: allow or transliterate.",
    )


def named(char: str) -> str:
    """A character as people can look it up, in ASCII: "U+2019, RIGHT SINGLE QUOTATION MARK"."""
    return f"U+{ord(char):04X}, {unicodedata.name(char, 'a character without a name')}"
