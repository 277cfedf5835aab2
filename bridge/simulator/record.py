"""The durable record of the simulated network and its mailboxes: one SQLite file, written before anything is answered.

A method that writes returns after the commit, which is on the disk, so that the record survives a killed process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge.simulator.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, reference TEXT NOT NULL, sender TEXT NOT NULL,
    phone TEXT NOT NULL, text TEXT NOT NULL, encoding TEXT NOT NULL, segments INTEGER NOT NULL,
    shown INTEGER NOT NULL, received_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_by_phone ON messages (phone, seq);
CREATE TABLE IF NOT EXISTS replies (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, phone TEXT NOT NULL, recipient TEXT NOT NULL,
    text TEXT NOT NULL, sent_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS replies_by_phone ON replies (phone, seq);
CREATE TABLE IF NOT EXISTS tries (reference TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS callbacks (
    seq INTEGER PRIMARY KEY, lane TEXT NOT NULL, hook TEXT NOT NULL, body TEXT NOT NULL,
    due_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS callbacks_by_lane ON callbacks (lane, seq);
CREATE INDEX IF NOT EXISTS callbacks_by_due ON callbacks (due_at, seq);
CREATE TABLE IF NOT EXISTS phones_off (phone TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS waiting (id TEXT PRIMARY KEY, phone TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS waiting_by_phone ON waiting (phone);
CREATE TABLE IF NOT EXISTS mails (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, address TEXT NOT NULL, folder TEXT NOT NULL,
    raw BLOB NOT NULL, received_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mails_by_address ON mails (address, seq);
CREATE TABLE IF NOT EXISTS media (id TEXT PRIMARY KEY, type TEXT NOT NULL, data BLOB NOT NULL);
"""

_ADDED = {"shift": "TEXT NOT NULL DEFAULT ''", "flash": "INTEGER NOT NULL DEFAULT 0"}
"""Columns of `messages` that a record of an earlier version lacks."""

_MESSAGES = """
    SELECT id, reference, sender, phone, text, encoding, segments, shown, received_at, shift, flash FROM messages"""

_EMPTIED = ("messages", "waiting", "phones_off", "replies", "mails", "media")

SENT = "Sent"
"""The folder of what the simulated mail client sent; every other folder is the bridge's doing."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """An SMS that the network took. `shown` says whether the phone ever got it; times are ISO 8601 in UTC."""

    id: str
    reference: str
    sender: str
    phone: str
    text: str
    encoding: str
    segments: int
    shown: bool
    received_at: str
    shift: str = ""
    """The language of the national tables that it was written with; empty for none."""
    flash: bool = False


@dataclass(frozen=True, slots=True)
class StoredReply:
    """An SMS that a phone sent."""

    id: str
    phone: str
    recipient: str
    text: str
    sent_at: str


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file that a phone sent (MMS)."""

    id: str
    type: str
    """The media type that the phone gives it."""
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail in one folder of one address, as it came."""

    id: str
    address: str
    folder: str
    raw: bytes
    received_at: str


@dataclass(frozen=True, slots=True)
class NewCallback:
    """A callback to be posted at `due_at` (Unix time). Those of one lane are posted one after the other."""

    lane: str
    hook: str
    body: str
    due_at: float


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that is not yet accepted; `seq` names it."""

    seq: int
    lane: str
    hook: str
    body: str
    due_at: float
    attempts: int


