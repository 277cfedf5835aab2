"""Which phones a mail thread knows: admission asks before an answer texts many."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.store.engine import reading
from bridge.store.keys import NumberKey
from bridge.store.tables import inbounds, mails, messages, submissions

_MOST_REFERENCES = 50
"""Message-IDs of a thread that are looked at: its newest ones."""


class Threads:
    """Looks at the record for what a thread has to do with phones."""

    def __init__(self, engine: AsyncEngine, key: NumberKey) -> None:
        self._engine = engine
        self._key = key

    async def strangers(self, organisation_id: str, references: Sequence[str], numbers: Collection[str]) -> int:
        """How many of these phones have no part in the thread with these Message-IDs: no mail in it texted them, and
        none of its mails brought their words. Raises StoreUnavailable."""
        phones = sorted({self._key.hash(number) for number in numbers})
        thread = [reference for reference in references if reference.isprintable()][-_MOST_REFERENCES:]
        known: set[str] = set()
        async with reading(self._engine) as connection:
            for start in range(0, len(phones), 500):
                some = phones[start : start + 500]
                texted = (
                    select(messages.c.number_hash)
                    .join(submissions, submissions.c.id == messages.c.submission_id)
                    .where(
                        messages.c.number_hash.in_(some),
                        messages.c.organisation_id == organisation_id,
                        submissions.c.message_id.in_(thread),
                    )
                )
                heard = (
                    select(inbounds.c.number_hash)
                    .join(mails, mails.c.inbound_id == inbounds.c.id)
                    .where(
                        inbounds.c.number_hash.in_(some),
                        inbounds.c.organisation_id == organisation_id,
                        mails.c.id.in_([reference.strip("<>").rpartition("@")[0] for reference in thread]),
                    )
                )
                known.update((await connection.execute(texted.union(heard))).scalars())
        return len(phones) - len(known)
