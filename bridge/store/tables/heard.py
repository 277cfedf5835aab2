"""The tables of what gateways hear: receipts, SMS from phones and whose they are, and how far news were read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import Private, Utc, table


class ReceiptRow(SQLModel, table=True):
    """A delivery receipt as it was heard. Without a message it waits for an id or a reference to claim it."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("gateway", "event_id"),
        Index("ix_receipt_provider", "gateway", "provider_id"),
        Index("ix_receipt_message", "message_id"),
    )

    id: str = Field(primary_key=True)
    organisation_id: str | None
    gateway: str
    event_id: str
    provider_id: str | None
    reference: str | None
    state: str
    reason: str | None
    diagnostic: str
    occurred_at: datetime | None = Field(sa_type=Utc)
    received_at: datetime = Field(sa_type=Utc)
    message_id: str | None = Field(foreign_key="message.id")
    raw: str = Field(sa_type=Private)
    price: str | None
    """What the message costs, where the receipt says it, as exact decimal digits."""
    price_unit: str | None


class Conversation(SQLModel, table=True):
    """Mailbox, phone and the sender number between them; carries the mail thread."""

    __table_args__ = (
        UniqueConstraint("mailbox_id", "number_hash", "sender"),
        Index("ix_conversation_number", "number_hash", "sender"),
        Index(
            "ix_conversation_held",
            "number_hash",
            "sender",
            unique=True,
            sqlite_where=text("held_at IS NOT NULL"),
            postgresql_where=text("held_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    mailbox_id: str = Field(foreign_key="mailbox.id")
    number: str = Field(sa_type=Private)
    number_hash: str
    sender: str
    reply_to: str
    """The address that gets the phone's answers."""
    contact: str = Field(sa_type=Private)
    """What the mailbox calls the phone; empty when it never gave it a name."""
    subject: str = Field(sa_type=Private)
    message_id: str
    """Message-ID of the last mail of the thread that the mailbox wrote, or empty."""
    references: list[str] = Field(sa_type=JSON)
    last_written_at: datetime | None = Field(sa_type=Utc)
    """When the mailbox last texted the phone; null when only the phone ever wrote."""
    last_heard_at: datetime | None = Field(sa_type=Utc)
    """When the phone last wrote."""
    held_at: datetime | None = Field(sa_type=Utc)
    """Since when the pool gave this number to this conversation alone; null when it did not, or took it back."""


class Inbound(SQLModel, table=True):
    """One SMS from a phone."""

    __table_args__ = (
        UniqueConstraint("gateway", "event_id"),
        Index("ix_inbound_number", "number_hash"),
        Index("ix_inbound_mailbox", "mailbox_id", "received_at"),
        Index("ix_inbound_conversation", "conversation_id", "id"),
    )

    id: str = Field(primary_key=True)
    organisation_id: str | None
    gateway: str
    event_id: str
    number: str = Field(sa_type=Private)
    number_hash: str
    sender: str
    """Our number it wrote to."""
    received_at: datetime = Field(sa_type=Utc)
    mailbox_id: str | None
    conversation_id: str | None
    match: str


class InboundContent(SQLModel, table=True):
    """The words of an inbound SMS, and the raw event they came in."""

    __tablename__ = "inbound_content"

    inbound_id: str = Field(primary_key=True, foreign_key="inbound.id")
    text: str = Field(sa_type=Private)
    raw: str = Field(sa_type=Private)


class InboundPart(SQLModel, table=True):
    """One segment of an inbound SMS (3GPP TS 23.040 section 9.2.3.24.1).

    It waits for the others. Once the SMS is whole it is kept for a day more, without its words, so that it is known
    when it is delivered again.
    """

    __tablename__ = "inbound_part"
    __table_args__ = (UniqueConstraint("gateway", "number_hash", "sender", "concat_reference", "ordinal"),)

    id: str = Field(primary_key=True)
    gateway: str
    number: str = Field(sa_type=Private)
    number_hash: str
    sender: str
    concat_reference: int
    total: int
    ordinal: int
    text: str = Field(sa_type=Private)
    received_at: datetime = Field(sa_type=Utc)
    event_id: str | None
    """What makes a redelivered segment the same one."""
    whole_at: datetime | None = Field(sa_type=Utc)
    """When the SMS became whole."""


class PollCursor(SQLModel, table=True):
    """How far a gateway that is asked for news has been read."""

    __tablename__ = "poll_cursor"

    gateway: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str


receipts = table("receipt")
conversations = table("conversation")
inbounds = table("inbound")
inbound_contents = table("inbound_content")
inbound_parts = table("inbound_part")
poll_cursors = table("poll_cursor")
