"""What phones and networks say, written down once each: delivery receipts and inbound SMS.

A receipt finds its message by our own reference or by the provider's id; one that finds none is kept and waits.
An inbound SMS is filed in the same transaction as everything that follows from it: whose it is, the opt-out it
asks for, the mail that carries it. So a callback that was answered 2xx has lost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bridge import clock
from bridge.store import arrivals, parts, segments, transitions
from bridge.store.committer import Committer
from bridge.store.engine import upsert
from bridge.store.filings import NOTHING, FilingRules, file_mail
from bridge.store.keys import NumberKey
from bridge.store.mailboxes import bump_revision
from bridge.store.mails import MailKind, insert_mail
from bridge.store.polls import Look, write_cursor
from bridge.store.tables import conversations, inbound_contents, inbounds, messages, opt_outs, receipts
from bridge.types import FiledKind, InboundPart, InboundSms, MessageState, OutgoingMail, Receipt

GIVEN_UP = 100
"""Unfinished SMS that are filed in one transaction."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation with the phone that wrote, as far as the store knows it."""

    conversation_id: str
    mailbox_id: str
    reply_to: str
    subject: str
    message_id: str
    references: tuple[str, ...]
    last_written_at: datetime | None
    contact: str
    """What the mailbox calls the phone."""


@dataclass(frozen=True, slots=True)
class Filing:
    """What was decided about an inbound SMS."""

    organisation_id: str | None
    mailbox_id: str | None
    conversation_id: str | None
    match: str
    mail: OutgoingMail | None
    reply_to: str = ""
    subject: str = ""
    """Subject of the mail; it names a conversation that begins with this SMS."""
    message_id: str = ""
    """Message-ID of the mail; a conversation that begins with this SMS continues it."""
    contact: str = ""
    """What the mailbox calls the phone; it names a conversation that begins with this SMS."""
    stops: bool = False
    resumes: bool = False


Decide = Callable[[str, InboundSms, Sequence[Thread]], Filing]
"""Decides about one inbound SMS: its id, the SMS, and every conversation between its two numbers."""


