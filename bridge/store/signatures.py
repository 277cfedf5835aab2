"""Learns what ends the mails of a mailbox again and again; beside the outbox, in the transaction that takes the mails.

A mail's ending may be a signature (`reading.learning`). When it has ended `ENOUGH` mails with different words, all
within `SPAN`, it is learned: the directory's revision moves in the same transaction, and running bridges cut it from
then on. The outbox tells the mailbox, in that transaction too. What somebody forgot is never learned again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert

from bridge import clock
from bridge.errors import NotFound
from bridge.store.committer import Committer
from bridge.store.engine import reading, upsert
from bridge.store.keys import NumberKey
from bridge.store.mailboxes import bump_revision
from bridge.store.tables import signatures
from bridge.types import NewMail

ENOUGH = 5
"""Mails with different words above an ending after which it is a signature."""

SPAN = timedelta(days=90)
"""Within how much time they must come; later the count begins again."""

MOST_WAITING = 50
"""Endings of one mailbox that are counted and not learned yet; those that were not seen for longest are let go."""

MOST_LEARNED = 100
"""Signatures of one mailbox: each is looked for in every mail. With so many, one must be forgotten to learn another."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What ends mails of a mailbox."""

    id: str
    text: str
    seen: int
    """Mails with different words above it; not counted any more once it is learned."""
    learned: bool
    """It was taken for a signature, and is cut unless it is forgotten."""
    forgotten: bool
    """Somebody said that it is none: it is not cut, and not learned again."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What ended one mail more, and with it was learned to be a signature."""

    signature_id: str
    mail: NewMail


class Signatures:
    """What was learned of the endings of mails. Every method raises StoreUnavailable."""

    def __init__(self, engine: AsyncEngine, committer: Committer) -> None:
        self._engine = engine
        self._committer = committer

    async def all(self, mailbox_id: str) -> list[Signature]:
        """The endings of a mailbox that were learned, and those that may be: in the order in which they first came."""
        query = select(signatures).where(signatures.c.mailbox_id == mailbox_id).order_by(signatures.c.id)
        async with reading(self._engine) as connection:
            return [
                Signature(row.id, row.text, row.seen, row.learned_at is not None, row.forgotten_at is not None)
                for row in await connection.execute(query)
            ]

    async def forget(self, signature_id: str) -> None:
        """Have an ending texted from now on, and never learned again. Raises NotFound."""
        await self._committer.do(_forget, signature_id)


class Endings:
    """Counts endings, in the transactions of the outbox."""

    def __init__(self, key: NumberKey) -> None:
        self._secret = key.derived("signatures")

    def count(self, connection: Connection, mails: Sequence[NewMail]) -> list[Learned]:
        """Count the endings of mails that are taken, in this order; what was learned by it, once for each signature."""
        ending = [(self._hash(f"{mail.mailbox.id}\n{mail.signature}"), mail) for mail in mails if mail.signature]
        if not ending:
            return []
        firsts = dict(reversed(ending))
        # In one order everywhere: two nodes that count the same endings must not wait for each other.
        rows = [_fresh(digest, mail) for digest, mail in sorted(firsts.items(), key=lambda pair: pair[0])]
        locked = connection.execute(_locking(connection.dialect.name), rows)
        counts = {row.digest: _Count(**row._mapping) for row in locked}
        begun = {count.mailbox_id for count in counts.values() if not count.seen}
        moved: dict[str, _Count] = {}
        ripe: dict[str, tuple[_Count, NewMail]] = {}
        for digest, mail in ending:
            count = counts[digest]
            if count.add(self._hash(mail.submission.text), mail.at):
                moved[digest] = count
                if count.is_ripe:
                    ripe.setdefault(digest, (count, mail))
        learned = _learn(connection, list(ripe.values()))
        if moved:
            connection.execute(_COUNTED, [moved[digest].values() for digest in sorted(moved)])
        for mailbox_id in sorted(begun):
            connection.execute(_let_go(), {"b_mailbox": mailbox_id})
        if learned:
            bump_revision(connection)
        return learned

    def _hash(self, text: str) -> str:
        """128 bits that only this installation can make of a text, in hexadecimal."""
        return hmac.digest(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:32]


