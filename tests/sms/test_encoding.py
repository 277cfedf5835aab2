"""Texts become segments: sizes, boundaries and what happens to characters outside the small alphabet."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import MailRefusal, Reason
from bridge.sms import gsm7
from bridge.sms.encoding import encode
from bridge.types import Encoding, UnicodePolicy

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2
ALPHABET = "".join(chr(code) for code in range(0x20AD) if gsm7.fits(chr(code)))
CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "segments"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1ee\U0001f1f9"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments", "left"),
    [
        pytest.param("", GSM7, 0, 1, 160, id="nothing"),
        pytest.param("Ciao", GSM7, 4, 1, 156, id="short"),
        pytest.param("a" * 160, GSM7, 160, 1, 0, id="one full SMS"),
        pytest.param("a" * 161, GSM7, 161, 2, 145, id="one character more"),
        pytest.param("a" * 306, GSM7, 306, 2, 0, id="two full segments"),
        pytest.param("a" * 307, GSM7, 307, 3, 152, id="three segments"),
        pytest.param("€" * 80, GSM7, 160, 1, 0, id="escapes count double"),
        pytest.param("a" * 152 + "€" * 5, GSM7, 162, 2, 143, id="an escape pair moves on whole"),
        pytest.param("ç" * 70, UCS2, 70, 1, 0, id="one full unicode SMS"),
        pytest.param("ç" * 71, UCS2, 71, 2, 63, id="two unicode segments"),
        pytest.param("😀" * 35, UCS2, 70, 1, 0, id="an emoji is two units"),
        pytest.param("😀" * 36, UCS2, 72, 2, 61, id="no half emoji"),
    ],
)
def test_sizes(text: str, encoding: Encoding, units: int, segments: int, left: int) -> None:
    encoded = encode(text)
    assert (encoded.encoding, encoded.units, len(encoded.segments)) == (encoding, units, segments)
    assert encoded.units_left == left
    assert "".join(encoded.segments) == encoded.text == text


@pytest.mark.parametrize(
    "cluster",
    ["e\u0301\u0323", "❤\ufe0f", "👍🏽", FAMILY, FLAG, "1\ufe0f\u20e3", "\u0928\u093f"],
    ids=["letter with marks", "variation selector", "skin tone", "family", "flag", "keycap", "Hindi vowel sign"],
)
@pytest.mark.parametrize("before", range(60, 68))
def test_what_looks_like_one_character_is_never_cut(cluster: str, before: int) -> None:
    encoded = encode("х" * before + cluster * 30)
    assert "".join(encoded.segments) == encoded.text
    for segment in encoded.segments:
        assert segment.lstrip("х").replace(cluster, "") == ""


@given(st.text(ALPHABET, max_size=700))
def test_gsm_segments_are_those_of_smsutil(text: str) -> None:
    expected = smsutil.split(text)
    assert encode(text).segments == tuple(part.content for part in expected.parts) or text == ""


@given(st.text(max_size=500))
def test_segments_join_to_the_text_and_keep_their_size(text: str) -> None:
    encoded = encode(text)
    assert "".join(encoded.segments) == encoded.text == text
    single = len(encoded.segments) == 1
    for segment in encoded.segments:
        if encoded.encoding is GSM7:
            assert gsm7.septets(segment) <= (160 if single else 153)
        else:
            assert len(segment.encode("utf-16-le")) <= 2 * (70 if single else 67)
    assert encoded.units == sum(
        gsm7.septets(part) if encoded.encoding is GSM7 else len(part.encode("utf-16-le")) // 2
        for part in encoded.segments
    )


@pytest.mark.parametrize(
    ("written", "texted"),
    [
        pytest.param("“Ciao” – l’ora…", '"Ciao" - l\'ora...', id="what Word makes of it"),
        pytest.param("10\u00a0h\u202f30", "10 h 30", id="spaces"),
        pytest.param("a\u200bb\u00adc\ufeff", "abc", id="invisible"),
        pytest.param("ﬁne cœur", "fine coeur", id="ligatures"),
        pytest.param("perché è così", "perché è così", id="accents stay"),
        pytest.param("ça va “bien”", "ça va “bien”", id="left as written when unicode is needed anyway"),
        pytest.param("😀 “ciao”…", "😀 “ciao”…", id="emoji"),
    ],
)
def test_transliteration(written: str, texted: str) -> None:
    assert encode(written, UnicodePolicy.TRANSLITERATE).text == texted
    assert encode(written, UnicodePolicy.ALLOW).text == written


def test_a_refusal_names_the_first_character_and_its_place() -> None:
    with pytest.raises(MailRefusal) as caught:
        encode("Costo “50” €", UnicodePolicy.REFUSE)
    assert caught.value.reason is Reason.UNENCODABLE
    assert "Character 7 of the text (U+201C, LEFT DOUBLE QUOTATION MARK)" in caught.value.sentence
    assert encode("Costo 50 €", UnicodePolicy.REFUSE).encoding is GSM7


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "€" * 1_000_000, "я" * 1_000_000, "😀" * 500_000, "\u0301" * 1_000_000, FLAG * 250_000],
    ids=["plain", "escapes", "unicode", "emoji", "marks only", "flags"],
)
def test_a_megabyte_is_cut_in_seconds(text: str) -> None:
    before = time.process_time()
    encoded = encode(text)
    assert time.process_time() - before < 5
    assert sum(map(len, encoded.segments)) == len(text)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not part of the checkout")
@pytest.mark.parametrize("name", ["gsm.test.json", "unicode.test.json"])
def test_the_collected_cases_have_the_expected_segments(name: str) -> None:
    for case in json.loads((CORPUS / name).read_text(encoding="utf-8")):
        parts = [part["content"] for part in case["parts"]]
        assert list(encode("".join(parts)).segments) == parts, case["description"]
