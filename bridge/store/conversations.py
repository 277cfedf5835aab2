"""Makes and renews the conversations that mails belong to: mailbox, phone and sender number; called by the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, exists, func, select
from sqlalchemy.sql.dml import ReturningInsert

from bridge import clock
from bridge.store.engine import upsert
from bridge.store.keys import NumberKey
from bridge.store.tables import automatic_texts, conversations, messages
from bridge.types import MessageState, NewMail, NewMessage


def continue_threads(
    connection: Connection, key: NumberKey, said: Iterable[tuple[NewMail, NewMessage]]
) -> dict[tuple[str, str, str], str]:
    """Ids of the conversations that the messages of these mails belong to, by mailbox id, hash of the phone's number
    and sender number. What the last mail says is what an answer continues."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for mail, message in said:
        if not message.number:  # refused: there is no such phone
            continue
        number_hash = key.hash(message.number)
        thread = (mail.mailbox.id, number_hash, message.sender)
        named_before, held_before = (rows[thread]["contact"], rows[thread]["held_at"]) if thread in rows else ("", None)
        rows[thread] = {
            "id": clock.new_id(),
            "organisation_id": mail.mailbox.organisation_id,
            "mailbox_id": mail.mailbox.id,
            "number": message.number,
            "number_hash": number_hash,
            "sender": message.sender,
            "reply_to": mail.reply_to,
            "contact": message.contact or named_before,
            "subject": mail.submission.subject,
            "message_id": mail.submission.message_id,
            "references": list(mail.submission.references),
            "last_written_at": mail.at,
            "last_heard_at": None,
            "held_at": message.held_at or held_before,
        }
    # In one order everywhere: two nodes that renew the same conversations must not wait for each other.
    renewed = [rows[thread] for thread in sorted(rows)]
    if not renewed:
        return {}
    returned = connection.execute(_continuation(connection.dialect.name), renewed)
    return {(row.mailbox_id, row.number_hash, row.sender): row.id for row in returned}


def texted_at(
    connection: Connection, phones: Sequence[str], states: Iterable[MessageState]
) -> dict[tuple[str, str, str], datetime]:
    """When each mailbox's newest text in one of these states left for a phone, or is to leave, by mailbox id, hash of
    the phone's number and sender number: weeks after its mail was taken, where the mail named a time. What the bridge
    texts by itself nobody wrote."""
    query = (
        select(
            messages.c.mailbox_id, messages.c.number_hash, messages.c.sender, func.max(messages.c.due_at).label("at")
        )
        .where(
            messages.c.number_hash.in_(phones),
            messages.c.state.in_(list(states)),
            ~exists().where(automatic_texts.c.message_id == messages.c.id),
        )
        .group_by(messages.c.mailbox_id, messages.c.number_hash, messages.c.sender)
    )
    return {(row.mailbox_id, row.number_hash, row.sender): row.at for row in connection.execute(query)}


@cache
def _continuation(dialect: str) -> ReturningInsert[Any]:
    """Makes or renews conversations; built once, since building it costs as much as storing a mail."""
    statement = upsert(dialect, conversations)
    renewed = ("reply_to", "subject", "message_id", "references", "last_written_at")
    return statement.on_conflict_do_update(
        index_elements=[conversations.c.mailbox_id, conversations.c.number_hash, conversations.c.sender],
        set_={
            **{name: statement.excluded[name] for name in renewed},
            # A name that was given once stays until another is given.
            "contact": func.coalesce(func.nullif(statement.excluded.contact, ""), conversations.c.contact),
            "held_at": func.coalesce(statement.excluded.held_at, conversations.c.held_at),
        },
    ).returning(conversations.c.id, conversations.c.mailbox_id, conversations.c.number_hash, conversations.c.sender)
