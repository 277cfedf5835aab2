"""National tables of 3GPP TS 23.038: their characters, against an independent copy, and where they pay."""

from __future__ import annotations

import pytest
from gsmcodecs.charmaps import GSMCHARMAPS
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import MailRefusal
from bridge.sms import gsm7, header
from bridge.sms.encoding import encode
from bridge.sms.national import IDENTIFIERS, alphabet, alphabet_of, shifts_of
from bridge.types import Encoded, Encoding, National, Shift, UnicodePolicy

ALLOW, TRANSLITERATE, REFUSE = UnicodePolicy.ALLOW, UnicodePolicy.TRANSLITERATE, UnicodePolicy.REFUSE
TURKISH, SPANISH, PORTUGUESE, HINDI = National.TURKISH, National.SPANISH, National.PORTUGUESE, National.HINDI
SHIFTS = [shift for language in National for shift in shifts_of(language)]
EVERY = frozenset(National)

BETTER = {
    ("locking", National.KANNADA, 0x24): "\u0ca1",
    ("single", National.TELUGU, 0x65): "€",
    **{("locking", language, 0x2C): "," for language in list(National)[3:]},
}
"""Where `bridge.sms.national` says why it does not follow the copy."""


@pytest.mark.parametrize("language", National)
@pytest.mark.parametrize("kind", ["single", "locking"])
def test_every_septet_is_that_of_an_independent_copy(language: National, kind: str) -> None:
    copied = GSMCHARMAPS[IDENTIFIERS[language]].get("singleShift" if kind == "single" else "locking")
    if copied is None:
        assert (language, kind) == (SPANISH, "locking")
        return
    ours = alphabet(single=language) if kind == "single" else alphabet(locking=language)
    base = gsm7.DEFAULT_TABLE
    for septet in set(range(128)) - {gsm7.ESCAPE}:
        code = copied["decode"].get(septet)
        shown = ours.decode(bytes((gsm7.ESCAPE, septet)) if kind == "single" else bytes((septet,)))
        missing = base[septet] if kind == "single" else " "
        assert shown == BETTER.get((kind, language, septet), missing if code is None else chr(code)), hex(septet)


