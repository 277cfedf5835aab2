"""An SMS from a phone, kept with all that follows from it: whose it is, the block it asks for, the mails that carry it.

The inbox calls this within its transaction; who decides is handed in, and sees every conversation in question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from bridge import clock
from bridge.store import automatic, blocks
from bridge.store.automatic import Automatic, Dealings
from bridge.store.blocks import Phone
from bridge.store.conversations import texted_at
from bridge.store.engine import upsert
from bridge.store.filings import FilingRules, file_mail
from bridge.store.history import LEFT, earlier_texts
from bridge.store.keys import NumberKey
from bridge.store.mails import MailKind, insert_mail
from bridge.store.tables import conversations, inbound_contents, inbounds, messages
from bridge.store.webhooks import insert_posting
from bridge.types import EarlierText, FiledKind, InboundSms, OutgoingMail, Posting


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
    last_heard_at: datetime | None
    held_at: datetime | None
    """Since when the pool has given the number to this conversation alone."""
    contact: str
    """What the mailbox calls the phone."""
    linked: bool
    """The provider says that the SMS answers a text of this conversation."""
    recall: Callable[[], tuple[EarlierText, ...]] = field(default=tuple, compare=False)
    """Reads its last texts, the newest first; of use only while it is decided about the SMS."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A further mail that carries the same SMS: to another mailbox that it may be for, or to whom somebody named."""

    mailbox_id: str
    mail: OutgoingMail
    contact: str
    filed: bool = True
    """Whether it is one for the mailbox's folders too; what is forwarded is not."""
    kind: MailKind = MailKind.COPY


@dataclass(frozen=True, slots=True)
class Filing:
    """What was decided about an inbound SMS."""

    organisation_id: str | None
    mailbox_id: str | None
    conversation_id: str | None
    match: str
    mail: OutgoingMail | None
    reply_to: str = ""
    message_id: str = ""
    """Message-ID of the mail; a conversation that begins with this SMS continues it."""
    contact: str = ""
    """What the mailbox calls the phone; it names a conversation that begins with this SMS."""
    stops: bool = False
    resumes: bool = False
    objects: bool = False
    """The phone asked for no more texts in words of its own: they rest until its mailbox decides."""
    senders: tuple[str, ...] = ()
    """The mailbox's numbers, for all of which a block is set or lifted; that it wrote to is always one of them."""
    copies: tuple[Copy, ...] = ()
    automatic: Automatic | None = None
    """What the bridge answers the phone by itself."""
    webhook: Posting | None = None
    """What a webhook is told of it."""


Decide = Callable[[str, InboundSms, Sequence[Thread], Dealings], Filing]
"""Decides about one inbound SMS: its id, the SMS, every conversation between its two numbers, and what the bridge has
said between them by itself."""


