"""Group commit: those who come together share a transaction, and nobody waits long for those who do not come back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from tests.store.conftest import StoreRoom

FOR_EVER = 600.0


class Batches(list[int]):
    """How many shared each transaction."""

    def work(self, _: Connection, payloads: Sequence[None]) -> list[None]:
        self.append(len(payloads))
        return [None] * len(payloads)


async def write(room: StoreRoom, batches: Batches, count: int) -> None:
    """Hand over so many pieces at once, and wait for all of them."""
    async with asyncio.timeout(30):
        await asyncio.gather(*(room.store.committer.do(batches.work, None) for _ in range(count)))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(1, 1, id="who writes alone waits for nobody"),
        pytest.param(4, 3, id="one of four stays away"),
        pytest.param(40, 30, id="ten of forty stay away"),
        pytest.param(2, 1, id="one of two"),
    ],
)
async def test_when_most_are_back_the_others_are_not_waited_for(
    room: StoreRoom, before: int, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.committer.GATHER", FOR_EVER)
    batches = Batches()
    await write(room, batches, before)
    await write(room, batches, now)
    assert batches == [before, now]


async def test_when_few_are_back_the_others_are_waited_for(room: StoreRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.store.committer.GATHER", FOR_EVER)
    batches = Batches()
    await write(room, batches, 4)
    first = asyncio.create_task(write(room, batches, 1))
    second = asyncio.create_task(write(room, batches, 1))
    await asyncio.sleep(0)  # both are handed over, one after the other
    third = asyncio.create_task(write(room, batches, 1))
    await asyncio.gather(first, second, third)
    assert batches == [4, 3]


async def test_nobody_waits_for_ever_for_those_who_do_not_come(room: StoreRoom) -> None:
    batches = Batches()
    await write(room, batches, 4)
    await write(room, batches, 1)
    assert batches == [4, 1]


@pytest.mark.parametrize(
    ("room", "batches"),
    [("sqlite", [2, 3]), ("postgresql", [1, 1, 1, 2])],
    indirect=["room"],
    ids=["alone", "beside others"],
)
async def test_what_is_done_apart_shares_a_transaction_only_where_nobody_else_writes(
    room: StoreRoom, batches: list[int]
) -> None:
    done = Batches()
    apart = [True, False, True, True, False]
    async with asyncio.timeout(30):
        await asyncio.gather(*(room.store.committer.do(done.work, None, apart=each) for each in apart))
    assert sorted(done) == batches


async def test_a_mail_does_not_wait_behind_a_hundred_sms(room: StoreRoom) -> None:
    done: list[str] = []

    def hears(_: Connection, payloads: Sequence[None]) -> list[None]:
        done.extend("sms" for _ in payloads)
        return [None] * len(payloads)

    def takes(_: Connection, payloads: Sequence[None]) -> list[None]:
        done.append("mail")
        return [None] * len(payloads)

    async with asyncio.timeout(30):
        await asyncio.gather(
            *(room.store.committer.do(hears, None, apart=True) for _ in range(100)),
            room.store.committer.do(takes, None, last=True),
        )
    assert done.index("mail") < 50


async def test_whoever_comes_last_locks_last(room: StoreRoom) -> None:
    done: list[str] = []

    def takes(_: Connection, payloads: Sequence[None]) -> list[None]:
        done.append("takes")
        return [None] * len(payloads)

    def settles(_: Connection, payloads: Sequence[None]) -> list[None]:
        done.append("settles")
        return [None] * len(payloads)

    async with asyncio.timeout(30):
        await asyncio.gather(
            room.store.committer.do(takes, None, last=True),
            room.store.committer.do(settles, None),
            room.store.committer.do(takes, None, last=True),
        )
    assert done == ["settles", "takes"]