class Inbox:
    """The way back into the store."""

    def __init__(self, committer: Committer, key: NumberKey, report_wait: float, filing: FilingRules = NOTHING) -> None:
        self._committer = committer
        self._key = key
        self._report_wait = report_wait
        self._filing = filing

    async def receipt(self, receipt: Receipt, now: datetime) -> bool:
        """Write down a receipt and what follows from it; False when it was heard before. Raises StoreUnavailable."""
        return await self._committer.do(self._receipts, (receipt, now))

    async def inbound(self, sms: InboundSms, decide: Decide) -> Filing | None:
        """File an inbound SMS; None when it was heard before. Raises StoreUnavailable."""
        return await self._committer.do(self._inbounds, (sms, decide), wakes=True)

    async def polled(self, look: Look, decide: Decide) -> tuple[list[bool], list[Filing | None]]:
        """Do the same for all that one look at a provider brought, and remember how far it was read: all or nothing.

        Raises StoreUnavailable.
        """
        return await self._committer.do(self._looks, (look, decide), wakes=bool(look.inbounds))

    def _looks(
        self, connection: Connection, looks: Sequence[tuple[Look, Decide]]
    ) -> list[tuple[list[bool], list[Filing | None]]]:
        results = []
        for look, decide in looks:
            new = self._receipts(connection, [(receipt, look.at) for receipt in look.receipts]) if look.receipts else []
            results.append((new, self._inbounds(connection, [(sms, decide) for sms in look.inbounds])))
            write_cursor(connection, look.cursor)
        return results

    async def part(self, part: InboundPart, decide: Decide) -> tuple[InboundSms, Filing] | None:
        """Keep a segment of a longer SMS; with the last one, file the whole. Raises StoreUnavailable."""
        return await self._committer.do(self._parts, (part, decide), wakes=True)

    async def given_up(self, now: datetime, decide: Decide) -> list[tuple[InboundSms, Filing]]:
        """File SMS that have waited too long for one of their segments, as they are. Raises StoreUnavailable."""
        return await self._committer.do(self._given_up, (now, decide), wakes=True)

    def _receipts(self, connection: Connection, heard: Sequence[tuple[Receipt, datetime]]) -> list[bool]:
        statement = upsert(connection.dialect.name, receipts).on_conflict_do_nothing(
            index_elements=[receipts.c.gateway, receipts.c.event_id]
        )
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for receipt, now in heard:  # the first of two equal ones in this batch is the new one
            rows.setdefault((receipt.gateway, receipt.event_id), _receipt_row(receipt, now))
        returned = connection.execute(statement.returning(receipts.c.id), list(rows.values()))
        new_ids = set(returned.scalars())
        new: list[tuple[str, Receipt, datetime]] = []
        results = []
        for receipt, now in heard:
            row = rows.pop((receipt.gateway, receipt.event_id), None)
            is_new = row is not None and row["id"] in new_ids
            results.append(is_new)
            if is_new and row is not None:
                new.append((row["id"], receipt, now))
        self._match(connection, new)
        return results

    def _match(self, connection: Connection, new: Sequence[tuple[str, Receipt, datetime]]) -> None:
        """Give new receipts, in the order in which they came, to the messages they speak of."""
        heard = [receipt for _, receipt, _ in new]
        owners = _messages_of(connection, heard)
        meant = segments.hear(connection, [segments.Said(each.gateway, each.provider_id, each.state) for each in heard])
        states: list[MessageState | None] = [receipt.state for receipt in heard]
        for index, whole in enumerate(meant):
            if whole is not None and whole.message_id >= (owners[index] or ""):
                owners[index], states[index] = whole.message_id, whole.state
        matched = [
            {"b_id": receipt_id, "b_owner": owner}
            for (receipt_id, _, _), owner in zip(new, owners, strict=True)
            if owner is not None
        ]
        if not matched:
            return
        statement = update(receipts).where(receipts.c.id == bindparam("b_id")).values(message_id=bindparam("b_owner"))
        connection.execute(statement, matched)
        told = [
            transitions.heard(owner, state, now, receipt.reason, receipt.diagnostic, receipt.provider_id or None)
            for (_, receipt, now), owner, state in zip(new, owners, states, strict=True)
            if owner is not None and state is not None
        ]
        changes = [change for change in told if change is not None]
        if not changes:
            return
        transitions.apply(connection, changes, report_wait=self._report_wait, filing=self._filing)
        # A receipt that names our reference may be the first to tell the provider's id.
        named = {each.reference for each in heard if each.reference and each.provider_id}
        waiting = arrivals.waiting(connection, named & {change.message_id for change in changes})
        if waiting:
            transitions.apply(connection, waiting, report_wait=self._report_wait, filing=self._filing)

    def _inbounds(self, connection: Connection, heard: Sequence[tuple[InboundSms, Decide]]) -> list[Filing | None]:
        return [self._inbound(connection, sms, decide) for sms, decide in heard]

    def _parts(
        self, connection: Connection, heard: Sequence[tuple[InboundPart, Decide]]
    ) -> list[tuple[InboundSms, Filing] | None]:
        parts.lock(connection, [part for part, _ in heard])
        return [self._whole(connection, parts.add(connection, self._key, part), decide) for part, decide in heard]

    def _given_up(
        self, connection: Connection, requests: Sequence[tuple[datetime, Decide]]
    ) -> list[list[tuple[InboundSms, Filing]]]:
        results = []
        for now, decide in requests:
            filed = [self._whole(connection, sms, decide) for sms in parts.given_up(connection, now, GIVEN_UP)]
            results.append([each for each in filed if each is not None])
        return results

    def _whole(
        self, connection: Connection, sms: InboundSms | None, decide: Decide
    ) -> tuple[InboundSms, Filing] | None:
        filing = self._inbound(connection, sms, decide) if sms is not None else None
        return (sms, filing) if sms is not None and filing is not None else None

    def _inbound(self, connection: Connection, sms: InboundSms, decide: Decide) -> Filing | None:
        number_hash = self._key.hash(sms.number)
        known = select(inbounds.c.id).where(inbounds.c.gateway == sms.gateway, inbounds.c.event_id == sms.event_id)
        if (connection.execute(known)).first() is not None:
            return None
        inbound_id = clock.new_id()
        query = select(conversations).where(
            conversations.c.number_hash == number_hash, conversations.c.sender == sms.to
        )
        filing = decide(inbound_id, sms, [_thread(row) for row in connection.execute(query)])
        conversation_id = filing.conversation_id
        if conversation_id is None and filing.mailbox_id is not None:
            conversation_id = self._begin_thread(connection, sms, filing)
        connection.execute(
            insert(inbounds).values(
                id=inbound_id,
                organisation_id=filing.organisation_id,
                gateway=sms.gateway,
                event_id=sms.event_id,
                number=sms.number,
                number_hash=number_hash,
                sender=sms.to,
                received_at=sms.received_at,
                mailbox_id=filing.mailbox_id,
                conversation_id=conversation_id,
                match=filing.match,
            )
        )
        connection.execute(insert(inbound_contents).values(inbound_id=inbound_id, text=sms.text, raw=sms.raw))
        if filing.organisation_id is not None:
            self._opt(connection, sms, filing, inbound_id)
            if filing.mail is not None and filing.mailbox_id is not None:
                insert_mail(
                    connection,
                    filing.mail,
                    organisation_id=filing.organisation_id,
                    mailbox_id=filing.mailbox_id,
                    kind=MailKind.REPLY,
                    inbound_id=inbound_id,
                )
                phone = {sms.number: filing.contact}
                file_mail(connection, self._filing, filing.mailbox_id, FiledKind.REPLIES, filing.mail, phone)
        return filing

    def _begin_thread(self, connection: Connection, sms: InboundSms, filing: Filing) -> str:
        # Another node may have begun it at the same moment; then that one is it.
        statement = upsert(connection.dialect.name, conversations).on_conflict_do_update(
            index_elements=[conversations.c.mailbox_id, conversations.c.number_hash, conversations.c.sender],
            set_={"reply_to": conversations.c.reply_to},
        )
        begun = connection.execute(
            statement.values(
                id=clock.new_id(),
                organisation_id=filing.organisation_id,
                mailbox_id=filing.mailbox_id,
                number=sms.number,
                number_hash=self._key.hash(sms.number),
                sender=sms.to,
                reply_to=filing.reply_to,
                contact=filing.contact,
                subject=filing.subject,
                message_id=filing.message_id,
                references=[],
                last_written_at=None,
            ).returning(conversations.c.id)
        )
        conversation_id: str = begun.scalar_one()
        return conversation_id

    def _opt(self, connection: Connection, sms: InboundSms, filing: Filing, inbound_id: str) -> None:
        number_hash = self._key.hash(sms.number)
        if filing.stops:
            statement = upsert(connection.dialect.name, opt_outs).on_conflict_do_nothing(
                index_elements=[opt_outs.c.organisation_id, opt_outs.c.sender, opt_outs.c.number_hash]
            )
            connection.execute(
                statement.values(
                    id=clock.new_id(),
                    organisation_id=filing.organisation_id,
                    sender=sms.to,
                    number=sms.number,
                    number_hash=number_hash,
                    inbound_id=inbound_id,
                    since=sms.received_at,
                )
            )
        elif filing.resumes:
            connection.execute(
                delete(opt_outs).where(
                    opt_outs.c.organisation_id == filing.organisation_id,
                    opt_outs.c.sender == sms.to,
                    opt_outs.c.number_hash == number_hash,
                )
            )
        else:
            return
        bump_revision(connection)