@dataclass(frozen=True, slots=True)
class Inbounds:
    """Files inbound SMS, on a connection of the caller's."""

    key: NumberKey
    filing: FilingRules
    history: int
    """Most earlier texts of its conversation that the mail with an SMS shows."""

    def file(self, connection: Connection, sms: InboundSms, decide: Decide) -> Filing | None:
        """Keep an SMS with what `decide` makes of it; None when it was heard before."""
        number_hash = self.key.hash(sms.number)
        known = select(inbounds.c.id).where(inbounds.c.gateway == sms.gateway, inbounds.c.event_id == sms.event_id)
        if (connection.execute(known)).first() is not None:
            return None
        inbound_id = clock.new_id()
        dealings = Dealings(connection, number_hash, sms.to)
        filing = decide(inbound_id, sms, _threads(connection, sms, number_hash, self.history), dealings)
        conversation_id = self._conversation(connection, sms, filing)
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
        if filing.automatic is not None:
            automatic.write(connection, self.key, filing.automatic, dealings, inbound_id, conversation_id)
        if filing.organisation_id is not None:
            self._opt(connection, sms, filing, inbound_id)
            if filing.mail is not None and filing.mailbox_id is not None:
                first = Copy(filing.mailbox_id, filing.mail, filing.contact)
                self._mail(connection, sms, first, MailKind.REPLY, filing.organisation_id, inbound_id)
                for copy in filing.copies:
                    self._mail(connection, sms, copy, copy.kind, filing.organisation_id, inbound_id)
            if filing.webhook is not None:
                insert_posting(connection, filing.webhook, filing.organisation_id)
        return filing

    def _mail(
        self,
        connection: Connection,
        sms: InboundSms,
        copy: Copy,
        kind: MailKind,
        organisation_id: str,
        inbound_id: str,
    ) -> None:
        insert_mail(
            connection,
            copy.mail,
            organisation_id=organisation_id,
            mailbox_id=copy.mailbox_id,
            kind=kind,
            inbound_id=inbound_id,
        )
        if copy.filed:
            phone = {sms.number: copy.contact}
            file_mail(connection, self.filing, copy.mailbox_id, FiledKind.REPLIES, copy.mail, phone)

    def _conversation(self, connection: Connection, sms: InboundSms, filing: Filing) -> str | None:
        """The id of the conversation that it continues or begins."""
        if filing.conversation_id is None:
            return self._begin_thread(connection, sms, filing) if filing.mailbox_id is not None else None
        heard = func.coalesce(conversations.c.last_heard_at, sms.received_at) <= sms.received_at
        connection.execute(
            update(conversations)
            .where(conversations.c.id == filing.conversation_id, heard)
            .values(last_heard_at=sms.received_at)
        )
        return filing.conversation_id

    def _begin_thread(self, connection: Connection, sms: InboundSms, filing: Filing) -> str:
        # Another node may have begun it at the same moment; then that one is it.
        statement = upsert(connection.dialect.name, conversations).on_conflict_do_update(
            index_elements=[conversations.c.mailbox_id, conversations.c.number_hash, conversations.c.sender],
            set_={"last_heard_at": sms.received_at},
        )
        begun = connection.execute(
            statement.values(
                id=clock.new_id(),
                organisation_id=filing.organisation_id,
                mailbox_id=filing.mailbox_id,
                number=sms.number,
                number_hash=self.key.hash(sms.number),
                sender=sms.to,
                reply_to=filing.reply_to,
                contact=filing.contact,
                subject="",
                message_id=filing.message_id,
                references=[],
                last_written_at=None,
                last_heard_at=sms.received_at,
                held_at=None,
            ).returning(conversations.c.id)
        )
        conversation_id: str = begun.scalar_one()
        return conversation_id

    def _opt(self, connection: Connection, sms: InboundSms, filing: Filing, inbound_id: str) -> None:
        if filing.organisation_id is None or not (filing.stops or filing.resumes or filing.objects):
            return
        senders = tuple(sorted({sms.to, *filing.senders}))
        phone = Phone(filing.organisation_id, senders, sms.number, self.key.hash(sms.number))
        if filing.stops:
            blocks.order(connection, phone, inbound_id, sms.received_at)
        elif filing.resumes:
            blocks.lift(connection, phone)
        else:
            blocks.wish(connection, phone, inbound_id, sms.received_at)


def _threads(connection: Connection, sms: InboundSms, number_hash: str, history: int) -> list[Thread]:
    """Every conversation between the two numbers, and the one that the provider says it answers."""
    linked = _linked(connection, sms, number_hash)
    query = select(conversations).where(
        conversations.c.number_hash == number_hash,
        or_(conversations.c.sender == sms.to, conversations.c.id == linked)
        if linked is not None
        else conversations.c.sender == sms.to,
    )
    texted = texted_at(connection, [number_hash], LEFT)
    return [
        _thread(
            row,
            linked,
            texted.get((row.mailbox_id, number_hash, row.sender)),
            partial(earlier_texts, connection, row, history),
        )
        for row in connection.execute(query).all()
    ]


def _linked(connection: Connection, sms: InboundSms, number_hash: str) -> str | None:
    """The conversation of the text to this phone that the provider says it answers."""
    if not sms.answers or not sms.answers.isprintable():  # no id that is kept is anything else
        return None
    named = or_(messages.c.provider_id == sms.answers, messages.c.id == sms.answers)
    query = (
        select(messages.c.conversation_id)
        .where(named, messages.c.gateway == sms.gateway, messages.c.number_hash == number_hash)
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def _thread(
    row: Any, linked: str | None, texted: datetime | None, recall: Callable[[], tuple[EarlierText, ...]]
) -> Thread:
    return Thread(
        conversation_id=row.id,
        mailbox_id=row.mailbox_id,
        reply_to=row.reply_to,
        subject=row.subject,
        message_id=row.message_id,
        references=tuple(row.references),
        last_written_at=max(filter(None, (row.last_written_at, texted)), default=None),
        last_heard_at=row.last_heard_at,
        held_at=row.held_at,
        contact=row.contact,
        linked=row.id == linked,
        recall=recall,
    )
