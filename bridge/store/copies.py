"""What became of a text whose copy is filed, to be shown on the copy: put aside with the change itself, in order.

It waits in the queue of filings of its mailbox, behind the copy. What is shown is what holds when it is shown, so a
better truth that comes in between is never overwritten by an older one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select

from bridge import clock
from bridge.store.mails import MailState
from bridge.store.tables import FILING, mail_contents, mailboxes, mails, messages
from bridge.types import SETTLED, FiledKind, MessageState

STATE = "state"
"""The kind of such a row of `mail`; its content is the message's id and what its copy showed before."""


class Shown(StrEnum):
    """What is to be seen on a copy."""

    NOTHING = "nothing"
    """The text has left, and no more is known."""
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClaimedState:
    """A copy that is ours to mark until its lease ends."""

    id: str
    folder: tuple[str, ...]
    """Where the copy was filed."""
    attempts: int
    """This try included."""
    message_id: str
    shown: Shown
    before: Shown
    """What the copy showed when this was put aside."""


Moved = Mapping[str, tuple[MessageState, MessageState]]
"""Which states messages came from, and which they have now, by their ids."""


def shown(state: MessageState) -> Shown:
    """What the copy of a text in this state shows."""
    match state:
        case MessageState.DELIVERED:
            return Shown.DELIVERED
        case MessageState.UNKNOWN:
            return Shown.UNKNOWN
        case _ if state in SETTLED:
            return Shown.FAILED
        case _:
            return Shown.NOTHING


def filing_row(owner: Any, kind: str, folder: Sequence[str], now: datetime) -> dict[str, Any]:
    """A row of the queue of filings, due at once; `owner` has the `mailbox_id` and the `organisation_id`."""
    return {
        "id": clock.new_id(),
        "organisation_id": owner.organisation_id,
        "mailbox_id": owner.mailbox_id,
        "channel": "filing",
        "kind": kind,
        "folder": list(folder),
        "envelope_from": "",
        "envelope_to": "",
        "state": MailState.QUEUED,
        "due_at": now,
        "attempts": 0,
        "diagnostic": "",
        "created_at": now,
    }


def have_copies(connection: Connection, message_ids: Collection[str]) -> set[str]:
    """Whose texts are filed, or wait to be."""
    query = select(mails.c.message_id).where(*_copies(message_ids))
    return set(connection.execute(query).scalars())


def mark_copies(connection: Connection, logins: Collection[str], moved: Moved) -> None:
    """Put aside what became of messages, where the mailbox (its login in lower case) wants it shown on their copies."""
    news = {each: (shown(before), shown(after)) for each, (before, after) in moved.items()}
    ids = [each for each, (before, after) in news.items() if before != after]
    if not ids:
        return
    query = (
        select(mails.c.id, mails.c.message_id, mails.c.folder, mails.c.mailbox_id, mails.c.organisation_id)
        .join(mailboxes, mailboxes.c.id == mails.c.mailbox_id)
        .where(*_copies(ids), func.lower(mailboxes.c.login).in_(logins))
    )
    now = clock.now()
    rows = []
    contents = []
    for copy in sorted(connection.execute(query).all(), key=lambda row: ids.index(row.message_id)):
        rows.append(filing_row(copy, STATE, copy.folder, now) | {"id": clock.new_id_behind(copy.id)})
        raw = f"{copy.message_id} {news[copy.message_id][0]}".encode()
        contents.append({"mail_id": rows[-1]["id"], "raw": raw})
    if rows:
        connection.execute(insert(mails), rows)
        connection.execute(insert(mail_contents), contents)


def claimed_states(connection: Connection, rows: Sequence[Any]) -> dict[str, ClaimedState]:
    """The rows of this kind among claimed ones, by their ids, with what is to be shown now."""
    wanted = {row.filing_id: row.raw.decode().split() for row in rows if row.kind == STATE}
    if not wanted:
        return {}
    ids = {message_id for message_id, _ in wanted.values()}
    query = select(messages.c.id, messages.c.state).where(messages.c.id.in_(ids))
    states = {row.id: shown(MessageState(row.state)) for row in connection.execute(query)}
    return {
        row.filing_id: ClaimedState(
            id=row.filing_id,
            folder=tuple(row.folder),
            attempts=row.tries,
            message_id=wanted[row.filing_id][0],
            shown=states[wanted[row.filing_id][0]],
            before=Shown(wanted[row.filing_id][1]),
        )
        for row in rows
        if row.filing_id in wanted
    }


def _copies(message_ids: Collection[str]) -> tuple[Any, ...]:
    return (
        mails.c.message_id.in_(message_ids),
        mails.c.channel == FILING,
        mails.c.kind == FiledKind.SENT,
        mails.c.state != MailState.FAILED,
    )
