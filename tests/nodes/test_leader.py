"""Of several nodes one leads; when it leaves or dies, another does."""

from __future__ import annotations

import asyncio

from bridge.clock import new_id
from bridge.store.nodes import Nodes
from tests.servers.postgres import PostgresServer


async def test_one_leads_until_it_is_gone(postgres: PostgresServer) -> None:
    database = f"leader_{new_id()}"
    postgres.sql(f"CREATE DATABASE {database}")
    first, second = (Nodes(postgres.url(database), name, lambda: None) for name in ("first", "second"))
    await first.start()
    await second.start()
    assert [await first.leads(), await second.leads()] == [True, False]
    assert [await first.leads(), await second.leads()] == [True, False]
    await first.close()
    try:
        for _ in range(200):  # PostgreSQL gives the lock back when it notices that the connection is gone
            if await second.leads():
                break
            await asyncio.sleep(0.05)
        assert await second.leads()
    finally:
        await second.close()
