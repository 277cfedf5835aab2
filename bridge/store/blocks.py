"""Phones that are not texted from our numbers, as rows: what they order and wish by SMS; called where one is filed.

A block holds for one phone and one sender number of an organisation. A wish becomes an order or is lifted; an order
never becomes a wish. While it is a wish, texts to the phone wait in the queue (`store.due`): there is no other trace of
it than its row, so deciding (`store.decisions`) is all that must be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, update

from bridge import clock
from bridge.store.engine import upsert
from bridge.store.mailboxes import bump_revision
from bridge.store.tables import opt_outs
from bridge.types import Block, BlockKind


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone, and the numbers of an organisation that it hears, or shall hear no more, from."""

    organisation_id: str
    senders: tuple[str, ...]
    number: str
    """E.164."""
    number_hash: str


def block_of(row: Any) -> Block:
    """The block that a row of its table is."""
    if row.wish:
        return Block(BlockKind.WISH, row.since)
    return Block(BlockKind.SET if row.inbound_id is None else BlockKind.ORDER, row.since)


def order(connection: Connection, phone: Phone, inbound_id: str, since: datetime) -> None:
    """The phone texted STOP: from now on it is an order, whatever was there before."""
    mere = or_(opt_outs.c.wish, opt_outs.c.inbound_id.is_(None))
    connection.execute(
        update(opt_outs)
        .where(*about(phone), opt_outs.c.sender.in_(phone.senders), mere)
        .values(wish=False, inbound_id=inbound_id, since=since)
    )
    # Only now: a row that another node was just deleting, since a mailbox allowed texts, is known to be gone.
    add(connection, phone, inbound_id, since, wish=False)
    bump_revision(connection)


def wish(connection: Connection, phone: Phone, inbound_id: str, since: datetime) -> None:
    """The phone asked in words of its own: its texts rest, where nothing else keeps them from it."""
    add(connection, phone, inbound_id, since, wish=True)
    bump_revision(connection)


def lift(connection: Connection, phone: Phone) -> None:
    """The phone texted START."""
    connection.execute(delete(opt_outs).where(*about(phone), opt_outs.c.sender.in_(phone.senders)))
    bump_revision(connection)


def add(connection: Connection, phone: Phone, inbound_id: str | None, since: datetime, *, wish: bool) -> None:
    """Add the blocks that are not there; those that are stay as they are. Whoever calls this moves the revision."""
    statement = upsert(connection.dialect.name, opt_outs).on_conflict_do_nothing(
        index_elements=[opt_outs.c.organisation_id, opt_outs.c.sender, opt_outs.c.number_hash]
    )
    rows = [
        {
            "id": clock.new_id(),
            "organisation_id": phone.organisation_id,
            "sender": sender,
            "number": phone.number,
            "number_hash": phone.number_hash,
            "inbound_id": inbound_id,
            "since": since,
            "wish": wish,
        }
        for sender in sorted(phone.senders)
    ]
    connection.execute(statement, rows)


def about(phone: Phone) -> tuple[Any, ...]:
    """The condition on rows of the table that they are of this phone and organisation."""
    return opt_outs.c.organisation_id == phone.organisation_id, opt_outs.c.number_hash == phone.number_hash
