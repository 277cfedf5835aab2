"""A queue of a million messages: are they claimed in the order in which they are due, and does the memory stay flat?

The rows are copies of one that came in by the door, in an order that has nothing to do with when they are due. Then
`python -m bench.claiming --config FILE --messages 1000000`, a process that has seen nothing before, claims all of them
as the dispatcher does, checks the order, and prints one JSON object (`Claims`). What it claimed it marks as sent.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, TextClause, text

from bench import peers
from bench.door import Numbers, hand_in
from bench.queue import KEPT
from bridge import clock
from bridge.settings.load import load
from bridge.store.claims import Claim, Claimed
from bridge.store.store import Store
from bridge.store.tables import message_contents, messages

AT_ONCE = 500
"""Messages of one claim."""
STRIDE = 7919
"""A prime: the row number `n` is due at the place n * STRIDE % messages, so neighbours are due far apart."""
STEPS = 10
PATIENCE = 900.0


@dataclasses.dataclass(frozen=True, slots=True)
class Claims:
    """What claiming everything came to."""

    messages: int
    seconds: float
    megabytes: list[float]
    """Resident memory (10^6 octets) after each tenth of the queue."""
    out_of_order: int
    """Messages that were claimed after one that was due later."""

    @property
    def growth(self) -> float:
        """MB between the first tenth and the fullest moment after it."""
        return max(self.megabytes) - self.megabytes[0]


def measure(folder: Path, pem: Path, count: int, database: str = "") -> Claims:
    """Fill a new store with `count` messages that are due, and claim them; `database` is the url of a PostgreSQL."""
    settings = f'[database]\nurl = "{database}"\n' if database else ""
    with peers.bridge(folder, pem, "http://127.0.0.1:9", settings=settings) as peer:
        hand_in(peer, KEPT, Numbers(), 1)
    config = folder / "bridge.toml"
    asyncio.run(_fill(config, count))
    command = [sys.executable, "-m", "bench.claiming", "--config", str(config), "--messages", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    return Claims(**json.loads(done.stdout))


async def _fill(config: Path, count: int) -> None:
    """Copy the one message that is there; the copies are due a millisecond apart, and the last one was due by now."""
    async with Store(load(config, os.environ)) as store:
        moments = {
            "sqlite": r"strftime('%Y-%m-%d %H\:%M\:%f000', 'now', ((place - total) / 1000.0) || ' seconds')",
            "postgresql": "now() + (place - total) * interval '1 millisecond'",
        }
        moment = moments[store.engine.dialect.name]
        rows = {column.name: f'source."{column.name}"' for column in messages.c} | {"id": "'m' || n", "due_at": moment}
        words = {column.name: f'source."{column.name}"' for column in message_contents.c} | {"message_id": "'m' || n"}
        # The time zone of SQLite's moments is UTC, as the store writes them; PostgreSQL keeps it with them.
        statements = [_copy("message", rows), _copy("message_content", words)]

        def fill(connection: Connection, counts: Sequence[int]) -> list[None]:
            for statement in statements:
                connection.execute(statement, {"count": counts[0]})
            return [None]

        await store.committer.do(fill, count)
        async with store.engine.connect() as connection:
            await connection.execute(text("ANALYZE"))
            await connection.commit()


def _copy(table: str, values: dict[str, str]) -> TextClause:
    names = ", ".join(f'"{name}"' for name in values)
    return text(f"""
        INSERT INTO {table} ({names})
        WITH RECURSIVE
        numbered(n, total) AS (
            SELECT CAST(0 AS bigint), CAST(:count AS bigint)
            UNION ALL
            SELECT n + 1, total FROM numbered WHERE n < total - 1
        ),
        copy AS (SELECT n, total, n * {STRIDE} % total AS place FROM numbered)
        SELECT {", ".join(values.values())} FROM copy, (SELECT * FROM {table} LIMIT 1) AS source
    """)


async def claim_all(config: Path, count: int) -> Claims:
    """Claim until nothing is due."""
    megabytes: list[float] = []
    claimed, out_of_order, latest = 0, 0, datetime.min.replace(tzinfo=clock.now().tzinfo)
    async with Store(load(config, os.environ)) as store:
        began = time.perf_counter()
        while batch := await _claim(store):
            for message in batch:
                out_of_order += message.due_at < latest
                latest = max(latest, message.due_at)
            claimed += len(batch)
            await store.committer.do(_sent, store.node)
            if claimed * STEPS >= count * (len(megabytes) + 1):
                megabytes.append(_resident())
        return Claims(claimed, time.perf_counter() - began, megabytes, out_of_order)


async def _claim(store: Store) -> list[Claimed]:
    now = clock.now()
    return await store.queue.claim(Claim(store.node, now, now + timedelta(seconds=90), AT_ONCE))


def _sent(connection: Connection, owners: Sequence[str]) -> list[None]:
    """What it has claimed does not wait any more."""
    mark = text("UPDATE message SET state = 'sent', lease_owner = NULL WHERE lease_owner = :owner")
    for owner in owners:
        connection.execute(mark, {"owner": owner})
    return [None] * len(owners)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(arguments: Sequence[str]) -> None:
    """Claim everything, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.claiming", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--messages", type=int, required=True)
    chosen = parser.parse_args(arguments)
    print(json.dumps(dataclasses.asdict(asyncio.run(claim_all(chosen.config, chosen.messages)))))


if __name__ == "__main__":
    main(sys.argv[1:])
