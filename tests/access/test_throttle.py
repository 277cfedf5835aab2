"""Guessing does not pay, whoever does it from wherever; and it keeps nobody out who is at home."""

from __future__ import annotations

import tracemalloc

import pytest

from bridge.access import throttle as module
from bridge.access.throttle import LEAK, MOST, Locked, Throttle

LOGIN = "clinic@example.test"
OWNER, GUESSER = "192.0.2.10", "203.0.113.66"


class Door:
    """A door with a clock that the test moves, and passwords that are all wrong but one."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.throttle = Throttle(lambda: self.now)

    def log_in(
        self, password: str, address: str = GUESSER, login: str = LOGIN, *, trusted: bool = False, words: bool = True
    ) -> int:
        """How many wrong ones there were lately; 0 for the right one. Raises `Locked`."""
        guesser = self.throttle.guesser(login, address, trusted=trusted)
        self.throttle.check(guesser, words=words)
        if password == "right":
            self.throttle.succeeded(guesser)
            return 0
        return self.throttle.failed(guesser, password, words=words)

    def is_open(self, address: str, login: str = LOGIN, *, trusted: bool = False, words: bool = True) -> bool:
        try:
            self.throttle.check(self.throttle.guesser(login, address, trusted=trusted), words=words)
        except Locked:
            return False
        return True


@pytest.fixture
def door() -> Door:
    return Door()


def test_each_wrong_password_costs_more_and_the_sixteenth_is_not_looked_at(door: Door) -> None:
    assert [door.log_in(f"wrong {n}") for n in range(MOST)] == list(range(1, MOST + 1))
    with pytest.raises(Locked) as locked:
        door.log_in("right")
    assert locked.value.by == "address"


def test_an_address_is_locked_for_every_login(door: Door) -> None:
    for n in range(MOST):
        door.log_in("Summer2026", login=f"user{n}@example.test")
    assert not door.is_open(GUESSER, "another@example.test")
    assert door.is_open("203.0.113.67", "another@example.test")


def test_a_login_is_locked_for_every_address_but_those_it_is_known_at(door: Door) -> None:
    door.log_in("right", OWNER)
    for n in range(MOST):
        door.log_in(f"wrong {n}", f"203.0.113.{n}")
    assert not door.is_open("203.0.113.200")
    assert door.is_open("203.0.113.200", "another@example.test")
    assert door.is_open(OWNER)
    assert door.is_open("10.1.2.3", trusted=True)


def test_a_locked_login_still_takes_what_nobody_can_guess(door: Door) -> None:
    for n in range(MOST):
        door.log_in(f"wrong {n}", f"203.0.113.{n}")
    assert door.is_open("203.0.113.200", words=False)


def test_generated_passwords_that_are_wrong_lock_the_address_and_no_login(door: Door) -> None:
    for n in range(MOST):
        door.log_in(f"wrong {n}", words=False)
    assert not door.is_open(GUESSER)
    assert door.is_open("203.0.113.200")


def test_a_login_that_does_not_exist_is_locked_as_one_that_does(door: Door) -> None:
    """`Door` knows of no mailboxes at all, and neither does the throttle."""
    for n in range(MOST):
        door.log_in(f"wrong {n}", f"203.0.113.{n}", "nobody@example.test")
    assert not door.is_open("203.0.113.200", "NOBODY@example.test")


def test_the_owner_is_not_locked_out_by_who_shares_his_address(door: Door) -> None:
    door.log_in("right", OWNER)
    for n in range(10 * MOST):
        door.log_in(f"wrong {n}", OWNER)
    assert door.is_open(OWNER)
    assert not door.is_open(OWNER, "another@example.test")
    assert door.is_open("203.0.113.200"), "guesses from where a login is known do not lock it elsewhere"


def test_a_device_with_an_old_password_locks_nobody_out(door: Door) -> None:
    assert {door.log_in("last year's") for _ in range(10 * MOST)} == {1}
    assert door.is_open(GUESSER)


def test_a_lock_goes_with_time_one_try_after_the_other(door: Door) -> None:
    for n in range(MOST):
        door.log_in(f"wrong {n}")
    door.now += LEAK
    assert door.log_in("one more") == MOST
    assert not door.is_open(GUESSER)
    door.now += LEAK * MOST
    assert door.log_in("long after") == 1


def test_an_address_is_known_for_a_while(door: Door) -> None:
    door.log_in("right", OWNER)
    for n in range(2 * MOST):
        door.log_in(f"wrong {n}", OWNER)
    door.now += module.KNOWN_FOR
    for n in range(MOST):
        door.log_in(f"later {n}", OWNER)
    assert not door.is_open(OWNER)


def test_an_ipv6_site_is_one_address(door: Door) -> None:
    for n in range(MOST):
        door.log_in(f"wrong {n}", f"2001:db8:1:2::{n:x}")
    assert not door.is_open("2001:db8:1:2:ffff::1", "another@example.test")
    assert door.is_open("2001:db8:1:3::1", "another@example.test")


def test_a_million_sites_fill_no_memory(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES", 500)

    def flood(begin: int, end: int) -> None:
        for n in range(begin, end):
            address = f"2001:db8:{n >> 16:x}:{n & 0xFFFF:x}::1"
            door.throttle.failed(door.throttle.guesser(f"{n}" * 100, address, trusted=False), f"{n}", words=True)

    flood(0, 2000)
    tracemalloc.start()
    flood(2000, 6000)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000