def _messages_of(connection: Connection, heard: Sequence[Receipt]) -> list[str | None]:
    """The message each receipt speaks of; only one of the gateway that was heard, whatever the receipt claims.

    Our own reference goes before the provider's id, and where a provider used an id again the newest message has it.
    """
    references = {receipt.reference for receipt in heard if receipt.reference}
    provider_ids = {receipt.provider_id for receipt in heard if receipt.provider_id}
    gateways = {receipt.gateway for receipt in heard}
    by_reference: dict[tuple[str, str | None], str] = {}
    by_provider_id: dict[tuple[str, str | None], str] = {}
    if references:
        query = select(messages.c.gateway, messages.c.id).where(messages.c.id.in_(references))
        by_reference = {(row.gateway, row.id): row.id for row in connection.execute(query)}
    if provider_ids:
        newest = (
            select(messages.c.gateway, messages.c.provider_id, func.max(messages.c.id).label("id"))
            .where(messages.c.gateway.in_(gateways), messages.c.provider_id.in_(provider_ids))
            .group_by(messages.c.gateway, messages.c.provider_id)
        )
        by_provider_id = {(row.gateway, row.provider_id): row.id for row in connection.execute(newest)}
    return [
        by_reference.get((receipt.gateway, receipt.reference))
        or by_provider_id.get((receipt.gateway, receipt.provider_id))
        for receipt in heard
    ]


def _receipt_row(receipt: Receipt, now: datetime) -> dict[str, Any]:
    return {
        "id": clock.new_id(),
        "organisation_id": None,
        "gateway": receipt.gateway,
        "event_id": receipt.event_id,
        "provider_id": receipt.provider_id or None,
        "reference": receipt.reference or None,
        "state": receipt.state,
        "reason": receipt.reason,
        "diagnostic": receipt.diagnostic,
        "occurred_at": receipt.occurred_at,
        "received_at": now,
        "message_id": None,
        "raw": receipt.raw,
        "price": receipt.price.digits if receipt.price is not None else None,
        "price_unit": receipt.price.unit if receipt.price is not None else None,
    }


def _thread(row: Any) -> Thread:
    return Thread(
        conversation_id=row.id,
        mailbox_id=row.mailbox_id,
        reply_to=row.reply_to,
        subject=row.subject,
        message_id=row.message_id,
        references=tuple(row.references),
        last_written_at=row.last_written_at,
        contact=row.contact,
    )