class Record:
    """The open record. Only one process may have it open."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA)
        self.close = self._database.close

    async def open(self) -> None:
        """Open the file, and bring one of an earlier version up to this one."""

        def write(db: sqlite3.Connection) -> None:
            there = {row[1] for row in db.execute("PRAGMA table_info(messages)")}
            for column, kind in _ADDED.items():
                if column not in there:
                    db.execute(f"ALTER TABLE messages ADD COLUMN {column} {kind}")

        await self._database.open()
        await self._database.run(write)

    async def count_try(self, reference: str) -> int:
        """Note one more try of this reference, and say how many there were before."""
        statement = (
            "INSERT INTO tries VALUES (?, 1) ON CONFLICT (reference) DO UPDATE SET count = count + 1 RETURNING count"
        )
        count: int = await self._database.run(lambda db: db.execute(statement, (reference,)).fetchone()[0])
        return count - 1

    async def add_message(self, message: StoredMessage, callbacks: Sequence[NewCallback]) -> bool:
        """Keep an SMS together with the receipts that will follow it; False, without them, when the phone is off."""

        def write(db: sqlite3.Connection) -> bool:
            is_off = db.execute("SELECT 1 FROM phones_off WHERE phone = ?", (message.phone,)).fetchone() is not None
            waits = message.shown and is_off
            row = (
                *(message.id, message.reference, message.sender, message.phone, message.text),
                *(message.encoding, message.segments, message.shown and not waits, message.received_at),
                *(message.shift, message.flash),
            )
            db.execute("INSERT INTO messages VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?)", row)
            if waits:
                db.execute("INSERT INTO waiting VALUES (?,?)", (message.id, message.phone))
            else:
                _add_callbacks(db, callbacks)
            return not waits

        return await self._database.run(write)

    async def switch_off(self, phone: str) -> None:
        """From now on what is for this phone waits."""
        await self._write([("INSERT OR IGNORE INTO phones_off VALUES (?)", (phone,))], [])

    async def switch_on(self, phone: str, receipt: Callable[[StoredMessage], NewCallback]) -> None:
        """The phone shows what has waited for it, and each SMS has its receipt."""

        def write(db: sqlite3.Connection) -> None:
            theirs = "WHERE id IN (SELECT id FROM waiting WHERE phone = ?)"
            came = db.execute(f"{_MESSAGES} {theirs} ORDER BY seq", (phone,)).fetchall()
            _add_callbacks(db, [receipt(_message(row)) for row in came])
            db.execute(f"UPDATE messages SET shown = 1 {theirs}", (phone,))
            db.execute("DELETE FROM waiting WHERE phone = ?", (phone,))
            db.execute("DELETE FROM phones_off WHERE phone = ?", (phone,))

        await self._database.run(write)

    async def take_back(self, message_id: str) -> bool | None:
        """No phone will show this SMS: True. False when it does not wait any more, None when there is none."""

        def write(db: sqlite3.Connection) -> bool | None:
            if db.execute("DELETE FROM waiting WHERE id = ?", (message_id,)).rowcount:
                return True
            known = db.execute("SELECT 1 FROM messages WHERE id = ?", (message_id,)).fetchone()
            return False if known else None

        return await self._database.run(write)

    async def add_reply(self, reply: StoredReply, media: Sequence[StoredMedia], callback: NewCallback) -> None:
        """Keep what a phone wrote, and its files, together with the callback that tells the bridge."""
        row = (reply.id, reply.phone, reply.recipient, reply.text, reply.sent_at)
        files = [("INSERT INTO media VALUES (?,?,?)", (file.id, file.type, file.data)) for file in media]
        await self._write([("INSERT INTO replies VALUES (NULL,?,?,?,?,?)", row), *files], [callback])

    async def media(self, media_id: str) -> StoredMedia | None:
        """A file that a phone sent."""
        statement = "SELECT id, type, data FROM media WHERE id = ?"
        row = await self._database.run(lambda db: db.execute(statement, (media_id,)).fetchone())
        return StoredMedia(*row) if row is not None else None

    async def add_mails(self, mails: Sequence[StoredMail]) -> None:
        """Keep mails, all or none."""
        statement = "INSERT INTO mails VALUES (NULL,?,?,?,?,?)"
        await self._write([(statement, (m.id, m.address, m.folder, m.raw, m.received_at)) for m in mails], [])

    async def phones(self) -> list[tuple[str, int]]:
        """Every phone the network knows, with the number of messages it shows; the one that changed last comes last."""
        statement = """
            SELECT phone, SUM(shown) FROM (
                SELECT phone, shown, received_at AS at FROM messages UNION ALL SELECT phone, 0, sent_at FROM replies
            ) GROUP BY phone ORDER BY MAX(at)"""
        return await self._database.run(lambda db: [(row[0], row[1]) for row in db.execute(statement)])

    async def messages(self, phone: str) -> list[StoredMessage]:
        """All that the network took for this phone, oldest first."""
        statement = f"{_MESSAGES} WHERE phone = ? ORDER BY seq"
        return await self._database.run(lambda db: [_message(row) for row in db.execute(statement, (phone,))])

    async def replies(self, phone: str) -> list[StoredReply]:
        """All that this phone wrote, oldest first."""
        statement = "SELECT id, phone, recipient, text, sent_at FROM replies WHERE phone = ? ORDER BY seq"
        return await self._database.run(lambda db: [StoredReply(*row) for row in db.execute(statement, (phone,))])

    async def mails(self, address: str) -> list[StoredMail]:
        """All mails of this address in every folder, oldest first."""
        statement = "SELECT id, address, folder, raw, received_at FROM mails WHERE address = ? ORDER BY seq"
        return await self._database.run(lambda db: [StoredMail(*row) for row in db.execute(statement, (address,))])

    async def addresses(self) -> list[str]:
        """Every address that has a mail, in alphabetical order."""
        statement = "SELECT DISTINCT address FROM mails ORDER BY address"
        return await self._database.run(lambda db: [row[0] for row in db.execute(statement)])

    async def clear(self) -> None:
        """Empty phones and mailboxes. Callbacks under way still go out: the bridge waits for them."""
        await self._write([(f"DELETE FROM {table}", ()) for table in _EMPTIED], [])

    async def due_callbacks(self, now: float, limit: int, busy: Collection[str]) -> list[Callback]:
        """At most `limit` callbacks that are due: the first of each lane, without the lanes that are busy."""
        statement = """
            SELECT seq, lane, hook, body, due_at, attempts FROM callbacks AS c WHERE due_at <= ?
            AND NOT EXISTS (SELECT 1 FROM callbacks AS e WHERE e.lane = c.lane AND e.seq < c.seq) ORDER BY due_at, seq
            LIMIT ?"""

        def read(db: sqlite3.Connection) -> list[Callback]:
            rows = db.execute(statement, (now, limit + len(busy)))
            return [callback for row in rows if (callback := Callback(*row)).lane not in busy][:limit]

        return await self._database.run(read)

    async def next_due(self, busy: Collection[str]) -> float | None:
        """When the next callback is due that no busy lane holds back; Unix time, or None."""
        statement = """
            SELECT lane, due_at FROM callbacks AS c
            WHERE NOT EXISTS (SELECT 1 FROM callbacks AS e WHERE e.lane = c.lane AND e.seq < c.seq) ORDER BY due_at, seq
            LIMIT ?"""

        def read(db: sqlite3.Connection) -> float | None:
            rows = db.execute(statement, (1 + len(busy),))
            return next((due for lane, due in rows if lane not in busy), None)

        return await self._database.run(read)

    async def finish_callback(self, seq: int) -> None:
        """Forget a callback that the bridge accepted."""
        await self._write([("DELETE FROM callbacks WHERE seq = ?", (seq,))], [])

    async def postpone_callback(self, seq: int, due_at: float) -> None:
        """Try a callback again at `due_at` (Unix time)."""
        statement = "UPDATE callbacks SET due_at = ?, attempts = attempts + 1 WHERE seq = ?"
        await self._write([(statement, (due_at, seq))], [])

    async def _write(
        self, statements: Sequence[tuple[str, tuple[object, ...]]], callbacks: Sequence[NewCallback]
    ) -> None:
        def write(db: sqlite3.Connection) -> None:
            for statement, values in statements:
                db.execute(statement, values)
            _add_callbacks(db, callbacks)

        await self._database.run(write)


def _message(row: tuple[Any, ...]) -> StoredMessage:
    message = StoredMessage(*row)
    return replace(message, shown=bool(message.shown), flash=bool(message.flash))


def _add_callbacks(db: sqlite3.Connection, callbacks: Sequence[NewCallback]) -> None:
    db.executemany(
        "INSERT INTO callbacks (lane, hook, body, due_at) VALUES (?,?,?,?)",
        [(c.lane, c.hook, c.body, c.due_at) for c in callbacks],
    )