@dataclass(slots=True)
class _Count:
    """A row of the table, while its mails are counted."""

    id: str
    mailbox_id: str
    digest: str
    seen: int
    above: str
    since: datetime
    learned_at: datetime | None
    forgotten_at: datetime | None
    seen_at: datetime

    @property
    def is_open(self) -> bool:
        """It may still be learned."""
        return self.learned_at is None and self.forgotten_at is None

    @property
    def is_ripe(self) -> bool:
        """It has been seen often enough to be learned."""
        return self.is_open and self.seen >= ENOUGH

    def add(self, above: str, at: datetime) -> bool:
        """Count a mail with the words of this hash; False when it tells nothing new."""
        if not self.is_open or above == self.above:
            return False
        if at - self.since > SPAN:
            self.seen, self.since = 0, at
        self.seen, self.above, self.seen_at = self.seen + 1, above, at
        return True

    def values(self) -> dict[str, Any]:
        """As the parameters of `_COUNTED`."""
        names = ("id", "seen", "above", "since", "seen_at", "learned_at")
        return {f"b_{name}": getattr(self, name) for name in names}


def _learn(connection: Connection, ripe: Sequence[tuple[_Count, NewMail]]) -> list[Learned]:
    """Mark what has been seen often enough as learned, as far as the mailboxes have room for it."""
    room: dict[str, int] = {}
    learned = []
    for count, mail in ripe:
        if count.mailbox_id not in room:
            held = connection.execute(_HELD, {"b_mailbox": count.mailbox_id}).scalar_one()
            room[count.mailbox_id] = MOST_LEARNED - held
        if room[count.mailbox_id] > 0:
            room[count.mailbox_id] -= 1
            count.learned_at = mail.at
            learned.append(Learned(count.id, mail))
    return learned


def _fresh(digest: str, mail: NewMail) -> dict[str, Any]:
    return {
        "id": clock.new_id(),
        "mailbox_id": mail.mailbox.id,
        "digest": digest,
        "text": mail.signature,
        "seen": 0,
        "above": "",
        "since": mail.at,
        "seen_at": mail.at,
        "learned_at": None,
        "forgotten_at": None,
    }


@cache
def _locking(dialect: str) -> ReturningInsert[Any]:
    """Makes the rows that are missing, and keeps all of them from other nodes until this transaction ends."""
    names = ("id", "mailbox_id", "digest", "seen", "above", "since", "learned_at", "forgotten_at", "seen_at")
    return (
        upsert(dialect, signatures)
        .on_conflict_do_update(
            index_elements=[signatures.c.mailbox_id, signatures.c.digest], set_={"seen": signatures.c.seen}
        )
        .returning(*(signatures.c[name] for name in names))
    )


_COUNTED = (
    update(signatures)
    .where(signatures.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in ("seen", "above", "since", "seen_at", "learned_at")})
)

_HELD = (
    select(func.count())
    .select_from(signatures)
    .where(
        signatures.c.mailbox_id == bindparam("b_mailbox"),
        signatures.c.learned_at.is_not(None),
        signatures.c.forgotten_at.is_(None),
    )
)


@cache
def _let_go() -> Delete:
    """Lets the endings go that are beyond what may wait; a system that writes random ones fills no table."""
    waiting = (
        select(signatures.c.id)
        .where(
            signatures.c.mailbox_id == bindparam("b_mailbox"),
            signatures.c.learned_at.is_(None),
            signatures.c.forgotten_at.is_(None),
        )
        .order_by(signatures.c.seen_at.desc(), signatures.c.id.desc())
        .offset(MOST_WAITING)
        .with_for_update(skip_locked=True)  # what another node counts at this moment is not the oldest
        .cte("waiting")
    )
    return delete(signatures).where(signatures.c.id.in_(select(waiting.c.id)))


_FORGOTTEN = (
    update(signatures)
    .where(signatures.c.id == bindparam("b_id"))
    .values(forgotten_at=func.coalesce(signatures.c.forgotten_at, bindparam("b_at", type_=signatures.c.seen_at.type)))
)


def _forget(connection: Connection, signature_ids: Sequence[str]) -> list[None]:
    for signature_id in signature_ids:
        if connection.execute(_FORGOTTEN, {"b_id": signature_id, "b_at": clock.now()}).rowcount == 0:
            raise NotFound("There is no such signature. See `bridge mailbox signatures`.")
    bump_revision(connection)
    return [None] * len(signature_ids)