@pytest.mark.parametrize(
    ("language", "kind", "letters"),
    [
        pytest.param(TURKISH, "single", "ĞİŞçğış€{}[]", id="Turkish single"),
        pytest.param(TURKISH, "locking", "€ıĞğŞşİç", id="Turkish locking"),
        pytest.param(SPANISH, "single", "çÁÍÓÚáíóú€", id="Spanish single"),
        pytest.param(PORTUGUESE, "single", "êçÔôÁáÊÀÍÓÚÃÕÂíóúãõâ", id="Portuguese single"),
        pytest.param(PORTUGUESE, "locking", "êúíóçÔôÁáªÇÀ∞^\\€Ó|ÂâÊºÍÃÕÚ~ãõ`", id="Portuguese locking"),
        pytest.param(National.BENGALI, "locking", "অআকখগঘঙৎৱ", id="Bengali locking"),
        pytest.param(National.BENGALI, "single", "০৯\u09df৺AZ€", id="Bengali single"),
        pytest.param(National.GUJARATI, "locking", "અઆકખગ્ૐ૱", id="Gujarati locking"),
        pytest.param(National.GUJARATI, "single", "।॥૦૯AZ€", id="Gujarati single"),
        pytest.param(HINDI, "locking", "नमस्ते ॐ ॿ", id="Hindi locking"),
        pytest.param(HINDI, "single", "।॥०९\u0958\u095fAZ€", id="Hindi single"),
        pytest.param(National.KANNADA, "locking", "ಕನ್ನಡ", id="Kannada locking, the letter that is misprinted"),
        pytest.param(National.KANNADA, "single", "೦೯ೞೱೲAZ€", id="Kannada single"),
        pytest.param(National.MALAYALAM, "locking", "മലയാളം", id="Malayalam locking"),
        pytest.param(National.MALAYALAM, "single", "൦൯൰൵ൺൿ", id="Malayalam single"),
        pytest.param(National.ORIYA, "locking", "ଓଡ଼ିଆ", id="Oriya locking"),
        pytest.param(National.ORIYA, "single", "୦୯୰ୱ", id="Oriya single"),
        pytest.param(National.PUNJABI, "locking", "ਪੰਜਾਬੀ", id="Punjabi locking"),
        pytest.param(National.PUNJABI, "single", "੦੯ੵ", id="Punjabi single"),
        pytest.param(National.TAMIL, "locking", "தமிழ்", id="Tamil locking"),
        pytest.param(National.TAMIL, "single", "௦௮௯௺", id="Tamil single"),
        pytest.param(National.TELUGU, "locking", "తెలుగు", id="Telugu locking"),
        pytest.param(National.TELUGU, "single", "౦౬౭౯౸౿€", id="Telugu single"),
        pytest.param(National.URDU, "locking", "اردو پاکستان", id="Urdu locking"),
        pytest.param(National.URDU, "single", "۰۹،؟۔", id="Urdu single"),
    ],
)
def test_known_characters(language: National, kind: str, letters: str) -> None:
    shift = Shift(language, single=kind == "single", locking=kind == "locking")
    assert alphabet_of(shift).decode(alphabet_of(shift).encode(letters)) == letters


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
@given(data=st.data())
def test_what_an_alphabet_writes_it_reads(shift: Shift, data: st.DataObject) -> None:
    ours = alphabet_of(shift)
    text = data.draw(st.text(st.sampled_from(sorted(ours.characters))))
    septets = ours.encode(text)
    assert ours.decode(septets) == text
    assert ours.septets(text) == len(septets)
    assert max(septets, default=0) < 128


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_the_text_form_of_tables(shift: Shift) -> None:
    assert Shift.parse(str(shift)) == shift


@pytest.mark.parametrize(
    "text",
    ["", "turkish", "turkish:", "klingon:single", "spanish:locking", "turkish:locking+single", "turkish:single "],
)
def test_what_is_no_text_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Shift.parse(text)


def test_the_text_form_reads_as_documented() -> None:
    assert str(Shift(TURKISH, single=True, locking=True)) == "turkish:single+locking"
    assert str(Shift(SPANISH, single=True, locking=False)) == "spanish:single"


@pytest.mark.parametrize(
    ("shift", "elements"),
    [
        pytest.param("turkish:single", "24 01 01", id="single"),
        pytest.param("portuguese:locking", "25 01 03", id="locking"),
        pytest.param("urdu:single+locking", "24 01 0d 25 01 0d", id="both"),
    ],
)
def test_what_stands_in_the_header(shift: str, elements: str) -> None:
    found = header.tables(Shift.parse(shift))
    assert found == bytes.fromhex(elements)
    assert header.alphabet(found).characters == alphabet_of(Shift.parse(shift)).characters


def shown(encoded: Encoded) -> tuple[str, int, int, int]:
    """Alphabet, segments, units and units left."""
    name = str(encoded.shift) if encoded.shift else encoded.encoding.value
    return name, len(encoded.segments), encoded.units, encoded.units_left


