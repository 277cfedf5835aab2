"""Which way a text goes: every row is a set of routes, a trip, and the gateways in the order they are tried."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.routing import PLAIN, Route, Routes, Script, Trip
from bridge.types import MessageClass, National

TRIP = Trip("+393331234567", "IT", "+390200000001", MessageClass.TRANSACTIONAL, "clinic@example.test")
ALL = frozenset({"cheap", "good", "other"})

CHEAP = Route("cheap", priority=20)
GOOD = Route("good", priority=10)


@pytest.mark.parametrize(
    ("routes", "trip", "gateways"),
    [
        pytest.param([], TRIP, (), id="no routes"),
        pytest.param([GOOD], TRIP, ("good",), id="one for everything"),
        pytest.param([CHEAP, GOOD], TRIP, ("good", "cheap"), id="the lower priority first"),
        pytest.param([replace(GOOD, countries=frozenset({"NL"})), CHEAP], TRIP, ("cheap",), id="another country"),
        pytest.param(
            [replace(GOOD, countries=frozenset({"IT", "NL"})), CHEAP], TRIP, ("good", "cheap"), id="its country"
        ),
        pytest.param([replace(GOOD, prefixes=("+39333", "+39347"))], TRIP, ("good",), id="its prefix"),
        pytest.param([replace(GOOD, prefixes=("+39320",))], TRIP, (), id="another prefix"),
        pytest.param([replace(GOOD, senders=frozenset({"+390200000001"}))], TRIP, ("good",), id="its sender"),
        pytest.param([replace(GOOD, senders=frozenset({"CLINIC"}))], TRIP, (), id="another sender"),
        pytest.param([replace(GOOD, classes=frozenset({MessageClass.PROMOTIONAL}))], TRIP, (), id="another class"),
        pytest.param(
            [replace(GOOD, mailboxes=frozenset({"clinic@example.test"}))],
            replace(TRIP, login="Clinic@Example.test"),
            ("good",),
            id="its mailbox, however the login is written",
        ),
        pytest.param([replace(GOOD, mailboxes=frozenset({"desk@example.test"}))], TRIP, (), id="another mailbox"),
        pytest.param(
            [GOOD, replace(GOOD, countries=frozenset({"IT"}), priority=1), CHEAP],
            TRIP,
            ("good", "cheap"),
            id="a gateway once",
        ),
    ],
)
def test_the_way_a_text_goes(routes: list[Route], trip: Trip, gateways: tuple[str, ...]) -> None:
    assert Routes(tuple(routes), ALL).choose(trip) == gateways


@pytest.mark.parametrize(
    ("answered", "gateways"),
    [
        pytest.param({"good", "cheap"}, ("good", "cheap"), id="both can be answered"),
        pytest.param({"good"}, ("good",), id="the stand-in cannot be answered, so it is none"),
        pytest.param({"cheap"}, ("good", "cheap"), id="the first cannot be answered: nothing is lost"),
        pytest.param(set(), ("good", "cheap"), id="neither can be answered"),
    ],
)
def test_no_stand_in_swallows_the_answer(answered: set[str], gateways: tuple[str, ...]) -> None:
    assert Routes((GOOD, CHEAP), frozenset(answered)).choose(TRIP) == gateways


def test_weights_share_the_phones() -> None:
    routes = Routes((Route("a", weight=3), Route("b", weight=1)))
    first = Counter(routes.choose(replace(TRIP, number=f"+39333{n:07}"))[0] for n in range(4000))
    assert 0.72 < first["a"] / 4000 < 0.78


@given(st.text("0123456789", min_size=7, max_size=12), st.integers(1, 9), st.integers(1, 9))
def test_a_phone_keeps_its_way_when_another_route_goes(digits: str, first: int, second: int) -> None:
    trip = replace(TRIP, number=f"+{digits}")
    routes = (Route("a", weight=first), Route("b", weight=second), Route("c"))
    way = Routes(routes).choose(trip)
    assert Routes(routes[::-1]).choose(trip) == way
    assert Routes(tuple(route for route in routes if route.gateway != way[-1])).choose(trip) == way[:-1]


def test_before_the_mail_is_read_a_route_for_any_class_will_do() -> None:
    promotions = Routes((replace(GOOD, classes=frozenset({MessageClass.PROMOTIONAL})),))
    assert promotions.reach(replace(TRIP, message_class=None))
    assert not promotions.reach(TRIP)


@pytest.mark.parametrize(
    ("able", "gateways"),
    [
        pytest.param({"good", "cheap"}, ("good", "cheap"), id="both can"),
        pytest.param({"cheap"}, ("cheap",), id="the better one cannot"),
        pytest.param(set(), (), id="nobody can"),
    ],
)
def test_a_flash_text_goes_where_it_can_be_shown_at_once(able: set[str], gateways: tuple[str, ...]) -> None:
    routes = Routes((GOOD, CHEAP), ALL, flash=frozenset(able))
    assert routes.choose(replace(TRIP, flash=True)) == gateways
    assert routes.reach(replace(TRIP, flash=True)) is bool(gateways)


@pytest.mark.parametrize(
    ("way", "script"),
    [
        pytest.param(("good",), Script(frozenset({National.TURKISH, National.SPANISH})), id="what it may send"),
        pytest.param(("good", "cheap"), Script(frozenset({National.TURKISH})), id="what its stand-in may send, too"),
        pytest.param(("good", "other"), PLAIN, id="its stand-in sends no tables"),
        pytest.param(("good", "wide"), Script(wide_reference=True), id="its stand-in needs room for a wide reference"),
    ],
)
def test_a_text_is_written_for_whoever_may_come_to_carry_it(way: tuple[str, ...], script: Script) -> None:
    alphabets = {
        "good": frozenset({National.TURKISH, National.SPANISH}),
        "cheap": frozenset({National.TURKISH, National.HINDI}),
    }
    assert Routes((), ALL, alphabets=alphabets, wide=frozenset({"wide"})).script(way) == script
