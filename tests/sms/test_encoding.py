"""Texts become segments: sizes, boundaries and what happens to characters outside the small alphabet."""

from __future__ import annotations

import json
import time
from pathlib import Path

import gsm0338
import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import MailRefusal, Reason
from bridge.sms import gsm7
from bridge.sms.encoding import encode
from bridge.sms.look_alikes import composed
from bridge.types import Encoding, National, UnicodePolicy

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2
ALPHABET = "".join(chr(code) for code in range(0x20AD) if gsm7.fits(chr(code)))
CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "segments"
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
    ("text", "segments", "left"),
    [
        pytest.param("a" * 160, 1, 0, id="one SMS has no reference"),
        pytest.param("a" * 304, 2, 0, id="two of 152 septets"),
        pytest.param("a" * 305, 3, 151, id="one character more"),
        pytest.param("ç" * 132, 2, 0, id="two of 66 units"),
        pytest.param("ç" * 133, 3, 65, id="one unit more"),
    ],
)
def test_sizes_with_16_bit_references(text: str, segments: int, left: int) -> None:
    encoded = encode(text, wide_reference=True)
    assert (len(encoded.segments), encoded.units_left) == (segments, left)


@given(st.text(ALPHABET.replace("\r", ""), max_size=700))
def test_gsm_segments_are_those_of_smsutil(text: str) -> None:
    expected = smsutil.split(text)
    encoded = encode(text)
    assert encoded.segments == tuple(part.content for part in expected.parts) or text == ""
    assert encoded.units == len(gsm0338.Codec().encode(text)[0]) == sum(part.bytes for part in expected.parts)


@given(st.text(st.sampled_from("xяжÖ中ç😀🚀 "), max_size=400))
def test_unicode_segments_are_those_of_smsutil(text: str) -> None:
    encoded = encode(text)
    if encoded.encoding is UCS2:
        expected = smsutil.split(text)
        assert encoded.segments == tuple(part.content for part in expected.parts)
        assert encoded.units == sum(part.bytes for part in expected.parts) // 2


@given(st.text(max_size=500))
def test_segments_join_to_the_text_and_keep_their_size(text: str) -> None:
    encoded = encode(text)
    assert "".join(encoded.segments) == encoded.text == composed(text)
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


def test_a_refusal_names_the_first_character_and_its_place() -> None:
    with pytest.raises(MailRefusal) as caught:
        encode("Costo “50” €", UnicodePolicy.REFUSE)
    assert caught.value.reason is Reason.UNENCODABLE
    assert "Character 7 of the text (U+201C, LEFT DOUBLE QUOTATION MARK)" in caught.value.sentence
    assert encode("Costo 50 €", UnicodePolicy.REFUSE).encoding is GSM7


PIECES = {
    "plain": "a",
    "escapes": "€",
    "unicode": "я",
    "emoji": "😀",
    "marks only": "\u0301",
    "marks out of order": "x\u0323\u0301",
    "flags": FLAG,
    "conjunct": "\u0915\u094d",
    "decomposed": "a\u0301",
    "letter that is not composed": "\u0958",
    "national table": "ş",
    "look-alikes": "'’\u200d",
    "line ends": "\r\n€",
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES.keys())
def test_time_grows_with_the_length(piece: str) -> None:
    """Eight times the text, up to a megabyte, takes about eight times as long; a loop within a loop would take it
    sixty-four times."""

    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        before = time.process_time()
        encode(text, UnicodePolicy.TRANSLITERATE, {National.TURKISH, National.HINDI})
        return time.process_time() - before

    most = 20 * max(min(seconds(125_000), seconds(125_000)), 0.01)
    assert any(seconds(1_000_000) < most for _ in range(3)), "tried three times, since others may share the processor"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not part of the checkout")
@pytest.mark.parametrize(("name", "cases"), [("gsm.test.json", 11), ("unicode.test.json", 10)])
def test_the_collected_cases_have_the_expected_segments(name: str, cases: int) -> None:
    collected = json.loads((CORPUS / name).read_text(encoding="utf-8"))
    assert len(collected) == cases
    for case in collected:
        parts = case["parts"]
        encoded = encode("".join(part["content"] for part in parts))
        assert list(encoded.segments) == [part["content"] for part in parts], case["description"]
        octets = 2 if encoded.encoding is UCS2 else 1
        assert encoded.units * octets == case["totalBytes"], case["description"]
        assert len(parts) == 1 or parts[-1]["bytes"] + encoded.units_left * octets == (134 if octets == 2 else 153)