@pytest.mark.parametrize(
    ("text", "policy", "permitted", "expected"),
    [
        pytest.param("Yarın görüşürüz " * 9, ALLOW, {TURKISH}, ("turkish:locking", 1, 144, 11), id="Turkish letters"),
        pytest.param("Yarın görüşürüz " * 9, ALLOW, set(), ("ucs2", 3, 144, 57), id="where no table is permitted"),
        pytest.param("Yarın görüşürüz " * 9, ALLOW, {SPANISH}, ("ucs2", 3, 144, 57), id="where another one is"),
        pytest.param("a" * 100 + "ş", ALLOW, {TURKISH}, ("turkish:locking", 1, 101, 54), id="one letter"),
        pytest.param("a" * 154 + "ş", ALLOW, {TURKISH}, ("turkish:locking", 1, 155, 0), id="155 septets are one"),
        pytest.param("a" * 155 + "ş", ALLOW, {TURKISH}, ("turkish:locking", 2, 156, 142), id="156 are two of 149"),
        pytest.param(
            "a" * 70 + "í", ALLOW, {SPANISH}, ("spanish:single", 1, 72, 83), id="Spanish has the single table"
        ),
        pytest.param("a" * 90 + "è" * 9 + "ş", ALLOW, {TURKISH}, ("turkish:single", 1, 101, 54), id="single keeps è"),
        pytest.param("ا" * 60 + "؟" * 12, ALLOW, {National.URDU}, ("urdu:single+locking", 1, 84, 68), id="both tables"),
        pytest.param("ا" * 140 + "؟" * 7, ALLOW, {National.URDU}, ("urdu:single+locking", 2, 154, 138), id="2 of 146"),
        pytest.param("Şu", ALLOW, {TURKISH}, ("ucs2", 1, 2, 68), id="no table where it saves no SMS"),
        pytest.param("Ciao", ALLOW, EVERY, ("gsm7", 1, 4, 156), id="no table where none is needed"),
        pytest.param("ş" * 80 + "ا", ALLOW, EVERY, ("ucs2", 2, 81, 53), id="letters of two languages"),
        pytest.param("“" + "a" * 100 + "ş”", ALLOW, {TURKISH}, ("ucs2", 2, 103, 31), id="quotes in no table"),
        pytest.param(
            "“" + "a" * 100 + "ş”", TRANSLITERATE, {TURKISH}, ("turkish:locking", 1, 103, 52), id="quotes replaced"
        ),
        pytest.param(
            "a" * 100 + "œ", TRANSLITERATE, {TURKISH}, ("gsm7", 1, 102, 58), id="replaced, the default is free"
        ),
        pytest.param("۔" + "a" * 100, REFUSE, {National.URDU}, ("urdu:single", 1, 102, 53), id="a table is no refusal"),
        pytest.param("ç" * 100, ALLOW, EVERY, ("turkish:locking", 1, 100, 55), id="the fewest septets of several"),
        pytest.param("ç" * 100, ALLOW, {PORTUGUESE, SPANISH}, ("portuguese:locking", 1, 100, 55), id="of two"),
    ],
)
def test_which_alphabet_is_chosen(
    text: str, policy: UnicodePolicy, permitted: set[National], expected: tuple[str, int, int, int]
) -> None:
    encoded = encode(text, policy, permitted)
    assert shown(encoded) == expected


def test_a_refusal_stays_one_where_no_permitted_table_has_the_character() -> None:
    with pytest.raises(MailRefusal, match=r"Character 3 of the text \(U\+015F"):
        encode("a ş", REFUSE, {SPANISH})


@given(
    st.lists(st.sampled_from(["şğı ", "áíóú ", "ãõ ", "नमस्ते ", "“ciao” ", "😀", "a" * 40, "€€€", "தமிழ்"]), max_size=20),
    st.sets(st.sampled_from(National)),
    st.booleans(),
)
def test_every_segment_fits_with_its_header(words: list[str], permitted: set[National], wide: bool) -> None:
    text = "".join(words)
    encoded = encode(text, ALLOW, permitted, wide_reference=wide)
    is_part = len(encoded.segments) > 1
    size = header.size(encoded.shift, is_part=is_part, wide_reference=wide)
    assert "".join(encoded.segments) == encoded.text == text
    assert encoded.shift is None or encoded.shift.language in permitted
    for segment in encoded.segments:
        if encoded.encoding is Encoding.GSM7:
            octets = alphabet_of(encoded.shift).encode(segment)
            assert (len(octets) + -(-size * 8 // 7)) <= 160
            assert not octets.endswith(b"\x1b")
        else:
            assert size + len(segment.encode("utf-16-be")) <= 140
    assert len(encoded.segments) <= len(encode(text, ALLOW, wide_reference=wide).segments)
