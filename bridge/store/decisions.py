"""What mailboxes and the operator decide about phones that are not texted, and what there is to decide."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import clock
from bridge.errors import NotPossible
from bridge.store import blocks
from bridge.store.blocks import Phone, block_of
from bridge.store.committer import Committer
from bridge.store.engine import reading
from bridge.store.keys import NumberKey
from bridge.store.mailboxes import bump_revision
from bridge.store.mails import MailKind, insert_mail
from bridge.store.tables import conversations, inbounds, opt_outs
from bridge.types import Block, BlockKind, Mailbox, OutgoingMail, Ruling, RulingOutcome


@dataclass(frozen=True, slots=True)
class Blocked:
    """A block as it is listed."""

    number: str
    sender: str
    block: Block


Compose = Callable[[Ruling], OutgoingMail]
"""Makes the mail that confirms a decision; called within the transaction that carries it out."""


@dataclass(frozen=True, slots=True)
class _Decision:
    mailbox: Mailbox
    number: str
    allows: bool
    compose: Compose | None


@dataclass(frozen=True, slots=True)
class _Removal:
    mailbox: Mailbox
    number: str
    orders: bool


class Decisions:
    """Decisions of mailboxes and of the operator. Every method raises StoreUnavailable.

    What a mailbox decides holds for its own numbers, and for those that a wish it was told of is about.
    """

    def __init__(self, engine: AsyncEngine, committer: Committer, key: NumberKey) -> None:
        self._engine = engine
        self._committer = committer
        self._key = key

    async def decide(self, mailbox: Mailbox, number: str, *, allows: bool, compose: Compose | None = None) -> Ruling:
        """Lift the wish of a phone, or make an order of it; without a wish, block the phone. What changes nothing is
        not confirmed by a mail."""
        decision = _Decision(mailbox, number, allows, compose)
        return await self._committer.do(self._decide, decision, wakes=True, apart=True)

    async def remove(self, mailbox: Mailbox, number: str, *, orders: bool) -> int:
        """Lift whatever keeps the mailbox from texting a phone; how many blocks that were. Raises NotPossible for one
        that the phone itself ordered, unless `orders` are to be lifted too."""
        return await self._committer.do(self._remove, _Removal(mailbox, number, orders), wakes=True)

    async def all(self, senders: Collection[str] | None = None) -> list[Blocked]:
        """The blocks for these numbers of ours, or for all; the oldest first."""
        query = select(opt_outs).order_by(opt_outs.c.since, opt_outs.c.number, opt_outs.c.sender)
        if senders is not None:
            query = query.where(opt_outs.c.sender.in_(senders))
        async with reading(self._engine) as connection:
            return [Blocked(row.number, row.sender, block_of(row)) for row in await connection.execute(query)]

    def _decide(self, connection: Connection, decisions: Sequence[_Decision]) -> list[Ruling]:
        return [self._decide_one(connection, each) for each in decisions]

    def _decide_one(self, connection: Connection, decision: _Decision) -> Ruling:
        mailbox, phone = decision.mailbox, self._phone(decision.mailbox, decision.number)
        rows = _rows(connection, mailbox, phone)
        ruling = _ruling(_outcome(rows, phone, decision.allows), decision.number, rows)
        if ruling.outcome is RulingOutcome.ALLOWED:
            connection.execute(delete(opt_outs).where(opt_outs.c.id.in_(row.id for row in rows), opt_outs.c.wish))
        elif ruling.outcome is RulingOutcome.BLOCKED:
            connection.execute(update(opt_outs).where(opt_outs.c.id.in_(row.id for row in rows)).values(wish=False))
            asked = next((row for row in rows if row.wish), None)
            since = asked.since if asked is not None else clock.now()
            blocks.add(connection, phone, asked.inbound_id if asked is not None else None, since, wish=False)
        else:
            return ruling
        bump_revision(connection)
        if decision.compose is not None:
            mail = decision.compose(ruling)
            insert_mail(
                connection,
                mail,
                organisation_id=mailbox.organisation_id,
                mailbox_id=mailbox.id,
                kind=MailKind.RULING,
            )
        return ruling

    def _remove(self, connection: Connection, removals: Sequence[_Removal]) -> list[int]:
        removed = []
        for each in removals:
            rows = _rows(connection, each.mailbox, self._phone(each.mailbox, each.number))
            ordered = [row for row in rows if block_of(row).kind is BlockKind.ORDER]
            if ordered and not each.orders:
                since = ordered[0].since.date().isoformat()
                raise NotPossible(
                    f"{each.number} asked for no more texts itself, on {since}. If it has told you since that it wants "
                    "them again, lift the block with --yes; else it can do so by texting START."
                )
            connection.execute(delete(opt_outs).where(opt_outs.c.id.in_(row.id for row in rows)))
            removed.append(len(rows))
        bump_revision(connection)
        return removed

    def _phone(self, mailbox: Mailbox, number: str) -> Phone:
        return Phone(mailbox.organisation_id, mailbox.senders, number, self._key.hash(number))


def _rows(connection: Connection, mailbox: Mailbox, phone: Phone) -> Sequence[Any]:
    """The blocks that the mailbox may decide about, those that the phone asked for first, with the thread in which it
    did. Nobody else changes them before this transaction ends."""
    told = inbounds.c.mailbox_id == mailbox.id
    return connection.execute(
        select(opt_outs, conversations.c.subject, conversations.c.message_id, conversations.c.references)
        .add_columns(conversations.c.contact)
        .outerjoin(inbounds, inbounds.c.id == opt_outs.c.inbound_id)
        .outerjoin(conversations, conversations.c.id == inbounds.c.conversation_id)
        .where(*blocks.about(phone), or_(opt_outs.c.sender.in_(phone.senders), told))
        .order_by(opt_outs.c.inbound_id.is_(None), opt_outs.c.sender)
        .with_for_update(of=opt_outs)
    ).all()


def _outcome(rows: Sequence[Any], phone: Phone, allows: bool) -> RulingOutcome:
    if allows:
        if any(not row.wish for row in rows):
            return RulingOutcome.ORDERED
        return RulingOutcome.ALLOWED if rows else RulingOutcome.FREE
    blocked = {row.sender for row in rows if not row.wish}
    complete = blocked >= set(phone.senders) and len(blocked) == len(rows)
    return RulingOutcome.STAYS_BLOCKED if complete else RulingOutcome.BLOCKED


def _ruling(outcome: RulingOutcome, number: str, rows: Sequence[Any]) -> Ruling:
    asked = next((row for row in rows if row.inbound_id is not None), None)
    if asked is None or asked.subject is None:
        return Ruling(outcome, number)
    thread = (*asked.references, *((asked.message_id,) if asked.message_id else ()))
    return Ruling(outcome, number, asked.inbound_id, asked.subject, thread, asked.contact)
