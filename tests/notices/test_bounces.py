"""Only the bridge can make a bounce address, it survives any mail server, and it does not live for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import clock
from bridge.notices.bounces import LIFETIME, BounceKey, make, read

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
KEY = BounceKey(1, b"k" * 32)
NOTICE = "01kaw8n5xq0t3v7y9z2b4d6f8h"
IDS = st.integers(0, 2**128 - 1).map(
    lambda number: "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> shift & 31] for shift in range(125, -1, -5))
)


@given(IDS, st.binary(min_size=32, max_size=32), st.integers(0, 255), st.timedeltas(timedelta(0), LIFETIME))
def test_the_notice_comes_back_until_the_last_day(notice: str, secret: bytes, number: int, later: timedelta) -> None:
    key = BounceKey(number, secret)
    address = make(notice, key, NOW)
    assert len(address) == 50  # RFC 5321 section 4.5.3.1.1 allows 64
    assert address == address.lower()
    assert read(address, [key], NOW + later) == notice
    assert read(address.upper(), [key], NOW + later) == notice


def test_the_bridge_s_own_ids_fit() -> None:
    notice = clock.new_id()
    assert read(make(notice, KEY, NOW), [KEY], NOW) == notice


def test_an_address_expires() -> None:
    address = make(NOTICE, KEY, NOW)
    assert read(address, [KEY], NOW + LIFETIME) == NOTICE
    assert read(address, [KEY], NOW + LIFETIME + timedelta(days=1)) is None


def test_a_new_key_leaves_addresses_under_way_alone() -> None:
    new = BounceKey(2, b"n" * 32)
    address = make(NOTICE, KEY, NOW)
    assert read(address, [new, KEY], NOW) == NOTICE
    assert read(address, [new], NOW) is None
    assert read(address, [BounceKey(1, b"n" * 32)], NOW) is None
    assert read(address, [], NOW) is None


@given(st.integers(0, 47), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_no_letter_can_be_changed(place: int, letter: str) -> None:
    address = make(NOTICE, KEY, NOW)
    token = address.removeprefix("b-")
    changed = f"b-{token[:place]}{letter}{token[place + 1 :]}"
    assert (read(changed, [KEY], NOW) == NOTICE) is (changed == address)


@given(st.text())
def test_anything_else_is_no_bounce_address(local_part: str) -> None:
    assert read(local_part, [KEY], NOW) is None


@pytest.mark.parametrize(
    "local_part",
    ["b-", "b-short", "+393331234567", "r-" + "a" * 48, "b-" + "a" * 48, "b-" + "1" * 48, "b-" + "\u212a" * 48],
    ids=["empty", "short", "phone", "reply address", "guess", "not base32", "Kelvin signs"],
)
def test_near_misses_are_no_bounce_addresses(local_part: str) -> None:
    assert read(local_part, [KEY], NOW) is None


@pytest.mark.parametrize("notice", ["", "01notice", NOTICE.upper(), "8" + NOTICE[1:], NOTICE + "0"])
def test_only_ids_of_notices_are_taken(notice: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        make(notice, KEY, NOW)
