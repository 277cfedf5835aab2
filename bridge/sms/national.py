"""The national tables beside the GSM 7-bit alphabet: which characters each language has, and at which septets.

Source: 3GPP TS 23.038 annex A.2 (single shift tables) and A.3 (locking shift tables), read from Release 18 as the
package gsmcodecs 1.0.0 holds it, and compared septet by septet with the tables of ofono 1.31; where the two differ,
with those of Android (com.android.internal.telephony.GsmAlphabet) and with a transcription of Release 16. What was
found, and what stands here:

* Kannada, locking, 0x24: the specification prints U+0CAA, which it has at 0x3D too. It means U+0CA1, which stands
  between its neighbours in the script and which no other septet has; so Android.
* Telugu, single, 0x65: Release 16 and Android have the euro sign there, as all other languages of India do; ofono and
  gsmcodecs do not. It stands here.
* All languages of India and Urdu, locking, 0x2C: a comma. gsmcodecs has an apostrophe, alone.
* Bengali, single, 0x10 to 0x1F are missing in ofono, Kannada, single, 0x3C is there "]" and Malayalam, locking, 0x2E a
  comma; all others have what stands here.
* Tamil, single, 0x24 and Telugu, single, 0x22 and 0x23 were misprints of earlier releases (U+0BEF, U+06CC, U+06CD).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from bridge.sms.code_points import characters
from bridge.sms.gsm7 import DEFAULT, DEFAULT_TABLE, EXTENSION_TABLE, VOID, Alphabet
from bridge.types import National, Shift

IDENTIFIERS: Mapping[National, int] = {language: number for number, language in enumerate(National, 1)}
"""The national language identifier (section 6.2.1.2.4): Turkish 1, Spanish 2, Portuguese 3, ... Urdu 13."""
LANGUAGES: Mapping[int, National] = {number: language for language, number in IDENTIFIERS.items()}

# In Europe a table is one that everybody knows, with some characters in place of others: septet and character.
_EUROPEAN_SINGLE = {
    National.TURKISH: "47Ğ 49İ 53Ş 63ç 67ğ 69ı 73ş",
    National.SPANISH: "09ç 41Á 49Í 4FÓ 55Ú 61á 69í 6Fó 75ú",
    National.PORTUGUESE: (
        "05ê 09ç 0BÔ 0Cô 0EÁ 0Fá 12Φ 13Γ 15Ω 16Π 17Ψ 18Σ 19Θ 1FÊ 41À 49Í 4FÓ 55Ú 5BÃ 5CÕ 61Â 69í 6Fó 75ú 7Bã 7Cõ 7Fâ"
    ),
}
_EUROPEAN_LOCKING = {
    National.TURKISH: "04€ 07ı 0BĞ 0Cğ 1CŞ 1Dş 40İ 60ç",
    National.PORTUGUESE: (
        "04ê 06ú 07í 08ó 09ç 0BÔ 0Cô 0EÁ 0Fá 12ª 13Ç 14À 15∞ 16^ 17\\ 18€ 19Ó 1A| 1CÂ 1Dâ 1EÊ "
        "24º 40Í 5BÃ 5CÕ 5DÚ 60~ 7Bã 7Cõ 7D`"
    ),
}

# Further east all tables share a frame, and the script fills what it leaves free ("▯"), septet by septet.
_FRAME_SINGLE = (
    "@£$¥¿\"¤%&'\f*+\0-/<=>¡^¡_#*▯▯\0▯▯▯▯"
    "▯▯▯▯▯▯▯▯{}▯▯▯▯▯\\▯▯▯▯▯▯▯▯▯▯▯▯[~]▯"
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ\0\0\0\0\0"
    "\0\0\0\0\0€\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
)
_FRAME_LOCKING = (
    "▯▯▯▯▯▯▯▯▯▯\n▯▯\r▯▯▯▯▯▯▯▯▯▯▯▯▯\x1b▯▯▯▯"
    " !▯▯▯▯▯▯)(▯▯,▯.▯0123456789:;▯▯▯?"
    "▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯"
    "▯abcdefghijklmnopqrstuvwxyz▯▯▯▯▯"
)

# Code points and runs of them, in hexadecimal; a stroke for each septet that has no character.
_EASTERN_SINGLE = {
    National.BENGALI: "09E6-09EF 09DF-09E3 09F2-09FA",
    National.GUJARATI: "0964 0965 0AE6-0AEF",
    National.HINDI: "0964-096F 0951-0954 0958-0963 0970 0971",
    National.KANNADA: "0964 0965 0CE6-0CEF 0CDE 0CF1 0CF2",
    National.MALAYALAM: "0964 0965 0D66-0D75 0D7A-0D7F",
    National.ORIYA: "0964 0965 0B66-0B6F 0B5C 0B5D 0B5F 0B70 0B71",
    National.PUNJABI: "0964 0965 0A66-0A6F 0A59-0A5C 0A5E 0A75",
    National.TAMIL: "0964 0965 0BE6-0BEF 0BF3-0BF8 0BFA",
    National.TELUGU: "_ _ 0C66-0C6F 0C58 0C59 0C78-0C7F",
    National.URDU: "0600 0601 06F0-06F9 060C-0614 061B 061F 0640 0652 0658 066B 066C 0672 0673 06CD 06D4",
}
_EASTERN_LOCKING = {
    National.BENGALI: (
        "0981-0983 0985-098C _ _ 098F 0990 _ _ 0993-09A8 _ 09AA-09B0 _ 09B2 _ _ _ 09B6-09B9 09BC-09C4 _ _ 09C7 09C8 "
        "_ _ 09CB-09CE 09D7 09DC 09DD 09F0 09F1"
    ),
    National.GUJARATI: (
        "0A81-0A83 0A85-0A8D _ 0A8F-0A91 _ 0A93-0AA8 _ 0AAA-0AB0 _ 0AB2 0AB3 _ 0AB5-0AB9 0ABC-0AC5 _ 0AC7-0AC9 _ "
        "0ACB-0ACD 0AD0 0AE0-0AE3 0AF1"
    ),
    National.HINDI: "0901-0903 0905-0939 093C-094D 0950 0972 097B 097C 097E 097F",
    National.KANNADA: (
        "_ 0C82 0C83 0C85-0C8C _ 0C8E-0C90 _ 0C92-0CA8 _ 0CAA-0CB3 _ 0CB5-0CB9 0CBC-0CC4 _ 0CC6-0CC8 _ 0CCA-0CCD "
        "0CD5 0CD6 0CE0-0CE3"
    ),
    National.MALAYALAM: (
        "_ 0D02 0D03 0D05-0D0C _ 0D0E-0D10 _ 0D12-0D28 _ 0D2A-0D39 _ 0D3D-0D44 _ 0D46-0D48 _ 0D4A-0D4D 0D57 "
        "0D60-0D63 0D79"
    ),
    National.ORIYA: (
        "0B01-0B03 0B05-0B0C _ _ 0B0F 0B10 _ _ 0B13-0B28 _ 0B2A-0B30 _ 0B32 0B33 _ 0B35-0B39 0B3C-0B44 _ _ 0B47 0B48 "
        "_ _ 0B4B-0B4D 0B56 0B57 0B60-0B63"
    ),
    National.PUNJABI: (
        "0A01-0A03 0A05-0A0A _ _ _ _ 0A0F 0A10 _ _ 0A13-0A28 _ 0A2A-0A30 _ 0A32 0A33 _ 0A35 0A36 _ 0A38 0A39 0A3C _ "
        "0A3E-0A42 _ _ _ _ 0A47 0A48 _ _ 0A4B-0A4D 0A51 0A70-0A74"
    ),
    National.TAMIL: (
        "_ 0B82 0B83 0B85-0B8A _ _ _ 0B8E-0B90 _ 0B92-0B95 _ _ _ 0B99 0B9A _ 0B9C _ 0B9E 0B9F _ _ _ 0BA3 0BA4 _ _ _ "
        "0BA8-0BAA _ _ _ 0BAE-0BB9 _ _ 0BBE-0BC2 _ _ _ 0BC6-0BC8 _ 0BCA-0BCD 0BD0 0BD7 0BF0-0BF2 0BF9"
    ),
    National.TELUGU: (
        "0C01-0C03 0C05-0C0C _ 0C0E-0C10 _ 0C12-0C28 _ 0C2A-0C33 _ 0C35-0C39 _ 0C3D-0C44 _ 0C46-0C48 _ 0C4A-0C4D "
        "0C55 0C56 0C60-0C63"
    ),
    National.URDU: (
        "0627 0622 0628 067B 0680 067E 06A6 062A 06C2 067F 0679 067D 067A 067C 062B 062C 0681 0684 0683 0685-0687 "
        "062D-062F 068C 0688-068A 068F 068D 0630 0631 0691 0693 0699 0632 0696 0698 069A 0633-0639 0641 0642 "
        "06A9-06AB 06AF 06B3 06B1 0644-0646 06BA-06BC 0648 06C4 06D5 06C1 06BE 0621 06CC 06D0 06D2 064D 0650 064F "
        "0657 0654 0655 0651 0653 0656 0670"
    ),
}


@cache
def alphabet(locking: National | None = None, single: National | None = None) -> Alphabet:
    """The alphabet with these tables in place of those that everybody knows; a table that there is not changes nothing.

    The two may be of different languages, as a phone may write them.
    """
    table = _locking(locking) if locking is not None else DEFAULT_TABLE
    extension = _single(single) if single is not None else EXTENSION_TABLE
    return Alphabet(table, extension)


@cache
def alphabet_of(shift: Shift | None) -> Alphabet:
    """The alphabet that a text with these tables is written in."""
    if shift is None:
        return DEFAULT
    return alphabet(shift.language if shift.locking else None, shift.language if shift.single else None)


@cache
def shifts_of(language: National) -> tuple[Shift, ...]:
    """Every way to use its tables, those with the shortest header first."""
    found = [Shift(language, single=True, locking=False)]
    if language is not National.SPANISH:
        found += [Shift(language, single=False, locking=True), Shift(language, single=True, locking=True)]
    return tuple(found)


def _single(language: National) -> Mapping[int, str]:
    if language in _EUROPEAN_SINGLE:
        return {**EXTENSION_TABLE, **dict(_replacements(_EUROPEAN_SINGLE[language]))}
    table = _filled(_FRAME_SINGLE, _EASTERN_SINGLE[language])
    return {septet: char for septet, char in enumerate(table) if char != VOID}


def _locking(language: National) -> str:
    if language in _EASTERN_LOCKING:
        return _filled(_FRAME_LOCKING, _EASTERN_LOCKING[language])
    table = list(DEFAULT_TABLE)
    for septet, char in _replacements(_EUROPEAN_LOCKING.get(language, "")):
        table[septet] = char
    return "".join(table)


def _replacements(pairs: str) -> Iterator[tuple[int, str]]:
    return ((int(pair[:2], 16), pair[2:]) for pair in pairs.split())


def _filled(frame: str, script: str) -> str:
    letters = _letters(script)
    return "".join(next(letters, VOID) if char == "▯" else char for char in frame)


def _letters(script: str) -> Iterator[str]:
    for run in script.split():
        yield from VOID if run == "_" else characters(run)
