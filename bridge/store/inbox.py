"""What phones and networks say, written down once each: delivery receipts and inbound SMS.

A receipt finds its message by our own reference or by the provider's id; one that finds none is kept and waits.
An inbound SMS is filed in the same transaction as everything that follows from it: whose it is, the opt-out it
asks for, the mail that carries it. So a callback that was answered 2xx has lost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from bridge import clock
from bridge.store import arrivals, parts, segments, transitions
from bridge.store.committer import Committer
from bridge.store.engine import upsert
from bridge.store.filings import NOTHING, FilingRules
from bridge.store.inbounds import Decide, Filing, Inbounds
from bridge.store.keys import NumberKey
from bridge.store.polls import Cursor, write_cursor
from bridge.store.tables import messages, receipts
from bridge.types import InboundPart, InboundSms, MessageState, Receipt


class Inbox:
    """The way back into the store."""

    def __init__(
        self,
        committer: Committer,
        key: NumberKey,
        report_wait: float,
        filing: FilingRules = NOTHING,
        *,
        history: int = 0,
    ) -> None:
        self._committer = committer
        self._key = key
        self._report_wait = report_wait
        self._filing = filing
        self._inbound = Inbounds(key, filing, history).file

    async def receipt(self, receipt: Receipt, now: datetime) -> bool:
        """Write down a receipt and what follows from it; False when it was heard before. Raises StoreUnavailable."""
        return await self._committer.do(self._receipts, (receipt, now))

    async def inbound(self, sms: InboundSms, decide: Decide) -> Filing | None:
        """File an inbound SMS; None when it was heard before. Raises StoreUnavailable."""
        return await self._committer.do(self._inbounds, (sms, decide), wakes=True, apart=True)

    async def part(self, part: InboundPart, decide: Decide) -> tuple[InboundSms, Filing] | None:
        """Keep a segment of a longer SMS; with the last one, file the whole. Raises StoreUnavailable."""
        return await self._committer.do(self._parts, (part, decide), wakes=True, apart=True)

    async def given_up(self, now: datetime, decide: Decide) -> tuple[InboundSms, Filing | None] | None:
        """File an SMS that has waited too long for one of its segments, as it is; None when there is none. Raises
        StoreUnavailable."""
        return await self._committer.do(self._given_up, (now, decide), wakes=True, apart=True)

    async def read_to(self, cursor: Cursor) -> None:
        """Remember how far a provider was read, when all it had said is kept. Raises StoreUnavailable."""
        await self._committer.do(_read_to, cursor)

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
        told += [
            transitions.still_waits(whole.message_id, now, receipt.reason, receipt.diagnostic)
            for (_, receipt, now), whole in zip(new, meant, strict=True)
            if whole is not None and receipt.state is MessageState.SENT
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
    ) -> list[tuple[InboundSms, Filing | None] | None]:
        found = [(parts.given_up(connection, now), decide) for now, decide in requests]
        return [(sms, self._inbound(connection, sms, decide)) if sms is not None else None for sms, decide in found]

    def _whole(
        self, connection: Connection, sms: InboundSms | None, decide: Decide
    ) -> tuple[InboundSms, Filing] | None:
        filing = self._inbound(connection, sms, decide) if sms is not None else None
        return (sms, filing) if sms is not None and filing is not None else None


def _read_to(connection: Connection, cursors: Sequence[Cursor]) -> list[None]:
    for cursor in cursors:
        write_cursor(connection, cursor)
    return [None] * len(cursors)


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
