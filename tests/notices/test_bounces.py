"""Only the bridge can make a bounce address, it survives any mail server, and it does not live for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import clock
from bridge.notices.bounces import LIFETIME, BounceKey, mail_id, make, read

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
KEY = BounceKey(1, b"k" * 32)
MAIL = "mo.01kaw8n5xq0t3v7y9z2b4d6f8h"
IDS = st.integers(0, 2**128 - 1).map(
    lambda number: (
        "mo." + "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> shift & 31] for shift in range(125, -1, -5))
    )
)


@given(IDS, st.binary(min_size=32, max_size=32), st.integers(0, 255), st.timedeltas(timedelta(0), LIFETIME))
def test_the_mail_comes_back_until_the_last_day(mail: str, secret: bytes, number: int, later: timedelta) -> None:
    key = BounceKey(number, secret)
    address = make(mail, key, NOW)
    assert len(address) == 50  # RFC 5321 section 4.5.3.1.1 allows 64
    assert address == address.lower()
    assert read(address, [key], NOW + later) == mail
    assert read(address.upper(), [key], NOW + later) == mail


def test_the_bridge_s_own_ids_fit() -> None:
    mail = mail_id(clock.new_id())
    assert read(make(mail, KEY, NOW), [KEY], NOW) == mail


def test_an_address_expires() -> None:
    address = make(MAIL, KEY, NOW)
    assert read(address, [KEY], NOW + LIFETIME) == MAIL
    assert read(address, [KEY], NOW + LIFETIME + timedelta(days=1)) is None


def test_a_new_key_leaves_addresses_under_way_alone() -> None:
    new = BounceKey(2, b"n" * 32)
    address = make(MAIL, KEY, NOW)
    assert read(address, [new, KEY], NOW) == MAIL
    assert read(address, [new], NOW) is None
    assert read(address, [BounceKey(1, b"n" * 32)], NOW) is None
    assert read(address, [], NOW) is None


@given(st.integers(0, 47), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_no_letter_can_be_changed(place: int, letter: str) -> None:
    address = make(MAIL, KEY, NOW)
    token = address.removeprefix("b-")
    changed = f"b-{token[:place]}{letter}{token[place + 1 :]}"
    assert (read(changed, [KEY], NOW) == MAIL) is (changed == address)


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


@pytest.mark.parametrize(
    "mail", ["", "mo.01mail", MAIL[3:], MAIL.upper(), "mo.8" + MAIL[4:], MAIL + "0", "report" + MAIL[2:]]
)
def test_only_ids_of_mails_are_taken(mail: str) -> None:
    with pytest.raises(ValueError, match="not the id"):
        make(mail, KEY, NOW)
