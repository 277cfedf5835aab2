"""No cut falls into what looks like one character, against an independent reading of Unicode's UAX #29."""

from __future__ import annotations

import itertools

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms import gsm7
from bridge.sms.encoding import encode
from bridge.sms.graphemes import last_boundary
from bridge.types import National

CLUSTERS = {
    "letter with two marks": "x\u0323\u0301",
    "heart with variation selector": "❤\ufe0f",
    "skin tone": "👍🏽",
    "family": "👨\u200d👩\u200d👧",
    "flag of a country": "🇮🇹",
    "flag of Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "older Hangul in letters": "\u1112\u119e\u11ab",
    "Hangul, syllable and older end": "\ud558\u11f0",
    "line end of two characters": "\r\n",
    "Hindi conjunct": "\u0915\u094d\u0937",
    "Hindi conjunct with joiner": "\u0915\u094d\u200d\u0937\u093f",
    "Bengali conjunct": "\u0995\u09cd\u09b7",
    "Tamil vowel sign": "\u0ba8\u0bbf",
    "Thai vowel": "\u0e01\u0e33",
    "Arabic number sign": "\u0600\u0661",
    "mark newer than Python 3.11": "a\u0897",
    "half-width voiced sound": "\uff76\uff9e",
}


def boundaries(text: str) -> set[int]:
    """Where another program would cut."""
    return set(itertools.accumulate((len(cluster) for cluster in regex.findall(r"\X", text)), initial=0))


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS.keys())
def test_a_cluster_moves_on_whole(cluster: str) -> None:
    assert boundaries(cluster * 2) == {0, len(cluster), 2 * len(cluster)}
    for before in range(50, 68):
        encoded = encode("х" * before + cluster * 40)
        for segment in encoded.segments:
            assert segment.lstrip("х").replace(cluster, "") == ""


@pytest.mark.parametrize("before", range(140, 154))
def test_a_line_end_moves_on_whole_in_seven_bits(before: int) -> None:
    assert not any(part.startswith("\n") for part in encode("a" * before + "\r\n" * 20 + "b" * 99).segments)


def test_a_conjunct_moves_on_whole_in_a_national_table() -> None:
    word = "\u0915\u094d\u0937"
    for before in range(130, 150):
        encoded = encode("\u0915" * before + word * 20, shifts={National.HINDI})
        assert encoded.shift is not None
        assert all(segment.lstrip("\u0915").replace(word, "") in ("", "\u094d\u0937") for segment in encoded.segments)
        assert not any(segment.startswith(("\u094d", "\u0937")) for segment in encoded.segments)


@given(st.lists(st.sampled_from([*CLUSTERS.values(), "a", "х", " ", "\n", "€", "\u200d", "🇪", "\u1100", "\u094d"])))
def test_no_cut_within_a_cluster(parts: list[str]) -> None:
    check("".join(parts))


@given(st.text(max_size=300))
def test_no_cut_within_a_cluster_of_any_text(text: str) -> None:
    check(text)


def check(text: str) -> None:
    """Every cut is a boundary, unless the segment has none at all."""
    encoded = encode(text)
    text = encoded.text
    allowed, start = boundaries(text), 0
    for segment in encoded.segments[:-1]:
        end = start + len(segment)
        assert end in allowed or not allowed.intersection(range(start + 1, end)), (start, end)
        start = end


def test_a_cluster_longer_than_a_segment_is_cut_all_the_same() -> None:
    endless = "a" + "\u0489" * 200
    assert last_boundary(endless, 0, 67) == 67
    assert all(len(segment) <= 67 for segment in encode(endless).segments)


@given(st.text(st.sampled_from(sorted(gsm7.DEFAULT.characters)), min_size=161, max_size=900))
def test_nothing_is_left_free_without_need_in_seven_bits(text: str) -> None:
    for segment, after in itertools.pairwise(encode(text).segments):
        assert gsm7.septets(segment + after[0]) > 153 or after.startswith("\r\n")
