"""What makes a text expensive: the character that its author should look at first, and the sentence that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from bridge.sms import look_alikes
from bridge.sms.encoding import NO_SHIFTS, encode, named
from bridge.sms.gsm7 import DEFAULT
from bridge.sms.header import MOST_SEGMENTS
from bridge.sms.national import alphabet_of, shifts_of
from bridge.types import Encoded, Encoding, National, UnicodePolicy

_CHEAP = "."
"""One septet in every alphabet."""


@dataclass(frozen=True, slots=True)
class Expensive:
    """A character that costs more than another in its place, and the others that do so for the same reason."""

    position: int
    """Of the first of them; 1 for the first character of the text."""
    char: str
    others: int
    counts_double: bool
    """They are in the alphabet, behind the escape; else they keep the text out of it."""
    segments: int
    segments_without: int
    """With something that costs no more than a letter in place of each."""


def most_expensive(
    encoded: Encoded, policy: UnicodePolicy = UnicodePolicy.TRANSLITERATE, shifts: Collection[National] = NO_SHIFTS
) -> Expensive | None:
    """The first of those characters whose replacement saves the most SMS; None where no replacement saves one.

    In UCS-2 those are the characters that keep the text out of a 7-bit alphabet; in GSM 7-bit the most frequent
    character that counts double. `policy` and `shifts` are those that `encoded` was made with.
    """
    text = encoded.text
    if encoded.encoding is Encoding.UCS2:
        guilty = _outsiders(text, policy, shifts)
    else:
        doubles = Counter(char for char in text if char in alphabet_of(encoded.shift).extended)
        guilty = frozenset(char for char, _ in doubles.most_common(1))
    cheaper = text.translate({ord(char): _CHEAP for char in guilty})
    segments = len(encode(cheaper, policy, shifts, wide_reference=encoded.wide_reference).segments)
    if segments >= len(encoded.segments):
        return None
    places = [at for at, char in enumerate(text, 1) if char in guilty]
    first = places[0]
    doubles_it = encoded.encoding is Encoding.GSM7
    return Expensive(first, text[first - 1], len(places) - 1, doubles_it, len(encoded.segments), segments)


def too_many(
    encoded: Encoded,
    limit: int,
    policy: UnicodePolicy = UnicodePolicy.TRANSLITERATE,
    shifts: Collection[National] = NO_SHIFTS,
) -> str:
    """The sentence for a text of more segments than `limit`: what it needs, and which character to look at first."""
    needs = f"This text needs {len(encoded.segments)} SMS and the limit is {limit}."
    # What no header can number is long for other reasons than one character.
    found = most_expensive(encoded, policy, shifts) if len(encoded.segments) <= MOST_SEGMENTS else None
    if found is None:
        return f"{needs} Shorten it and send it again."
    one, those = f"Character {found.position} of the text ({named(found.char)})", f"{found.others} other"
    if found.others > 1:
        those += "s"
    those += " like it" if found.counts_double else " outside the GSM 7-bit alphabet"
    who, it, s = (f"{one} and {those}", "them", "") if found.others else (one, "it", "s")
    double = f" count{s} double and" if found.counts_double else ""
    link = "or" if found.segments_without <= limit else "and"
    return (
        f"{needs} {who}{double} make{s} it {found.segments} SMS instead of {found.segments_without}: "
        f"replace {it}, {link} shorten the text."
    )


def _outsiders(text: str, policy: UnicodePolicy, shifts: Collection[National]) -> frozenset[str]:
    """The characters that the nearest 7-bit alphabet lacks: the one that lacks the fewest places of the text."""
    counts = Counter(text)
    alphabets = [DEFAULT] + [
        alphabet_of(shift) for language in National if language in shifts for shift in shifts_of(language)
    ]
    replaced = policy is UnicodePolicy.TRANSLITERATE
    lacking = [
        look_alikes.kept_out(text, alphabet) if replaced else frozenset(counts) - alphabet.characters
        for alphabet in alphabets
    ]
    return min(lacking, key=lambda chars: sum(counts[char] for char in chars))
