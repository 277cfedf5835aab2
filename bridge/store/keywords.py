"""The keywords of mailboxes: kept here, read by the directory."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge import clock
from bridge.meaning.keywords import first_word
from bridge.store.committer import Committer
from bridge.store.engine import upsert
from bridge.store.mailboxes import bump_revision
from bridge.store.tables import keywords
from bridge.types import Keyword, Mailbox


async def read_keywords(connection: AsyncConnection) -> dict[str, dict[str, Keyword]]:
    """Those of every mailbox, by its id and then by the word as it is compared."""
    found: dict[str, dict[str, Keyword]] = {}
    for row in await connection.execute(select(keywords).order_by(keywords.c.key)):
        keyword = Keyword(row.word, row.reply, tuple(row.forward), row.tag, row.webhook)
        found.setdefault(row.mailbox_id, {})[row.key] = keyword
    return found


class Keywords:
    """Changes of keywords. Every method raises StoreUnavailable when the database does not take the change."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    async def save(self, mailbox: Mailbox, keyword: Keyword) -> None:
        """Add a keyword of a mailbox, or replace the one that is the same word."""
        await self._committer.do(_save, (mailbox, keyword))

    async def remove(self, mailbox: Mailbox, word: str) -> bool:
        """Forget a keyword of a mailbox; False when there is none."""
        return await self._committer.do(_remove, (mailbox, word))


def _save(connection: Connection, changes: Sequence[tuple[Mailbox, Keyword]]) -> list[None]:
    for mailbox, keyword in changes:
        said = {
            "word": keyword.word,
            "reply": keyword.reply,
            "forward": list(keyword.forward),
            "tag": keyword.tag,
            "webhook": keyword.webhook,
        }
        statement = upsert(connection.dialect.name, keywords).on_conflict_do_update(
            index_elements=[keywords.c.mailbox_id, keywords.c.key], set_=said
        )
        row = {
            "id": clock.new_id(),
            "mailbox_id": mailbox.id,
            "key": first_word(keyword.word),
            "created_at": clock.now(),
        }
        connection.execute(statement.values(**row, **said))
    bump_revision(connection)
    return [None] * len(changes)


def _remove(connection: Connection, changes: Sequence[tuple[Mailbox, str]]) -> list[bool]:
    gone = [
        connection.execute(
            delete(keywords).where(keywords.c.mailbox_id == mailbox.id, keywords.c.key == first_word(word))
        ).rowcount
        > 0
        for mailbox, word in changes
    ]
    bump_revision(connection)
    return gone
