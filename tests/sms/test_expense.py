"""Which character makes a text expensive, and what its author reads about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms.encoding import encode
from bridge.sms.expense import Expensive, most_expensive, too_many
from bridge.types import National, UnicodePolicy

ALLOW, TRANSLITERATE = UnicodePolicy.ALLOW, UnicodePolicy.TRANSLITERATE


@pytest.mark.parametrize(
    ("text", "policy", "expected"),
    [
        pytest.param("a" * 36 + "’" + "a" * 200, ALLOW, Expensive(37, "’", 0, False, 4, 2), id="a quote"),
        pytest.param("a" * 36 + "’" + "a" * 200, TRANSLITERATE, None, id="a quote that is replaced"),
        pytest.param(
            "a’" * 80 + "😀", TRANSLITERATE, Expensive(161, "😀", 0, False, 3, 2), id="not the quotes, the emoji"
        ),
        pytest.param("a’" * 80 + "😀", ALLOW, Expensive(2, "’", 80, False, 3, 2), id="the quotes and the emoji"),
        pytest.param("ж" * 200, TRANSLITERATE, Expensive(1, "ж", 199, False, 3, 2), id="all of it"),
        pytest.param("a" * 100 + "€" * 31, TRANSLITERATE, Expensive(101, "€", 30, True, 2, 1), id="euro signs"),
        pytest.param(
            "[" + "{" * 30 + "a" * 110, TRANSLITERATE, Expensive(2, "{", 29, True, 2, 1), id="the most frequent"
        ),
        pytest.param("a" * 165 + "€", TRANSLITERATE, None, id="a euro sign that does not matter"),
        pytest.param("a" * 500, TRANSLITERATE, None, id="nothing but length"),
        pytest.param("Ciao", TRANSLITERATE, None, id="short"),
    ],
)
def test_the_most_expensive_character(text: str, policy: UnicodePolicy, expected: Expensive | None) -> None:
    assert most_expensive(encode(text, policy), policy) == expected


def test_what_the_permitted_table_lacks_is_expensive() -> None:
    text, permitted = "ş" * 100 + "ж" + "ğ" * 100, {National.TURKISH}
    found = most_expensive(encode(text, TRANSLITERATE, permitted), TRANSLITERATE, permitted)
    assert found == Expensive(101, "ж", 0, False, 3, 2)


@pytest.mark.parametrize(
    ("text", "limit", "sentence"),
    [
        pytest.param(
            "a" * 500,
            2,
            "This text needs 4 SMS and the limit is 2. Shorten it and send it again.",
            id="too long",
        ),
        pytest.param(
            "a" * 300 + "😀",
            2,
            "This text needs 5 SMS and the limit is 2. Character 301 of the text (U+1F600, GRINNING FACE) makes it "
            "5 SMS instead of 2: replace it, or shorten the text.",
            id="an emoji",
        ),
        pytest.param(
            "😀" + "a" * 320 + "ž",
            2,
            "This text needs 5 SMS and the limit is 2. Character 1 of the text (U+1F600, GRINNING FACE) and 1 other "
            "outside the GSM 7-bit alphabet make it 5 SMS instead of 3: replace them, and shorten the text.",
            id="an emoji and a letter",
        ),
        pytest.param(
            "€" * 154,
            2,
            "This text needs 3 SMS and the limit is 2. Character 1 of the text (U+20AC, EURO SIGN) and 153 others "
            "like it count double and make it 3 SMS instead of 1: replace them, or shorten the text.",
            id="euro signs",
        ),
        pytest.param(
            "a" * 305 + "€",
            2,
            "This text needs 3 SMS and the limit is 2. Character 306 of the text (U+20AC, EURO SIGN) counts double and "
            "makes it 3 SMS instead of 2: replace it, or shorten the text.",
            id="one euro sign",
        ),
    ],
)
def test_what_its_author_reads(text: str, limit: int, sentence: str) -> None:
    assert too_many(encode(text, TRANSLITERATE), limit) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            "a" * 305,
            "This text needs 3 SMS and the limit is 2. Shorten it and send it again.",
            id="nothing but length",
        ),
        pytest.param(
            "a" * 303 + "😀",
            "This text needs 5 SMS and the limit is 2. Character 304 of the text (U+1F600, GRINNING FACE) makes it "
            "5 SMS instead of 2: replace it, or shorten the text.",
            id="an emoji",
        ),
        pytest.param(
            "a" * 304 + "😀",
            "This text needs 5 SMS and the limit is 2. Character 305 of the text (U+1F600, GRINNING FACE) makes it "
            "5 SMS instead of 3: replace it, and shorten the text.",
            id="one letter more",
        ),
    ],
)
def test_segments_with_a_16_bit_reference_are_compared_with_their_like(text: str, sentence: str) -> None:
    assert too_many(encode(text, TRANSLITERATE, wide_reference=True), 2) == sentence


def test_a_middle_dot_that_is_not_replaced_is_named() -> None:
    text = "2·5 mg · " + "a" * 300
    assert "Character 2 of the text (U+00B7, MIDDLE DOT)" in too_many(encode(text, TRANSLITERATE), 2)


def test_a_text_that_no_header_can_number_is_simply_long() -> None:
    assert too_many(encode("ж" * 67 * 256), 6) == (
        "This text needs 256 SMS and the limit is 6. Shorten it and send it again."
    )
    assert "Character 1 of the text" in too_many(encode("ж" * 67 * 255), 6)


@given(
    st.text(st.sampled_from("aaaaaaaaè€{’😀жşğá·\n"), min_size=50, max_size=600),
    st.sampled_from([ALLOW, TRANSLITERATE]),
    st.frozensets(st.sampled_from([National.TURKISH, National.SPANISH, National.PORTUGUESE])),
    st.booleans(),
)
def test_what_is_said_is_true(text: str, policy: UnicodePolicy, permitted: frozenset[National], wide: bool) -> None:
    encoded = encode(text, policy, permitted, wide_reference=wide)
    found = most_expensive(encoded, policy, permitted)
    if found is not None:
        assert encoded.text[found.position - 1] == found.char
        assert found.segments == len(encoded.segments) > found.segments_without
    assert too_many(encoded, 1, policy).isascii()
