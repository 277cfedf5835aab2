"""What the bridge texts phones by itself: what it has said so far, and what it says now; called where an SMS is filed.

A text is written in the transaction that files the SMS it answers, so it exists once for each, whatever is repeated or
breaks; from there on it is a message like any other. Of a conversation it changes nothing: nobody has written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from bridge import clock
from bridge.store import usage
from bridge.store.blocks import block_of
from bridge.store.bulk import insert_rows
from bridge.store.keys import NumberKey
from bridge.store.rows import message_content, message_row, submission_content, submission_row
from bridge.store.tables import (
    automatic_texts,
    message_contents,
    messages,
    opt_outs,
    submission_contents,
    submissions,
)
from bridge.store.turns import take_turns
from bridge.types import AutomaticKind, AutomaticText, Block, Mailbox, NewMail

CONFIRMS_STOP = (
    select(automatic_texts.c.inbound_id)
    .where(automatic_texts.c.message_id == messages.c.id, automatic_texts.c.kind == AutomaticKind.STOP)
    .correlate(messages)
    .exists()
)
"""Whether a message is the one that leaves for a phone that wants no more."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """What the bridge does by itself about an SMS: the text that leaves, or that the mailbox is told of one that does
    not."""

    kind: AutomaticKind
    mail: NewMail | None
    """With its one message; None for a text that is withheld."""


@dataclass(frozen=True, slots=True)
class Dealings:
    """What has passed between a phone and one of our numbers. Once it was asked, no other transaction writes more of it
    before this one ends."""

    connection: Connection
    number_hash: str
    sender: str

    def lock(self) -> None:
        """Let nobody else answer this phone from this number meanwhile."""
        take_turns(self.connection, [f"automatic {self.number_hash} {self.sender}"])

    def texts(self, since: datetime) -> list[AutomaticText]:
        """What the bridge has said or withheld since then."""
        query = (
            select(automatic_texts.c.kind, automatic_texts.c.at, message_contents.c.text)
            .outerjoin(message_contents, message_contents.c.message_id == automatic_texts.c.message_id)
            .where(
                automatic_texts.c.number_hash == self.number_hash,
                automatic_texts.c.sender == self.sender,
                automatic_texts.c.at > since,
            )
        )
        return [AutomaticText(AutomaticKind(row.kind), row.at, row.text) for row in self.connection.execute(query)]

    def block(self, organisation_id: str) -> Block | None:
        """What keeps this number from texting the phone."""
        return next(iter(self.blocks(organisation_id, (self.sender,))), None)

    def blocks(self, organisation_id: str, senders: Collection[str]) -> list[Block]:
        """What keeps these numbers of ours from texting it."""
        query = select(opt_outs).where(
            opt_outs.c.organisation_id == organisation_id,
            opt_outs.c.sender.in_(senders),
            opt_outs.c.number_hash == self.number_hash,
        )
        return [block_of(row) for row in self.connection.execute(query)]

    def used(self, mailbox: Mailbox, day: str) -> int:
        """Messages of a mailbox on a day of its own; nobody else counts on it until this transaction ends. Without a
        daily cap nothing is counted here, and 0 said: mails of the same mailbox, which are, would wait."""
        if mailbox.daily_cap is None:
            return 0
        return usage.locked(self.connection, [(mailbox.id, day)])[mailbox.id, day]


def write(
    connection: Connection,
    key: NumberKey,
    automatic: Automatic,
    dealings: Dealings,
    inbound_id: str,
    thread: str | None,
) -> None:
    """Put a text into the queue, count it, and remember it or that it was withheld; `thread` is the id of the
    conversation that it belongs to."""
    message_id = _send(connection, key, automatic.mail, thread) if automatic.mail is not None else None
    connection.execute(
        insert(automatic_texts).values(
            inbound_id=inbound_id,
            message_id=message_id,
            kind=automatic.kind,
            number_hash=dealings.number_hash,
            sender=dealings.sender,
            at=automatic.mail.at if automatic.mail is not None else clock.now(),
        )
    )


def _send(connection: Connection, key: NumberKey, mail: NewMail, thread: str | None) -> str:
    submission_id, message_id = clock.new_id(), clock.new_id()
    (message,) = mail.messages
    if mail.mailbox.daily_cap is not None:
        day = (mail.mailbox.id, mail.day)
        usage.write(connection, {day: usage.locked(connection, [day])[day] + 1}, [day])
    insert_rows(connection, submissions, [submission_row(mail, submission_id, mail.messages)])
    insert_rows(connection, submission_contents, [submission_content(mail, submission_id)])
    row = message_row(mail, submission_id, message_id, message, key.hash(message.number), thread)
    insert_rows(connection, messages, [row])
    insert_rows(connection, message_contents, [message_content(message_id, message)])
    return message_id
