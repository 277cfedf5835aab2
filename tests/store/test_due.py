"""What a claim leaves where it is: the database is asked by the same rule by which a message finds its carrier."""

from __future__ import annotations

from itertools import permutations, product

from bridge.store.due import carrier, may_be_claimed
from bridge.store.engine import reading
from tests.store.conftest import StoreRoom, later
from tests.store.test_paces import put

GATEWAYS = ("a", "ab", "b")
"""One name is the beginning of another."""
WAYS = [ways for length in (1, 2, 3) for ways in permutations(GATEWAYS, length)]


def expected(ways: tuple[str, ...], paused: frozenset[str], gone: frozenset[str], busy: str) -> bool:
    """Whether a message with these ways may be claimed."""
    could = [way for way in ways if way not in gone]
    if not could:
        return ways[0] != busy  # nobody is waited for: it is to be given up
    could_now = [way for way in could if way not in paused]
    return bool(could_now) and could_now[0] != busy


async def test_what_may_be_claimed(room: StoreRoom) -> None:
    for moment, ways in enumerate(WAYS):
        await put(room, 1, gateway=ways[0], stand_ins=ways[1:], at=moment / 100)
    for fates in product(("well", "paused", "gone"), repeat=len(GATEWAYS)):
        paused, gone = (
            frozenset(name for name, fate in zip(GATEWAYS, fates, strict=True) if fate == what)
            for what in ("paused", "gone")
        )
        for busy in ("", *GATEWAYS):
            query = may_be_claimed(paused, gone, frozenset({busy} - {""}), (), urgent=False)
            async with reading(room.store.engine) as connection:
                rows = (
                    await connection.execute(query, {"b_now": later(9), "b_undecided": later(0), "b_limit": 100})
                ).all()
            found = [(row.gateway, *filter(None, row.stand_ins.split(","))) for row in rows]
            assert found == [ways for ways in WAYS if expected(ways, paused, gone, busy)], (fates, busy)
            assert busy not in [carrier(row, paused | gone) for row in rows]
