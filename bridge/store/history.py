"""The last texts of a conversation, both ways; read within the transaction that files a phone's answer.

A conversation is one mailbox, one phone and one of our numbers, so nothing that another mailbox wrote or was answered
can be among them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from bridge.store.tables import attempts, inbound_contents, inbounds, message_contents, messages
from bridge.types import EarlierText, MessageState

LOOKED_AT = 60
"""Newest texts of a conversation among which those are looked for that left: a phone that is blocked may have been
refused ten thousand since."""

LEFT = (MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN, MessageState.DELIVERED)
"""States of a text that the phone may have: its answer can mean no other."""


def earlier_texts(connection: Connection, conversation: Any, most: int) -> tuple[EarlierText, ...]:
    """At most `most` texts of a conversation, a row of its table, the newest first. With 0 nothing is read."""
    if not most:
        return ()
    found = [*_to_phone(connection, conversation, most), *_from_phone(connection, conversation.id, most)]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True)[:most])


def _to_phone(connection: Connection, conversation: Any, most: int) -> list[EarlierText]:
    newest = (
        select(messages.c.id, messages.c.state, messages.c.created_at)
        .where(
            messages.c.number_hash == conversation.number_hash,
            messages.c.sender == conversation.sender,
            messages.c.conversation_id == conversation.id,
        )
        .order_by(messages.c.id.desc())
        .limit(LOOKED_AT)
        .subquery("newest")
    )
    tried = select(func.max(attempts.c.started_at)).where(attempts.c.message_id == newest.c.id).scalar_subquery()
    query = (
        select(message_contents.c.text, func.coalesce(tried, newest.c.created_at).label("at"))
        .join(newest, newest.c.id == message_contents.c.message_id)
        .where(newest.c.state.in_(LEFT))
        .order_by(newest.c.id.desc())
        .limit(most)
    )
    return [EarlierText(row.text, row.at, from_phone=False) for row in connection.execute(query)]


def _from_phone(connection: Connection, conversation_id: str, most: int) -> list[EarlierText]:
    newest = (
        select(inbounds.c.id, inbounds.c.received_at)
        .where(inbounds.c.conversation_id == conversation_id)
        .order_by(inbounds.c.id.desc())
        .limit(most)
        .subquery("newest")
    )
    query = select(inbound_contents.c.text, newest.c.received_at).join(
        newest, newest.c.id == inbound_contents.c.inbound_id
    )
    return [EarlierText(row.text, row.received_at, from_phone=True) for row in connection.execute(query)]
